"""TypeScript and JavaScript suggestions, half of them with one name that does not exist.

In the manner of `cases_python`: the language's own library, the browser's, Node's, and a made-up
workspace.
"""

from __future__ import annotations

from .cases_python import FOLDER, PER_SNIPPET, of_snippet
from .snippets import Case, Snippet, read

LIBRARIES = ("es", "dom", "node", "workspace")


def snippets() -> list[Snippet]:
    return [one for name in LIBRARIES for one in read(FOLDER / "typescript" / f"{name}.txt", "work.ts")]


def cases(seed: int = 7, per_snippet: int = PER_SNIPPET) -> list[Case]:
    return [one for snippet in snippets() for one in of_snippet(snippet, seed, per_snippet)]
