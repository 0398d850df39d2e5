"""An engine without weights, for tests: a byte tokenizer and a model that follows a script.

Everything around the model is real: prompt layout, prefix cache, scheduler, HTTP, processes.  The
engine process serves it under the model name `fake`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .endpoint import FAKE_MODEL
from .language_model import Cancelled, ModelSpec, Rows, Span, never
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .prompts.fim import QWEN_CODER
from .tokens import TokenBytes

SCRIPT_VARIABLE = "TRUEPENNY_FAKE_SCRIPT"
"""Environment variable naming a JSON file: `{"replies": [[after, text], …], "delay_ms": 0}`, a `Script`."""

_CONTROL = (
    QWEN_CODER.prefix,
    QWEN_CODER.suffix,
    QWEN_CODER.middle,
    "<|repo_name|>",
    "<|file_sep|>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
)
_ENDOFTEXT = 256 + _CONTROL.index("<|endoftext|>")
_IM_END = 256 + _CONTROL.index("<|im_end|>")
_VOCABULARY = 256 + len(_CONTROL)

_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class ByteTokenizer:
    """Ids 0–255 are bytes, then the control tokens of Qwen2.5-Coder.  Nothing ever needs healing."""

    def __init__(self) -> None:
        self.vocabulary = TokenBytes([bytes([i]) for i in range(256)] + [b""] * len(_CONTROL))
        self.eos_ids = frozenset({_ENDOFTEXT, _IM_END})
        self.opening = ""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def special_id(self, name: str) -> int | None:
        return 256 + _CONTROL.index(name) if name in _CONTROL else None

    def last_word(self, text: str) -> str:  # noqa: ARG002  (the shape of a tokenizer)
        return ""


@dataclass(frozen=True, slots=True)
class Script:
    """What the fake model writes: after text that ends with `after`, it writes `text`.

    The first reply that fits wins.  For a fill-in-the-middle prompt the text is prefix + middle,
    otherwise the whole prompt with control tokens shown by name.
    """

    replies: tuple[tuple[str, str], ...] = (
        ("def add(a, b):\n    return ", "a + b\n"),
        ("<|im_start|>assistant\n", "This is the fake model.\nIt has no opinion.\n"),
    )
    otherwise: str = "print()\n"
    delay_ms: float = 0.0
    """Time one forward pass takes."""
    instead: tuple[tuple[str, str], ...] = ()
    """What it would write next best, in the same form: what further choices are made of."""
    logit: float = 10.0
    """Of the token it says, where all others have 0: how sure the model is."""

    @classmethod
    def from_environment(cls) -> Script:
        path = os.environ.get(SCRIPT_VARIABLE)
        if not path:
            return cls()
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        replies, instead = (
            tuple((str(after), str(text)) for after, text in raw.get(name, ()))
            for name in ("replies", "instead")
        )
        otherwise, delay_ms = str(raw.get("otherwise", "")), float(raw.get("delay_ms", 0.0))
        return cls(replies, otherwise, delay_ms, instead, float(raw.get("logit", cls().logit)))


@dataclass(frozen=True, slots=True)
class FakeRows:
    """Ids stand for rows, as in `FakeKV`."""

    ids: tuple[int, ...]

    @property
    def num_rows(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        return FAKE_ROW_BYTES * len(self.ids)

    def part(self, start: int, end: int) -> FakeRows:
        return FakeRows(self.ids[start:end])


FAKE_ROW_BYTES = 16


@dataclass(slots=True)
class FakeKV:
    """The ids themselves stand for keys and values: a wrong reuse shows up as wrong text."""

    ids: list[int] = field(default_factory=list[int])

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        return FAKE_ROW_BYTES * len(self.ids)

    def truncate(self, length: int) -> None:
        assert 0 <= length <= len(self.ids)
        del self.ids[length:]

    def copy_out(self, start: int, end: int) -> FakeRows:
        assert 0 <= start < end <= len(self.ids)
        return FakeRows(tuple(self.ids[start:end]))

    def copy_in(self, rows: Rows) -> None:
        assert isinstance(rows, FakeRows)
        self.ids.extend(rows.ids)


class FakeModel:
    """A `LanguageModel` that looks up its next byte in a script, from what is in the cache alone."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.num_forwards = 0
        self.spec = ModelSpec(
            name=FAKE_MODEL,
            architecture="script",
            parameters=0,
            weights_bytes=0,
            precision="none",
            why_precision="there are no weights",
            num_layers=0,
            vocabulary=_VOCABULARY,
            context_length=1 << 20,
            kv_bytes_per_token=FAKE_ROW_BYTES,
        )

    def new_kv(self, capacity_tokens: int) -> FakeKV:  # noqa: ARG002  (the shape of a model)
        return FakeKV()

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        if self.script.delay_ms:
            time.sleep(self.script.delay_ms / 1000)
        if is_cancelled():
            raise Cancelled
        self.num_forwards += 1
        return [self._after(span) for span in spans]

    def _after(self, span: Span) -> NDArray[np.float32]:
        kv = span.kv
        assert isinstance(kv, FakeKV)
        kv.ids.extend(span.ids)
        logits = np.zeros((span.num_logits, _VOCABULARY), dtype=np.float32)
        for row in range(span.num_logits):
            ids = kv.ids[: len(kv.ids) - span.num_logits + row + 1]
            for rank, (after, text) in enumerate(self.script.instead, start=2):
                token_id = _said(ids, after, text)
                if token_id is not None:
                    logits[row, token_id] = self.script.logit / rank
            logits[row, self._next(ids)] = self.script.logit
        return logits

    def _next(self, ids: list[int]) -> int:
        instead = self.script.instead if self._is_instead(ids) else ()
        for after, text in (*self.script.replies, *instead, ("", self.script.otherwise)):
            token_id = _said(ids, after, text)
            if token_id is not None:
                return token_id
        return _ENDOFTEXT

    def _is_instead(self, ids: list[int]) -> bool:
        """Has it begun to write what is second best?"""
        return bool(_prompt_and_output(ids)[1])


def _said(ids: list[int], after: str, text: str) -> int | None:
    """The next token of `text` where it is due; None where it is not."""
    at = _written_length(*_prompt_and_output(ids), after.encode(), text.encode())
    if at is None:
        return None
    return text.encode()[at] if at < len(text.encode()) else _ENDOFTEXT


def _prompt_and_output(ids: list[int]) -> tuple[bytes, bytes]:
    """What stands before the middle, and the middle so far; for other prompts nothing and everything."""
    prefix_id, suffix_id, middle_id = (256 + i for i in range(3))
    if middle_id not in ids:
        return b"", b"".join(map(_shown, ids))
    middle = len(ids) - ids[::-1].index(middle_id)
    prefix = ids[ids.index(prefix_id) + 1 : ids.index(suffix_id)]
    return b"".join(map(_shown, prefix)), b"".join(map(_shown, ids[middle:]))


def _written_length(before: bytes, written: bytes, after: bytes, text: bytes) -> int | None:
    """How much of `text` has been written after `after`, the most that fits; None if it does not fit."""
    whole = before + written
    for length in range(len(text), -1, -1):
        if whole.endswith(after + text[:length]) and (after or length <= len(written)):
            return length
    return None


def _shown(token_id: int) -> bytes:
    return bytes([token_id]) if token_id < 256 else _CONTROL[token_id - 256].encode()


def fake_cache(model: FakeModel, budget_bytes: int = 1 << 20) -> PrefixCache[FakeKV]:
    return PrefixCache(budget_bytes, model.new_kv)


def fake_chat() -> ChatTemplate:
    return ChatTemplate(_CHAT_TEMPLATE)
