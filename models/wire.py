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

GrammarKind = Literal["json_schema", "regex", "lark"]
GRAMMAR_KINDS: tuple[GrammarKind, ...] = ("json_schema", "regex", "lark")

MAX_CHOICES = 8
MAX_ALLOWED = 1000
"""Strings of `CompletionRequest.allowed`: each is looked up in the vocabulary for every token."""


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
    same document supersedes an older one of its class.
    """

    prompt_ids: tuple[int, ...]
    max_tokens: int = 64
    """0: only compute the prompt, so that a request that begins with it finds it done."""
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    heal: str = ""
    priority: Priority = Priority.INTERACTIVE
    document: str = ""
    workspace: str = ""
    """Keys, values and drafts are shared only among requests of one workspace."""
    n: int = 1
    """At most this many choices.  Greedy ones have different beginnings; the first is that of `n=1`."""
    allowed: tuple[str, ...] = ()
    """What comes after `heal` begins with one of these; with `allowed_only` it is one of these."""
    allowed_only: bool = False
    allowed_words: bool = False
    """Each of `allowed` is all of a name: no letter, digit or `_` follows it."""
    grammar: str = ""
    """What comes after `heal` is of this grammar; not together with `allowed`."""
    grammar_kind: GrammarKind = "json_schema"
    speculate: bool = True
    """Check drafts several tokens at a time.  Makes no difference to the text."""
    logprobs: bool = False
    """Say how probable each piece was.  Makes no difference to the text."""


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
    workspace: str = ""


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
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    """Of the drafts that rode along with the end of the prompt."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it is generated, a token at a time; never half a character.

    Of several choices each ends with a piece that says why; of a single one the `Usage` says it.
    """

    text: str
    choice: int = 0
    finish_reason: FinishReason | None = None
    logprob: float | None = None
    """Natural logarithm of the model's own probability of the token, at temperature 1 and before any
    constraint; None where it was not asked for, or the engine does not tell.  Of a piece that several
    tokens had to be read for (half a character, what may begin a stop), their sum.
    """


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished request cost.  `reused_tokens + computed_tokens == prompt_tokens`.

    `completion_tokens` is that of all choices, `finish_reason` that of the first.  Of the tokens,
    `accepted_tokens` came out of `drafted_tokens` that were checked along with others.
    """

    prompt_tokens: int
    reused_tokens: int
    computed_tokens: int
    completion_tokens: int
    queue_ms: float
    prefill_ms: float
    decode_ms: float
    finish_reason: FinishReason
    drafted_tokens: int = 0
    accepted_tokens: int = 0


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
    """What all requests of a class together have cost, `interactive.computed_tokens` for example."""
