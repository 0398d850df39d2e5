"""Python suggestions of one to ten lines: half of them right, half with one name that does not exist.

The snippets are in `snippets/`, written for this.  What is planted are slips that models make, and
generated ones; `prove` runs every one of the former, so that what is called right runs and what is called
wrong does not.
"""

from __future__ import annotations

import random
from pathlib import Path

from .plants import made
from .snippets import Case, Snippet, cut, read

FOLDER = Path(__file__).parent / "snippets"
LIBRARIES = ("stdlib", "numpy", "pandas", "requests", "pydantic", "sqlalchemy", "packages", "workspace")
PER_SNIPPET = 2
"""Right cases of each snippet, and as many wrong ones."""
MADE_SHARE = 0.3
NEEDED = ("numpy", "pandas", "requests", "pydantic", "sqlalchemy", "rich", "httpx", "jinja2", "attrs", "yaml")
REAL = frozenset({"groups", "fields", "choices", "readline", "type_adapter", "async_session"})
"""Names that the generator would make and that do exist where it would put them."""
OPEN_KEYWORDS = {"sqlalchemy"}
"""Libraries whose functions take any keyword, and say later what they do not know."""


def snippets(folder: Path = FOLDER) -> list[Snippet]:
    return [one for name in LIBRARIES if (path := folder / f"{name}.txt").exists() for one in read(path)]


def cases(seed: int = 7, per_snippet: int = PER_SNIPPET, folder: Path = FOLDER) -> list[Case]:
    """The same for the same seed, whatever is installed."""
    return [one for snippet in snippets(folder) for one in of_snippet(snippet, seed, per_snippet)]


def of_snippet(snippet: Snippet, seed: int, count: int) -> list[Case]:
    """`count` right cases and as many wrong ones."""
    rng = random.Random(f"{seed} {snippet.library} {snippet.name}")
    places = range(len(snippet.slots))
    right = [cut(snippet, rng.choice(places), "", rng=rng) for _ in range(count)]
    return [*right, *(_planted(snippet, at, rng) for at in rng.sample(places, min(count, len(places))))]


def _planted(snippet: Snippet, at: int, rng: random.Random) -> Case:
    slot = snippet.slots[at]
    is_open = slot.kind == "k" and snippet.library in OPEN_KEYWORDS
    if slot.kind in "mkf" and not is_open and rng.random() < MADE_SHARE:
        for _ in range(20):
            wrong = made(slot.right, rng)
            if wrong not in REAL and wrong not in snippet.text():
                return cut(snippet, at, wrong, origin="made", rng=rng)
    wrong, sound = rng.choice(slot.wrong)
    return cut(snippet, at, wrong, sound=sound, origin="model", rng=rng)


def present(cases: list[Case], site_packages: Path) -> tuple[list[Case], list[str]]:
    """Those whose libraries are in that folder, and the libraries that are not."""
    gone = [one for one in NEEDED if not _is_there(site_packages, one)]
    texts = [(case, case.before + case.suggestion + case.after) for case in cases]
    uses = {
        case: [one for one in gone if f"import {one}" in text or f"from {one}" in text]
        for case, text in texts
    }
    return [case for case in cases if not uses[case]], gone


def _is_there(site_packages: Path, name: str) -> bool:
    return (site_packages / name).is_dir() or (site_packages / f"{name}.py").exists()
