"""Repair, then trim, then withhold; and what was not checked never counts as checked."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.pipeline import Guard, default_guard
from truepenny.guard.verdict import Action, Passage, Verdict


class Says:
    """A check that says, of each text, what a table holds."""

    def __init__(self, name: str, table: dict[str, list[Verdict]]) -> None:
        self.name = name
        self.table = table
        self.seen: list[str] = []

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        self.seen.append(passage.suggestion)
        return tuple(self.table.get(passage.suggestion, ()))


class Fails:
    name = "broken-check"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        raise RuntimeError("no index")


def finding(action: Action, start: int, end: int, replacement: str | None = None, rule: str = "r") -> Verdict:
    return Verdict("safety", action, rule, start, end, f"{rule} says {action.name.lower()}", replacement)


def judge(text: str, *findings: Verdict, then: dict[str, list[Verdict]] | None = None):
    check = Says("says", {text: list(findings), **(then or {})})
    return Guard([check]).judge(Passage("", text, "", "python"))


def test_clean_text_passes_untouched():
    """The usual case."""
    verdict = judge("x = 1")
    assert (verdict.text, verdict.action, verdict.vouched, verdict.reason) == ("x = 1", Action.PASS, True, "")


def test_trimming_keeps_the_text_before_the_earliest_trim():
    """Two checks may both want a cut; the shorter text satisfies both."""
    verdict = judge("one\ntwo\nthree", finding(Action.TRIM, 7, 13), finding(Action.TRIM, 3, 13))
    assert (verdict.text, verdict.action) == ("one", Action.TRIM)
    assert [one.start for one in verdict.verdicts] == [3]
    assert verdict.reason == "r says trim"


def test_findings_are_clipped_to_what_is_left_or_dropped():
    """A client marks `text[start:end]`; it must not run over the end, nor speak of what is gone."""
    verdict = judge(
        "one\ntwo\nthree",
        finding(Action.ANNOTATE, 1, 10, rule="straddles"),
        finding(Action.ANNOTATE, 8, 10, rule="gone"),
        finding(Action.WITHHOLD, 9, 12, rule="gone too"),
        finding(Action.TRIM, 5, 13, rule="cut"),
    )
    assert verdict.text == "one\nt"
    assert verdict.action == Action.TRIM
    assert {one.rule: (one.start, one.end) for one in verdict.verdicts} == {
        "straddles": (1, 5),
        "cut": (5, 13),
    }


def test_withholding_shows_nothing_and_says_why():
    """Partly inside what a trim would leave is inside."""
    verdict = judge("one two", finding(Action.WITHHOLD, 2, 6), finding(Action.TRIM, 4, 7))
    assert (verdict.text, verdict.action) == ("", Action.WITHHOLD)
    assert "r says withhold" in verdict.reason


@pytest.mark.parametrize("start", [0, 2])
def test_trimming_to_nothing_is_withholding(start: int):
    """Only space is nothing."""
    verdict = judge("  one", finding(Action.TRIM, start, 5))
    assert (verdict.text, verdict.action) == ("", Action.WITHHOLD)


def test_a_repair_is_made_and_checked_again():
    """The repaired text is another text: every check sees it."""
    check = Says("says", {"yaml.load(f)": [finding(Action.REPAIR, 5, 9, "safe_load")]})
    other = Says("other", {"yaml.safe_load(f)": [finding(Action.ANNOTATE, 15, 16, rule="note")]})
    verdict = Guard([check, other]).judge(Passage("", "yaml.load(f)", "", "python"))
    assert verdict.text == "yaml.safe_load(f)"
    assert verdict.action == Action.REPAIR
    assert other.seen == ["yaml.load(f)", "yaml.safe_load(f)"]
    # The repair is located in what came, the note in what is shown.
    assert {one.rule: (one.start, one.end) for one in verdict.verdicts} == {"r": (5, 9), "note": (15, 16)}
    assert verdict.reason == ""


def test_a_repaired_text_can_still_be_trimmed():
    """The cut is located in the suggestion as it came."""
    verdict = judge(
        "ab bad cd",
        finding(Action.REPAIR, 0, 2, "longer"),
        then={"longer bad cd": [finding(Action.TRIM, 6, 13, rule="cut")]},
    )
    assert (verdict.text, verdict.action) == ("longer", Action.TRIM)
    assert {one.rule: (one.start, one.end) for one in verdict.verdicts} == {"r": (0, 2), "cut": (2, 9)}


def test_overlapping_repairs_are_made_one_after_the_other():
    """The second is asked for again, on the text the first has left."""
    verdict = judge(
        "abcd",
        finding(Action.REPAIR, 0, 3, "X"),
        finding(Action.REPAIR, 2, 4, "Y"),
        then={"Xd": [finding(Action.REPAIR, 1, 2, "Z")]},
    )
    assert verdict.text == "XZ"
    assert [(one.start, one.end) for one in verdict.verdicts] == [(0, 3), (3, 4)]


def test_a_repair_that_does_not_converge_is_withheld():
    """A check that never likes its own repair must not loop, nor be ignored."""
    table = {"x" * n: [finding(Action.REPAIR, 0, 1, "xx")] for n in range(1, 20)}
    verdict = Guard([Says("says", table)]).judge(Passage("", "x", "", "python"))
    assert (verdict.text, verdict.action) == ("", Action.WITHHOLD)
    assert "no repair holds" in verdict.reason


def test_a_check_that_fails_leaves_the_text_unvouched(caplog):
    """Never a silent pass; and the other checks still count."""
    note = Says("says", {"x": [finding(Action.ANNOTATE, 0, 1)]})
    with caplog.at_level(logging.ERROR):
        verdict = Guard([Fails(), note]).judge(Passage("", "x", "", "python"))
    assert (verdict.text, verdict.vouched, verdict.unfinished) == ("x", False, ("broken-check",))
    assert verdict.action == Action.ANNOTATE
    assert "broken-check" in caplog.text
    assert "no index" in caplog.text


def test_a_deadline_that_has_passed_leaves_the_text_unvouched():
    """A time-out is never a pass."""
    check = Says("says", {})
    verdict = Guard([check]).judge(Passage("", "x", "", "python"), deadline_ms=0)
    assert (verdict.text, verdict.vouched, verdict.unfinished) == ("x", False, ("says",))
    assert check.seen == []
    assert Guard([check]).judge(Passage("", "x", "", "python"), deadline_ms=60_000).vouched


def test_blank_text_costs_no_check():
    """Nothing can be wrong with it."""
    check = Says("says", {})
    assert Guard([check]).judge(Passage("", " \n", "", "python")).text == " \n"
    assert check.seen == []


@given(data=st.data(), text=st.text(alphabet="abcdef\n", min_size=1, max_size=20))
def test_spans_survive_any_repairs(data: st.DataObject, text: str):
    """A mark on an untouched character stays on it, in both directions."""
    points = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = list(zip(points[::2], points[1::2], strict=False))
    repairs = [finding(Action.REPAIR, a, b, data.draw(st.text(alphabet="XYZ", max_size=4))) for a, b in spans]
    repaired, kept = text, []
    for one in reversed(repairs):
        repaired = repaired[: one.start] + (one.replacement or "") + repaired[one.end :]
    for at, letter in enumerate(repaired):
        if letter not in "XYZ":
            kept.append(at)
    if not repaired.strip() or not text.strip() or repaired == text:
        return
    marks = [finding(Action.WITHHOLD, at, at + 1, rule=str(at)) for at in kept]
    verdict = judge(text, *repairs, then={repaired: marks})
    located = {int(one.rule): one for one in verdict.verdicts if one.action == Action.WITHHOLD}
    untouched = [i for i in range(len(text)) if not any(a <= i < b for a, b in spans)]
    assert [located[at].start for at in kept] == untouched
    assert all(text[located[at].start] == repaired[at] for at in kept)
    assert {(one.start, one.end) for one in verdict.verdicts if one.action == Action.REPAIR} == set(spans)


def test_the_default_guard_judges_real_code():
    """What the product ships with, put together."""
    guard = default_guard()
    good = guard.judge(Passage("def f(xs):\n    ", "return [x for x in xs]", "\n", "python"))
    assert (good.text, good.action, good.vouched) == ("return [x for x in xs]", Action.PASS, True)
    trimmed = guard.judge(Passage("def f(xs):\n    ", "y = 1\n    z = = 2", "\n", "python"))
    assert (trimmed.text, trimmed.action) == ("y = 1", Action.TRIM)
    key = "AKIA" + "QZ5RB3XW7YTNM4KD"
    redacted = guard.judge(Passage("key = ", f'"{key}"', "\n", "python"))
    assert (redacted.text, redacted.action) == ('os.environ["AWS_ACCESS_KEY_ID"]', Action.REPAIR)
    assert key not in redacted.verdicts[0].evidence
    held = guard.judge(Passage("x = 1  # ", key, "\n", "python"))
    assert (held.text, held.action) == ("", Action.WITHHOLD)
    assert key not in held.reason
