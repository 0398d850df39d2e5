"""Figures over what became of requests: of this session for `truepenny/stats`, of the journal for
`truepenny stats`.  Local only.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .afterlife import KEPT_AFTER_S
from .journal import Record

SEEN_MS = 750.0
"""Shorter than this nobody has read it (Cody)."""
KEPT_SHARE = 0.5
"""Of the accepted text, for it to be still there (Copilot)."""
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Kept:
    """Accepted texts that were looked for so many seconds later, and how many were still there."""

    after_s: int
    num_known: int
    num_kept: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one stage, where it ran: milliseconds."""

    stage: str
    num: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Silence:
    reason: str
    stage: str
    num: int


@dataclass(frozen=True, slots=True)
class Stats:
    """`language` is empty for all of them together, and then `languages` has each."""

    language: str
    num_asked: int
    num_shown: int
    """Suggestions sent to the editor."""
    num_seen: int
    """Displayed for 750 ms or accepted, where the editor says so."""
    num_accepted: int
    num_partially_accepted: int
    """In part only."""
    num_chars_accepted: int
    kept: tuple[Kept, ...]
    silences: tuple[Silence, ...]
    """Most frequent first.  Numbers within reasons are not told apart."""
    latencies: tuple[Latency, ...]
    """The whole first, then each stage by name."""
    prompt_tokens: int
    reused_tokens: int
    languages: tuple[Stats, ...] = ()

    @property
    def reused_share(self) -> float:
        """Of prompt tokens, those not computed again; 0 where there were none."""
        return self.reused_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def acceptance(self) -> float:
        """Of those shown, those accepted whole or in part."""
        return (self.num_accepted + self.num_partially_accepted) / self.num_shown if self.num_shown else 0.0


def summed_up(records: Iterable[Record]) -> Stats:
    """All of them, and each language on its own, the busiest first."""
    everything = list(records)
    by_language: dict[str, list[Record]] = {}
    for record in everything:
        by_language.setdefault(record.language or "unknown", []).append(record)
    busiest = sorted(by_language, key=lambda name: (-len(by_language[name]), name))
    return _of("", everything, tuple(_of(name, by_language[name], ()) for name in busiest))


def as_json(stats: Stats) -> dict[str, Any]:
    """The contract of `truepenny/stats` and of `truepenny stats --json`."""
    return {
        **asdict(stats),
        "reused_share": round(stats.reused_share, 4),
        "acceptance": round(stats.acceptance, 4),
        "languages": [as_json(language) for language in stats.languages],
    }


def _of(language: str, records: Sequence[Record], languages: tuple[Stats, ...]) -> Stats:
    fates = Counter(record.fate for record in records)
    seen = [r for r in records if _is_accepted(r) or (r.displayed_ms or 0.0) >= SEEN_MS]
    return Stats(
        language=language,
        num_asked=len(records),
        num_shown=sum(record.shown for record in records),
        num_seen=len(seen),
        num_accepted=fates["accepted"],
        num_partially_accepted=fates["partially_accepted"],
        num_chars_accepted=sum(record.accepted_chars for record in records),
        kept=tuple(_kept(records, after_s) for after_s in KEPT_AFTER_S),
        silences=_silences(records),
        latencies=_latencies(records),
        prompt_tokens=sum(record.prompt_tokens for record in records),
        reused_tokens=sum(record.reused_tokens for record in records),
        languages=languages,
    )


def _is_accepted(record: Record) -> bool:
    return record.fate in ("accepted", "partially_accepted")


def _kept(records: Sequence[Record], after_s: int) -> Kept:
    shares = [record.kept[str(after_s)] for record in records if str(after_s) in record.kept]
    return Kept(after_s, len(shares), sum(share >= KEPT_SHARE for share in shares))


def _silences(records: Sequence[Record]) -> tuple[Silence, ...]:
    counts = Counter((re.sub(r"\d+(\.\d+)?", "N", r.reason), r.stage) for r in records if not r.shown)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Silence(reason, stage, num) for (reason, stage), num in ordered)


def _latencies(records: Sequence[Record]) -> tuple[Latency, ...]:
    by_stage: dict[str, list[float]] = {}
    for record in records:
        if record.total_ms:
            by_stage.setdefault(TOTAL, []).append(record.total_ms)
        for stage, ms in record.stage_ms.items():
            by_stage.setdefault(stage, []).append(ms)
    names = sorted(by_stage, key=lambda name: (name != TOTAL, name))
    return tuple(
        Latency(name, len(by_stage[name]), percentile(by_stage[name], 50), percentile(by_stage[name], 95))
        for name in names
    )


def percentile(values: Sequence[float], rank: float) -> float:
    """The smallest value that `rank` per cent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(rank / 100 * len(ordered)) - 1)]
