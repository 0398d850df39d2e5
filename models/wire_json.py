"""The records of `wire` as the JSON of the OpenAI API, in both directions; every mistake is named.

What only our engine understands travels under `truepenny`.  Other engines also get what they have a name
for: `cache_salt` and `structured_outputs` (vLLM, SGLang), `grammar` and `json_schema` (llama-server).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, cast

from .errors import RequestRefusedError
from .json_fields import object_or_empty, one_of, short, strings, typed, whole_text, within
from .wire import (
    GRAMMAR_KINDS,
    MAX_CHOICES,
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

_SALT_KEY = secrets.token_bytes(32)
"""Nobody outside this process can tell which workspace a salt stands for."""


def object_of(body: bytes) -> dict[str, Any]:
    """Raises RequestRefusedError when the body is not a JSON object."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError(f"the request body is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise RequestRefusedError("the request body must be a JSON object")
    return cast("dict[str, Any]", raw)


def completion_to_json(request: CompletionRequest, model: str, *, is_ours: bool = True) -> dict[str, Any]:
    """Our additions are left out where they say nothing, so that any server can be asked."""
    body = {"prompt": list(request.prompt_ids), **_common_to_json(request, model)}
    if request.n > 1:
        body["n"] = request.n
    if request.logprobs:
        body["logprobs"] = 1  # of the token itself; some servers read 0 as none at all
    more: dict[str, Any] = {"heal": request.heal}
    if request.allowed:
        more |= {"allowed": list(request.allowed), "allowed_only": request.allowed_only}
        if request.allowed_words:
            more["allowed_words"] = True
    if request.grammar:
        more |= {"grammar": request.grammar, "grammar_kind": request.grammar_kind}
    if not request.speculate:
        more["speculate"] = False
    body["truepenny"] = _additions(request, is_ours=is_ours) | more
    return body if is_ours else body | _for_others(request)


def chat_to_json(request: ChatRequest, model: str, *, is_ours: bool = True) -> dict[str, Any]:
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    body = {"messages": messages, **_common_to_json(request, model)}
    body["truepenny"] = _additions(request, is_ours=is_ours)
    return body if is_ours else body | _salt(request.workspace)


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


def _additions(request: CompletionRequest | ChatRequest, *, is_ours: bool) -> dict[str, Any]:
    """Names of files stay on this machine."""
    additions: dict[str, Any] = {"priority": request.priority.name.lower()}
    if is_ours:
        additions |= {"document": request.document, "workspace": request.workspace}
    return additions


def _salt(workspace: str) -> dict[str, Any]:
    """Keeps the caches of workspaces apart.  A name may be a path, so it stays here."""
    if not workspace:
        return {}
    return {"cache_salt": hmac.new(_SALT_KEY, workspace.encode(), hashlib.sha256).hexdigest()}


def _for_others(request: CompletionRequest) -> dict[str, Any]:
    body: dict[str, Any] = _salt(request.workspace)
    if request.allowed:
        whole = [request.heal + string for string in request.allowed]
        alternatives = " | ".join(json.dumps(string) for string in whole)
        is_word_only = request.allowed_words and not request.allowed_only
        rest = "" if request.allowed_only else r" ([^0-9A-Za-z_] [^\x00]*)?" if is_word_only else r" [^\x00]*"
        body["grammar"] = f"root ::= ({alternatives}){rest}"
        choice = {"choice": whole}
        beyond = r"([^0-9A-Za-z_][\s\S]*)?" if is_word_only else r"[\s\S]*"
        regex = {"regex": rf"({'|'.join(map(re.escape, whole))}){beyond}"}
        body["structured_outputs"] = choice if request.allowed_only else regex
    elif request.grammar and request.grammar_kind == "json_schema":
        try:
            schema = json.loads(request.grammar)
        except ValueError as error:
            raise RequestRefusedError(f"grammar is {short(request.grammar)}, not JSON: {error}") from error
        body |= {"json_schema": schema, "structured_outputs": {"json": schema}}
    elif request.grammar:
        kind = "regex" if request.grammar_kind == "regex" else "grammar"
        body["structured_outputs"] = {kind: request.grammar}
    return body


def completion_from_json(
    body: dict[str, Any],
    encode: Callable[[str], list[int]],
    default_priority: Priority = Priority.INTERACTIVE,
) -> CompletionRequest:
    """Raises RequestRefusedError naming the field, the value and what is expected."""
    additions = cast("dict[str, Any]", typed(body, "truepenny", dict, {}))
    seed = body.get("seed")
    return CompletionRequest(
        prompt_ids=_prompt_ids(body.get("prompt"), encode),
        max_tokens=within(typed(body, "max_tokens", int, 64), "max_tokens", 0),
        sampling=Sampling(
            temperature=within(typed(body, "temperature", float, 0.0), "temperature", 0.0),
            top_p=within(typed(body, "top_p", float, 1.0), "top_p", 0.0, 1.0),
            top_k=within(typed(body, "top_k", int, 0), "top_k", 0),
            seed=None if seed is None else within(typed(body, "seed", int, 0), "seed", 0),
        ),
        stop=strings(body, "stop"),
        heal=whole_text(typed(additions, "heal", str, ""), "heal"),
        priority=_priority(typed(additions, "priority", str, default_priority.name)),
        document=typed(additions, "document", str, ""),
        workspace=typed(additions, "workspace", str, ""),
        n=within(typed(body, "n", int, 1), "n", 1, MAX_CHOICES),
        allowed=strings(additions, "allowed"),
        allowed_only=typed(additions, "allowed_only", bool, default=False),
        allowed_words=typed(additions, "allowed_words", bool, default=False),
        grammar=whole_text(typed(additions, "grammar", str, ""), "grammar"),
        grammar_kind=one_of(additions, "grammar_kind", GRAMMAR_KINDS, "json_schema"),
        speculate=typed(additions, "speculate", bool, default=True),
        logprobs=_wants_logprobs(body.get("logprobs")),
    )


def _wants_logprobs(given: Any) -> bool:
    """A number in completions, true or false in chat: either way we tell of the token itself only."""
    if given is None or type(given) is bool:
        return bool(given)
    return within(typed({"logprobs": given}, "logprobs", int, 0), "logprobs", 0) > 0


def logprobs_to_json(told: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Texts and their logarithms as in OpenAI's completions, without alternatives."""
    return {
        "tokens": [text for text, _ in told],
        "token_logprobs": [round(logprob, 6) for _, logprob in told],
    }


def logprob_from_json(choice: dict[str, Any]) -> float | None:
    """Of all tokens that a record has of a choice, in the shape of completions or of chat; else None."""
    found = object_or_empty(choice.get("logprobs"))
    values: list[Any] = []
    if isinstance(found.get("token_logprobs"), list):
        values = found["token_logprobs"]
    elif isinstance(found.get("content"), list):
        values = [object_or_empty(token).get("logprob") for token in cast("list[Any]", found["content"])]
    if not values or not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        return None
    return float(sum(values))


def opened_from_json(body: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """The open documents of a workspace, and its name."""
    return strings(body, "open"), typed(body, "workspace", str, "")


def wants_stream(body: dict[str, Any]) -> bool:
    """Raises RequestRefusedError when `stream` is neither true nor false."""
    return typed(body, "stream", bool, default=False)


def messages_from_json(body: dict[str, Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for raw in typed(body, "messages", list, []):
        turn = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        role, content = turn.get("role"), turn.get("content")
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise RequestRefusedError(
                f"message {short(raw)}: expected an object with role system, user or assistant "
                "and content as text"
            )
        messages.append(Message(role, whole_text(content, "content")))
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
            "drafted_tokens": usage.drafted_tokens,
            "accepted_tokens": usage.accepted_tokens,
        },
    }


def started_to_json(started: Started) -> dict[str, Any]:
    return {"truepenny": {"started": asdict(started)}}


def started_from_json(record: dict[str, Any]) -> Started | None:
    """None for any other record, as from an engine that is not ours.  Fields a newer one adds are ignored."""
    additions = object_or_empty(record.get("truepenny"))
    values = object_or_empty(additions.get("started"))
    if not values:
        return None
    known = {field.name for field in fields(Started)}
    return Started(**{key: value for key, value in values.items() if key in known})


def usage_from_json(record: dict[str, Any], finish_reason: str | None) -> Usage:
    """Servers that report no timings or reuse are read as zeros."""
    usage, additions = object_or_empty(record.get("usage")), object_or_empty(record.get("truepenny"))
    details = object_or_empty(usage.get("prompt_tokens_details"))
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
        drafted_tokens=int(additions.get("drafted_tokens", 0)),
        accepted_tokens=int(additions.get("accepted_tokens", 0)),
    )


def status_from_json(record: dict[str, Any]) -> EngineStatus:
    """Fields a newer engine adds are ignored."""
    known = {field.name for field in fields(EngineStatus)}
    return EngineStatus(**{key: value for key, value in record.items() if key in known})


def _prompt_ids(prompt: Any, encode: Callable[[str], list[int]]) -> tuple[int, ...]:
    if isinstance(prompt, str):
        return tuple(encode(whole_text(prompt, "prompt")))
    if isinstance(prompt, list) and all(type(i) is int for i in cast("list[Any]", prompt)):
        return tuple(cast("list[int]", prompt))
    raise RequestRefusedError(f"prompt is {short(prompt)}: expected a list of token ids or a string")


def _priority(name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError:
        known = ", ".join(p.name.lower() for p in Priority)
        raise RequestRefusedError(f"priority is {short(name)}: expected one of {known}") from None
