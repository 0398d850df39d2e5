"""Ranked candidates into a budget: the best first, each as one line, merged per file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..facts import Definition
from ..ranking.question import Candidate
from .chunk import Chunk, LeftOut
from .render import MAX_SIGNATURE_CHARS, SHORT_SIGNATURE_CHARS, line_of, text_of

MAX_LEFT_OUT = 40
_FEW_TOKENS = 8
"""Less is no room."""
_MAX_MISSES = 12
_IN_FULL = 12
"""So many of the best have their whole signature."""
_WITH_DOC = 4
"""So many of the best are told with the first sentence of their documentation."""
_HASH_COMMENTS = (".py", ".pyi", ".rb", ".sh", ".bash")
_FRAME_TOKENS = 3
"""Of a chunk's path: the control token and the line ends."""

Headings = Callable[[str, str], str]
"""From a path and a type's qualified name to the type's signature; empty where it is not known."""


def fill(
    candidates: Sequence[Candidate],
    headings: Headings,
    *,
    budget_tokens: int,
    count: Callable[[str], int],
) -> tuple[tuple[Chunk, ...], tuple[LeftOut, ...]]:
    """The chunks in the order of the prompt, the best last, and what did not fit."""
    taken: dict[str, list[tuple[Candidate, str]]] = {}
    under: set[tuple[str, str]] = set()
    left_out: list[LeftOut] = []
    room, misses = budget_tokens, 0
    for nth, one in enumerate(candidates):
        definition = one.definition
        if room < _FEW_TOKENS or misses > _MAX_MISSES:
            left_out += [_left_out(other) for other in candidates[nth : nth + MAX_LEFT_OUT - len(left_out)]]
            break
        hash_comments = one.path.endswith(_HASH_COMMENTS)
        line = line_of(
            definition,
            max_chars=MAX_SIGNATURE_CHARS if nth < _IN_FULL else SHORT_SIGNATURE_CHARS,
            with_doc=nth < _WITH_DOC,
            hash_comments=hash_comments,
        )
        cost = count(line + "\n") + (2 if definition.parent else 0)
        if one.path not in taken:
            cost += count(one.path) + _FRAME_TOKENS
        if definition.parent and (one.path, definition.parent) not in under:
            cost += count(headings(one.path, definition.parent) or definition.parent) + 3
        if cost > room:
            misses += 1
            left_out.append(_left_out(one))
            continue
        room -= cost
        taken.setdefault(one.path, []).append((one, line))
        under.add((one.path, definition.parent))
        under.add((one.path, definition.qualified_name))
    return _within(taken, headings, budget_tokens, count), tuple(left_out[:MAX_LEFT_OUT])


def _within(
    taken: Mapping[str, list[tuple[Candidate, str]]],
    headings: Headings,
    budget_tokens: int,
    count: Callable[[str], int],
) -> tuple[Chunk, ...]:
    """Costs were estimated line by line: what is over after all goes, the least first."""
    chunks = {path: _chunk(path, items, headings, count) for path, items in taken.items()}
    order = sorted(
        ((one.score, path, one.definition.start) for path, items in taken.items() for one, _ in items)
    )
    kept = {path: list(items) for path, items in taken.items()}
    for _, path, start in order:
        if sum(one.tokens for one in chunks.values()) <= budget_tokens:
            break
        kept[path] = [item for item in kept[path] if item[0].definition.start != start]
        if kept[path]:
            chunks[path] = _chunk(path, kept[path], headings, count)
        else:
            del chunks[path], kept[path]
    best = {path: max(one.score for one, _ in kept[path]) for path in chunks}
    return tuple(chunks[path] for path in sorted(chunks, key=lambda path: (best[path], path)))


def _chunk(
    path: str, items: Sequence[tuple[Candidate, str]], headings: Headings, count: Callable[[str], int]
) -> Chunk:
    lines: list[tuple[Definition, str]] = [(one.definition, line) for one, line in items]
    parents = {one.parent for one, _ in lines if one.parent}
    text, shown = text_of(lines, {parent: headings(path, parent) or parent for parent in parents}, path)
    reasons = dict.fromkeys(one.why for one, _ in sorted(items, key=lambda item: -item[0].score))
    return Chunk(
        path=path,
        text=text,
        why="; ".join(list(reasons)[:3]),
        tokens=count(f"{path}\n{text}\n") + 1,
        names=tuple(one.qualified_name for one in shown),
        lines=tuple(one.line for one in shown),
    )


def _left_out(one: Candidate) -> LeftOut:
    return LeftOut(one.path, one.definition.qualified_name, one.why)
