"""A checker that misbehaves costs a verdict, never a hang, and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from truepenny.guard.errors import CheckerError
from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.checkers.dialect import Dialect
from truepenny.guard.grounding.checkers.ty import binary

from .hostile import dialect, starts

ANSWER_S = 30.0
"""Nothing here is about how fast an answer is."""

Make = Callable[[Dialect], ShadowChecker]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[ShadowChecker] = []

    def one(spoken: Dialect) -> ShadowChecker:
        made.append(ShadowChecker(spoken))
        return made[-1]

    yield one
    for checker in made:
        checker.close()


def ask(checker: ShadowChecker, text: str = "bad text", deadline_s: float = ANSWER_S) -> int:
    """How many findings."""
    return len(checker.findings(str(Path(checker.root, "a.txt")), text, deadline_s))


def is_alive(pid: int) -> bool:
    """Dead ones that nobody has waited for do not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    until_s = time.monotonic() + ANSWER_S
    while is_alive(pid) and time.monotonic() < until_s:
        time.sleep(0.01)
    return not is_alive(pid)


WELL = ["well", "incremental", "pushes", "asks", "not now", "wrong ids first", "says other things", "late"]


@pytest.mark.parametrize("way", [*WELL, "pushes quoted", "floods stderr"])
def test_what_is_only_odd_is_borne(tmp_path: Path, make: Make, way: str):
    checker = make(dialect(tmp_path, way))
    assert ask(checker, "bad text") == 1
    if way != "asks":
        assert ask(checker, "good text") == 0
        assert ask(checker, "bad\r\ntext") == 1
        assert ask(checker, "good\r\ntext") == 0
    assert len(starts(tmp_path)) == 1


ILL = {
    "dies": "has ended",
    "dies in a frame": "has ended",
    "floods": "nobody asked for",
    "floods a frame": "Content-Length",
    "floods without a header": "no end of header",
    "garbage": "without a colon",
    "not json": "not JSON",
    "deep json": "not JSON",
    "not an object": "not an object",
    "wrong shape": "without a place",
    "refuses": "refuses textDocument/diagnostic: no",
}


@pytest.mark.parametrize("way", ILL)
def test_what_is_broken_is_told(tmp_path: Path, make: Make, way: str):
    """The text is then unvouched, and the log says why."""
    with pytest.raises(CheckerError, match=ILL[way]):
        ask(make(dialect(tmp_path, way)))


@pytest.mark.parametrize(
    "way", ["hangs", "wrong ids", "stops reading", "never starts", "pushes other versions"]
)
def test_nobody_waits_longer_than_the_deadline(tmp_path: Path, make: Make, way: str):
    checker = make(dialect(tmp_path, way))
    with pytest.raises(CheckerError, match=r"did not answer|is starting|published nothing"):
        ask(checker, deadline_s=0.5)


def test_a_full_pipe_holds_nobody_up(tmp_path: Path, make: Make):
    """More than a pipe holds, to one that reads nothing: the writing thread waits, not the caller."""
    checker = make(dialect(tmp_path, "stops reading"))
    for number in range(5):
        with pytest.raises(CheckerError):
            ask(checker, f"{number}" * 500_000, deadline_s=0.1)


@pytest.mark.parametrize("way", ["dies at start", "refuses to start", "strange encoding"])
def test_one_that_does_not_start_is_tried_ever_more_rarely(tmp_path: Path, make: Make, way: str):
    checker = make(dialect(tmp_path, way))
    with pytest.raises(CheckerError, match="tried again in"):
        ask(checker)
    with pytest.raises(CheckerError, match="tried again in"):
        ask(checker)
    assert len(starts(tmp_path)) == 2  # the first failure is free
    assert checker.reason


def test_a_program_that_is_not_there_is_told(tmp_path: Path, make: Make):
    with pytest.raises(CheckerError, match="cannot be started"):
        ask(make(replace(dialect(tmp_path, "well"), argv=(str(tmp_path / "no-such-program"),))))


def test_one_that_died_comes_back(tmp_path: Path, make: Make):
    checker = make(dialect(tmp_path, "dies once"))
    with pytest.raises(CheckerError, match="has ended"):
        ask(checker)
    assert ask(checker) == 1
    assert len(starts(tmp_path)) == 2


def test_one_that_was_killed_comes_back(tmp_path: Path, make: Make):
    checker = make(dialect(tmp_path, "well"))
    assert ask(checker) == 1
    os.kill(checker.pid, signal.SIGKILL)
    assert gone(starts(tmp_path)[0])
    until_s = time.monotonic() + ANSWER_S
    while len(starts(tmp_path)) < 2 and time.monotonic() < until_s:
        try:
            assert ask(checker, f"bad {time.monotonic()}") == 1
        except CheckerError:
            continue  # its end is noticed a moment later
    assert len(starts(tmp_path)) == 2


def test_one_that_hangs_is_ended_and_comes_back(tmp_path: Path, make: Make):
    """Its silence, not the number of times somebody was impatient, is what counts."""
    checker = make(dialect(tmp_path, "hangs once", patience_s=0.3))
    assert checker.wait(ANSWER_S)
    with pytest.raises(CheckerError, match="did not answer"):
        ask(checker, deadline_s=0.4)
    assert ask(checker) == 1
    assert gone(starts(tmp_path)[0])
    assert len(starts(tmp_path)) == 2


def test_one_that_is_merely_slow_is_left_to_finish(tmp_path: Path, make: Make):
    """Started anew it would never get to the end of what takes longer than anybody waits."""
    checker = make(dialect(tmp_path, "late"))
    assert checker.wait(ANSWER_S)
    for number in range(3):
        with pytest.raises(CheckerError, match="did not answer"):
            ask(checker, f"bad {number}", deadline_s=0.01)
    assert ask(checker) == 1
    assert len(starts(tmp_path)) == 1


def test_one_that_has_grown_too_large_is_started_anew(tmp_path: Path, make: Make):
    checker = make(replace(dialect(tmp_path, "well"), max_memory_bytes=1))
    assert checker.wait(ANSWER_S)
    assert checker.memory_bytes > 1
    first = starts(tmp_path)[0]
    with pytest.raises(CheckerError):
        ask(checker, deadline_s=0.0)
    assert gone(first)


def test_one_that_is_always_too_large_is_not_started_for_ever(tmp_path: Path, make: Make):
    """Some projects need more: what is allowed grows, up to a limit, instead of starting each time."""
    checker = make(replace(dialect(tmp_path, "well"), max_memory_bytes=100_000))
    answered = 0
    for number in range(40):
        try:
            answered += ask(checker, f"bad {number}")
        except CheckerError:
            continue
    assert answered > 20
    assert len(starts(tmp_path)) < 12


def test_the_same_question_is_asked_once(tmp_path: Path, make: Make):
    """The text without the suggestion is judged with every suggestion."""
    checker = make(dialect(tmp_path, "well"))
    first = checker.findings(str(tmp_path / "a.txt"), "bad", ANSWER_S)
    os.kill(checker.pid, signal.SIGSTOP)
    try:
        assert checker.findings(str(tmp_path / "a.txt"), "bad", 0.05) is first
        with pytest.raises(CheckerError):
            checker.findings(str(tmp_path / "b.txt"), "bad", 0.05)
    finally:
        os.kill(checker.pid, signal.SIGCONT)


def test_answers_are_forgotten_when_files_change(tmp_path: Path, make: Make):
    checker = make(dialect(tmp_path, "well"))
    first = checker.findings(str(tmp_path / "a.txt"), "bad", ANSWER_S)
    checker.changed([str(tmp_path / "b.txt")])
    again = checker.findings(str(tmp_path / "a.txt"), "bad", ANSWER_S)
    assert again == first
    assert again is not first


def test_a_change_is_told_without_waiting(tmp_path: Path, make: Make):
    """Whoever watches files has other things to do than to wait for a checker that thinks."""
    checker = make(dialect(tmp_path, "hangs"))
    assert checker.wait(ANSWER_S)
    outcomes: list[str] = []

    def wait_for_it() -> None:
        try:
            ask(checker, deadline_s=5.0)
        except CheckerError as error:
            outcomes.append(str(error))

    thread = threading.Thread(target=wait_for_it)
    thread.start()
    checker.changed([str(tmp_path / "b.txt")])
    is_at_once = not outcomes
    checker.close()
    thread.join()
    assert outcomes
    assert is_at_once


def test_several_threads_wait_for_one_another(tmp_path: Path, make: Make):
    """Each gets the answer to its own text."""
    checker = make(dialect(tmp_path, "incremental"))
    wrong: list[tuple[int, int]] = []

    def work(number: int) -> None:
        for turn in range(20):
            is_bad = (number + turn) % 2
            found = ask(checker, f"{'bad' if is_bad else 'good'} {number} {turn}")
            if found != is_bad:
                wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_members_are_names_and_nothing_else(tmp_path: Path, make: Make):
    """No keywords, nothing that has to be imported first, no shape that was not expected."""
    checker = make(dialect(tmp_path, "well"))
    assert checker.members(str(tmp_path / "a.txt"), "x.", 2, ANSWER_S) == ("real", "call")


def test_closing_ends_it(tmp_path: Path, make: Make):
    checker = make(dialect(tmp_path, "well"))
    assert ask(checker) == 1
    pid = checker.pid
    checker.close()
    assert gone(pid)
    with pytest.raises(CheckerError, match="closed"):
        ask(checker, "other")


def test_closing_while_it_starts_ends_it(tmp_path: Path, make: Make):
    checker = make(dialect(tmp_path, "never starts"))
    until_s = time.monotonic() + ANSWER_S
    while not starts(tmp_path) and time.monotonic() < until_s:
        time.sleep(0.01)
    checker.close()
    assert gone(starts(tmp_path)[0])


OWNER = """
import sys, time
from truepenny.guard.grounding.checkers.ty import ty_checker
checker = ty_checker(sys.argv[1])
checker.findings(sys.argv[1] + "/m.py", "x = 1\\n", 30.0)
print(checker.pid, flush=True)
if sys.argv[2] == "wait":
    time.sleep(3600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what is left")
@pytest.mark.parametrize("ending", ["returns", "SIGTERM", "SIGKILL"])
def test_the_real_checker_ends_with_us(tmp_path: Path, ending: str):
    """A process that is left over holds memory until the machine is switched off."""
    assert binary()
    word = "return" if ending == "returns" else "wait"
    argv = [sys.executable, "-c", textwrap.dedent(OWNER), str(tmp_path), word]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        if ending != "returns":
            assert is_alive(pid)
            owner.send_signal(getattr(signal, ending))
    assert gone(pid)
