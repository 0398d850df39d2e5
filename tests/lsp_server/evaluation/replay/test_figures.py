"""What counts as waiting, and what two sides are compared on."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.evaluation.replay.figures import compare, figures_of
from truepenny.lsp_server.evaluation.replay.plot import Curve, distributions
from truepenny.lsp_server.evaluation.replay.record import (
    Answer,
    AnswerKind,
    Cost,
    Played,
    SegmentRun,
    waits,
)

Row = tuple[int, float, float, AnswerKind]
"""An answer: the step it is about, sent, arrived, kind."""


def run_of(moments: list[float], answers: list[Row], others: tuple[int, ...] = ()) -> SegmentRun:
    """Steps at these seconds, keystrokes but for `others`."""
    played = tuple(Played(step, at_s, 0.0, step not in others) for step, at_s in enumerate(moments))
    found = tuple(
        Answer(
            step, sent_s, arrived_s, kind, "why" if kind == "silent" else "", "x" if kind == "model" else ""
        )
        for step, sent_s, arrived_s, kind in answers
    )
    return SegmentRun(played, found)


@pytest.mark.parametrize(
    ("moments", "answers", "others", "expected"),
    [
        # Each answered before the next key.
        ([0, 1], [(0, 0, 0.5, "model"), (1, 1, 1.25, "model")], (), [500, 250]),
        # The first came too late: its keystroke waits for the second's answer.
        ([0, 1], [(0, 0, 1.5, "model"), (1, 1, 2, "model")], (), [2000, 1000]),
        # Superseded and failed answers help nobody.
        ([0, 1], [(0, 0, 0.5, "superseded"), (1, 1, 2, "model")], (), [2000, 1000]),
        ([0, 1], [(0, 0, 0.5, "failed"), (1, 1, 2, "unanswered")], (), [None, None]),
        # A silence is an answer.
        ([0, 1], [(0, 0, 0.5, "silent"), (1, 1, 2, "model")], (), [500, 1000]),
        # A deletion makes an answer late as well, and is no keystroke itself.
        ([0, 1, 2], [(0, 0, 1.5, "model"), (2, 2, 3, "model")], (1,), [3000, 1000]),
        # A request that was held back until later asks about the later text.
        ([0, 1, 2], [(0, 0, 1.5, "model"), (2, 2.5, 4, "model")], (), [4000, 3000, 2000]),
        ([], [], (), []),
    ],
)
def test_waiting_ends_with_an_answer_about_the_text_that_stands(
    moments: list[float], answers: list[Row], others: tuple[int, ...], expected: list[float | None]
) -> None:
    """A superseded request does not vanish: its keystroke waits on."""
    found = waits(run_of(moments, answers, others))
    assert [wait.ms if wait.answer else None for wait in found] == expected


KINDS = st.sampled_from(["model", "silent", "superseded", "failed"])


@given(st.lists(st.tuples(st.floats(0.01, 2), st.floats(0.01, 5), KINDS), min_size=1, max_size=20))
def test_waits_are_the_earliest_usable_answer(raw: list[tuple[float, float, AnswerKind]]) -> None:
    """The definition, spelled out the slow way."""
    moments, now = [], 0.0
    for gap, _, _ in raw:
        now += gap
        moments.append(now)
    rows: list[Row] = [
        (step, moments[step], moments[step] + took, kind) for step, (_, took, kind) in enumerate(raw)
    ]
    ends = [*moments[1:], float("inf")]
    for wait in waits(run_of(moments, rows)):
        usable = [
            arrived
            for step, _, arrived, kind in rows[wait.step :]
            if kind in ("model", "silent") and arrived <= ends[step]
        ]
        assert (wait.answer is None) == (not usable)
        if usable:
            assert wait.ms == pytest.approx((min(usable) - moments[wait.step]) * 1000)


def test_only_what_both_models_answered_is_compared() -> None:
    """A silence by rule takes no time, and must not look fast."""
    ours = run_of([0, 10, 20], [(0, 0, 0.1, "model"), (1, 10, 10.001, "silent"), (2, 20, 20.3, "model")])
    peer = run_of([0, 10, 20], [(0, 0, 1, "model"), (1, 10, 11, "model"), (2, 20, 20, "silent")])
    found = compare([ours], [peer])
    assert found.compared == 1
    assert found.left_out == {"ours silent": 1, "peer silent": 1}
    assert (found.ours_ms.p50, found.peer_ms.p50) == pytest.approx((100, 1000))
    assert found.ratio_p50 == pytest.approx(10)
    assert found.shown == 1


def test_nothing_to_compare_is_no_ratio() -> None:
    """Not one, and not zero."""
    silent = run_of([0], [(0, 0, 0, "silent")])
    found = compare([silent], [silent])
    assert (found.compared, found.ratio_p50, found.ratio_p95) == (0, None, None)
    assert found.left_out == {"ours and peer silent": 1}


def test_a_side_s_figures_are_sums_over_what_the_model_answered() -> None:
    """Shares are of tokens and of keystrokes, not means of shares."""
    played = tuple(Played(step, float(step), 0.001, is_keystroke=True) for step in range(3))
    cost = Cost(100, 90, 10, 8, 12, 6, {"decode": 400.0})
    answers = (
        Answer(0, 0, 0.2, "model", "", "x", cost),
        Answer(1, 1, 1.4, "model", "empty", "", Cost(300, 300, 0, 0, None, None, {"decode": 1.0})),
        Answer(2, 2, 2.0, "silent", "inside a word"),
    )
    found = figures_of("ours", [SegmentRun(played, answers)])
    assert found.reused_share == pytest.approx(390 / 400)
    assert found.decode_tokens_per_s == pytest.approx(20)
    assert (found.drafted_tokens, found.accepted_tokens) == (12, 6)
    assert found.silent_share == pytest.approx(1 / 3)
    assert found.shown_share == pytest.approx(1 / 2)
    assert found.reasons == {"empty": 1, "inside a word": 1}
    assert found.by_kind == {"unanswered": 0, "failed": 0, "model": 2, "silent": 1}
    assert (found.wait_ms.n, found.wait_ms.p95) == (2, pytest.approx(400))


@pytest.mark.parametrize("values", [[], [5.0], [0.0, 0.0], [1.0, 20.0, 3000.0, 61000.0]])
def test_the_picture_is_whole(values: list[float]) -> None:
    """Well-formed, with a curve for each side that has values; odd names are escaped."""
    root = ET.fromstring(distributions("a < b", [Curve("ours & co", values), Curve("none", [])]))
    paths = root.findall("{http://www.w3.org/2000/svg}path")
    assert len(paths) == bool(values)
    for path in paths:
        assert "nan" not in path.attrib["d"]
