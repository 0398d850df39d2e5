"""Text to token ids and back: file text never becomes control, streamed text is never half a character."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .bpe_tokenizer import BpeTokenizer
from .sentencepiece_tokenizer import SentencePieceTokenizer
from .token_bytes import StreamDecoder, TokenBytes

__all__ = [
    "BpeTokenizer",
    "SentencePieceTokenizer",
    "StreamDecoder",
    "TokenBytes",
    "Tokenizer",
    "load_tokenizer",
]


class Tokenizer(Protocol):
    """What the rest of the package asks of a tokenizer."""

    @property
    def vocabulary(self) -> TokenBytes: ...

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end a generation."""
        ...

    @property
    def opening(self) -> str:
        """What the publisher's own encoder puts before a text: a space in some sentencepiece
        vocabularies, else nothing.  `encode` never puts it; who begins a text may.
        """
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of plain text.  Text that *looks like* a special token is encoded as the text it is."""
        ...

    def special_id(self, name: str) -> int | None:
        """The id of a control token such as `<|fim_prefix|>`, or None if this model has none."""
        ...

    def last_word(self, text: str) -> str:
        """The trailing piece of `text` whose tokenisation the next character may still change."""
        ...


def load_tokenizer(path: Path, eos_ids: frozenset[int]) -> Tokenizer:
    """Of whichever kind the file is: `tokenizer.json`, or `tokenizer.model` of sentencepiece.

    Raises:
        UnsupportedWeightsError: another kind, or a vocabulary that cannot spell every text.
    """
    if path.suffix == ".model":
        return SentencePieceTokenizer.from_model(path, eos_ids)
    return SentencePieceTokenizer.from_json(path, eos_ids) or BpeTokenizer(path, eos_ids)
