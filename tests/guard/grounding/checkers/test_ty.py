"""What the real `ty` says of a line, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.checkers.ty import ty_checker
from truepenny.guard.grounding.finding import Fault

ANSWER_S = 30.0
"""Nothing here is about time."""

PREAMBLE = """\
import collections
import json
import os
from typing import TypedDict


class Box:
    size: int = 1

    def put(self, thing: str, *, twice: bool) -> None: ...

    def only(self, first: int, /) -> None: ...


class Film(TypedDict):
    title: str


def use(box: Box, film: Film, maybe: str | None) -> None:
    """

Row = tuple[str, Fault, str, str, str]
ROWS: list[Row] = [
    # code, fault, the part of it, name, receiver
    ("os.pathh", Fault.MISSING_MEMBER, "pathh", "pathh", "os"),
    ("os.path.joinn('ä')", Fault.MISSING_MEMBER, "joinn", "joinn", "os.path"),
    ("collections.OrderdDict()", Fault.MISSING_MEMBER, "OrderdDict", "OrderdDict", "collections"),
    ("box.take()", Fault.MISSING_MEMBER, "take", "take", "Box"),
    ("'ä😀', box.take()", Fault.MISSING_MEMBER, "take", "take", "Box"),
    ("Box.take", Fault.MISSING_MEMBER, "take", "take", "Box"),
    ("'x'.to_upper()", Fault.MISSING_MEMBER, "to_upper", "to_upper", 'Literal["x"]'),
    ("[1].push(2)", Fault.MISSING_MEMBER, "push", "push", "list[int]"),
    ("use.depth", Fault.MISSING_MEMBER, "depth", "depth", "use"),
    ("box.depth = 3", Fault.MISSING_MEMBER, "depth", "depth", "Box"),
    ("film['year']", Fault.MISSING_MEMBER, "year", "year", "Film"),
    ("import numpyy", Fault.MISSING_MODULE, "numpyy", "numpyy", ""),
    ("import os.pathh as p", Fault.MISSING_MODULE, "os.pathh", "os.pathh", ""),
    ("from numpyy.linalg import norm", Fault.MISSING_MODULE, "numpyy.linalg", "numpyy.linalg", ""),
    ("from json import lods", Fault.MISSING_MEMBER, "lods", "lods", "json"),
    ("boxx.put('a', twice=True)", Fault.MISSING_NAME, "boxx", "boxx", ""),
    ("box.put('a', twice=True, thrice=1)", Fault.UNKNOWN_ARGUMENT, "thrice", "thrice", "Box.put"),
    ("print('ä',\n        seperator=',')", Fault.UNKNOWN_ARGUMENT, "seperator", "seperator", "print"),
    ("open('x', mode=3, depth=1)", Fault.UNKNOWN_ARGUMENT, "depth", "depth", "open"),
    ("open('x', mode=3)", Fault.WRONG_CALL, "open('x', mode=3)", "", "open"),
    ("box.put('a')", Fault.WRONG_CALL, "box.put('a')", "twice", "Box.put"),
    ("box.put('a', 2, twice=True)", Fault.WRONG_CALL, "2", "", "Box.put"),
    ("box.put('a', thing='b', twice=True)", Fault.WRONG_CALL, "thing='b'", "thing", "Box.put"),
    ("box.only(first=1)", Fault.WRONG_CALL, "first=1", "first", "Box.only"),
    ("box.size()", Fault.WRONG_CALL, "box.size()", "", "int"),
    ("maybe.upper()", Fault.POSSIBLY_MISSING, "upper", "upper", "None"),
    ("if maybe: last = 1\n    last", Fault.POSSIBLY_MISSING, "last", "last", ""),
]

SOUND = [
    "os.path.join('a', 'b')",
    "box.put('a', twice=True)",
    "json.dumps({}, indent=2)",
    "film['title'].upper()",
    "open('x', mode='rb').read()",
    "box.size = 'three'",  # wrong, but everything it names exists
    "unused = 1",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def checker(root: Path) -> Iterator[ShadowChecker]:
    made = ty_checker(str(root))
    yield made
    made.close()


def found(checker: ShadowChecker, root: Path, code: str) -> list[Row]:
    text = PREAMBLE + code + "\n"
    findings = checker.findings(str(root / "module.py"), text, ANSWER_S)
    return [(code, one.fault, text[one.start : one.end], one.name, one.receiver) for one in findings]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_ty_says_becomes_a_finding(checker: ShadowChecker, root: Path, row: Row):
    """Its rules and sentences change between releases: this is what notices."""
    assert row in found(checker, root, row[0])


@pytest.mark.parametrize("code", SOUND)
def test_what_exists_is_not_reported(checker: ShadowChecker, root: Path, code: str):
    """A false alarm costs more trust than a miss."""
    assert found(checker, root, code) == []


WIDE = "int | str | bytes | list[int] | dict[str, int] | set[int] | tuple[int, ...]"


@pytest.mark.parametrize(("num_overloads", "fault"), [(3, Fault.UNKNOWN_ARGUMENT), (60, Fault.WRONG_CALL)])
def test_a_keyword_that_no_overload_takes_is_named(
    checker: ShadowChecker, root: Path, num_overloads: int, fault: Fault
):
    """Where all of them are listed, however long their types are."""
    overloads = "".join(
        f"@overload\ndef take(a: {WIDE}, *, key{number}: {WIDE} = 1) -> int: ...\n"
        for number in range(num_overloads)
    )
    text = f"from typing import overload\n{overloads}def take(a, **keys): ...\ntake(1, other=2)\n"
    said = checker.findings(str(root / "module.py"), text, ANSWER_S)
    assert [(one.fault, one.name) for one in said] == [(fault, "other" * (fault is Fault.UNKNOWN_ARGUMENT))]


def test_members_of_a_known_type(checker: ShadowChecker, root: Path):
    """Decoding goes on with these alone."""
    text = PREAMBLE + "box.siz\n"
    names = checker.members(str(root / "module.py"), text, text.index("box.siz") + 4, ANSWER_S)
    assert {"size", "put", "only"} <= set(names)
    assert not {"Box", "os", "if", "print"} & set(names)


def test_arguments_of_a_call(checker: ShadowChecker, root: Path):
    text = PREAMBLE + "box.put()\n"
    names = checker.arguments(str(root / "module.py"), text, text.index("put()") + 4, ANSWER_S)
    assert names == ("thing", "twice")
    text = "def use(a, *rest, b=1, **others): ...\nuse()\n"
    names = checker.arguments(str(root / "module.py"), text, text.index("use()") + 4, ANSWER_S)
    assert names == ("a", "*rest", "b", "**others")


def test_an_unknown_type_has_no_members(checker: ShadowChecker, root: Path):
    """What every object has is no answer: it would forbid all the others."""
    text = "def use(thing):\n    thing.\n"
    assert checker.members(str(root / "module.py"), text, text.index(".") + 1, ANSWER_S) == ()


def test_relative_imports_work_where_the_file_is(checker: ShadowChecker, root: Path):
    (root / "package").mkdir()
    (root / "package" / "__init__.py").write_text("")
    (root / "package" / "near.py").write_text("here = 1\n")
    (root / "package" / "module.py").write_text("")
    checker.changed(map(str, (root / "package").iterdir()))
    text = "from .near import here, gone\n"
    (only,) = checker.findings(str(root / "package" / "module.py"), text, ANSWER_S)
    assert (only.fault, only.name, only.receiver) == (Fault.MISSING_MEMBER, "gone", "package.near")
    assert checker.findings(str(root / "package" / "unsaved.py"), text, ANSWER_S) == ()


def test_what_was_shown_of_one_file_is_not_held_against_another(checker: ShadowChecker, root: Path):
    """The text of a suggestion is nowhere: a file that imports the one it was for sees the disk."""
    (root / "one.py").write_text("real = 1\n")
    checker.changed([str(root / "one.py")])
    assert checker.findings(str(root / "one.py"), "invented = 1\n", ANSWER_S) == ()
    (only,) = checker.findings(str(root / "two.py"), "from one import real, invented\n", ANSWER_S)
    assert only.name == "invented"


def test_changes_on_the_disk_are_seen_when_told(checker: ShadowChecker, root: Path):
    text = "from late import thing\n"
    path = str(root / "module.py")
    assert [one.name for one in checker.findings(path, text, ANSWER_S)] == ["late"]
    (root / "late.py").write_text("thing = 1\n")
    checker.changed([str(root / "late.py")])
    assert checker.findings(path, text, ANSWER_S) == ()
    (root / "late.py").unlink()
    checker.changed([str(root / "late.py")])
    assert [one.name for one in checker.findings(path, text, ANSWER_S)] == ["late"]


PIECES = st.sampled_from(
    ["os.pathh\n", "x = 'ä😀'; os.pathh\n", "\r\n", "\r", "\n", "# é\u2028\x0c\n", "os.sep\r\n"]
)


@given(st.lists(st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_edits_add_up_to_the_text(checker: ShadowChecker, root: Path, texts: list[str]):
    """Only the difference to the last text is sent; whatever it is, every finding is where its name is."""
    for text in ["import os\n" + each for each in texts]:
        said = checker.findings(str(root / "edited.py"), text, ANSWER_S)
        assert [text[one.start : one.end] for one in said] == ["pathh"] * text.count("os.pathh")


HOSTILE = {
    "rules off": {"ty.toml": '[rules]\nall = "ignore"\nmissing-attribute = "ignore"\n'},
    "files off": {"ty.toml": '[src]\nexclude = ["**"]\n'},
    "overrides": {
        "ty.toml": '[[overrides]]\ninclude = ["**"]\n[overrides.rules]\nmissing-attribute = "ignore"\n'
    },
    "broken": {"ty.toml": "[rules\n", "pyproject.toml": "[[[\n"},
    "no such environment": {"pyproject.toml": '[tool.ty.environment]\npython = "/no/such/place"\n'},
    "wrong types": {"pyproject.toml": '[tool.ty]\nenvironment = 3\n[project]\nrequires-python = "x"\n'},
    "wrong values": {"ty.toml": '[environment]\npython-version = "3.7\\n"\nroot = [3]\nextra-paths = 1\n'},
    "not ours to read": {"ty.toml": '[environment]\nroot = ["/etc", "../.."]\ntypeshed = "/etc"\n'},
    "ignored by git": {".gitignore": "*\n", ".git/HEAD": "ref: refs/heads/main\n"},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_workspace_cannot_switch_the_checker_off(tmp_path: Path, case: str):
    """Silence is taken for consent: a checker that is told to be silent must not be asked."""
    for name, text in HOSTILE[case].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    checker = ty_checker(str(tmp_path))
    try:
        (only,) = checker.findings(str(tmp_path / "m.py"), "import os\nos.pathh\n", ANSWER_S)
        assert only.name == "pathh"
    finally:
        checker.close()


def test_a_file_that_is_not_checked_is_an_error(tmp_path: Path):
    """Left out by ty itself, as installed packages are: nothing said is not nothing wrong."""
    checker = ty_checker(str(tmp_path))
    try:
        with pytest.raises(CheckerError, match="does not check"):
            checker.findings(str(tmp_path / "node_modules" / "m.py"), "import os\nos.pathh\n", ANSWER_S)
    finally:
        checker.close()


def test_roots_of_the_project_are_taken_over(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ours.py").write_text("here = 1\n")
    (tmp_path / "pyproject.toml").write_text('[tool.ty.environment]\nroot = ["lib"]\n')
    checker = ty_checker(str(tmp_path))
    try:
        assert checker.findings(str(tmp_path / "m.py"), "from ours import here\n", ANSWER_S) == ()
    finally:
        checker.close()


def test_our_own_environment_is_not_the_workspaces(tmp_path: Path):
    """ty would take the one it is installed in; what we depend on is not there for the user."""
    checker = ty_checker(str(tmp_path))
    try:
        (only,) = checker.findings(str(tmp_path / "m.py"), "import pygls\n", ANSWER_S)
        assert only.fault is Fault.MISSING_MODULE
    finally:
        checker.close()


def test_stubs_come_first(tmp_path: Path):
    stubs = tmp_path / "stubs"
    (stubs / "remote-stubs").mkdir(parents=True)
    (stubs / "remote-stubs" / "__init__.pyi").write_text("def call(*, depth: int) -> int: ...\n")
    checker = ty_checker(str(tmp_path), search_paths=[str(stubs)])
    try:
        text = "import remote\nremote.call(depth=1, dept=1)\n"
        (only,) = checker.findings(str(tmp_path / "m.py"), text, ANSWER_S)
        assert (only.fault, only.name) == (Fault.UNKNOWN_ARGUMENT, "dept")
    finally:
        checker.close()
