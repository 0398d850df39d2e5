"""How each family of code models was taught to fill in the middle: one record each.

A record is data about training, so every statement in it has a source.  `fim` renders them all; what
typing costs depends on the order of the parts, which is said with each order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Order = Literal["prefix-suffix-middle", "suffix-prefix-middle"]
"""Both keep stable text before changing text, since what was typed always comes last.

prefix-suffix-middle
    An edit above the cut changes the prefix and everything after it is computed again: the suffix too.
suffix-prefix-middle
    The suffix is computed once and stays while the cut moves down, since the prefix then only grows.
    An edit *below* the cursor costs everything after it, and files told inside the prefix with it.
"""


@dataclass(frozen=True, slots=True)
class RepositoryLayout:
    """How other files are told, before the document's own parts."""

    repo: str | None = None
    """Control token before the name of the repository; None: the name is not told."""
    repo_end: str = ""
    file: str | None = None
    """Control token of a file."""
    file_leads: bool = True
    """It stands before every file; else only between two."""
    path_line: str = "{path}\n"
    file_end: str = ""
    """What stands after the text of a file other than the document."""
    inside: Literal["nothing", "path", "everything"] = "nothing"
    """What of all this stands inside the prefix part, after its control token."""


@dataclass(frozen=True, slots=True)
class FimFamily:
    """The control tokens of a model family by name, and where they stand."""

    name: str
    prefix: str
    suffix: str
    middle: str
    """Empty where the middle goes on from the prefix without a token between them."""
    ends: tuple[str, ...]
    """What the model was trained to write where a middle ends."""
    bos: str = ""
    """Begins every prompt; empty: the family was trained without."""
    order: Order = "prefix-suffix-middle"
    opens_prefix: bool = False
    """The space that some sentencepiece vocabularies put before a text stands before the prefix.
    It never stands before suffix or middle."""
    repository: RepositoryLayout | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every control token a tokenizer must have for this family, each once."""
        layout = self.repository or RepositoryLayout()
        named = (self.bos, self.prefix, self.suffix, self.middle, layout.repo, layout.file, *self.ends)
        return tuple(dict.fromkeys(name for name in named if name))


QWEN_CODER = FimFamily(
    name="qwen2.5-coder",
    prefix="<|fim_prefix|>",
    suffix="<|fim_suffix|>",
    middle="<|fim_middle|>",
    ends=("<|endoftext|>", "<|file_sep|>"),
    repository=RepositoryLayout(
        repo="<|repo_name|>", repo_end="\n", file="<|file_sep|>", file_end="\n", inside="nothing"
    ),
)
"""Qwen2.5-Coder Technical Report (arXiv:2409.12186), table 1 and section 3.2.2, and the
repository-level example of the Qwen2.5-Coder repository.  Qwen2.5 without "Coder" has the tokens in
its vocabulary and was not trained on them: no tokenizer can tell the two apart."""

STARCODER2 = FimFamily(
    name="starcoder2",
    prefix="<fim_prefix>",
    suffix="<fim_suffix>",
    middle="<fim_middle>",
    ends=("<|endoftext|>", "<file_sep>"),
    repository=RepositoryLayout(repo="<repo_name>", file="<file_sep>", inside="path"),
)
"""StarCoder 2 and The Stack v2 (arXiv:2402.19173), section 5.1: nothing between the repository's name
and the first file, the document's path *after* the prefix token.  The 15B model's card advises against
FIM: it was trained less on it."""

DEEPSEEK_CODER = FimFamily(
    name="deepseek-coder",
    prefix="<｜fim▁begin｜>",
    suffix="<｜fim▁hole｜>",
    middle="<｜fim▁end｜>",
    ends=("<｜end▁of▁sentence｜>",),
    bos="<｜begin▁of▁sentence｜>",
    repository=RepositoryLayout(path_line="#{path}\n", file_end="\n", inside="everything"),
)
"""DeepSeek-Coder (arXiv:2401.14196), section 3.1, and its README: `begin`, prefix, `hole`, suffix,
`end`; other files as plain text under comment lines with their paths.  FIM was applied to whole
documents, files of one repository joined, so the other files belong inside the prefix.  The bars are
full-width (U+FF5C) and the blanks U+2581.  DeepSeek-Coder-V2-Lite has the same tokens and layout."""

CODELLAMA = FimFamily(
    name="codellama",
    prefix="▁<PRE>",
    suffix="▁<SUF>",
    middle="▁<MID>",
    ends=("▁<EOT>",),
    bos="<s>",
    opens_prefix=True,
)
"""Code Llama (arXiv:2308.12950), section 2.3, and `infilling_prompt_tokens` of its repository: the
implicit space of sentencepiece stands before the prefix and is suppressed before suffix and middle.
Only the 7B and 13B models were trained to infill (not the Python ones); the 34B vocabulary lacks the
tokens.  No repository layout is documented."""

CODEGEMMA = FimFamily(
    name="codegemma",
    prefix="<|fim_prefix|>",
    suffix="<|fim_suffix|>",
    middle="<|fim_middle|>",
    ends=("<|file_separator|>", "<eos>"),
    bos="<bos>",
    repository=RepositoryLayout(file="<|file_separator|>", file_leads=False),
)
"""CodeGemma (arXiv:2406.11409), table 1 and figure 2, and its model card: the path on a line before the
prefix token, files separated, no blanks around control tokens.  Its context is 8,192 tokens."""

CODESTRAL = FimFamily(
    name="codestral",
    prefix="[PREFIX]",
    suffix="[SUFFIX]",
    middle="",
    ends=("</s>",),
    bos="<s>",
    order="suffix-prefix-middle",
    opens_prefix=True,
)
"""`encode_fim` of mistral-common and the tokenizer guide in Mistral's cookbook: `<s>[SUFFIX]suffix
[PREFIX] prefix`, with the space that sentencepiece adds before the prefix and none with tekken.  Other
Mistral models have the tokens and were not trained on them.  No repository layout is documented."""

GRANITE_CODE = FimFamily(
    name="granite-code",
    prefix="<fim_prefix>",
    suffix="<fim_suffix>",
    middle="<fim_middle>",
    ends=("<|endoftext|>",),
)
"""Granite Code Models (arXiv:2405.04324), section 4.2, whose vocabulary is StarCoder's
(arXiv:2305.06161): StarCoder 1, Refact and Stable Code read the same layout.  No repository layout is
documented.  The smallest contexts are 2,048 (3B) and 4,096 tokens (8B)."""

FAMILIES: dict[str, FimFamily] = {
    family.name: family
    for family in (
        QWEN_CODER,
        STARCODER2,
        DEEPSEEK_CODER,
        CODELLAMA,
        CODEGEMMA,
        CODESTRAL,
        GRANITE_CODE,
    )
}
"""By the name a catalogue entry uses."""


class Vocabulary(Protocol):
    """What detection asks of a tokenizer."""

    def special_id(self, name: str) -> int | None: ...


def family_of(tokenizer: Vocabulary) -> FimFamily | None:
    """The family whose control tokens this tokenizer has, all of them; None: it has no FIM.

    Where one family's tokens include another's (StarCoder2's include Granite's), the larger set wins.
    That no two families have equal sets is tested.
    """
    fitting = [
        family
        for family in FAMILIES.values()
        if all(tokenizer.special_id(name) is not None for name in family.tokens)
    ]
    return max(fitting, key=lambda family: len(family.tokens), default=None)
