"""What is known of a suggestion that has been made: how sure the model was, how long it is, how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Group = Literal["python", "braces", "others"]
"""Languages of which a person's habits are told apart.

The weights are the same for all: they were fitted on programs that could be run, which are Python.
"""

_BRACES = (
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "javascriptreact",
    "kotlin",
    "php",
    "rust",
    "scala",
    "swift",
    "typescript",
    "typescriptreact",
)
_GROUPS: dict[str, Group] = {"python": "python", **dict.fromkeys(_BRACES, "braces")}

NAMES = ("mean", "least", "first", "tokens", "lines", "is_cut", "findings")
"""Of `values`, in order."""
NUM_LOGPROBS = 3
"""The first of these are logarithms of probabilities: a surer model never makes a suggestion less likely."""

_LOWEST_MEAN, _LOWEST = -4.0, -8.0
"""Beyond, a token that is less likely still tells nothing new."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`logprobs`: natural logarithms for the tokens of the text that is shown, at least one."""

    logprobs: tuple[float, ...]
    num_lines: int = 1
    language: str = ""
    """A language id as in LSP."""
    is_cut: bool = False
    """Neither the model nor the code ended it, but a limit of time or tokens."""
    num_findings: int = 0
    """Verdicts of the guard that let it pass."""

    @property
    def group(self) -> Group:
        return group_of(self.language)

    @property
    def mean_probability(self) -> float:
        """The geometric mean of the tokens'."""
        return math.exp(sum(self.logprobs) / len(self.logprobs))


def group_of(language: str) -> Group:
    return _GROUPS.get(language, "others")


def values(facts: Facts) -> tuple[float, ...]:
    """The numbers that are weighed, named by `NAMES`; all between −8 and 8."""
    logprobs = [max(_LOWEST, min(0.0, logprob)) for logprob in facts.logprobs]
    return (
        max(_LOWEST_MEAN, sum(logprobs) / len(logprobs)),
        min(logprobs),
        logprobs[0],
        min(8.0, math.log2(len(logprobs))),
        min(8.0, math.log2(max(1, facts.num_lines))),
        float(facts.is_cut),
        float(min(8, facts.num_findings)),
    )
