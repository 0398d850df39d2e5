"""What crosses between a client and an engine: the OpenAI API, and our few additions to it.

Frozen records only; JSON is made and read in `client` and `serving`.  Our additions travel under
one key, `truepenny`, so that an engine that does not know them (vLLM, llama-server, …) ignores them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Precision = Literal["auto", "fp32", "bf16", "int8", "nf4"]
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16", "int8", "nf4")

FinishReason = Literal["stop", "length", "cancelled"]


class Priority(IntEnum):
    """Scheduling class, most urgent first."""

    INTERACTIVE = 0
    CHAT = 1
    REVIEW = 2
    PREWARM = 3


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is chosen.  Temperature 0 is greedy, and then the rest has no effect."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    """0: no limit."""
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """Continue a prompt of token ids.

    `heal` is text already typed whose tokenisation is not final (a partial identifier): it is *not*
    in the prompt, and what is generated is made to begin with it (token healing).  The text that
    comes back includes it.  `document` names what the request is about: a newer request for the
    same document supersedes an older one still waiting.
    """

    prompt_ids: tuple[int, ...]
    max_tokens: int = 64
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    heal: str = ""
    priority: Priority = Priority.INTERACTIVE
    document: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    messages: tuple[Message, ...]
    max_tokens: int = 512
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    priority: Priority = Priority.CHAT
    document: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is in: comes once, before any text, so that a reader who stops early knows the cost.

    `reused_tokens + computed_tokens == prompt_tokens`.  Engines other than ours do not send it.
    """

    prompt_tokens: int
    reused_tokens: int
    computed_tokens: int
    queue_ms: float
    prefill_ms: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it is generated; never half a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished request cost.  `reused_tokens + computed_tokens == prompt_tokens`."""

    prompt_tokens: int
    reused_tokens: int
    computed_tokens: int
    completion_tokens: int
    queue_ms: float
    prefill_ms: float
    decode_ms: float
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What a person wants to know about a running engine."""

    model: str
    precision: str
    why_precision: str
    pid: int
    uptime_s: float
    parameters: int
    weights_bytes: int
    kv_bytes: int
    kv_budget_bytes: int
    rss_bytes: int
    context_length: int
    vocabulary: int
    threads: int
    running: int
    waiting: int
    requests: int
    idle_exit_s: float
    details: dict[str, str] = field(default_factory=dict[str, str])
