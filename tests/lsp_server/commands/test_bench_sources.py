"""Which files prompts are cut from, and under which language."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.lsp_server.commands import bench_sources
from truepenny.lsp_server.commands.bench_sources import code_of
from truepenny.models.errors import BenchmarkError


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))


def named(*paths: Path) -> dict[str, list[str]]:
    return {code.language: [file.name for file in code.files] for code in code_of(paths)}


def test_files_are_grouped_by_language_and_foreign_code_is_left_out(tmp_path: Path):
    """By name alone; what was generated, installed or hidden is not a person's code."""
    write(
        tmp_path,
        src__main_DOT_rs="fn main() {}",
        src__lib_DOT_rs="pub fn f() {}\n",
        web__app_DOT_ts="let a = 1;\n",
        web__node_modules__x_DOT_ts="no\n",
        target__x_DOT_rs="no\n",
        _DOT_git__x_DOT_py="no\n",
        README="words\n",
        empty_DOT_py="",
        broken_DOT_py="\xff\xfe\n",
    )
    assert named(tmp_path) == {"rust": ["src/lib.rs", "src/main.rs"], "typescript": ["web/app.ts"]}
    assert code_of([tmp_path])[0].text == "pub fn f() {}\nfn main() {}\n", "each file ends with a line"


def test_files_and_folders_may_be_mixed(tmp_path: Path):
    write(tmp_path, a__x_DOT_go="package x\n", b_DOT_go="package b\n", c_DOT_java="class C {}\n")
    found = named(tmp_path / "b.go", tmp_path / "a", tmp_path / "c.java")
    assert found == {"go": ["b.go", "x.go"], "java": ["c.java"]}


def test_of_one_language_no_more_is_read_than_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench_sources, "MOST_CHARACTERS", 10)
    write(tmp_path, a_DOT_py="a = 1\n", b_DOT_py="b = 22\n", c_DOT_py="c = 3\n")
    assert named(tmp_path) == {"python": ["a.py", "b.py"]}


def test_nothing_to_read_is_explained(tmp_path: Path):
    write(tmp_path, notes_DOT_txt="words\n")
    with pytest.raises(BenchmarkError, match="no source file in a language we know"):
        code_of([tmp_path])
    with pytest.raises(BenchmarkError, match="there is no such file or folder"):
        code_of([tmp_path / "gone"])
