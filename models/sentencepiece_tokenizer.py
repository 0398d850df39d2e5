"""Sentencepiece vocabularies (Kudo and Richardson 2018): spaces are written `▁`, other bytes `<0x0A>`.

Three things make them exact here.  The space that an encoder puts before a text is never put, since
our texts are parts of a prompt (`opening` says what was left out).  A `▁` that stands in the text is
spelled in bytes, or it would come back as a space.  Names of control tokens are taken apart before
the text is encoded.

Published as `tokenizer.model`, read by the sentencepiece library; in GGUF files and as
`tokenizer.json` the same merges are read by the tokenizers library (`gguf_tokenizer` makes such files,
and says how far the two agree).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self, cast

from tokenizers import Tokenizer as HubTokenizer
from tokenizers import models, normalizers

from .control_tokens import Names, is_control
from .errors import UnsupportedWeightsError
from .token_bytes import TokenBytes

BLANK = "▁"
"""U+2581, which stands for a space."""

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")

_WORD = re.compile(r"(?:[^\r\n\w]|_)?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
"""Where words end, for healing only: sentencepiece cuts no words, but its pieces are rarely more than
one sign and a word.  The shape is that of Qwen2's pattern."""

_LAST_WORD_WINDOW = 256

_FALLBACK = re.compile(rb'"byte_fallback":\s*true')

_NO_CHANGES = b"\x1a\x04\x18\x00\x20\x00"
"""Appended to a model file, it is merged into its normaliser (field 3): no space put before a text
(field 3 there) and none taken away (field 4)."""

_PROBE = "ﬁ Ａ  b\t\u00a0é\n"
"""Text that sentencepiece's normalisers change, all but the identity."""


class SentencePieceTokenizer:
    """A sentencepiece vocabulary with bytes; made by `from_model` or `from_json`."""

    def __init__(
        self,
        pieces: Iterable[tuple[int, str, bool]],
        segment: Callable[[str], list[int]],
        opening: str,
        eos_ids: frozenset[int],
    ) -> None:
        """`pieces` are id, name and whether it stands for no text; `segment` encodes text in which
        neither `▁` nor a control token's name occurs, without putting anything before it.

        Raises:
            UnsupportedWeightsError: a byte has no token, so that there are texts without spelling.
        """
        self.opening = opening
        self.eos_ids = eos_ids
        self._segment = segment
        self._special: dict[str, int] = {}
        meanings: dict[int, bytes] = {}
        byte_ids: dict[int, int] = {}
        for token_id, piece, is_silent in pieces:
            if match := _BYTE.fullmatch(piece):
                byte_ids[int(match[1], 16)] = token_id
                meanings[token_id] = bytes([int(match[1], 16)])
            elif is_silent or is_control(piece):
                self._special[piece] = token_id
            else:
                meanings[token_id] = piece.replace(BLANK, " ").encode()
        if len(byte_ids) < 256:
            raise UnsupportedWeightsError(
                f"this sentencepiece vocabulary has tokens for {len(byte_ids)} of 256 bytes, and cannot "
                "spell every text; choose a model whose vocabulary was trained with byte fallback"
            )
        size = 1 + max((*meanings, *self._special.values()))
        self.vocabulary = TokenBytes([meanings.get(token_id, b"") for token_id in range(size)])
        self._blank_ids = [byte_ids[byte] for byte in BLANK.encode()]
        self._names = Names(name.replace(BLANK, " ") for name in self._special)

    @classmethod
    def from_model(cls, path: Path, eos_ids: frozenset[int]) -> Self:
        """Read sentencepiece's own `tokenizer.model`.

        Raises:
            UnsupportedWeightsError: not such a file, or one that changes text before encoding it.
        """
        try:
            from sentencepiece import SentencePieceProcessor
        except ModuleNotFoundError as error:
            raise UnsupportedWeightsError(
                f"reading {path} needs the package sentencepiece; run: pip install 'truepenny[local]'"
            ) from error
        raw = path.read_bytes()
        published, exact = cast("Any", SentencePieceProcessor()), cast("Any", SentencePieceProcessor())
        try:
            published.LoadFromSerializedProto(raw)
            exact.LoadFromSerializedProto(raw + _NO_CHANGES)
        except RuntimeError as error:
            raise UnsupportedWeightsError(f"{path} is not a sentencepiece model ({error})") from error
        if exact.Normalize(_PROBE) != _PROBE.replace(" ", BLANK):
            raise UnsupportedWeightsError(f"{path} normalises text, so that code would not stay as it is")
        segment: Callable[[str], list[int]] = exact.EncodeAsIds
        pieces: list[tuple[int, str, bool]] = [
            (i, exact.IdToPiece(i), exact.IsControl(i) or exact.IsUnknown(i) or exact.IsUnused(i))
            for i in range(exact.GetPieceSize())
        ]
        opening = " " if published.Normalize("a").startswith(BLANK) else ""
        return cls(pieces, segment, opening, eos_ids)

    @classmethod
    def from_json(cls, path: Path, eos_ids: frozenset[int]) -> Self | None:
        """Read a `tokenizer.json`; None if it is of another kind.

        Raises:
            UnsupportedWeightsError: it changes text before encoding it.
        """
        if not _FALLBACK.search(path.read_bytes()):
            return None  # told before the file is parsed, which takes a while
        hub = HubTokenizer.from_file(str(path))
        if not isinstance(hub.model, models.BPE) or not hub.model.byte_fallback:
            return None
        opening = _opening(hub, path)
        untyped: Any = hub  # the stubs type these properties by their getters
        untyped.normalizer = normalizers.Replace(" ", BLANK)
        untyped.pre_tokenizer = None
        added = hub.get_added_tokens_decoder()
        silent = {token_id for token_id, token in added.items() if token.special}
        hub.encode_special_tokens = True
        pieces = [(i, piece, i in silent) for piece, i in hub.get_vocab(with_added_tokens=True).items()]
        return cls(pieces, lambda text: hub.encode(text, add_special_tokens=False).ids, opening, eos_ids)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for number, plain in enumerate(text.split(BLANK)):
            ids += self._blank_ids if number else []
            for piece in self._names.apart(plain):
                ids += self._segment(piece) if piece else []
        return ids

    def special_id(self, name: str) -> int | None:
        return self._special.get(name)

    def last_word(self, text: str) -> str:
        words = _WORD.findall(text[-_LAST_WORD_WINDOW:])
        return words[-1] if words else ""


def _opening(hub: HubTokenizer, path: Path) -> str:
    """A space, if this tokenizer puts one before a text or takes one away from what it decodes."""
    parts = [*_parts(hub.normalizer, "normalizers"), *_parts(hub.pre_tokenizer, "pretokenizers")]
    opening = ""
    for part in parts:
        match part:
            case {"type": "Prepend", "prepend": "▁"}:
                opening = " "
            case {"type": "Metaspace", "prepend_scheme": scheme}:
                opening = opening if scheme == "never" else " "
            case {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}:
                pass
            case {"type": "Split", "pattern": {"String": " "}}:
                pass  # no spaces are left to split at
            case _:
                raise UnsupportedWeightsError(
                    f"{path} normalises text ({part.get('type')}), so that code would not stay as it is"
                )
    strips = any(part["type"] == "Strip" for part in _parts(hub.decoder, "decoders"))
    return " " if strips else opening


def _parts(component: Any, key: str) -> list[dict[str, Any]]:
    """A component of a tokenizer and what it is a sequence of, as in `tokenizer.json`."""
    if component is None:
        return []
    state: dict[str, Any] = json.loads(component.__getstate__())
    return state[key] if state["type"] == "Sequence" else [state]
