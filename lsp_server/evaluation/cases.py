"""Benchmark files in, cases out.

Two formats, told apart by their fields, one JSON object a line (`.jsonl`, or `.jsonl.gz`):

* HumanEval infilling (openai/human-eval-infilling): `task_id, prompt, suffix, canonical_solution,
  test, entry_point`; Python, judged by assertions.
* SAFIM (gonglinyuan/safim): `task_id, lang, eval_prompt` with one `{{completion}}`, `ground_truth`,
  `unit_tests` of input and accepted outputs; four languages, of which Python can be run here.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

HOLE = "{{completion}}"


class CasesError(Exception):
    """A benchmark file that cannot be used.  The message has the file, the line and the fix."""


@dataclass(frozen=True, slots=True)
class AssertTests:
    """Python to append to the program: it raises unless the program is right."""

    code: str


@dataclass(frozen=True, slots=True)
class ScriptTest:
    """What the program reads, and the outputs of which it must print one."""

    stdin: str
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScriptTests:
    tests: tuple[ScriptTest, ...]


@dataclass(frozen=True, slots=True)
class InfillCase:
    """A hole between two texts.  `runnable` is None where the only judgement is comparison."""

    id: str
    language: str
    """A language id as in LSP."""
    before: str
    after: str
    expected: str
    runnable: AssertTests | ScriptTests | None

    @property
    def is_whole_lines(self) -> bool:
        """The hole is one or several complete lines, line ends included."""
        return (not self.before or self.before.endswith("\n")) and self.expected.endswith("\n")

    @property
    def is_single_line(self) -> bool:
        return "\n" not in self.expected.rstrip("\r\n")


def read_cases(path: Path, limit: int | None = None) -> tuple[InfillCase, ...]:
    """The first `limit` cases of a file, in its order; CasesError if any of them is unusable."""
    cases = tuple(islice(_cases(path), limit))
    if not cases:
        raise CasesError(f"{path}: no cases in it; give a file with one JSON object a line")
    return cases


def _cases(path: Path) -> Iterator[InfillCase]:
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            yield _Row(line, f"{path}:{number}").case()


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
                yield from file
        else:
            with path.open(encoding="utf-8", newline="\n") as file:
                yield from file
    except FileNotFoundError as error:
        raise CasesError(
            f"{path}: no such file; give the path of a .jsonl or .jsonl.gz benchmark set"
        ) from error
    except UnicodeDecodeError as error:
        raise CasesError(
            f"{path}: not UTF-8 ({error.reason}); is it compressed? name it .jsonl.gz"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CasesError(f"{path}: damaged or not gzip ({error}); fetch it again, or drop the .gz") from error
    except OSError as error:
        raise CasesError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error


class _Row:
    """One line, and where it stands, for messages."""

    def __init__(self, line: str, place: str) -> None:
        self._place = place
        try:
            values: object = json.loads(line)
        except json.JSONDecodeError as error:
            raise CasesError(
                f"{place}: not JSON ({error.msg} at column {error.colno}); each line must be one JSON object"
            ) from error
        if not isinstance(values, dict):
            raise CasesError(
                f"{place}: a {type(values).__name__}, not an object; each line must be one JSON object"
            )
        self._values = cast("dict[str, object]", values)

    def case(self) -> InfillCase:
        if "suffix" in self._values:
            return self._human_eval()
        if "eval_prompt" in self._values:
            return self._safim()
        raise self._error(
            f"neither 'suffix' nor 'eval_prompt' among its fields {sorted(self._values)}",
            "give a HumanEval infilling file (it has the one) or a SAFIM file (it has the other)",
        )

    def _human_eval(self) -> InfillCase:
        epilogue = f"\n{self._text('test')}\ncheck({self._text('entry_point')})\n"
        return InfillCase(
            id=self._text("task_id"),
            language="python",
            before=self._text("prompt"),
            after=self._text("suffix"),
            expected=self._text("canonical_solution"),
            runnable=AssertTests(epilogue),
        )

    def _safim(self) -> InfillCase:
        before, hole, after = self._text("eval_prompt").partition(HOLE)
        if not hole or HOLE in after:
            raise self._error(f"'eval_prompt' does not hold {HOLE} exactly once", "mark the one hole with it")
        language = self._text("lang")
        tests = self._script_tests()
        return InfillCase(
            id=self._text("task_id"),
            language=language,
            before=before,
            after=after,
            expected=self._text("ground_truth"),
            runnable=ScriptTests(tests) if tests and language == "python" else None,
        )

    def _script_tests(self) -> tuple[ScriptTest, ...]:
        fix = 'use a list of {"input": text, "output": [texts]}, empty if there are none'
        tests: list[ScriptTest] = []
        raw = self._values.get("unit_tests")
        if not isinstance(raw, list):
            raise self._error("'unit_tests' is missing or not a list", fix)
        for item in cast("list[object]", raw):
            values = cast("dict[str, object]", item) if isinstance(item, dict) else {}
            stdin, outputs = values.get("input"), values.get("output")
            texts = cast("list[object]", outputs) if isinstance(outputs, list) else []
            accepted = tuple(text for text in texts if isinstance(text, str))
            if not isinstance(stdin, str) or not accepted or len(accepted) != len(texts):
                raise self._error(f"unit test {len(tests) + 1} is not usable", fix)
            tests.append(ScriptTest(stdin, accepted))
        return tuple(tests)

    def _text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            found = "is missing" if value is None else f"is a {type(value).__name__}"
            raise self._error(f"field {name!r} {found}", "give it as a text")
        return value

    def _error(self, what: str, fix: str) -> CasesError:
        return CasesError(f"{self._place}: {what}; {fix}")
