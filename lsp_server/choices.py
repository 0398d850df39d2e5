"""Several choices for one place: what is known of each, and in which order they are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .confidence import Facts
from .draft import Draft
from .snapshot import Suggestion


def facts_of(draft: Draft, text: str, language: str, num_findings: int) -> Facts | None:
    """Of the suggestion `text` (Unix line ends) that a draft became; None where no engine told anything.

    Pieces of nothing but white space count only where there are no others: indentation is soon said.
    """
    length = _common_length(draft.text, text)
    ends = (*draft.starts[1:], len(draft.text))
    pieces = list(zip(draft.starts, ends, draft.logprobs, strict=True)) if draft.logprobs else []
    kept = [piece for piece in pieces if piece[0] < length] or pieces
    told = [logprob for start, end, logprob in kept if draft.text[start:end].strip()]
    logprobs = told or [logprob for _, _, logprob in kept]
    if not logprobs:
        return None
    num_lines = text.strip("\n").count("\n") + 1
    return Facts(tuple(logprobs), num_lines, language, draft.is_cut, num_findings)


def ranked(suggestions: Sequence[Suggestion]) -> Suggestion:
    """The first as it is, with the others that differ from it and can be shown, the surest first.

    The first is what a request for one would have been answered with.  Where it cannot be shown, the
    surest of the others takes its place.
    """
    first, *rest = suggestions
    seen = {_spelled(first.text)} if first.shown else set[str]()
    others: list[Suggestion] = []
    for other in sorted(rest, key=lambda one: -(one.confidence or 0.0)):
        if other.shown and _spelled(other.text) not in seen:
            seen.add(_spelled(other.text))
            others.append(other)
    if not first.shown and others:
        first, *others = others
    return replace(first, others=tuple(others))


def _spelled(text: str) -> str:
    """Without white space, which makes no choice another one."""
    return "".join(text.split())


def _common_length(one: str, other: str) -> int:
    """Of the beginning that two texts share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
