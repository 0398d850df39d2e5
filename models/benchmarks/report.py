"""What one benchmark found.  Records only."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import Ratios, Speed
from .machine import Machine
from .peer import PeerFacts
from .precisions import PrecisionQuality
from .speculating import Effective
from .starting import Start

NOTES = (
    "the reference is transformers as it comes: its own modules, cache and attention, in float32",
    "peers answer over HTTP on loopback; their prefill and decode are by their own timings, without it",
    "ttft and clock_decode are by our clock: of peers with HTTP",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One model of this process.  `rss_bytes`: of the process with this model alone; 0: not measured."""

    precision: str
    why_precision: str
    load_s: float
    weights_bytes: int
    kv_bytes_per_token: int
    rss_bytes: int
    speed: Speed


@dataclass(frozen=True, slots=True)
class MeasuredPeer:
    """`ratios`: how many times faster ours is."""

    facts: PeerFacts
    speed: Speed
    ratios: Ratios
    ratios_best: Ratios


@dataclass(frozen=True, slots=True)
class BestPeer:
    """The fastest peer, for each figure by itself, and how many times faster ours is than it."""

    prefill: str
    prefill_ratio: float
    prefill_ratio_best: float
    decode: str
    decode_ratio: float
    decode_ratio_best: float
    effective_decode_ratio: float | None
    """Ours with drafts: `decode_ratio` times what drafts gave, over all prompts."""


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """One language: its prompt, and everybody's speed on it."""

    language: str
    source: str
    tokens: int
    characters: int
    characters_per_token: float
    ours: Speed
    reference: Speed | None
    peers: dict[str, Speed]


@dataclass(frozen=True, slots=True)
class EngineReport:
    model: str
    parameters: int
    prompt_tokens: int
    decode_tokens: int
    rounds: int
    machine: Machine
    ours: Measured
    reference: Measured | None
    ratios: Ratios | None
    ratios_best: Ratios | None
    """Ours against the reference."""
    peers: tuple[MeasuredPeer, ...]
    best_peer: BestPeer | None
    languages: tuple[LanguageFigures, ...]
    speculation: Effective | None
    start: Start | None
    quality: tuple[PrecisionQuality, ...]
    disturbance: float | None
    """Cores that other programs used on average in the turns of this process; None where not known."""
    notes: tuple[str, ...] = NOTES
