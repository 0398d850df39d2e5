"""Fill-in-the-middle prompts (Bavarian et al. 2022, arXiv:2207.14255), rendered from a family's record.

The layout is chosen for KV reuse, most stable first, as far as the family's training allows:

    repository · other files · the document's path · prefix and suffix · typed

`prefix` ends where the current line begins and `typed` is what stands between there and the cursor:
while a person types, neither prefix nor suffix changes, and only what was typed is new (EFIM, Guo et
al. 2025, arXiv:2505.21889, places every increment after the middle token; so do we).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PromptError
from ..tokens import Tokenizer
from .families import FAMILIES, QWEN_CODER, FimFamily, family_of

__all__ = [
    "FAMILIES",
    "QWEN_CODER",
    "FimParts",
    "FimPrompt",
    "FimRenderer",
    "RepositoryChunk",
    "fim_renderer",
]


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
        self.family = family
        self._tokenizer = tokenizer
        self._ids = {name: self._control(name) for name in family.tokens}
        self._opening = tokenizer.opening if family.opens_prefix else ""

    @property
    def tells_other_files(self) -> bool:
        """False: the family has no layout for them, and chunks are left out of the prompt."""
        return self.family.repository is not None

    @property
    def end_ids(self) -> frozenset[int]:
        """Tokens that the model writes where a middle ends."""
        return frozenset(self._ids[name] for name in self.family.ends)

    def render(self, parts: FimParts) -> FimPrompt:
        family, encode = self.family, self._tokenizer.encode
        heal = self._tokenizer.last_word(parts.typed) if parts.typed else ""
        settled = parts.typed[: len(parts.typed) - len(heal)]
        ids, told = self._others(parts)
        prefix = [self._ids[family.prefix], *encode(self._opening + told + parts.prefix)]
        suffix = [self._ids[family.suffix], *encode(parts.suffix)]
        ids += prefix + suffix if family.order == "prefix-suffix-middle" else suffix + prefix
        if family.middle:
            ids.append(self._ids[family.middle])
        return FimPrompt((*ids, *encode(settled)), heal)

    def _others(self, parts: FimParts) -> tuple[list[int], str]:
        """Ids of what stands before the document's parts, and text that stands before its prefix."""
        ids = [self._ids[self.family.bos]] if self.family.bos else []
        layout = self.family.repository
        if layout is None or not (parts.path or parts.chunks):
            return ids, ""
        path_line = layout.path_line.format(path=parts.path)
        files = [layout.path_line.format(path=c.path) + c.text + layout.file_end for c in parts.chunks]
        if layout.inside == "everything":
            return ids, "".join(files) + path_line
        if layout.repo and parts.repo:
            ids += [self._ids[layout.repo], *self._tokenizer.encode(parts.repo + layout.repo_end)]
        for number, file in enumerate((*files, "" if layout.inside == "path" else path_line)):
            if layout.file and (layout.file_leads or number):
                ids.append(self._ids[layout.file])
            ids += self._tokenizer.encode(file)
        return ids, path_line if layout.inside == "path" else ""

    def _control(self, name: str) -> int:
        token_id = self._tokenizer.special_id(name)
        if token_id is None:
            raise PromptError(
                f"this model has no token {name!r}: it cannot fill in the middle as {self.family.name} "
                "does; choose a code model with FIM, such as qwen2.5-coder-0.5b"
            )
        return token_id


def fim_renderer(model: str, tokenizer: Tokenizer, family: str = "") -> FimRenderer:
    """The renderer of a model: of the family the catalogue names, else of the one detected.

    Raises:
        PromptError: no such family, a token missing, or a model without FIM: it may chat, but not
            complete.
    """
    if family:
        if family not in FAMILIES:
            raise PromptError(
                f"{model} is said to fill in the middle as {family!r}; known: {', '.join(FAMILIES)}"
            )
        return FimRenderer(FAMILIES[family], tokenizer)
    detected = family_of(tokenizer)
    if detected is None:
        raise PromptError(
            f"{model} cannot fill in the middle (its vocabulary has the tokens of none of: "
            f"{', '.join(FAMILIES)}), so it chats but does not complete; set completion.model to a code "
            "model with FIM, such as qwen2.5-coder-0.5b"
        )
    return FimRenderer(detected, tokenizer)
