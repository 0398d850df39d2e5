"""`truepenny complete`, from a file on disk to a checked suggestion: real processes, real weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CommandLine

Write = Callable[[str, str | bytes], Path]

PROJECT = Path(__file__).parent.parent / "fixtures" / "tidewatch"


def place(path: Path, line: int, column: int) -> str:
    return f"{path}:{line}:{column}"


# A file, where its text is deleted from and to (1-based), and five characters that a person types there.
SPOTS = [
    ("tidewatch/predictions.py", (81, 12), (81, 74), "next("),
    ("web/src/api.ts", (36, 10), (36, 84), "getJs"),
    ("service/notices.go", (64, 5), (64, 17), "n.Tex"),
]


@pytest.mark.weights
@pytest.mark.parametrize(("file", "start", "end", "typed"), SPOTS)
def test_five_typed_characters_reuse_nine_tenths_of_the_prompt_and_change_nothing(
    command_line: CommandLine,
    real_weights: str,
    write: Write,
    file: str,
    start: tuple[int, int],
    end: tuple[int, int],
    typed: str,
) -> None:
    """The point of the product: a keystroke costs a keystroke, and the cache is never seen in the text."""
    lines = (PROJECT / file).read_text().split("\n")
    assert start[0] == end[0]
    line = lines[start[0] - 1]
    lines[start[0] - 1] = line[: start[1] - 1] + line[end[1] - 1 :]
    path = write(Path(file).name, "\n".join(lines))
    at = place(path, *start)

    command_line("engine", "stop", "--model", real_weights)
    before = command_line("complete", at, "--json").json
    warm = command_line("complete", at, "--typed", typed, "--json").json
    command_line("engine", "stop", "--model", real_weights)
    cold = command_line("complete", at, "--typed", typed, "--json").json

    assert before["reused_tokens"] == 0
    assert before["shown"], before["reason"]
    assert warm["reused_tokens"] > 0.9 * warm["prompt_tokens"], warm
    assert cold["reused_tokens"] == 0
    assert (warm["text"], warm["shown"]) == (cold["text"], cold["shown"])
    assert warm["shown"], warm["reason"]


@pytest.mark.weights
def test_the_real_model_completes_the_obvious(
    command_line: CommandLine, real_weights: str, write: Write
) -> None:
    """Text that could only come from weights, through every stage."""
    path = write("sums.py", "def add(a: int, b: int) -> int:\n    return \n")

    result = command_line("complete", place(path, 2, 12), "--json")

    assert result.code == 0, result.stderr
    assert result.json["text"] == "a + b"
    assert result.json["vouched"]
    assert {"context", "prefill", "decode", "guard", "total"} <= result.json["stage_ms"].keys()


FAKE_ADD = "def add(a, b):\n    return "
EMOJI = "x = 1\nfaces = '😋😋' + \n"

BAD_FILES = [
    ("latin-1", "latin.py", "# caf\xe9\n".encode("latin-1") + FAKE_ADD.encode(), 3, 12, 0, "a + b"),
    ("CRLF", "crlf.py", FAKE_ADD.replace("\n", "\r\n").encode() + b"\r\n", 2, 12, 0, "a + b"),
    ("emoji before the cursor", "emoji.py", EMOJI.encode(), 2, 18, 0, "print()"),
    ("unknown language", "notes.zzz", FAKE_ADD.encode(), 2, 12, 0, "a + b"),
    ("column beyond the end", "short.py", FAKE_ADD.encode(), 2, 999, 0, "a + b"),
    ("five megabytes", "big.py", b"x = 1\n" * 830_000 + FAKE_ADD.encode(), 830_002, 12, 0, "a + b"),
    ("empty", "empty.py", b"", 1, 1, 0, "print()"),
    ("line beyond the end", "short.py", FAKE_ADD.encode(), 99, 1, 2, "there is no line 99"),
    ("binary", "image.py", b"\x89PNG\x00\x01\x02\x03" * 64, 1, 1, 2, "image.py"),
    ("too large", "huge.py", b"x = 1\n" * 1_000_000, 1, 1, 2, "huge.py"),
    ("credentials", ".env", b"KEY=1\n", 1, 1, 2, ".env"),
]


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "code", "says"),
    [row[1:] for row in BAD_FILES],
    ids=[row[0] for row in BAD_FILES],
)
def test_odd_files_are_served_or_refused_with_their_name(
    command_line: CommandLine,
    write: Write,
    name: str,
    content: bytes,
    line: int,
    column: int,
    code: int,
    says: str,
) -> None:
    """Whatever a person opens gets an answer or a sentence, never a traceback; the file stays as it was."""
    path = write(name, content)

    result = command_line("complete", place(path, line, column), "--engine", "fake", "--json")

    assert result.code == code, (result.stdout, result.stderr)
    assert says in (result.json["text"] if code == 0 else result.stderr)
    assert "Traceback" not in result.stderr
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("complete", "nowhere"), "not FILE:LINE:COL"),
        (("complete", "missing.py:1:1"), "missing.py cannot be read"),
        (("complete", "x.py:1:1", "--stdin", "--engine", "ftp://x"), "engine"),
        (("complete", "x.py:1:1", "--stdin", "--precision", "int9"), "int8"),
        (("complete", "x.py:1:1", "--stdin", "--model", "qwen2.5-codr-0.5b"), "qwen2.5-coder-0.5b"),
        (("engine", "start", "--model", "gpt-9"), "gpt-9"),
        (("pull", "gpt-9"), "gpt-9"),
        (("chat", "hello", "--about", "missing.py"), "missing.py"),
        (("eval", "infill", "missing.jsonl.gz"), "missing.jsonl.gz"),
    ],
)
def test_a_mistake_on_the_command_line_names_itself(
    command_line: CommandLine, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Exit 2 and one sentence with the thing that is wrong."""
    result = command_line(*arguments, cwd=tmp_path, stdin="x = 1\n")

    assert result.code == 2, (result.stdout, result.stderr)
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_without_weights_the_command_to_get_them_is_named(
    command_line: CommandLine, write: Write, tmp_path: Path
) -> None:
    """A new machine: nothing is downloaded unasked, and the way on is said."""
    path = write("add.py", FAKE_ADD)

    result = command_line("complete", place(path, 2, 12), "--json", TRUEPENNY_CACHE=str(tmp_path / "empty"))

    assert result.code == 2
    assert "truepenny pull qwen2.5-coder-0.5b-instruct" in result.stderr
    assert not (tmp_path / "empty" / "models").exists()


def test_a_workspace_with_our_own_names_changes_nothing(command_line: CommandLine, write: Write) -> None:
    """`models/`, `context/` and `dataclasses.py` of the user's are the user's."""
    for name in ("models/__init__.py", "context/__init__.py", "dataclasses.py", "httpx.py", "torch.py"):
        write(name, "raise SystemExit('the workspace was executed')\n")
    path = write("add.py", FAKE_ADD)

    result = command_line(
        "complete", place(path, 2, 12), "--engine", "fake", "--json", cwd=path.parent, PYTHONPATH="."
    )

    assert result.code == 0, result.stderr
    assert result.json["text"] == "a + b"
