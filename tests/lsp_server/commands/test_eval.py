"""`truepenny eval infill`, with a scripted assistant in place of the model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from truepenny.guard.verdict import Action, Verdict
from truepenny.lsp_server.commands import eval as command
from truepenny.lsp_server.prompting.anchor import Layout
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Suggestion
from truepenny.lsp_server.status import Status
from truepenny.models.errors import EngineUnavailableError

ROWS = [
    {
        "task_id": f"HumanEval/{number}",
        "entry_point": "double",
        "prompt": "def double(x):\n",
        "suffix": "\n\nprint('done')\n",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    }
    for number in range(2)
]


class ScriptedAssistant:
    """Right about the first case, quiet about the second."""

    def __init__(self, settings: Settings, on_status: Callable[[Status], None], layout: Layout) -> None:
        self.settings = settings
        self.layout = layout
        self.anchored: list[Query] = []
        self.queries: list[Query] = []
        self.raw: list[tuple[str, str, int, tuple[str, ...]]] = []
        self.closed = False
        on_status(Status("warning", busy=False, message="running on the processor"))

    async def complete(self, query: Query) -> Suggestion:
        self.queries.append(query)
        if "_1" in query.snapshot.path:
            verdict = Verdict("safety", Action.WITHHOLD, "rule", 0, 4, "runs a shell")
            return Suggestion("", query.offset, query.offset, False, "runs a shell", (verdict,))  # noqa: FBT003  (shown)
        return Suggestion("    return 2 * x", query.offset, query.offset, True, "")  # noqa: FBT003  (shown)

    def anchor(self, query: Query) -> None:
        self.anchored.append(query)

    async def raw_infill(self, before: str, after: str, max_tokens: int, stop: tuple[str, ...]) -> str:
        self.raw.append((before, after, max_tokens, stop))
        return "    return 2 * x"

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ScriptedAssistant]:
    assistants: list[ScriptedAssistant] = []

    def open_assistant(
        settings: Settings, on_status: Callable[[Status], None], layout: Layout
    ) -> ScriptedAssistant:
        assistants.append(ScriptedAssistant(settings, on_status, layout))
        return assistants[-1]

    monkeypatch.setattr(command, "open_assistant", open_assistant)
    return assistants


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def invoke(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["eval", "infill", *map(str, arguments)])
    return args.run(args)


def test_the_json_document_is_the_last_line_of_stdout(
    cases: Path, opened: list[ScriptedAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine reads stdout; what a person must know meanwhile goes to stderr."""
    assert invoke(cases, "--json") == 0
    out, err = capsys.readouterr()
    document = json.loads(out.splitlines()[-1])
    assert {key: document[key] for key in ("n", "pass_at_1", "exact_match", "withheld")} == {
        "n": 2,
        "pass_at_1": 0.5,
        "exact_match": 0.5,
        "withheld": 1,
    }
    assert {"edit_similarity", "identifier_match", "seconds", "characters_per_s"} <= document.keys()
    assert document["reasons"] == {"runs a shell": 1}
    assert "running on the processor" in err
    assert opened[0].closed


def test_the_options_reach_the_pipeline(cases: Path, opened: list[ScriptedAssistant]) -> None:
    arguments = [
        "--lines",
        "single",
        "--guard",
        "off",
        "--model",
        "other",
        "--engine",
        "http://localhost:1/v1",
    ]
    assert invoke(cases, "--limit", 1, *arguments) == 0
    settings = opened[0].settings
    assert (settings.engine, settings.completion.model) == ("http://localhost:1/v1", "other")
    assert (settings.completion.lines, settings.guard.enabled) == ("single", False)
    assert [query.lines for query in opened[0].queries] == ["single"]


def test_raw_asks_the_engine_for_exactly_the_hole(
    cases: Path, opened: list[ScriptedAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """The baseline goes through the same harness, with one line for a single-line set."""
    assert invoke(cases, "--raw", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["mode"], document["pass_at_1"]) == ("raw", 1)
    assert opened[0].raw[0] == (ROWS[0]["prompt"], ROWS[0]["suffix"], 96, ("\n",))
    assert opened[0].queries == []


@pytest.mark.usefixtures("opened")
def test_cases_that_were_not_right_are_dumped(cases: Path, tmp_path: Path) -> None:
    """One line each, with everything needed to see why."""
    dump = tmp_path / "failed.jsonl"
    assert invoke(cases, "--dump", dump) == 0
    (row,) = [json.loads(line) for line in dump.read_text(encoding="utf-8").splitlines()]
    assert (row["id"], row["kind"], row["reason"]) == ("HumanEval/1", "failed", "runs a shell")
    assert row["expected"] == "    return 2 * x\n"
    assert row["verdicts"][0]["evidence"] == "runs a shell"


@pytest.mark.usefixtures("opened")
def test_people_get_a_table(cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(cases) == 0
    out = capsys.readouterr().out
    assert "pass@1            50.0%" in out
    assert "1 × runs a shell" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/absent.jsonl"], "no such file"),
        (["{cases}", "--limit", "0"], "--limit 0: give at least 1"),
        (["{cases}", "--engine", "elsewhere"], "'engine' = 'elsewhere'"),
        (["{cases}", "--dump", "{tmp}/no/such/folder"], "give a file in a folder that exists"),
    ],
)
def test_mistakes_are_refused_before_any_model_is_asked(
    arguments: list[str],
    message: str,
    cases: Path,
    tmp_path: Path,
    opened: list[ScriptedAssistant],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status 2, the fix on stderr, nothing on stdout."""
    assert invoke(*(argument.format(tmp=tmp_path, cases=cases) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert (out, opened) == ("", [])
    assert message in err


def test_an_engine_that_cannot_be_reached_ends_the_measurement(
    cases: Path,
    opened: list[ScriptedAssistant],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No figure is better than a wrong one; the assistant is closed all the same."""

    async def gone(_self: ScriptedAssistant, _query: Query) -> Suggestion:
        raise EngineUnavailableError("no engine at this address; start one with `truepenny engine start`")

    monkeypatch.setattr(ScriptedAssistant, "complete", gone)
    assert invoke(cases, "--json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "engine start" in err
    assert opened[0].closed


def test_layouts_and_typing_are_passed_on(
    opened: list[ScriptedAssistant], cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The prompt is cut as if the last characters had not been typed, then asked for with them."""
    assert invoke(cases, "--typed", 9, "--layout", "quick", "--json") == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    (assistant,) = opened

    assert (document["layout"], document["typed"], assistant.layout) == ("quick", 9, "quick")
    for earlier, asked in zip(assistant.anchored, assistant.queries, strict=True):
        assert earlier.snapshot.path == asked.snapshot.path
        assert earlier.offset == asked.offset - 9
        text = asked.snapshot.text
        assert earlier.snapshot.text == text[: earlier.offset] + text[asked.offset :]


@pytest.mark.parametrize(
    "arguments",
    [("--typed", -1), ("--typed", 2_401), ("--raw", "--typed", 5), ("--raw", "--layout", "plain")],
)
def test_typing_that_cannot_be_measured(
    arguments: tuple[object, ...],
    opened: list[ScriptedAssistant],
    cases: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Said before anything is asked."""
    assert invoke(cases, *arguments) == 2
    assert opened == []
    assert "truepenny eval: --" in capsys.readouterr().err
