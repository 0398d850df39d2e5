"""Fill-in-the-middle prompts (Bavarian et al. 2022, arXiv:2207.14255): one record per model family.

The layout is chosen for KV reuse, most stable first:

    repo_name · file_sep path chunk …  · file_sep path · PRE prefix SUF suffix MID typed

`prefix` ends where the current line begins and `typed` is the line up to the cursor: while a person
types on a line, neither prefix nor suffix changes, and only what was typed is new (EFIM, Guo et al.
2025, arXiv:2505.21889, places every increment after MID; we do so within the line).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PromptError
from ..tokens import Tokenizer


@dataclass(frozen=True, slots=True)
class FimFamily:
    """The control tokens of a model family, by name.  Any control token ends a middle (`decode`)."""

    name: str
    prefix: str
    suffix: str
    middle: str
    repo: str | None
    file: str | None


QWEN_CODER = FimFamily(
    name="qwen2.5-coder",
    prefix="<|fim_prefix|>",
    suffix="<|fim_suffix|>",
    middle="<|fim_middle|>",
    repo="<|repo_name|>",
    file="<|file_sep|>",
)

FAMILIES: dict[str, FimFamily] = {family.name: family for family in (QWEN_CODER,)}


@dataclass(frozen=True, slots=True)
class RepositoryChunk:
    """A piece of another file, told to the model under its path."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class FimParts:
    """What goes into the prompt, as text.  `typed` is the current line up to the cursor."""

    prefix: str
    suffix: str
    typed: str = ""
    path: str = ""
    repo: str = ""
    chunks: Sequence[RepositoryChunk] = ()


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """Token ids, and the text held out of them for token healing (`CompletionRequest.heal`)."""

    ids: tuple[int, ...]
    heal: str


class FimRenderer:
    """Renders for one tokenizer; all control tokens are looked up once, at construction.

    Raises:
        PromptError: the tokenizer lacks one of the family's tokens: the model was not trained to
            fill in the middle, and what it would write there is rubbish.
    """

    def __init__(self, family: FimFamily, tokenizer: Tokenizer) -> None:
        self._family = family
        self._tokenizer = tokenizer
        self._prefix = self._control(family.prefix)
        self._suffix = self._control(family.suffix)
        self._middle = self._control(family.middle)
        self._repo = self._control(family.repo) if family.repo else None
        self._file = self._control(family.file) if family.file else None

    def render(self, parts: FimParts) -> FimPrompt:
        encode = self._tokenizer.encode
        ids: list[int] = []
        if self._file is not None and (parts.path or parts.chunks):
            if self._repo is not None and parts.repo:
                ids += [self._repo, *encode(f"{parts.repo}\n")]
            for chunk in parts.chunks:
                ids += [self._file, *encode(f"{chunk.path}\n{chunk.text}\n")]
            ids += [self._file, *encode(f"{parts.path}\n")]
        heal = self._tokenizer.last_word(parts.typed) if parts.typed else ""
        settled = parts.typed[: len(parts.typed) - len(heal)]
        ids += [self._prefix, *encode(parts.prefix)]
        ids += [self._suffix, *encode(parts.suffix)]
        ids += [self._middle, *encode(settled)]
        return FimPrompt(tuple(ids), heal)

    def _control(self, name: str) -> int:
        token_id = self._tokenizer.special_id(name)
        if token_id is None:
            raise PromptError(
                f"this model has no token {name!r}: it cannot fill in the middle as {self._family.name} "
                "does; choose a code model with FIM, such as qwen2.5-coder-0.5b"
            )
        return token_id
