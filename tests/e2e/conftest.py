"""The real command line, engines of its own, and the real weights where they have been pulled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.errors import WeightsMissingError
from truepenny.models.store import require

PATIENCE_S = 300


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout.splitlines()[-1])


class CommandLine:
    """Runs `truepenny …` as a person would, in an environment of its own."""

    def __init__(self, runtime: Path) -> None:
        self.environment = {**os.environ, "TRUEPENNY_RUNTIME": str(runtime)}

    def __call__(self, *arguments: str, cwd: Path | None = None, stdin: str = "", **extra: str) -> Result:
        # By -c and not as a script: the console script may be anywhere, or not installed.
        program = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"
        command = [sys.executable, "-I", "-c", program]
        done = subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
            cwd=cwd,
            env={**self.environment, **extra},
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def command_line() -> Iterator[CommandLine]:
    """One runtime folder for the session, with a short path: a socket's name may have 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        runtime = Path(folder) / "r"
        run = CommandLine(runtime)
        yield run
        for model in ("fake", DEFAULT_MODEL):
            run("engine", "stop", "--model", model)


@pytest.fixture(scope="session")
def real_weights() -> str:
    """The name of the default model.  Missing, it is a skip that says so, and in CI a failure."""
    try:
        require(DEFAULT_MODEL)
    except WeightsMissingError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return DEFAULT_MODEL


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Make a file in a folder of its own."""

    def make(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder for one test, for engines started in this process."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        monkeypatch.setenv("TRUEPENNY_RUNTIME", folder)
        yield Path(folder)
