"""The guard beside the editor: in time or not at all, and never in the way of what comes next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.malware import MalwareCheck
from truepenny.guard.pipeline import Guard, default_guard
from truepenny.guard.safety.check import SafetyCheck
from truepenny.guard.safety.loading import load_folder
from truepenny.guard.secrets import SecretsCheck
from truepenny.guard.verdict import Action, Check, Judgement, Passage, Verdict
from truepenny.lsp_server import vouching
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.settings import ContextSettings, GuardSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.lsp_server.vouching import Vouching

from ..pains.desk import Engine  # noqa: TID252  (tests are no installed package)

KEY = "AKIA" + "QZ5RB3XW7YTNM4KD"
FAST_MS, PATIENCE_S = 20, 60


@dataclass
class Slow:
    """Does not finish before it may, unless the text is another."""

    of: str = ""
    name: str = "slow"
    may_finish: threading.Event = field(default_factory=threading.Event)
    has_begun: threading.Event = field(default_factory=threading.Event)

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        if self.of in passage.suggestion:
            self.has_begun.set()
            assert self.may_finish.wait(PATIENCE_S)
        return ()


@pytest.fixture
def guard_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Have all assistants judge with these checks."""
    slow: list[Slow] = []

    def use(*checks: Check) -> None:
        slow.extend(check for check in checks if isinstance(check, Slow))
        guard = Guard(checks)
        monkeypatch.setattr(vouching, "the_guard", lambda: guard)

    yield use
    for check in slow:
        check.may_finish.set()


async def judged(text: str, *, deadline_ms: int = FAST_MS, before: str = "") -> Judgement:
    one = Vouching(GuardSettings(deadline_ms=deadline_ms))
    try:
        return await one.judged(Passage(before, text, "\n", "python"))
    finally:
        await one.aclose()


def test_a_check_over_its_time_makes_the_text_unvouched(guard_of: Callable[..., None]) -> None:
    """It is named, and so are those that did not begin; what has been found by then counts."""
    guard_of(SecretsCheck(), Slow(), MalwareCheck())

    judgement = asyncio.run(judged("x = 1"))

    assert (judgement.text, judgement.vouched) == ("x = 1", False)
    assert judgement.unfinished == ("slow", "malware")
    assert judgement.doubt.startswith("the slow check did not finish: there was no time left; the malware")


def test_what_there_was_no_time_to_mend_is_withheld(guard_of: Callable[..., None]) -> None:
    """The mended text would be judged again, and nobody did."""
    guard_of(SecretsCheck(), Slow())

    judgement = asyncio.run(judged(f'"{KEY}"', before="import os\nkey = "))

    assert (judgement.text, judgement.action, judgement.vouched) == ("", Action.WITHHOLD, False)
    assert "no time for a repair" in judgement.reason


def test_no_limit_waits(guard_of: Callable[..., None]) -> None:
    """`guard.deadline_ms` 0."""
    slow = Slow()
    guard_of(slow)

    async def late() -> Judgement:
        task = asyncio.ensure_future(judged("x = 1", deadline_ms=0))
        await asyncio.to_thread(slow.has_begun.wait, PATIENCE_S)
        assert not task.done()
        slow.may_finish.set()
        return await task

    assert asyncio.run(late()).vouched


def test_a_judgement_nobody_waits_for_is_in_nobodys_way(guard_of: Callable[..., None]) -> None:
    """Cancelled at once, while its check goes on; the next one has its own thread."""
    slow = Slow(of="first")
    guard_of(slow)

    async def both() -> Judgement:
        one = Vouching(GuardSettings(deadline_ms=0))
        first = asyncio.ensure_future(one.judged(Passage("", "first", "", "python")))
        await asyncio.to_thread(slow.has_begun.wait, PATIENCE_S)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not slow.may_finish.is_set()
        second = await one.judged(Passage("", "second", "", "python"))
        await one.aclose()
        slow.may_finish.set()
        return second

    assert asyncio.run(both()).vouched


@dataclass(frozen=True)
class Desk:
    """An assistant, and an engine that writes what it is told to."""

    assistant: Assistant
    engine: Engine

    @classmethod
    def new(cls, writes: str | Callable[[str], str], **guard: Any) -> Desk:
        settings = Settings(
            engine="fake",
            engine_prewarm=False,
            context=ContextSettings(enabled=False),
            guard=GuardSettings(**guard),
        )
        desk = cls(Assistant(settings), Engine(writes if callable(writes) else lambda _: writes))
        link: Any = desk.assistant._link
        link._client = desk.engine
        return desk

    async def ask(self, before: str, trigger: Trigger = Trigger.AUTOMATIC) -> Suggestion:
        query = Query(Snapshot("untitled:a.py", "python", before + "\n"), len(before), trigger)
        return await self.assistant.complete(query)


def asked(writes: str, before: str = "value = ", **guard: Any) -> Suggestion:
    async def once() -> Suggestion:
        desk = Desk.new(writes, **guard)
        try:
            return await desk.ask(before)
        finally:
            await desk.assistant.close()

    return asyncio.run(once())


@pytest.mark.parametrize(("unvouched", "text"), [("show", "answer()"), ("withhold", "")])
def test_what_is_late_is_shown_or_withheld(guard_of: Callable[..., None], unvouched: str, text: str) -> None:
    """As the setting says; either way the answer says that it is unvouched, and which check was late."""
    guard_of(Slow())

    suggestion = asked("answer()\n", unvouched=unvouched, deadline_ms=FAST_MS)

    assert (suggestion.text, suggestion.shown, suggestion.vouched) == (text, bool(text), False)
    assert "the slow check did not finish: there was no time left" in suggestion.reason
    assert ("setting guard.unvouched" in suggestion.reason) == (not text)


def test_the_newest_request_wins_while_an_older_is_judged(guard_of: Callable[..., None]) -> None:
    """The older one is answered with nothing, and what it made is not shown for the newer one."""
    slow = Slow(of="older")
    guard_of(slow)

    async def both() -> tuple[Suggestion, Suggestion]:
        desk = Desk.new(lambda prompt: "older()\n" if "first = " in prompt else "newer()\n", deadline_ms=0)
        first = asyncio.ensure_future(desk.ask("first = "))
        await asyncio.to_thread(slow.has_begun.wait, PATIENCE_S)
        second = await desk.ask("second = ")
        answers = await first, second
        slow.may_finish.set()
        await desk.assistant.close()
        return answers

    first, second = asyncio.run(both())

    assert (first.shown, first.reason) == (False, "superseded by a newer request")
    assert (second.text, second.vouched) == ("newer()", True)


@dataclass
class Passages:
    """What was judged, in order; blocks a word."""

    name: str = "passages"
    seen: list[Passage] = field(default_factory=list[Passage])
    block: str = "\0"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        self.seen.append(passage)
        at = passage.suggestion.find(self.block)
        if at < 0 or "forbidden" not in passage.before:
            return ()
        return (Verdict("safety", Action.WITHHOLD, "block", at, at + 1, "forbidden here"),)


STEPS = {
    "typed through": ["value = ", "value = an", "value = answer("],
    "a part accepted": ["value = ", "value = answer(one, "],
    "typed, deleted, typed": ["value = ", "value = a", "value = ", "value = answ"],
}


@pytest.mark.parametrize("texts", STEPS.values(), ids=STEPS)
def test_what_is_left_of_a_suggestion_is_judged_at_its_new_place(
    guard_of: Callable[..., None], texts: list[str]
) -> None:
    """The model is asked once; each rest is judged with what now stands before it."""
    check = Passages()
    guard_of(check)

    async def typed() -> tuple[list[Suggestion], int]:
        desk = Desk.new("answer(one, two)\n", deadline_ms=0)
        found = [await desk.ask(text) for text in texts]
        await desk.assistant.close()
        return found, len(desk.engine.prompts)

    found, num_asked = asyncio.run(typed())

    whole = "value = answer(one, two)"
    assert num_asked == 1
    assert [text + one.text for text, one in zip(texts, found, strict=True)] == [whole] * len(texts)
    judged_at = [(one.before, one.suggestion) for one in check.seen]
    for text in texts:
        assert (text, whole.removeprefix(text)) in judged_at


def test_a_rest_that_may_not_stand_here_is_withheld(guard_of: Callable[..., None]) -> None:
    """Although the whole was shown: something that was changed above makes it wrong."""
    guard_of(Passages(block="two"))

    async def typed() -> list[Suggestion]:
        desk = Desk.new("answer(one, two)\n", deadline_ms=0)
        far = "x = 1\n" * 500
        found = [await desk.ask(f"{far}value = "), await desk.ask(f"# forbidden\n{far}value = a")]
        await desk.assistant.close()
        return found

    whole, rest = asyncio.run(typed())

    assert whole.text == "answer(one, two)"
    assert (rest.text, rest.shown, rest.reason) == ("", False, "forbidden here")


def broken_rules(folder: Path) -> SafetyCheck:
    rules = folder / "python" / "mine.yml"
    rules.parent.mkdir()
    rules.write_text("- id: mine\n  pattern: [\n", "utf-8")
    return SafetyCheck(lambda language: load_folder(folder, language))


def damaged_index(folder: Path) -> LicenceCheck:
    path = folder / "damaged.tplx"
    path.write_bytes(b"TPLX" + b"\xff" * 5_000)
    return LicenceCheck.open([path])


@pytest.mark.parametrize(
    ("check_in", "says"),
    [(broken_rules, "mine.yml"), (damaged_index, "damaged.tplx")],
)
def test_a_broken_file_costs_its_check_only(
    guard_of: Callable[..., None], tmp_path: Path, check_in: Callable[[Path], Check], says: str
) -> None:
    """Completion answers, unvouched; the answer names the file, and the other checks have run."""
    guard_of(SecretsCheck(), check_in(tmp_path))

    sound = asked("answer()\n", deadline_ms=0)
    secret = asked(f'"{KEY}"\n', "import os\nkey = ", deadline_ms=0)

    assert (sound.text, sound.vouched) == ("answer()", False)
    assert says in sound.reason
    assert secret.text == 'os.environ["AWS_ACCESS_KEY_ID"]'


MEGABYTE = "value = 1\n" * 100_000

BAD = {
    "a megabyte": ("", MEGABYTE, ("safety", "syntax")),
    "half a character": ("x = 1\n", 'name = "\ud83d"', ()),
    "half a character above": ('x = "\udfff"\n', "name = 1", ()),
    "half a character, and a key": ('x = "\udfff"\nimport os\n', f'key = "{KEY}"', ()),
}


@pytest.mark.parametrize(("before", "text", "unfinished"), BAD.values(), ids=BAD)
def test_odd_text_is_judged_or_unvouched(before: str, text: str, unfinished: tuple[str, ...]) -> None:
    """By the guard that ships; what it could not judge it names, and nothing is raised."""
    judgement = default_guard().judge(Passage(before, text, "\n", "python"))

    assert judgement.unfinished == unfinished
    assert judgement.vouched == (not unfinished)
    assert judgement.text == text.replace(f'"{KEY}"', 'os.environ["AWS_ACCESS_KEY_ID"]')


def test_a_megabyte_keeps_nobody_waiting() -> None:
    """When time is up there is an answer, and it says what was not done."""
    judgement = asyncio.run(judged(MEGABYTE, deadline_ms=1))

    assert (judgement.text, judgement.vouched) == (MEGABYTE, False)
    assert "licence" in judgement.unfinished
