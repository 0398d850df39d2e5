"""The projects under fixtures/ are what the demonstrations and tests take them for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TIDEWATCH = Path(__file__).parent / "fixtures" / "tidewatch"

POSITIONS = re.findall(
    r"^\| (\S+):(\d+):(\d+) \| (\d+):(\d+) \| (single|multi) \|",
    (TIDEWATCH / "POSITIONS.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_tidewatch_works() -> None:
    """Code that does not run would teach the model, and the reader, the wrong thing."""
    tests = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=TIDEWATCH,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout
    assert "10 passed" in tests.stdout


@pytest.mark.parametrize(("name", "line", "column", "to_line", "to_column", "lines"), POSITIONS)
def test_a_position_deletes_whole_statements(  # one row of the table
    name: str, line: str, column: str, to_line: str, to_column: str, lines: str
) -> None:
    """An edit to the project must not leave the table pointing into the middle of something."""
    rows = (TIDEWATCH / name).read_text(encoding="utf-8").splitlines()
    first, last = rows[int(line) - 1], rows[int(to_line) - 1]
    before, deleted = first[: int(column) - 1], first[int(column) - 1 :]
    assert deleted, "nothing to complete"
    assert not before.strip() or before.endswith(" ")
    assert not deleted[0].isspace()
    assert len(last) + 1 == int(to_column)
    assert (line == to_line) is (lines == "single")


def test_there_is_a_position_in_every_language() -> None:
    assert {Path(name).suffix for name, *_ in POSITIONS} == {".py", ".ts", ".js", ".go"}
    assert len(POSITIONS) == 7
