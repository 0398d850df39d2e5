"""What counts as typing through, and the recordings of an editor played into the real server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from truepenny.lsp_server.editor.convert import LineIndex
from truepenny.lsp_server.evaluation.replay.record import Answer, AnswerKind, Played, SegmentRun
from truepenny.lsp_server.evaluation.replay.run import Plan, replay
from truepenny.lsp_server.evaluation.replay.session import ENCODING, Pacing, Session, Step, make_session
from truepenny.lsp_server.evaluation.replay.traces import read_trace
from truepenny.lsp_server.evaluation.replay.typing_through import TypingFigures, total, typing_figures
from truepenny.lsp_server.settings import read_settings

RECORDINGS = Path(__file__).resolve().parents[5] / "shared" / "bench" / "recordings"

Moment = tuple[str, str, str]
"""The text with the cursor, how it was answered, and with what."""


def played(moments: list[Moment], gap_s: float = 0.2, took_s: float = 0.1) -> TypingFigures:
    """Keystrokes, each answered `took_s` later; `!` for a kind is no answer yet."""
    steps: list[Step] = []
    answers: list[Answer] = []
    kinds: dict[str, AnswerKind] = {"m": "model", "r": "recalled", "s": "silent", "u": "unanswered"}
    for number, (marked, kind, text) in enumerate(moments):
        now, cursor = marked.replace("|", ""), marked.index("|")
        position = LineIndex(now).position(cursor, ENCODING)
        steps.append(Step(number, 0, number * gap_s, gap_s, (), now, cursor, position, is_keystroke=True))
        sent_s = number * gap_s
        answers.append(Answer(number, sent_s, sent_s + took_s, kinds[kind], text=text))
    run = SegmentRun(
        tuple(Played(step.number, step.at_s, 0.0, is_keystroke=True) for step in steps), tuple(answers)
    )
    return typing_figures(Session("s", (), tuple(steps), 0, len(steps)), [run])


@pytest.mark.parametrize(
    ("moments", "through", "recalled"),
    [
        pytest.param([("x|\n", "m", " = 1"), ("x |\n", "r", "= 1")], 1, 1, id="remembered"),
        pytest.param([("x|\n", "m", " = 1"), ("x |\n", "m", "= 1")], 1, 0, id="asked again"),
        pytest.param([("x|\n", "m", " = 1"), ("x |\n", "s", "")], 1, 0, id="lost"),
        pytest.param([("x|\n", "m", " = 1"), ("x.|\n", "m", "y")], 0, 0, id="something else"),
        pytest.param([("x|\n", "m", "y"), ("xy|\n", "m", "z")], 0, 0, id="all of it"),
        pytest.param([("x|\n", "s", ""), ("xy|\n", "r", "z")], 0, 0, id="nothing was shown"),
        pytest.param([("x|\n", "m", "(a)"), ("x(|)\n", "r", "a")], 1, 1, id="a bracket closed"),
        pytest.param([("x|\n", "m", "yz"), ("xy|\n\n", "r", "z")], 0, 0, id="another text below"),
        pytest.param(
            [("x|\n", "m", "yzz"), ("xy|\n", "s", ""), ("xyz|\n", "r", "z")], 2, 1, id="the last shown"
        ),
    ],
)
def test_typing_through(moments: list[Moment], through: int, recalled: int) -> None:
    """The last suggestion on the screen led to the text, and the key's own request was remembered."""
    found = played(moments)
    assert (found.through, found.recalled) == (through, recalled)


@pytest.mark.parametrize(
    ("moments", "gap_s", "expected"),
    [
        pytest.param([("x|\n", "m", "y"), ("x|\n", "m", "z")], 0.2, (1, 1), id="another for the same text"),
        pytest.param([("x|\n", "m", "y"), ("x|\n", "m", "z")], 0.7, (0, 0), id="after a while"),
        pytest.param([("x|\n", "m", "y"), ("x|\n", "m", "y")], 0.2, (0, 0), id="the same again"),
        pytest.param([("x|\n", "m", "y"), ("x|\n", "m", "y\nz")], 0.2, (1, 0), id="more"),
        pytest.param(
            [("x|\n", "m", "ab"), ("xa|\n", "r", "c")], 0.2, (0, 1), id="changed while typing through"
        ),
        pytest.param([("x|\n", "m", "ab"), ("xc|\n", "m", "d")], 0.2, (0, 0), id="typed something else"),
    ],
)
def test_what_is_seen_as_a_flicker(moments: list[Moment], gap_s: float, expected: tuple[int, int]) -> None:
    """Contradicted, flickered."""
    found = played(moments, gap_s)
    assert (found.contradicted, found.flickered) == expected


@pytest.mark.parametrize(
    ("marked", "text", "is_repeating"),
    [
        ("x|\n\n  xy = 1\n", "y = 1", True),
        ("a|\nb = 1\n", " = 0\nb = 1", True),
        ("a|\nb = 1\n", " = 0\nc = 1", False),
        ("if a:\n    |\n}\n", "b\n}", False),
        ("a|\n", " = 1", False),
        ("a|\r\nab\r\n", "b", True),
    ],
)
def test_what_repeats_the_line_below(marked: str, text: str, *, is_repeating: bool) -> None:
    """Lines of closers may."""
    assert played([(marked, "m", text)]).repeating == is_repeating


def test_sums() -> None:
    """A share of sums, not of shares; nothing typed through is no share of it."""
    one, other = TypingFigures(4, 4, 1, 0, 0, 0), TypingFigures(6, 2, 0, 2, 3, 4)
    assert total([one, other]) == TypingFigures(10, 6, 1, 2, 3, 4)
    assert total([one, other]).share == 0.6
    assert total([]).share == 0.0


def foreseen(session: Session) -> list[tuple[str, str]]:
    """For a fake model: wherever keys are pressed on a line, what will stand there after the last of them."""
    replies: list[tuple[str, str]] = []
    first: Step | None = None
    last: Step | None = None
    for step in [*session.steps, None]:
        is_same = last is not None and step is not None and step.is_keystroke
        is_same = is_same and (step.document, step.position.line) == (last.document, last.position.line)  # type: ignore[union-attr]
        if not is_same and first is not None and last is not None:
            begin = first.cursor - 1
            end = last.text.find("\n", last.cursor)
            line = last.text[begin : end if end >= 0 else len(last.text)].replace("\r", "")
            replies.append((first.text[max(0, begin - 40) : begin].replace("\r", ""), line + "\n"))
        if step is None or not step.is_keystroke:
            first = last = None
        else:
            first, last = (first if is_same else step), step
    return [(after, text) for after, text in replies if after]


def test_recordings_are_typed_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is right: most keystrokes cost no call, nothing flickers, everything is answered."""
    paths = sorted(RECORDINGS.glob("*.recording.w.json"))
    if not paths:
        pytest.skip("the recordings are not beside the repository")
    sessions = tuple(make_session(read_trace(path), 10_000, 0, Pacing(0.3, 3)) for path in paths)
    replies = [reply for session in sessions for reply in foreseen(session)]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"replies": replies, "otherwise": "other()\n"}), "utf-8")
    monkeypatch.setenv("TRUEPENNY_FAKE_SCRIPT", str(script))
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    options = {"engine": "fake", "completion": {"min_confidence": 0}}
    settings, problems = read_settings(options)
    assert not problems

    report = asyncio.run(replay(Plan(sessions, settings, options, 50, None)))

    typing = report.total.typing
    assert report.total.keystrokes == sum(session.num_keystrokes for session in sessions)
    assert typing.through > 50
    assert typing.share >= 0.6
    assert (typing.contradicted, typing.flickered, typing.repeating, typing.unanswered) == (0, 0, 0, 0)
    assert report.total.ours.by_kind["failed"] == 0
