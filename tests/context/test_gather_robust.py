"""Whatever is in a buffer or happens to a file: an answer within its bounds, and always the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.extraction import FactsOf, extract
from truepenny.context.gather import Pack, Question, follow, gather
from truepenny.context.index import indexing
from truepenny.context.index.build import build
from truepenny.context.index.location import locate
from truepenny.context.index.overlay import Overlay
from truepenny.context.index.reader import Reader
from truepenny.context.index.scanner import Found
from truepenny.context.index.schema import open_database
from truepenny.context.index.source import Source
from truepenny.context.index.worker import Worker
from truepenny.context.language_table import LANGUAGES, Language

BUDGET = 300
FILES = {
    "store.py": "class Rows:\n    def find(self, key: str) -> str: ...\n    size: int = 3\n",
    "units.ts": "export function toFeet(metres: number): number { return metres * 3.28 }\n",
    "main.go": "package main\n\ntype Rows struct { Size int }\n\nfunc (r Rows) Find(key string) string {}\n",
}
each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
SOUP = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("(){}[]<>\"'`#/*\\\n\r\t =;:.,x@$\0\ud83d\ude00"),
    ),
    max_size=120,
)


def count(text: str) -> int:
    return len(text) // 4 + 1


def open_reader(folder: Path) -> Reader:
    root = folder / "workspace"
    root.mkdir()
    location = locate(root, folder / "cache")
    open_database(location, mend=True).connection.close()
    reader = Reader(location, Overlay())
    for language in LANGUAGES:
        for path, text in FILES.items():
            if path.endswith(language.suffixes):
                reader.overlay.open(path, text, extract(text, language))
    return reader


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    made = open_reader(tmp_path_factory.mktemp("robust"))
    yield made
    made.close()


def check(reader: Reader, text: str, language: Language, offset: int) -> None:
    """An answer, in bounds, twice the same; open in another window too."""
    path = f"open{language.suffixes[0]}"
    document = FactsOf("", language)
    document.replace(text)
    question = Question(path, text, offset, language.name, facts=document.facts)
    answers = [gather(question, reader, budget_tokens=BUDGET, count=count, deadline_s=60) for _ in range(2)]
    assert answers[0] == answers[1]
    assert sum(chunk.tokens for chunk in answers[0].chunks) <= BUDGET
    pack = follow(Pack(), question, reader, budget_tokens=BUDGET, count=count, deadline_s=60)
    assert pack.tokens <= BUDGET
    reader.overlay.open(path, text, document.facts)
    try:
        other = Question("store.py", "Rows().", 7, "python")
        found = gather(other, reader, budget_tokens=BUDGET, count=count, deadline_s=60)
        assert sum(chunk.tokens for chunk in found.chunks) <= BUDGET
        for chunk in found.chunks:
            chunk.text.encode("utf-8", "surrogatepass")
    finally:
        reader.overlay.close(path)


@each_language
@given(before=SOUP, after=SOUP)
@settings(max_examples=15, deadline=None)
def test_any_buffer_is_answered(reader: Reader, language: Language, before: str, after: str) -> None:
    """Broken code, half a surrogate pair, NUL; the cursor anywhere in it."""
    check(reader, before + after, language, len(before))


LONG = 100_000
HOSTILE = {
    "brackets": "(" * LONG,
    "brackets, closed": "[" * LONG + "]" * LONG,
    "brackets on lines": "{\n" * LONG,
    "calls": "f(" * LONG,
    "members": "a" + ".a" * LONG,
    "blocks": "if (x) {\n" * (LONG // 10),
    "quotes": "'\"`" * (LONG // 3),
    "one line of a megabyte": "x = '" + "y" * 1_000_000 + "'",
    "one name of a megabyte": "y" * 1_000_000,
    "a megabyte of blanks": " " * 1_000_000,
    "surrogates": "\ud83d" * 10_000,
}


@each_language
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_buffers_are_answered(reader: Reader, language: Language, what: str) -> None:
    """No stack overflows in any grammar; the cursor at both ends and in the middle."""
    text = HOSTILE[what]
    for offset in (len(text) // 2, len(text)):
        question = Question(f"open{language.suffixes[0]}", text, offset, language.name)
        gathered = gather(question, reader, budget_tokens=BUDGET, count=count, deadline_s=60)
        assert sum(chunk.tokens for chunk in gathered.chunks) <= BUDGET


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
def test_any_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    """By what an editor would show of it."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "store.py").write_bytes('class Größe:\n    def über(self, é="ü"): ...\n'.encode(encoding))
    location = locate(root, tmp_path / "cache")
    build(location, no_worker)
    reader = Reader(location)
    try:
        question = Question("main.py", "from store import Größe\nGröße().", 32, "python")
        (chunk,) = gather(question, reader, budget_tokens=BUDGET, count=count, deadline_s=60).chunks
    finally:
        reader.close()
    assert 'def über(self, é="ü")' in chunk.text


def no_worker() -> Worker:
    raise AssertionError("few files are read in the process that builds")


def vanish(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.py"))


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def become_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name(".env"))


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and links")
@pytest.mark.parametrize(
    "happen", [vanish, move, become_a_folder, become_a_loop, become_a_link, become_a_pipe]
)
def test_what_happens_between_scan_and_read_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happen: Callable[[Path], None]
) -> None:
    """The other files are read; of that one nothing is known, and the next build knows what is there."""
    root = tmp_path / "workspace"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / f"{name}.py").write_text(f"def in_{name}(): ...\n")
    (root / ".env").write_text("def planted(): ...\n")
    real, happened = indexing.read, []

    def read(folder: Path, found: Found, max_bytes: int) -> Source | None:
        if found.path == "b.py" and not happened:
            happened.append(True)
            happen(folder / "b.py")
        return real(folder, found, max_bytes)

    monkeypatch.setattr(indexing, "read", read)
    location = locate(root, tmp_path / "cache")
    reader = Reader(location)
    try:
        for expected in ({"a.py", "c.py"}, {"a.py", "c.py"} | ({"moved.py"} if happen is move else set())):
            build(location, no_worker)
            assert {one.path for one in reader.files()} == expected
            assert bool(reader.definitions("in_b")) == ("moved.py" in expected)
            assert reader.definitions("planted") == ()
    finally:
        reader.close()
    assert happened


_GATHERING = """
import sys
from truepenny.context.gather import Question, gather
from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.context.index.reader import Reader
root, cache = sys.argv[1:]
location = locate(root, cache)
run_build(location)
reader = Reader(location)
for name in ("lsp_server/assistant.py", "context/index/store.py", "guard/pipeline.py"):
    text = open(f"{root}/{name}", encoding="utf-8").read()
    for offset in (len(text) // 3, len(text) // 2, len(text)):
        question = Question(name, text[:offset] + "\\n    self.", offset + 10, "python")
        print(gather(question, reader, budget_tokens=2000, count=len, deadline_s=300))
"""


def test_the_same_workspace_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    """No order of a set, of a walk or of a race is in them: built and asked twice, our own code."""
    ours, root = Path(__file__).parents[2], tmp_path / "workspace"
    for folder in ("lsp_server", "context", "guard"):
        for path in sorted((ours / folder).rglob("*.py")):
            copy = root / path.relative_to(ours)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    told: list[str] = []
    for seed in ("0", "1"):
        ran = subprocess.run(
            [sys.executable, "-c", _GATHERING, str(root), str(tmp_path / f"cache{seed}")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(ran.stdout)
    assert told[0] == told[1]
    assert told[0].count("is_complete=True") == 9
    assert told[0].count("Chunk(") > 9
