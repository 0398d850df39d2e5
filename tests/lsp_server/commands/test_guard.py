"""`truepenny guard batch` and `bench guard`: the contract, and input that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from truepenny.lsp_server.cli import main

CLEAN = {"id": "a", "language": "python", "before": "def f():\n", "suggestion": "    return 1\n", "after": ""}
BROKEN = {**CLEAN, "id": 7, "suggestion": "    return 1\n    x = = 2\n"}
HIDDEN = {**CLEAN, "id": "c", "suggestion": "    return '\u202e1'\n"}


def batch(
    tmp_path: Path, *records: dict[str, Any], options: Sequence[str] = ("--grounding", "off")
) -> tuple[int, list[dict[str, Any]]]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    status = main(["guard", "batch", str(source), str(target), *options, "--json"])
    return status, [json.loads(line) for line in target.read_text().splitlines()]


@pytest.mark.parametrize(
    ("record", "status", "action", "text_after"),
    [
        (CLEAN, 0, "pass", "    return 1\n"),
        (BROKEN, 1, "trim", "    return 1"),
        (HIDDEN, 1, "withhold", ""),
    ],
)
def test_verdicts(tmp_path: Path, record: dict[str, Any], status: int, action: str, text_after: str) -> None:
    found, (told,) = batch(tmp_path, record)
    assert (found, told["id"], told["action"], told["text_after"]) == (
        status,
        record["id"],
        action,
        text_after,
    )
    assert told["vouched"]
    for verdict in told["verdicts"]:
        assert {"kind", "action", "rule", "cwe", "licence", "start", "end", "evidence"} <= verdict.keys()


@pytest.mark.parametrize(
    ("record", "action", "text_after"),
    [
        ({"suggestion": "xs = [1]\nxs.push(2)\n"}, "repair", "xs = [1]\nxs.append(2)\n"),
        ({"suggestion": "import quarkfluxer_toolbox\n"}, "withhold", ""),
        ({"suggestion": "import fleet\n\nfleet.launch()\n"}, "pass", "import fleet\n\nfleet.launch()\n"),
        (
            {"suggestion": "import fleet\n\nfleet.launches()\n", "path": "deep/new.py"},
            "repair",
            "import fleet\n\nfleet.launch()\n",
        ),
        ({"suggestion": "# pip install reqeusts\n"}, "repair", "# pip install requests\n"),
    ],
)
def test_names_are_looked_up_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any], action: str, text_after: str
) -> None:
    """In an environment that has nothing but the standard library; the path need not be there."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "fleet.py").write_text("def launch() -> None: ...\n")
    site = tmp_path / "environment" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / "environment" / "pyvenv.cfg").write_text("home = /nowhere\nversion = 3.11.4\n")
    asked = {"language": "python", "before": "", "after": "", "workspace": str(tmp_path / "work"), **record}
    _, (told,) = batch(tmp_path, asked, options=["--environment", str(tmp_path / "environment")])
    assert told["vouched"], told
    assert (told["action"], told["text_after"]) == (action, text_after)


@pytest.mark.parametrize(
    ("language", "suggestion", "action"),
    [
        ("python", "def total(self):\n    return self.lines.sum_up(RATE, lookup(self))\n", "pass"),
        ("python", "    async def total(self):\n        import os\n        return cursor\n", "pass"),
        ("c", "static int f(struct snd_timer *t)\n{\n\treturn t->n ? EINVAL : SIZE;\n}\n", "pass"),
        ("python", "def total(prices: list[int]):\n    prices.push(1)\n", "repair"),
        ("python", "total = 1\nprint(totl)\n", "repair"),
    ],
)
def test_a_fragment_names_what_its_own_file_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, suggestion: str, action: str
) -> None:
    """A function alone, without a workspace; what does not depend on its file is judged all the same."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    environment = tmp_path / "environment"
    (environment / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("home = /nowhere\nversion = 3.11.4\n")
    asked = {"language": language, "before": "", "suggestion": suggestion, "after": ""}
    _, (told,) = batch(tmp_path, asked, options=["--environment", str(environment)])
    assert (told["action"], told["vouched"]) == (action, True), told


def test_answers_come_in_order_with_one_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = batch(tmp_path, CLEAN, BROKEN, HIDDEN)
    assert [one["id"] for one in told] == ["a", 7, "c"]
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["n"], figures["actions"]) == (3, {"pass": 1, "trim": 1, "withhold": 1})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json\n", "line 1 is not JSON"),
        ('{"language": "python"}\n', "'suggestion' is None"),
        ("[1]\n", "give an object"),
        ('{"language": 3, "suggestion": ""}\n', "'language' is 3"),
    ],
)
def test_input_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(text)
    assert main(["guard", "batch", str(source), str(tmp_path / "out.jsonl")]) == 2
    assert words in capsys.readouterr().err


def test_every_check_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "long.py").write_text(
        "".join(f"def f{nth}(a):\n    return a + {nth}\n\n\n" for nth in range(20))
    )
    assert main(["bench", "guard", str(folder), "--lines", "8", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"secrets", "syntax"} <= report["checks"].keys()
    assert (report["blocks"], report["flagged_share"]) == (1, 0)
    assert report["checks"]["syntax"]["flagged"] == 0
