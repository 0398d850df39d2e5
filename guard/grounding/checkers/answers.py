"""Names out of what a language server answers.  It is not trusted to have a shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

_NOT_MEMBERS = frozenset({1, 14, 15, 16, 17, 18, 19})
"""Kinds of completions: text, keyword, snippet, colour, file, reference, folder."""


def get(value: Any, key: str) -> Any:
    """A field of a JSON object; None of anything else."""
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None


def members(answer: Any) -> tuple[str, ...]:
    """Of `textDocument/completion`: no keywords, and nothing that would have to be imported."""
    items = get(answer, "items") if isinstance(answer, dict) else answer
    return _distinct(_member(item) for item in _list(items))


def parameters(answer: Any) -> tuple[str, ...]:
    """Of `textDocument/signatureHelp`: those of every overload."""
    return _distinct(
        _parameter(get(parameter, "label"), str(get(signature, "label") or ""))
        for signature in _list(get(answer, "signatures"))
        for parameter in _list(get(signature, "parameters"))
    )


def _member(item: Any) -> str:
    if get(item, "kind") in _NOT_MEMBERS or get(item, "additionalTextEdits"):
        return ""
    label = get(item, "filterText") or get(item, "label") or ""
    name = str(label).lstrip(".?").partition("(")[0].strip()
    return name if name.isidentifier() else ""


def _parameter(label: Any, signature: str) -> str:
    """With its stars.  Its label is its text, or where that is in the signature's."""
    if isinstance(label, list):
        start, end = [*cast("list[Any]", label), 0, 0][:2]
        label = signature[start:end] if isinstance(start, int) and isinstance(end, int) else ""
    match = re.match(r"\*{0,2}\w+", str(label or ""))
    return match.group() if match else ""


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
