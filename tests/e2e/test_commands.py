"""The other commands, as a person types them; the engine is real, its model is fake."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import CommandLine

COMMANDS = [
    *("pull", "serve", "engine", "complete", "context", "index", "chat", "doctor", "why", "stats"),
    *("eval infill", "eval xfile", "eval calibration", "bench engine", "bench replay", "bench index"),
    *("guard batch", "bench guard"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command_line: CommandLine, command: str) -> None:
    """`--help` is the first thing a person tries."""
    result = command_line(*command.split(), "--help")

    assert result.code == 0
    assert "example" in result.stdout
    assert f"truepenny {command}" in result.stdout


def test_one_engine_is_started_seen_shared_and_stopped(command_line: CommandLine) -> None:
    """What is running can be looked at and ended without knowing a process id."""
    command_line("engine", "stop", "--model", "fake")
    absent = command_line("engine", "status", "--model", "fake", "--json")
    started = command_line("engine", "start", "--model", "fake", "--json")
    again = command_line("engine", "start", "--model", "fake", "--json")
    stopped = command_line("engine", "stop", "--model", "fake")

    assert (absent.code, absent.json["is_running"]) == (1, False)
    assert (started.code, started.json["is_running"]) == (0, True)
    assert again.json["pid"] == started.json["pid"] != os.getpid()
    assert stopped.code == 0


def test_the_socket_is_for_its_owner_alone(command_line: CommandLine) -> None:
    """Prompts hold a person's code."""
    command_line("engine", "start", "--model", "fake")
    folder = Path(command_line.environment["TRUEPENNY_RUNTIME"])
    sockets = [path for path in folder.iterdir() if stat.S_ISSOCK(path.stat().st_mode)]

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sockets
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in sockets)


def test_an_answer_is_printed_and_summed_up(
    command_line: CommandLine, write: Callable[[str, str], Path]
) -> None:
    """For people as text, for programs as one document on the last line."""
    path = write("add.py", "def add(a, b):\n    return a + b\n")
    about = f"{path}:1-2"

    told = command_line("chat", "What does it do?", "--about", about, "--engine", "fake")
    counted = command_line("chat", "What does it do?", "--about", about, "--engine", "fake", "--json")

    assert told.code == 0
    assert "This is the fake model." in told.stdout
    assert counted.json["answer"].strip() == told.stdout.strip()
    assert counted.json["reused_tokens"] >= counted.json["prompt_tokens"] - 1


def test_a_selection_that_is_not_there_is_refused(
    command_line: CommandLine, write: Callable[[str, str], Path]
) -> None:
    """A question about the wrong lines would get a confident answer."""
    path = write("add.py", "x = 1\n")

    result = command_line("chat", "Why?", "--about", f"{path}:5-9", "--engine", "fake")

    assert result.code == 2
    assert "has 1 lines, not 5 to 9" in result.stderr


def test_the_doctor_names_what_is_missing_and_the_cure(command_line: CommandLine, tmp_path: Path) -> None:
    """Exit 1 and the command to type, on a machine without weights."""
    result = command_line("doctor", "--json", TRUEPENNY_CACHE=str(tmp_path))

    missing = [finding for finding in result.json["findings"] if not finding["is_well"]]
    assert result.code == 1
    assert [finding["what"] for finding in missing] == ["model"]
    assert missing[0]["fix"] == "truepenny pull qwen2.5-coder-0.5b-instruct"


@pytest.mark.weights
def test_the_doctor_is_content_where_all_is_there(command_line: CommandLine, real_weights: str) -> None:
    """Nothing to fix, exit 0."""
    result = command_line("doctor")

    assert result.code == 0, result.stdout
    assert real_weights in result.stdout


def test_no_command_or_a_wrong_one_is_a_usage_error(command_line: CommandLine) -> None:
    """Exit 2, and what there is to choose from."""
    for arguments in ((), ("complet",)):
        result = command_line(*arguments)

        assert result.code == 2
        assert "truepenny" in result.stderr
