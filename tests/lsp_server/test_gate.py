"""Where a suggestion is wanted, and how much: `|` marks the cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.lsp_server.place.gate import decide, surroundings
from truepenny.lsp_server.place.scope_table import TextScope
from truepenny.lsp_server.settings import CompletionSettings
from truepenny.lsp_server.snapshot import Edit, Lines, Query, Snapshot, Trigger


def query(
    marked: str,
    *,
    language: str = "python",
    trigger: Trigger = Trigger.AUTOMATIC,
    lines: Lines = "auto",
    path: str = "a.x",
    edit: Edit | None = None,
) -> Query:
    offset = marked.index("|")
    return Query(Snapshot(path, language, marked.replace("|", "", 1)), offset, trigger, lines, edit)


def check(asked: Query, expected: str, settings: CompletionSettings | None = None) -> None:
    """`expected`: `single`, `multi`, or words of the reason."""
    decision = decide(asked, settings or CompletionSettings())
    found = ("multi" if decision.is_multi else "single") if decision.is_open else decision.reason
    assert expected in found, found


@pytest.mark.parametrize(
    ("language", "marked", "expected"),
    [
        ("python", "x = |", "single"),
        ("python", "x = foo(|)", "single"),
        ("python", "x = [foo(|)]:", "single"),
        ("python", "x = foo(|);", "single"),
        ("python", "x = [|]", "single"),
        ("python", "x = {|}", "single"),
        ("python", "x = 'a|'", "single"),
        ("python", 'x = d["|"]', "single"),
        ("python", 'x = f"{|}"', "single"),
        ("python", 'def f():\n    """|"""', "single"),
        ("python", 'def f():\n    """Sum.\n    |"""', "single"),
        ("javascript", "x = `${|}`;", "single"),
        ("javascript", "foo(`a|`),", "single"),
        ("javascript", "x = /a|/g;", "single"),
        ("javascript", "function f() {|}", "single"),
        ("typescriptreact", "const x = <p>|</p>;", "single"),
        ("typescriptreact", "const x = <A b={|} />;", "single"),
        ("typescriptreact", 'const x = <A b="|" />;', "single"),
        ("typescriptreact", "const x = <p |></p>;", "single"),
        ("php", "<?php foo($a[|]);", "single"),
        ("typescriptreact", "const x = <p>|<b>a</b></p>;", "code after the cursor"),
        ("javascript", "const x = <p>| a</p>;", "code after the cursor"),
        ("python", "a < b | </p>", "code after the cursor"),
        ("python", "fo|o = 1", "inside a word"),
        ("python", "x = |1 + 2", "code after the cursor"),
        ("python", "x = | + 2", "code after the cursor"),
        ("python", "x = foo(|, 1)", "code after the cursor"),
        ("python", "foo|(x)", "code after the cursor"),
        ("python", 'foo(|"")', "code after the cursor"),
        ("python", "print|'a'", "code after the cursor"),
        ("python", "def f():\n  |  return 1", "indentation"),
        ("javascript", "function f() {\n  a();\n|}", "indentation"),
        ("python", "|", "empty"),
        ("python", "  \n|", "empty"),
    ],
)
def test_typing_asks_only_where_a_suggestion_can_stand(language: str, marked: str, expected: str) -> None:
    """Too eager and never mid-line are the two commonest complaints."""
    check(query(marked, language=language), expected)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("fo|o = 1", "single"),
        ("x = | + 2", "single"),
        ("|", "multi"),
        ("x = foo(|, 1)", "single"),
        ("def f(x):\n    y = 1\n    |\n    return y\n", "multi"),
        ("if x:  # why|\n", "multi"),
        ("foo(\n    |\n)\n", "single"),
    ],
)
def test_a_key_asks_anywhere(marked: str, expected: str) -> None:
    """Who asks on purpose knows where."""
    check(query(marked, trigger=Trigger.INVOKED), expected)


def test_prose_is_off_until_asked() -> None:
    """Suggestions in prose are the second commonest complaint; a key still gets one."""
    check(query("Some words |", language="markdown"), "off for markdown")
    check(query("Some words |", trigger=Trigger.INVOKED, language="markdown"), "single")


@pytest.mark.parametrize(
    ("scopes", "marked", "expected"),
    [
        (("comment",), "x = 1  # by|", "in a comment"),
        (("comment",), "# the sum\n|", "multi"),
        (("comment",), 'x = "a|"', "single"),
        (("comment",), 'def f():\n    """Sum|"""', "single"),
        (("string", "docstring"), 'x = "a|"', "in a string"),
        (("string", "docstring"), 'x = f"{a|}"', "single"),
        (("string", "docstring"), 'def f():\n    """Sum|', "in a docstring"),
        (("string",), "x = 1  # by|", "single"),
        ((), "x = 1  # by|", "single"),
    ],
)
def test_a_scope_that_is_off_is_off_for_typing(
    scopes: tuple[TextScope, ...], marked: str, expected: str
) -> None:
    """A key still asks there, and what was suggested before may be typed through."""
    settings = CompletionSettings(disabled_scopes=scopes)
    check(query(marked), expected, settings)
    assert decide(query(marked, trigger=Trigger.INVOKED), settings).is_open
    assert decide(query(marked), settings).may_recall is (expected not in ("single", "multi"))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("x = |", "single"),
        ("x = foo(|)", "single"),
        ("x = foo(a, |)", "end of its line"),
        ('x = "a|"', "end of its line"),
        ("def f():|", "multi"),
        ("def f():\n    |", "multi"),
        ("x = 1\n|", "single"),
        ("def f():\n    x = 1\n    |\n", "single"),
    ],
)
def test_subtle_is_for_line_ends(marked: str, expected: str) -> None:
    """And of several lines only what fills a block that was opened."""
    check(query(marked), expected, CompletionSettings(mode="subtle"))


def test_on_demand_is_for_keys() -> None:
    """Typing asks for nothing."""
    settings = CompletionSettings(mode="on_demand")
    check(query("def f():|"), "completion.mode", settings)
    check(query("def f():|", trigger=Trigger.INVOKED), "multi", settings)


KEY = 'K = """-----BEGIN RSA PRIVATE KEY-----\n' + "A" * 64 + '\n|"""'


@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/ws/.env", "KEY=|", ".env holds keys"),
        ("/ws/.env.local", "KEY=|", "holds keys"),
        ("/home/me/.npmrc", "//registry/:_authToken=|", ".npmrc holds keys"),
        ("/home/me/.aws/credentials", "[default]\n|", "holds keys"),
        ("/ws/server.pem", "x|", "server.pem holds keys"),
        ("untitled:/ws/.env", "KEY=|", "holds keys"),
        ("untitled:.env", "KEY=|", "holds keys"),
        ("vscode-remote://ssh%2Bhost/ws/%2Eenv?x#y", "KEY=|", ".env holds keys"),
        ("C:\\ws\\.env", "KEY=|", "holds keys"),
        ("/ws/a.py", KEY, "private key"),
        ("/ws/.env.example", "KEY=|", "single"),
        ("/ws/credentials.py", "x = |", "single"),
        ("/ws/\0.py", "x = |", "single"),
    ],
)
def test_nothing_is_asked_about_keys_and_credentials(
    path: str, text: str, expected: str, trigger: Trigger
) -> None:
    """Whoever asks; and files that only sound so are served."""
    check(query(text, path=path, trigger=trigger), expected)


def test_a_link_to_a_sensitive_file_is_one(tmp_path: Path) -> None:
    """The name it leads to counts."""
    (tmp_path / ".env").write_text("KEY=1\n")
    (tmp_path / "notes.txt").symlink_to(tmp_path / ".env")

    check(query("KEY=|", path=str(tmp_path / "notes.txt")), "holds keys")


@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize(
    ("globs", "path", "matched"),
    [
        (("*.sql",), "/ws/a/b.sql", "*.sql"),
        (("*.sql",), "/ws/a/b.py", ""),
        (("secret/",), "/ws/secret/a/b.py", "secret/"),
        (("secret/",), "/ws/secret", ""),
        (("src/gen/**",), "/ws/src/gen/a/b.py", "src/gen/**"),
        (("src/gen/**",), "/ws/src/a.py", ""),
        (("/ws/*.py",), "/ws/a.py", "/ws/*.py"),
        (("/a.py",), "/ws/a.py", ""),
        (("*.py", "!keep.py"), "/ws/keep.py", ""),
        (("*.py", "!keep.py"), "/ws/other.py", "*.py"),
        (("*.ipynb",), "vscode-notebook-cell:/ws/n.ipynb#W0", "*.ipynb"),
        (("secret/",), "C:\\ws\\secret\\a.py", "secret/"),
    ],
)
def test_a_pattern_leaves_files_out_and_is_named(
    globs: tuple[str, ...], path: str, matched: str, trigger: Trigger
) -> None:
    """The person who wrote it finds out which one it was; a key does not get round it."""
    expected = f"files like {matched!r}" if matched else "single"
    check(query("x = |", path=path, trigger=trigger), expected, CompletionSettings(disabled_globs=globs))


@pytest.mark.parametrize(
    ("edit", "marked", "expected"),
    [
        (Edit("a"), "x = a|", "single"),
        (Edit(""), "x = |", "deletion"),
        (Edit("\n    "), "def f():\n    |", "multi"),
        (Edit("    "), "def f():\n    |", "multi"),
        (Edit(" "), "return |", "single"),
        (Edit("    "), "x = 1    |", "of blanks"),
        (Edit("\t"), "x = 1\t|", "of blanks"),
        (Edit("name", num_places=3), "x = name|", "several places"),
        (None, "x = |", "single"),
    ],
)
def test_only_typing_asks(edit: Edit | None, marked: str, expected: str) -> None:
    """Who deletes, reformats or renames does not want to be interrupted; a key still asks."""
    check(query(marked, edit=edit), expected)
    assert decide(query(marked, edit=edit, trigger=Trigger.INVOKED), CompletionSettings()).is_open


def test_switched_off_is_off_for_keys_too() -> None:
    """A setting that half works is worse than none."""
    asked = query("x = |", trigger=Trigger.INVOKED)

    decision = decide(asked, CompletionSettings(enabled=False))

    assert "completion.enabled" in decision.reason


@pytest.mark.parametrize(("lines", "is_multi"), [("single", False), ("multi", True)])
def test_the_setting_stands_above_the_rules(lines: Lines, is_multi: bool) -> None:  # noqa: FBT001  (a row of data)
    """`completion.lines` is a choice, not a hint."""
    for marked in ("x = |", "def f():\n    |\n"):
        asked = query(marked, trigger=Trigger.AUTOMATIC, lines=lines)

        assert decide(asked, CompletionSettings()).is_multi is is_multi


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_lines_whatever_ends_them(end: str) -> None:
    """The cursor's line and its neighbours, without their ends."""
    text = end.join(["one", "", "two three", "four"])
    offset = text.index(" three")

    here = surroundings(text, offset)

    assert (here.previous, here.typed, here.rest, here.next_line) == ("one", "two", " three", "four")
