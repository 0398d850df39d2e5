"""`truepenny index` and `truepenny bench index`, as a person types them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from truepenny.lsp_server.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "code"
    (root / "p").mkdir(parents=True)
    for nth in range(12):
        (root / "p" / f"m{nth}.py").write_text(f"def f{nth}(a):\n    return a + {nth}\n")
    (root / "app.ts").write_text("export function go(): void {}\n")
    (root / ".env").write_text("A=1\n")
    (root / "jquery.min.js").write_text("x\n")
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    """Exit status, the document on the last line, and stderr."""
    status = main([*arguments])
    told = capsys.readouterr()
    return status, json.loads(told.out.splitlines()[-1]), told.err


def test_a_folder_is_indexed_and_summed_up(folder: Path, capsys) -> None:
    """The keys programs rely on; and again, with nothing to do."""
    status, told, _ = run(capsys, "index", str(folder), "--json")
    assert status == 0
    assert (told["files"], told["lines"], told["symbols"], told["complete"]) == (13, 25, 13, True)
    assert told["languages"] == {"python": {"files": 12, "lines": 24}, "typescript": {"files": 1, "lines": 1}}
    assert {"bytes", "seconds", "index_bytes"} <= told.keys()
    assert {one["path"]: one["reason"] for one in told["refused"]} == {
        ".env": "sensitive",
        "jquery.min.js": "minified",
    }
    assert str(folder) not in told["database"]


def test_status_changes_nothing_and_names_what_is_kept_out(folder: Path, capsys) -> None:
    """Exit 1 says that there is no complete index."""
    assert run(capsys, "index", str(folder), "--status", "--json")[:2] == (
        1,
        {"root": str(folder), "complete": False, "files": 0},
    )
    main(["index", str(folder)])
    capsys.readouterr()
    assert main(["index", str(folder), "--status"]) == 0
    told = capsys.readouterr().out
    assert "sensitive  .env" in told
    assert "minified   jquery.min.js" in told


def test_an_index_is_removed_and_built_anew(folder: Path, capsys) -> None:
    """Both leave the repository alone."""
    main(["index", str(folder)])
    capsys.readouterr()
    status, told, _ = run(capsys, "index", str(folder), "--clear", "--json")
    assert (status, told["removed_bytes"] > 0) == (0, True)
    assert run(capsys, "index", str(folder), "--status", "--json")[0] == 1
    assert run(capsys, "index", str(folder), "--rebuild", "--json")[1]["read"] == 13
    assert run(capsys, "index", str(folder), "--rebuild", "--json")[1]["read"] == 13


def test_what_cannot_be_done_says_what_to_do(folder: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, in words."""
    assert main(["index", str(folder / "absent")]) == 2
    assert "not a folder" in capsys.readouterr().err
    monkeypatch.setenv("TRUEPENNY_CACHE", str(folder / "app.ts"))
    assert main(["index", str(folder)]) == 2
    assert "TRUEPENNY_CACHE" in capsys.readouterr().err


def test_a_damaged_index_is_mended_and_said(folder: Path, capsys) -> None:
    """On stderr; the document has it too."""
    database = Path(run(capsys, "index", str(folder), "--json")[1]["database"])
    for path in database.parent.glob("facts-*"):
        path.write_bytes(b"nonsense" * 2000)
    status, told, errors = run(capsys, "index", str(folder), "--json")
    assert (status, told["files"]) == (0, 13)
    assert "built anew" in errors
    assert "built anew" in told["note"]


def test_the_benchmark_has_every_figure(folder: Path, capsys, tmp_path: Path) -> None:
    """Of each size and each question; the plot is a picture."""
    picture = tmp_path / "index.svg"
    options = ("--sizes", "8,20", "--rounds", "1", "--json", "--plot", str(picture))
    status, told, _ = run(capsys, "bench", "index", str(folder), *options)
    assert status == 0
    assert 0 < told["sizes"][0]["files"] < told["sizes"][1]["files"] <= 13
    assert all(one["cold_s"] > 0 and one["bare_s"] > 0 and one["unchanged_s"] > 0 for one in told["sizes"])
    assert told["save"]["p50_ms"] > 0
    assert {"definitions", "search", "references", "members"} <= told["questions"].keys()
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_the_benchmark_names_what_it_lacks(tmp_path: Path, capsys) -> None:
    """Exit 2, in words."""
    assert main(["bench", "index", str(tmp_path)]) == 2
    assert "no source files" in capsys.readouterr().err
    assert main(["bench", "index", str(tmp_path), "--sizes", "many"]) == 2
    assert "--sizes" in capsys.readouterr().err
