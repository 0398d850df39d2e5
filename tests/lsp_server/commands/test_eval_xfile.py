"""`truepenny eval xfile`: a git repository made here, its real index, and the fake engine or a script."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from truepenny.context import gather as gathering
from truepenny.context.gather import Chunk, Gathered, Question
from truepenny.context.index.reader import Reader
from truepenny.lsp_server.commands import eval as command
from truepenny.lsp_server.commands import eval_xfile
from truepenny.lsp_server.evaluation.xfile_asking import Written
from truepenny.lsp_server.evaluation.xfile_cases import XFileCase
from truepenny.models.client import EngineClient
from truepenny.models.endpoint import FAKE_MODEL
from truepenny.models.errors import EngineLostError
from truepenny.models.launch import EngineChoice, running
from truepenny.models.prompts.fim import RepositoryChunk
from truepenny.models.testing import SCRIPT_VARIABLE

SHIPS = "class Ship:\n    def set_sail(self, wind):\n        self.wind = wind\n"
MAIN = "from ships import Ship\n\nship = Ship()\nship.set_sail('west')\nprint(ship)\n"
BEFORE, AFTER = "from ships import Ship\n\nship = Ship()\nship.", "\nprint(ship)\n"


@dataclass
class Scene:
    """The arguments of every run, and where the parts are."""

    cases: Path
    origin: Path
    workspaces: Path
    arguments: list[str] = field(default_factory=list[str])

    def run(self, *extra: object) -> int:
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        paths = [self.cases, "--workspaces", self.workspaces, "--git", self.origin]
        args = parser.parse_args(["eval", "xfile", *map(str, paths), *self.arguments, *map(str, extra)])
        return args.run(args)


def git(folder: Path, *arguments: str) -> str:
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    ran = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two cases of one repository; the second wants a name that nobody is told of by `ours`."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    (origin / "ships.py").write_text(SHIPS, encoding="utf-8")
    (origin / "main.py").write_text(MAIN, encoding="utf-8")
    (origin / "unknown.py").write_text("def drop_anchor():\n    pass\n", encoding="utf-8")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "all")
    row: dict[str, Any] = {
        "task_id": "0",
        "language": "python",
        "repo": "some/ships",
        "commit": git(origin, "rev-parse", "HEAD"),
        "file": "main.py",
        "prompt": BEFORE,
        "groundtruth": "set_sail('west')",
        "right_context": AFTER,
        "identifier": "set_sail",
        "definition": {"file": "ships.py", "line": 1, "snippet": "\n\n" + SHIPS},
    }
    anchor = {
        "task_id": "1",
        "identifier": "drop_anchor",
        "groundtruth": "drop_anchor()",
        "definition": {"file": "unknown.py", "line": 0, "snippet": "def drop_anchor():\n    pass\n"},
    }
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps(row) + "\n" + json.dumps(row | anchor) + "\n", encoding="utf-8")
    return Scene(cases, origin, tmp_path / "workspaces")


@dataclass
class ScriptedAsking:
    """Writes what is expected where the name has been told, else something else."""

    asked: list[tuple[str, tuple[RepositoryChunk, ...]]] = field(
        default_factory=list[tuple[str, tuple[RepositoryChunk, ...]]]
    )
    pipeline: bool = False
    closed: bool = False
    fails_at: int = 99
    count: Callable[[str], int] = len

    async def ask(self, case: XFileCase, chunks: Sequence[RepositoryChunk]) -> Written:
        if len(self.asked) == self.fails_at:
            raise EngineLostError("the engine went away")
        self.asked.append((case.id, tuple(chunks)))
        is_told = any(case.identifier in chunk.text for chunk in chunks)
        return Written(case.expected if is_told else "other()", 100 + 10 * len(chunks))

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> ScriptedAsking:
    scripted = ScriptedAsking()

    def open_asking(_settings: object, *, pipeline: bool, members: object = None) -> ScriptedAsking:
        assert members is None
        scripted.pipeline = pipeline
        return scripted

    monkeypatch.setattr(eval_xfile, "open_asking", open_asking)
    return scripted


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """What `gather` was asked; it answers with the members of `Ship`, from the real index."""
    seen: list[Question] = []

    def gather(question: Question, reader: Reader, **options: Any) -> Gathered:
        assert options["budget_tokens"] == 1024
        assert reader.counts().complete
        seen.append(question)
        names = {use.name for use in reader.uses(question.path)}
        assert "set_sail" not in names, "what is expected is on the disk, and must not be told"
        assert "Ship" in names, "the rest of the file counts"
        found = reader.members("Ship")
        return Gathered(
            tuple(
                Chunk(one.path, one.definition.signature, "member", 9, (one.definition.name,))
                for one in found
            )
        )

    monkeypatch.setattr(gathering, "gather", gather)
    return seen


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_three_contexts_in_one_run(
    scene: Scene, asking: ScriptedAsking, questions: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures; the case's own file is a buffer without what is expected, the others are indexed."""
    plot = scene.cases.with_name("p.svg")
    assert scene.run("--json", "--plot", plot) == 0
    found = document(capsys)
    every = found["groups"]["all"]
    exact = {context: one["exact"] for context, one in every["contexts"].items()}
    assert (found["mode"], found["n"], exact) == ("raw", 2, {"none": 0.0, "ours": 0.5, "oracle": 1.0})
    assert every["recovered"]["identifier"]["share"] == 0.5
    assert (every["changes"]["ours"]["exact"]["mended"], every["changes"]["ours"]["exact"]["broken"]) == (
        0.5,
        0,
    )
    assert every["contexts"]["oracle"]["prompt_tokens"] == 110
    assert every["contexts"]["ours"]["told"] == 0.5

    assert [question.text for question in questions] == [BEFORE + AFTER] * 2
    assert {question.offset for question in questions} == {len(BEFORE)}
    assert [id_ for id_, _ in asking.asked] == ["0", "0", "0", "1", "1", "1"]
    oracles = [chunks for _, chunks in asking.asked[2::3]]
    assert oracles[0] == (RepositoryChunk("ships.py", SHIPS.rstrip("\n")),)
    assert asking.closed
    assert "cases.jsonl" not in plot.read_text(encoding="utf-8")
    assert "<svg" in plot.read_text(encoding="utf-8")


@pytest.mark.usefixtures("questions")
def test_people_get_a_table(scene: Scene, asking: ScriptedAsking, capsys: pytest.CaptureFixture[str]) -> None:
    """And a measurement through the pipeline says so."""
    assert scene.run("--pipeline") == 0
    out = capsys.readouterr().out
    assert asking.pipeline
    assert "2 cases; qwen2.5-coder-0.5b-instruct, the whole pipeline" in out
    assert "of the oracle's gain, exact: 50%" in out
    assert "python, 2 cases" not in out, "the only language says nothing new"


@pytest.mark.usefixtures("questions")
def test_a_run_goes_on_where_it_stopped(
    scene: Scene, asking: ScriptedAsking, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine is lost at the fifth question: the first four are not asked again."""
    resume = scene.cases.with_name("r.jsonl")
    asking.fails_at = 4
    assert scene.run("--resume", resume, "--json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "the engine went away" in err
    assert asking.closed

    asking.fails_at = 99
    assert scene.run("--resume", resume, "--json") == 0
    assert len(asking.asked) == 6
    assert document(capsys)["n"] == 2
    assert scene.run("--resume", resume) == 0
    assert len(asking.asked) == 6, "everything is known"
    assert scene.run("--resume", resume, "--budget", 5) == 2
    assert "budget_tokens was 1024 and is 5" in capsys.readouterr().err


def test_other_contexts_need_no_workspace(
    scene: Scene, asking: ScriptedAsking, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is made or indexed for them."""
    assert scene.run("--context", "oracle,none", "--limit", 1, "--json") == 0
    assert list(document(capsys)["groups"]["all"]["contexts"]) == ["none", "oracle"]
    assert len(asking.asked) == 2
    assert not scene.workspaces.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--git", "/no/such/folder"], "no such folder"),
        (["--language", "cobol"], "no cases in cobol; it has python"),
        (["--plot", "/no/such/folder/p.svg"], "give a file in a folder that exists"),
        (["--resume", "/no/such/folder/r"], "in a folder that exists"),
        (["--engine", "elsewhere"], "'engine' = 'elsewhere'"),
    ],
)
def test_mistakes_are_refused_before_anything_is_asked(
    arguments: list[str],
    message: str,
    scene: Scene,
    asking: ScriptedAsking,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status 2, the fix on stderr, nothing on stdout."""
    assert scene.run(*arguments) == 2
    out, err = capsys.readouterr()
    assert (out, asking.asked) == ("", [])
    assert message in err


@pytest.mark.parametrize("arguments", [["--context", "theirs"], ["--context", ""], ["--limit", "0"]])
def test_options_that_mean_nothing(arguments: list[str], scene: Scene) -> None:
    """As for every command, argparse says it."""
    with pytest.raises(SystemExit):
        scene.run(*arguments)


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A real engine process, which writes the rest of the line, and another."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"replies": [["ship.", "set_sail('west')\nmore = 2\n"]]}), encoding="utf-8")
    monkeypatch.setenv(SCRIPT_VARIABLE, str(script))

    async def stop() -> None:
        if endpoint := await running(EngineChoice(FAKE_MODEL)):
            client = EngineClient(endpoint, FAKE_MODEL)
            await client.shutdown()
            await client.aclose()

    with tempfile.TemporaryDirectory(prefix="tp") as folder:  # short: a socket's name may have 100 bytes
        monkeypatch.setenv("TRUEPENNY_RUNTIME", folder)
        yield
        asyncio.run(stop())


@pytest.mark.usefixtures("fake_engine", "questions")
@pytest.mark.parametrize("mode", [[], ["--pipeline"]])
def test_with_an_engine(mode: list[str], scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """Through sockets and prompts: one line is asked for, and chunks make the prompt longer."""
    assert scene.run("--engine", "fake", "--json", *mode) == 0
    found = document(capsys)
    contexts = found["groups"]["all"]["contexts"]
    assert found["mode"] == ("pipeline" if mode else "raw")
    assert {context: one["exact"] for context, one in contexts.items()} == {
        "none": 0.5,
        "ours": 0.5,
        "oracle": 0.5,
    }
    none, ours, oracle = (contexts[name] for name in ("none", "ours", "oracle"))
    around = ours["num_chunks"] * (1 + len("ships.py\n\n"))  # a byte is a token, and so is a control token
    assert ours["prompt_tokens"] - none["prompt_tokens"] == ours["context_tokens"] + around
    assert oracle["prompt_tokens"] > none["prompt_tokens"] + oracle["context_tokens"]
