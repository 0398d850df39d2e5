"""Reading benchmark files: what is in them, and what is wrong with them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from truepenny.lsp_server.evaluation.cases import (
    AssertTests,
    CasesError,
    ScriptTest,
    ScriptTests,
    read_cases,
)

HUMAN_EVAL = {
    "task_id": "Single/HumanEval/0/L1",
    "entry_point": "double",
    "prompt": "def double(x):\n",
    "suffix": "",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
SAFIM = {
    "task_id": "block_1",
    "lang": "python",
    "prompt": "Complete the code",
    "eval_prompt": "n = int(input())\r\nprint({{completion}})\r\n",
    "ground_truth": "n + 1",
    "unit_tests": [{"input": "1\n", "output": ["2", "2.0"]}],
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_human_eval_rows_are_judged_by_assertions(tmp_path: Path) -> None:
    """The tests are completed by the call that runs them."""
    (case,) = read_cases(write(tmp_path / "set.jsonl", HUMAN_EVAL))
    assert (case.id, case.language) == ("Single/HumanEval/0/L1", "python")
    assert (case.before, case.expected, case.after) == ("def double(x):\n", "    return 2 * x\n", "")
    assert isinstance(case.runnable, AssertTests)
    assert case.runnable.code.endswith("\ncheck(double)\n")
    assert case.is_whole_lines
    assert case.is_single_line


def test_safim_rows_are_judged_by_their_output(tmp_path: Path) -> None:
    """The hole is cut out; line endings stay as they are; only Python can be run."""
    java = {**SAFIM, "lang": "java"}
    untested = {**SAFIM, "unit_tests": []}
    python, other, compared = read_cases(write(tmp_path / "set.jsonl", SAFIM, java, untested))
    assert (python.before, python.after) == ("n = int(input())\r\nprint(", ")\r\n")
    assert python.runnable == ScriptTests((ScriptTest("1\n", ("2", "2.0")),))
    assert not python.is_whole_lines
    assert (other.language, other.runnable, compared.runnable) == ("java", None, None)


def test_compressed_files_and_limits(tmp_path: Path) -> None:
    """Sets are shipped compressed, and blank lines are nobody's case."""
    path = tmp_path / "set.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([json.dumps(HUMAN_EVAL), "", json.dumps(SAFIM), "not reached"]))
    assert [case.id for case in read_cases(path, limit=2)] == ["Single/HumanEval/0/L1", "block_1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no cases in it; give"),
        ("{}\n", ":1: neither 'suffix' nor 'eval_prompt' among its fields []"),
        (json.dumps(SAFIM) + "\n{\n", ":2: not JSON"),
        ("[]\n", ":1: a list, not an object"),
        (json.dumps({**HUMAN_EVAL, "test": None}), ":1: field 'test' is missing; give it as a text"),
        (json.dumps({**HUMAN_EVAL, "prompt": 3}), ":1: field 'prompt' is a int"),
        (
            json.dumps({**SAFIM, "eval_prompt": "x"}),
            ":1: 'eval_prompt' does not hold {{completion}} exactly once",
        ),
        (json.dumps({**SAFIM, "unit_tests": 0}), ":1: 'unit_tests' is missing or not a list"),
        (json.dumps({**SAFIM, "unit_tests": [{"input": "1"}]}), ":1: unit test 1 is not usable"),
        (
            json.dumps({**SAFIM, "unit_tests": [{"input": "1", "output": [2]}]}),
            ":1: unit test 1 is not usable",
        ),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_the_fix(text: str, message: str, tmp_path: Path) -> None:
    """A set that is silently half read gives a wrong figure."""
    path = tmp_path / "set.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CasesError) as error:
        read_cases(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert ";" in str(error.value)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Not there, not gzip, gzip without saying so, a folder."""
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress(json.dumps(SAFIM).encode()))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(json.dumps(SAFIM).encode())[:-12])
    for name, message in [
        ("absent.jsonl", "no such file"),
        ("plain.jsonl.gz", "not gzip"),
        ("packed.jsonl", "name it .jsonl.gz"),
        ("cut.jsonl.gz", "damaged"),
        (".", "cannot be read"),
    ]:
        with pytest.raises(CasesError, match=message):
            read_cases(tmp_path / name)
