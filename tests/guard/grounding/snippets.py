"""The format of the snippets, and the passages that are cut from them.

A file holds snippets that begin with `=== name`.  In one, `«…»` marks what a model would suggest, and
`⟦kind:right|wrong|wrong~⟧` a name together with names that models write instead: `m` a member, `k` a
keyword, `f` a name that is imported, `i` a module, `p` a package nobody published, `n` a plain name.  `~`
says that nothing near it is right.  `>>> ` is code that runs after the snippet when it is proved, with
`$0` for the name in the first slot; `@path` puts it elsewhere in the workspace.
"""

from __future__ import annotations

import ast
import random
import re
from dataclasses import dataclass
from pathlib import Path

SLOT = re.compile(r"⟦([mkfipn]):([^⟧]*)⟧")
MARKS = re.compile(r"[«»]")
FAULTS = {
    "m": "missing-member",
    "k": "unknown-argument",
    "f": "missing-member",
    "i": "missing-module",
    "p": "missing-module",
    "n": "missing-name",
}
DEFAULT_PATH = "work.py"
MAX_LINES = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A suggestion in its place, and whether it names something that is not there."""

    library: str
    snippet: str
    kind: str
    """`attribute`, `keyword`, `import`, `module`, `package`, `name`; empty where all is right."""
    before: str
    suggestion: str
    after: str
    path: str
    planted: str = ""
    """The name that does not exist."""
    expected: str | None = None
    """The name it should be; None where all is right, or where nothing near it is."""
    right: str = ""
    """The suggestion with that name."""
    origin: str = ""
    """`model`: a slip that models make.  `made`: a generated one."""

    @property
    def is_planted(self) -> bool:
        return bool(self.planted)

    @property
    def is_untyped(self) -> bool:
        return "untyped" in self.snippet


KINDS = {"m": "attribute", "k": "keyword", "f": "import", "i": "module", "p": "package", "n": "name"}


@dataclass(frozen=True, slots=True)
class Slot:
    kind: str
    right: str
    wrong: tuple[tuple[str, bool], ...]
    """Each with whether `right` is what it should be."""


@dataclass(frozen=True, slots=True)
class Snippet:
    library: str
    name: str
    parts: tuple[str, ...]
    """The text between the slots, marks included: one more than there are slots."""
    slots: tuple[Slot, ...]
    proof: str
    path: str

    def text(self, at: int = -1, wrong: str = "") -> str:
        """The whole, marks included, with `wrong` in slot `at`."""
        names = [wrong if number == at else slot.right for number, slot in enumerate(self.slots)]
        pairs = zip(self.parts, [*names, ""], strict=True)
        return "".join(part + name for part, name in pairs)

    def program(self, at: int = -1, wrong: str = "") -> str:
        """What proves the whole when it is run."""
        proof = self.proof
        for number, slot in enumerate(self.slots):
            proof = re.sub(rf"\${number}\b", wrong if number == at else slot.right, proof)
        return f"{MARKS.sub('', self.text(at, wrong))}\n{proof}"

    def slot_span(self, at: int, wrong: str = "") -> tuple[int, int]:
        """Where slot `at` stands in the text without marks."""
        names = [slot.right for slot in self.slots]
        start = sum(len(MARKS.sub("", part)) for part in self.parts[: at + 1])
        start += sum(len(name) for name in names[:at])
        return start, start + len(wrong or names[at])


def read(path: Path, default_path: str = DEFAULT_PATH) -> list[Snippet]:
    blocks = re.split(r"^=== (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    pairs = zip(blocks[::2], blocks[1::2], strict=True)
    return [_snippet(path.stem, name, body, default_path) for name, body in pairs]


def _snippet(library: str, name: str, body: str, default_path: str) -> Snippet:
    lines = body.splitlines()
    proof = [line[4:] for line in lines if line.startswith(">>> ")]
    paths = [line.removeprefix("@path ") for line in lines if line.startswith("@path ")]
    rest = [line for line in lines if not line.startswith((">>> ", "@path ", "///"))]
    text = "\n".join(rest).strip("\n") + "\n"
    pieces = SLOT.split(text)
    slots = tuple(_slot(kind, names) for kind, names in zip(pieces[1::3], pieces[2::3], strict=True))
    path = paths[0] if paths else default_path
    return Snippet(library, name, tuple(pieces[::3]), slots, "\n".join(proof), path)


def _slot(kind: str, names: str) -> Slot:
    right, *wrong = names.split("|")
    found = tuple((one.rstrip("~"), not one.endswith("~") and kind != "p") for one in wrong)
    return Slot(kind, right, found)


def cuts(text: str) -> list[tuple[int, int]]:
    """The spans that are marked in `text`, in the text without marks."""
    found: list[tuple[int, int]] = []
    start = 0
    for number, mark in enumerate(MARKS.finditer(text)):
        at = mark.start() - number
        if mark[0] == "«":
            start = at
        else:
            found.append((start, at))
    return found


def cut(
    snippet: Snippet, at: int, wrong: str, *, sound: bool = True, origin: str = "", rng: random.Random
) -> Case:
    """A passage around slot `at` with `wrong` in it, or with what is right where that is empty.

    The suggestion is what is marked, the rest of a line, or the line from the slot on; what follows it
    is sometimes not yet written.
    """
    marked = snippet.text(at, wrong) if wrong else snippet.text()
    text = MARKS.sub("", marked)
    first, last = snippet.slot_span(at, wrong)
    inside = [one for one in cuts(marked) if one[0] <= first and last <= one[1]]
    line = text.rfind("\n", 0, first) + 1
    indent = len(text[line:]) - len(text[line:].lstrip(" "))
    end = text.find("\n", last)
    line_end = len(text) if end < 0 else end
    shapes = [(line + indent, line_end), (first, line_end)]
    shapes += inside * 4
    start, stop = rng.choice(shapes)
    if text.count("\n", start, stop) > MAX_LINES:
        start, stop = line, line_end + 1
    after = text[stop:]
    if rng.random() < 0.4 and _is_whole(text[:stop], snippet.path):
        after = ""
    slot = snippet.slots[at]
    right = text[start:first] + slot.right + text[last:stop]
    return Case(
        library=snippet.library,
        snippet=snippet.name,
        kind=KINDS[slot.kind] if wrong else "",
        before=text[:start],
        suggestion=text[start:stop],
        after=after,
        path=snippet.path,
        planted=wrong,
        expected=slot.right if wrong and sound else None,
        right=right if sound or not wrong else "",
        origin=origin,
    )


def _is_whole(text: str, path: str) -> bool:
    """Whether the text could end here."""
    if not path.endswith(".py"):
        return all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
