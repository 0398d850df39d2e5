"""Weights that are fitted, and figures of how well a probability keeps its word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.lsp_server.commands.eval_calibration import plot, read_rows, table, weights_table
from truepenny.lsp_server.confidence import Facts
from truepenny.lsp_server.confidence.estimate import INTERCEPT, WEIGHTS, sigmoid
from truepenny.lsp_server.confidence.facts import NAMES, NUM_LOGPROBS
from truepenny.lsp_server.confidence.showing import AUTO_THRESHOLD
from truepenny.lsp_server.evaluation.calibration import Row, assess, auc, fit, held_out
from truepenny.lsp_server.evaluation.cases import CasesError

MEASURED = Path(__file__).parents[2] / "fixtures" / "confidence" / "rows.jsonl"


def rows_of(count: int, slope: float, seed: int = 0) -> list[Row]:
    """Right with a probability that depends on the mean alone."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for _ in range(count):
        scale = random.uniform(0.05, 2.0)
        logprobs = tuple(-random.exponential(scale, size=random.integers(1, 20)))
        is_right = random.uniform() < sigmoid(2 + slope * float(np.mean(logprobs)))
        rows.append(Row("made up", Facts(logprobs, language="python"), bool(is_right)))
    return rows


def test_a_fit_finds_what_there_is():
    """Much better than telling the share alone, and honest about it."""
    rows = rows_of(400, slope=3.0)
    found = assess(held_out(rows), rows)
    assert found.auc > 0.75
    assert found.brier < found.brier_of_share - 0.03
    assert found.ece < 0.08


def test_where_nothing_is_to_be_found_nothing_is():
    """The order of noise: rows that are held out are no better told than by the share."""
    random = np.random.default_rng(5)
    rows = [Row("", row.facts, bool(random.uniform() < 0.5)) for row in rows_of(300, slope=0.0)]
    found = assess(held_out(rows), rows)
    assert 0.4 < found.auc < 0.6
    assert found.brier > found.brier_of_share - 0.01


@given(st.lists(st.booleans(), min_size=20, max_size=60), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_surer_never_counts_against(labels, seed):
    """Whatever the data say."""
    made = rows_of(len(labels), 1.0, seed)
    found = fit([Row("", row.facts, right) for row, right in zip(made, labels, strict=True)])
    assert all(found.weights[name] >= 0 for name in NAMES[:NUM_LOGPROBS])
    assert tuple(found.weights) == NAMES


@pytest.mark.parametrize(
    ("told", "right", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),
        ([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1], 0.75),
        ([0.1, 0.9], [1, 1], 0.5),
    ],
)
def test_area_under_the_curve(told, right, expected):
    """How often a right one is above a wrong one; ties count half."""
    assert auc(np.array(told), np.array(right, dtype=float)) == pytest.approx(expected)


def test_the_figures_of_four_rows():
    """Worked out by hand."""
    rows = [Row("", Facts((-1.0,)), right) for right in (False, True, False, True)]
    found = assess(np.array([0.1, 0.3, 0.3, 0.9]), rows)
    assert found.share_right == 0.5
    assert found.brier == pytest.approx((0.01 + 0.49 + 0.09 + 0.01) / 4)
    assert found.ece == pytest.approx((0.1 + 2 * 0.2 + 0.1) / 4)
    assert [(each.num_rows, each.told, each.was) for each in found.bins] == [
        (1, 0.1, 0.0),
        (2, 0.3, 0.5),
        (1, 0.9, 1.0),
    ]
    at_half = next(each for each in found.thresholds if each.from_probability == 0.5)
    assert (at_half.shown, at_half.right_lost, at_half.wrong_spared) == (0.25, 0.25, 0.5)
    assert at_half.precision == 1.0


def test_rows_come_back_as_they_went(tmp_path):
    """Through JSON, to four digits; no row holds any text."""
    rows = rows_of(25, 1.0)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows))
    for row, read in zip(rows, read_rows(file), strict=True):
        assert read.facts.logprobs == pytest.approx(row.facts.logprobs, abs=1e-4)
        assert (read.is_right, read.set, read.facts.language) == (row.is_right, row.set, "python")
    assert set(json.loads(file.read_text().splitlines()[0])) == {
        *("set", "language", "logprobs", "lines", "is_cut", "findings", "right")
    }


@pytest.mark.parametrize("line", ["{}", "[]", "?", '{"logprobs": []}', ""])
def test_a_file_that_is_none_is_named_with_its_line(tmp_path, line):
    """And what to do."""
    file = tmp_path / "rows.jsonl"
    good = json.dumps(rows_of(1, 1.0)[0].to_json())
    file.write_text(f"{good}\n{line}\n")
    with pytest.raises(CasesError, match=r"rows.jsonl:2: no row|1 rows; at least 20"):
        read_rows(file)


def test_tables_and_pictures_hold_every_bin():
    """A person sees what was computed."""
    rows = rows_of(60, 2.0)
    found = assess(held_out(rows), rows)
    assert f"{found.ece:.3f}" in table("x", found)
    assert plot(found.bins).count("<circle") == len(found.bins)
    assert all(f'"{name}": ' in weights_table(fit(rows)) for name in NAMES)


# -- what is in use ----------------------------------------------------------------------------------


def test_the_weights_in_use_are_those_that_the_measured_rows_give():
    """Nobody edits them by hand: `truepenny eval calibration --rows` prints them."""
    found = fit(read_rows(MEASURED))
    assert pytest.approx(found.intercept, abs=2e-3) == INTERCEPT
    assert pytest.approx(found.weights, abs=2e-3) == WEIGHTS


def test_the_threshold_in_use_loses_little_and_spares_something():
    """Of the measured suggestions, each told by weights fitted without it."""
    rows = read_rows(MEASURED)
    told = held_out(rows)
    right = np.array([row.is_right for row in rows])
    is_silent = told < AUTO_THRESHOLD
    assert (right & is_silent).mean() <= 0.03
    assert (~right & is_silent).mean() >= 0.05
    assert assess(told, rows).brier < assess(told, rows).brier_of_share
