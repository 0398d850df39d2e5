"""Reading fields of JSON that somebody else wrote: the value, or a refusal that names field and value."""

from __future__ import annotations

import math
from typing import Any, TypeVar, cast

from .errors import RequestRefusedError

T = TypeVar("T")
N = TypeVar("N", int, float)
S = TypeVar("S", bound=str)


def strings(body: dict[str, Any], key: str) -> tuple[str, ...]:
    """One string, several, or none."""
    given = body.get(key)
    if given is None:
        return ()
    found = cast("list[Any]", given if isinstance(given, list) else [given])
    if not all(isinstance(s, str) for s in found):
        raise RequestRefusedError(f"{key} is {short(given)}: expected a string or a list of strings")
    return tuple(whole_text(s, key) for s in found)


def whole_text(text: str, key: str) -> str:
    """JSON can carry half of a surrogate pair, which no tokenizer can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = text[error.start : error.end]
        raise RequestRefusedError(
            f"{key} holds {found!r} at {error.start}, half a surrogate pair: send whole characters"
        ) from None
    return text


def typed(body: dict[str, Any], key: str, kind: type[T], default: T) -> T:
    """The default where there is none, or null."""
    value = body.get(key)
    if value is None:
        return default
    if kind is float and type(value) is int and abs(value) < _LARGEST_INT:
        value = float(value)
    if type(value) is not kind:
        raise RequestRefusedError(f"{key} is {short(value)}: expected {kind.__name__}")
    return value


_LARGEST_INT = 1 << 53
"""Beyond, a float would be another number."""


def within(value: N, key: str, lowest: N, highest: N | None = None) -> N:
    """JSON as Python reads it knows NaN and Infinity; no field of ours does."""
    is_number = isinstance(value, int) or math.isfinite(value)
    if not is_number or value < lowest or (highest is not None and value > highest):
        bounds = f"at least {lowest}" if highest is None else f"{lowest} to {highest}"
        raise RequestRefusedError(f"{key} is {short(value)}: expected {bounds}")
    return value


def one_of(body: dict[str, Any], key: str, known: tuple[S, ...], default: S) -> S:
    name = typed(body, key, str, default)
    for one in known:
        if one == name:
            return one
    raise RequestRefusedError(f"{key} is {short(name)}: expected one of {', '.join(known)}")


def object_or_empty(value: Any) -> dict[str, Any]:
    """The object, or an empty one for whatever else an engine that is not ours has there."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def short(value: Any) -> str:
    """For messages: a prompt may be long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


_LONGEST_SHOWN = 80
