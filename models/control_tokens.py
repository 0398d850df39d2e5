"""Which pieces of a vocabulary are control tokens, and how their names stay text in a text.

Vocabularies are careless about it: published files mark the FIM tokens of DeepSeek-Coder as plain
added text, and those of CodeLlama as ordinary pieces.  A file that contains such a name must be able
to stay text, so here the name decides, not the mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .prompts.families import FAMILIES

_TURNS = frozenset(("<s>", "</s>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]"))
"""Chat formats without a shape of their own."""

_NAMED = _TURNS | frozenset(name for family in FAMILIES.values() for name in family.tokens)

_SHAPE = re.compile(r"<\|[^|<>]+\|>|<｜[^｜<>]+｜>")


def is_control(piece: str) -> bool:
    """Does this piece's name say that it steers the model, whatever its file says?"""
    return piece in _NAMED or _SHAPE.fullmatch(piece) is not None


class Names:
    """Control tokens by name, and the texts that must not become them."""

    def __init__(self, names: Iterable[str]) -> None:
        # By their first two characters: some vocabularies have a thousand names, and almost every
        # place in a text is none of their beginnings.
        by_beginning: dict[str, list[str]] = {}
        for name in sorted(set(names)):
            if len(name) > 1:
                by_beginning.setdefault(name[:2], []).append(re.escape(name[2:]))
        spelled = [f"{re.escape(two)}(?:{'|'.join(rests)})" for two, rests in by_beginning.items()]
        self._starts = re.compile(f"(?={'|'.join(spelled)})") if spelled else None

    def apart(self, text: str) -> Iterator[str]:
        """`text` in pieces, so that no piece contains a name.  They join up to `text` again."""
        at = 0
        if self._starts is not None:
            for match in self._starts.finditer(text):
                yield text[at : match.start() + 1]
                at = match.start() + 1
        yield text[at:]
