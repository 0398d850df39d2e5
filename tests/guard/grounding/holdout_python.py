"""Python cases that nothing was tuned on: other snippets, other parts of the same libraries.

Whoever works on the checks does not read these, only what `tests/benchmarks/grounding.py` says of them.
"""

from __future__ import annotations

from . import cases_python
from .snippets import Case, Snippet

FOLDER = cases_python.FOLDER / "holdout"


def snippets() -> list[Snippet]:
    return cases_python.snippets(FOLDER)


def cases(seed: int = 7, per_snippet: int = cases_python.PER_SNIPPET) -> list[Case]:
    return cases_python.cases(seed, per_snippet, FOLDER)
