"""All sources, one order.

A definition's score is the most that any source gives it, and a little for each further one.  What
part of a source's weight depends on the name fitting the place is the source's to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..facts import Definition
from ..index.answers import Located
from ..index.reader import Reader
from .affinity import Affinity
from .lookup import DeadlinePassed, Lookup, is_aside, last_word
from .question import Candidate, Question
from .scene import Scene, read_scene
from .sources import Finding, Sources, is_hidden, is_shown

_FURTHER = 0.25
"""What each further reason adds, of its own weight."""
_BESIDE_THE_DOT = 0.4
"""Behind a dot whose left side is known, everything but its members counts this much."""
_SEEN = 0.7
"""A name that stands in the text round the cursor already is known, if not its signature."""

_OVERLOAD = 0.3


@dataclass(frozen=True, slots=True)
class Ranking:
    candidates: tuple[Candidate, ...]
    """Best first; ties by path, then by place."""
    is_complete: bool
    """False: the deadline came first."""
    heading: Callable[[str, str], str]
    """The signature of a type, by path and qualified name; empty where it is not known."""


def rank(question: Question, reader: Reader, *, deadline_s: float) -> Ranking:
    """Definitions in other files that bear on the question.

    Raises `IndexDamagedError`, `IndexUnavailableError`, `GrammarError`; `ValueError` for an offset
    outside the text.
    """
    deadline = time.perf_counter() + deadline_s
    scene = read_scene(question)
    lookup = Lookup(reader, scene, deadline)
    affinity = Affinity(scene.names)
    sources = Sources(scene, lookup, affinity)
    findings: list[tuple[int, Finding]] = []
    is_complete = True
    order: tuple[Callable[[], Iterator[Finding]], ...] = (
        sources.at_cursor,
        sources.call,
        sources.recent,
        sources.names,
        sources.imports,
        sources.variables,
        sources.own_type,
        sources.similar,
    )
    try:
        for nth, source in enumerate(order):
            findings.extend((nth, one) for one in source())
    except DeadlinePassed:
        is_complete = False
    return Ranking(_scored(scene, affinity, findings), is_complete, lookup.heading)


def _scored(scene: Scene, affinity: Affinity, findings: list[tuple[int, Finding]]) -> tuple[Candidate, ...]:
    located: dict[tuple[str, int], Located] = {}
    kept: list[tuple[int, Finding, tuple[str, int]]] = []
    for nth, one in findings:
        definition = one.located.definition
        if one.located.path != scene.path and is_shown(definition):
            key = (one.located.path, definition.start)
            located[key] = one.located
            kept.append((nth, one, key))
    affinity.learn(one.definition.name for one in located.values())
    fits = {key: affinity.of(one.definition.name, one.definition.signature) for key, one in located.items()}
    is_known = any(nth == 0 and one.weight >= 0.5 for nth, one, _ in kept)
    best: dict[tuple[str, int], tuple[float, str]] = {}
    total: dict[tuple[str, int], float] = {}
    for nth, one, key in kept:
        score = one.weight * (1 - one.fits + one.fits * fits[key])
        if nth and is_known:
            score *= _BESIDE_THE_DOT
        total[key] = total.get(key, 0.0) + score
        if score > best.get(key, (0.0, ""))[0]:
            best[key] = (score, one.why)
    candidates: list[Candidate] = []
    for key, (most, why) in best.items():
        one = located[key]
        score = most + _FURTHER * (min(total[key], 3 * most) - most)
        score *= _likelihood(scene, one.path, one.definition)
        candidates.append(Candidate(one.path, one.definition, score, why))
    return ordered(_overloads_apart(ordered(candidates)))


def ordered(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda one: (-one.score, one.path, one.definition.start)))


def _overloads_apart(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Of several definitions of one name in one place, the first counts, and the others little."""
    seen: set[tuple[str, str]] = set()
    for one in candidates:
        key = (one.path, one.definition.qualified_name)
        yield replace(one, score=one.score * _OVERLOAD) if key in seen else one
        seen.add(key)


def _likelihood(scene: Scene, path: str, definition: Definition) -> float:
    """What is told by the definition alone."""
    name = definition.name
    share = 1.0
    if scene.partial:
        share *= 1.5 if name.startswith(scene.partial) else 0.5
    if is_hidden(definition, path, scene.path):
        share *= 0.25
    if name.startswith("__") and name.endswith("__"):
        share *= 0.15
    elif name.startswith(("_", "#")):
        share *= 0.5
    if name in scene.names and scene.names[name] < 1.0:
        share *= _SEEN
    if is_aside(path) and not is_aside(scene.path):
        share *= 0.4
    if definition.kind == "method" and name == last_word(definition.parent):
        share *= 0.6 if scene.receiver else 1.0
    return share
