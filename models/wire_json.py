"""The records of `wire` as the JSON of the OpenAI API, in both directions; every mistake is named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, TypeVar, cast

from .errors import RequestRefusedError
from .wire import (
    ChatRequest,
    CompletionRequest,
    EngineStatus,
    FinishReason,
    Message,
    Priority,
    Sampling,
    Started,
    Usage,
)

T = TypeVar("T")
N = TypeVar("N", int, float)


def object_of(body: bytes) -> dict[str, Any]:
    """Raises RequestRefusedError when the body is not a JSON object."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError(f"the request body is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise RequestRefusedError("the request body must be a JSON object")
    return cast("dict[str, Any]", raw)


def completion_to_json(request: CompletionRequest, model: str) -> dict[str, Any]:
    """Our additions are left out where they say nothing, so that any server can be asked."""
    return {
        "prompt": list(request.prompt_ids),
        **_common_to_json(request, model),
        "truepenny": _additions(request, heal=request.heal),
    }


def chat_to_json(request: ChatRequest, model: str) -> dict[str, Any]:
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    return {"messages": messages, **_common_to_json(request, model), "truepenny": _additions(request)}


def _common_to_json(request: CompletionRequest | ChatRequest, model: str) -> dict[str, Any]:
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "temperature": sampling.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.top_p < 1.0:
        body["top_p"] = sampling.top_p
    if sampling.top_k > 0:
        body["top_k"] = sampling.top_k
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if request.stop:
        body["stop"] = list(request.stop)
    return body


def _additions(request: CompletionRequest | ChatRequest, heal: str = "") -> dict[str, Any]:
    return {"heal": heal, "priority": request.priority.name.lower(), "document": request.document}


def completion_from_json(
    body: dict[str, Any],
    encode: Callable[[str], list[int]],
    default_priority: Priority = Priority.INTERACTIVE,
) -> CompletionRequest:
    """Raises RequestRefusedError naming the field, the value and what is expected."""
    additions = cast("dict[str, Any]", _typed(body, "truepenny", dict, {}))
    if _typed(body, "n", int, 1) != 1:
        raise RequestRefusedError(f"n is {body['n']!r}: this engine returns one choice per request")
    seed = body.get("seed")
    return CompletionRequest(
        prompt_ids=_prompt_ids(body.get("prompt"), encode),
        max_tokens=_within(_typed(body, "max_tokens", int, 64), "max_tokens", 1),
        sampling=Sampling(
            temperature=_within(_typed(body, "temperature", float, 0.0), "temperature", 0.0),
            top_p=_within(_typed(body, "top_p", float, 1.0), "top_p", 0.0, 1.0),
            top_k=_within(_typed(body, "top_k", int, 0), "top_k", 0),
            seed=None if seed is None else _within(_typed(body, "seed", int, 0), "seed", 0),
        ),
        stop=_stop(body.get("stop")),
        heal=_text(_typed(additions, "heal", str, ""), "heal"),
        priority=_priority(_typed(additions, "priority", str, default_priority.name)),
        document=_typed(additions, "document", str, ""),
    )


def wants_stream(body: dict[str, Any]) -> bool:
    """Raises RequestRefusedError when `stream` is neither true nor false."""
    return _typed(body, "stream", bool, default=False)


def messages_from_json(body: dict[str, Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for raw in _typed(body, "messages", list, []):
        turn = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        role, content = turn.get("role"), turn.get("content")
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise RequestRefusedError(
                f"message {_short(raw)}: expected an object with role system, user or assistant "
                "and content as text"
            )
        messages.append(Message(role, _text(content, "content")))
    return tuple(messages)


def usage_to_json(usage: Usage) -> dict[str, Any]:
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.reused_tokens},
        },
        "truepenny": {
            "queue_ms": round(usage.queue_ms, 2),
            "prefill_ms": round(usage.prefill_ms, 2),
            "decode_ms": round(usage.decode_ms, 2),
            "finish_reason": usage.finish_reason,
        },
    }


def started_to_json(started: Started) -> dict[str, Any]:
    return {"truepenny": {"started": asdict(started)}}


def started_from_json(record: dict[str, Any]) -> Started | None:
    """None for any other record, as from an engine that is not ours.  Fields a newer one adds are ignored."""
    additions = _object(record.get("truepenny"))
    values = _object(additions.get("started"))
    if not values:
        return None
    return Started(**{field.name: values[field.name] for field in fields(Started)})


def usage_from_json(record: dict[str, Any], finish_reason: str | None) -> Usage:
    """Servers that report no timings or reuse are read as zeros."""
    usage, additions = _object(record.get("usage")), _object(record.get("truepenny"))
    details = _object(usage.get("prompt_tokens_details"))
    prompt, reused = int(usage.get("prompt_tokens", 0)), int(details.get("cached_tokens") or 0)
    reason = additions.get("finish_reason") or finish_reason
    known: FinishReason = reason if reason in ("length", "cancelled") else "stop"
    return Usage(
        prompt_tokens=prompt,
        reused_tokens=reused,
        computed_tokens=prompt - reused,
        completion_tokens=int(usage.get("completion_tokens", 0)),
        queue_ms=float(additions.get("queue_ms", 0.0)),
        prefill_ms=float(additions.get("prefill_ms", 0.0)),
        decode_ms=float(additions.get("decode_ms", 0.0)),
        finish_reason=known,
    )


def status_from_json(record: dict[str, Any]) -> EngineStatus:
    """Fields a newer engine adds are ignored."""
    known = {field.name for field in fields(EngineStatus)}
    return EngineStatus(**{key: value for key, value in record.items() if key in known})


def _prompt_ids(prompt: Any, encode: Callable[[str], list[int]]) -> tuple[int, ...]:
    if isinstance(prompt, str):
        return tuple(encode(_text(prompt, "prompt")))
    if isinstance(prompt, list) and all(type(i) is int for i in cast("list[Any]", prompt)):
        return tuple(cast("list[int]", prompt))
    raise RequestRefusedError(f"prompt is {_short(prompt)}: expected a list of token ids or a string")


def _stop(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    stop = cast("list[Any]", given if isinstance(given, list) else [given])
    if not all(isinstance(s, str) for s in stop):
        raise RequestRefusedError(f"stop is {_short(given)}: expected a string or a list of strings")
    return tuple(_text(s, "stop") for s in stop)


def _text(text: str, key: str) -> str:
    """JSON can carry half of a surrogate pair, which no tokenizer can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = text[error.start : error.end]
        raise RequestRefusedError(
            f"{key} holds {found!r} at {error.start}, half a surrogate pair: send whole characters"
        ) from None
    return text


def _priority(name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError:
        known = ", ".join(p.name.lower() for p in Priority)
        raise RequestRefusedError(f"priority is {_short(name)}: expected one of {known}") from None


def _typed(body: dict[str, Any], key: str, kind: type[T], default: T) -> T:
    value = body.get(key)
    if value is None:
        return default
    if kind is float and type(value) is int and abs(value) < _LARGEST_INT:
        value = float(value)
    if type(value) is not kind:
        raise RequestRefusedError(f"{key} is {_short(value)}: expected {kind.__name__}")
    return value


_LARGEST_INT = 1 << 53
"""Beyond, a float would be another number."""


def _within(value: N, key: str, lowest: N, highest: N | None = None) -> N:
    """JSON as Python reads it knows NaN and Infinity; no field of ours does."""
    is_number = isinstance(value, int) or math.isfinite(value)
    if not is_number or value < lowest or (highest is not None and value > highest):
        bounds = f"at least {lowest}" if highest is None else f"{lowest} to {highest}"
        raise RequestRefusedError(f"{key} is {_short(value)}: expected {bounds}")
    return value


def _object(value: Any) -> dict[str, Any]:
    """The object, or an empty one for whatever else an engine that is not ours has there."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _short(value: Any) -> str:
    """For messages: a prompt may be long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


_LONGEST_SHOWN = 80
