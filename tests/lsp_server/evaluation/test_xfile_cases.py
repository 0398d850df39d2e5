"""Reading sets of cross-file cases: what is in them, and what is wrong with them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from truepenny.lsp_server.evaluation.cases import CasesError
from truepenny.lsp_server.evaluation.xfile_cases import read_xfile_cases

ROW = {
    "task_id": "go/0",
    "language": "go",
    "repo": "some-one/a.b",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "file": "mcp/client.go",
    "prompt": "\treturn cs.",
    "groundtruth": "listRoots(ctx)",
    "right_context": "\n}\n",
    "identifier": "listRoots",
    "definition": {"file": "mcp/roots.go", "line": 3, "snippet": "func listRoots() {}"},
}


def write(path: Path, *rows: object) -> Path:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz"])
def test_a_case(name: str, tmp_path: Path) -> None:
    """The file's text is there without what is expected; separators inside a line do not split it."""
    row = ROW | {"right_context": "\n// \u2028 \x85\r\n"}
    (case,) = read_xfile_cases(write(tmp_path / name, row))
    assert case.text == "\treturn cs.\n// \u2028 \x85\r\n"
    assert (case.expected, case.identifier, case.path) == ("listRoots(ctx)", "listRoots", "mcp/client.go")
    assert case.checkout.folder_name == "some-one+a.b@0123456789ab"
    assert (case.definition_path, case.definition_text) == ("mcp/roots.go", "func listRoots() {}")


def test_which_cases(tmp_path: Path) -> None:
    """The limit counts those of the language."""
    path = write(
        tmp_path / "set.jsonl",
        ROW,
        ROW | {"task_id": "r/0", "language": "rust"},
        ROW | {"task_id": "r/1", "language": "rust"},
    )
    assert [case.id for case in read_xfile_cases(path, limit=2)] == ["go/0", "r/0"]
    assert [case.id for case in read_xfile_cases(path, limit=1, language="rust")] == ["r/0"]
    with pytest.raises(CasesError, match="no cases in java; it has go, rust"):
        read_xfile_cases(path, language="java")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no cases in it"),
        ([[1]], "set.jsonl:1: a list"),
        ([{**ROW, "prompt": 3}], "'prompt' is missing or no text"),
        ([{**ROW, "definition": None}], "'definition.file' is missing"),
        ([ROW, {**ROW, "repo": "../.."}], "set.jsonl:2: '../..'"),
        ([{**ROW, "repo": "--upload-pack/x"}], "as owner/name"),
        ([{**ROW, "commit": "HEAD"}], "as 40 digits"),
        ([{**ROW, "identifier": "other"}], "does not begin with 'identifier'"),
        ([{**ROW, "groundtruth": "listRoots(\nctx)"}], "several lines"),
        ([ROW, ROW], "comes twice"),
    ],
)
def test_unusable_sets(rows: list[object], message: str, tmp_path: Path) -> None:
    """Said with the place and the fix."""
    with pytest.raises(CasesError) as caught:
        read_xfile_cases(write(tmp_path / "set.jsonl", *rows))
    assert message in str(caught.value)


@pytest.mark.parametrize(("name", "data"), [("a.jsonl", b"\xff\n"), ("a.jsonl.gz", b"no gzip"), ("b", None)])
def test_unreadable_files(name: str, data: bytes | None, tmp_path: Path) -> None:
    """Damaged, not text, or not there."""
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CasesError, match="cannot be read"):
        read_xfile_cases(path)
