"""For a conversation: which files matter, by a random walk over who uses whose names.

Personalised PageRank (Page, Brin, Motwani and Winograd 1999; Haveliwala 2002), restarted at the files
and names that are talked about.  Nodes are files; one leads to another by each name it uses and the
other defines, rare names more than common ones.  Only the neighbourhood of the seeds is looked at.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ..index.reader import Reader
from .lookup import is_aside

MAX_FILES = 60
MAX_NAMES = 120
"""Of one file, the most used first."""
_MAX_NAMESAKES = 4
_DAMPING = 0.85
_ITERATIONS = 24
_ASIDE = 0.4

Edges = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Related:
    """A file and how much it has to do with the seeds; the shares of all files add up to 1."""

    path: str
    share: float


def related(
    reader: Reader, paths: Iterable[str], names: Iterable[str] = (), *, deadline_s: float
) -> tuple[Related, ...]:
    """The files round `paths` and round the definitions of `names`, most related first; ties by path.

    After `deadline_s` seconds the neighbourhood is what is known by then.  Raises what `reader` raises.
    """
    deadline = time.perf_counter() + deadline_s
    seeds: dict[str, float] = {path: 1.0 for path in paths if reader.file(path) is not None}
    for name in names:
        found = {one.path for one in reader.definitions(name, _MAX_NAMESAKES + 1)}
        for path in found if len(found) <= _MAX_NAMESAKES else ():
            seeds[path] = seeds.get(path, 0.0) + 1.0 / len(found)
    edges = _neighbourhood(reader, sorted(seeds), deadline)
    shares = _walked(edges, seeds)
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Related(path, share) for path, share in ordered)


def _neighbourhood(reader: Reader, seeds: list[str], deadline: float) -> Edges:
    """Breadth first, both ways over each edge: what is used, and by whom it is used."""
    edges: Edges = {path: {} for path in seeds}
    pending, seen = deque(seeds), set(seeds)
    homes: dict[str, tuple[str, ...]] = {}
    while pending and time.perf_counter() < deadline:
        path = pending.popleft()
        uses = sorted(reader.uses(path), key=lambda use: (-use.num, use.name))[:MAX_NAMES]
        for use in uses:
            if use.name not in homes:
                found = {one.path for one in reader.definitions(use.name, 3 * _MAX_NAMESAKES)}
                homes[use.name] = tuple(sorted(found)) if len(found) <= _MAX_NAMESAKES else ()
            for home in homes[use.name]:
                if home == path:
                    continue
                weight = math.sqrt(use.num) / len(homes[use.name])
                _lead(edges, path, home, weight)
                _lead(edges, home, path, 0.3 * weight)
                if home not in seen and len(seen) < MAX_FILES:
                    seen.add(home)
                    pending.append(home)
    return edges


def _lead(edges: Edges, start: str, end: str, weight: float) -> None:
    leads = edges.setdefault(start, {})
    leads[end] = leads.get(end, 0.0) + weight * (_ASIDE if is_aside(end) else 1.0)


def _walked(edges: Edges, seeds: dict[str, float]) -> dict[str, float]:
    total = sum(seeds.values())
    if not total:
        return {}
    restart = {path: weight / total for path, weight in seeds.items()}
    sums = {path: sum(leads.values()) for path, leads in edges.items()}
    shares = dict(restart)
    for _ in range(_ITERATIONS):
        lost = sum(share for path, share in shares.items() if not sums.get(path))
        following = {path: (1 - _DAMPING + _DAMPING * lost) * weight for path, weight in restart.items()}
        for path, share in sorted(shares.items()):
            for end, weight in edges.get(path, {}).items():
                following[end] = following.get(end, 0.0) + _DAMPING * share * weight / sums[path]
        shares = following
    return shares
