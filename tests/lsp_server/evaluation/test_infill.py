"""The harness: the right text scores 1, nothing scores 0, and the document is the one a person would have."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from truepenny.lsp_server.evaluation.cases import AssertTests, InfillCase, read_cases
from truepenny.lsp_server.evaluation.infill import (
    Complete,
    InfillReport,
    accept,
    before_typing,
    evaluate,
    inserted_text,
    question,
    raw_completer,
)
from truepenny.lsp_server.snapshot import Cost, Query, Suggestion, Trigger

BENCH = Path(__file__).parents[4] / "shared" / "bench"


def whole(expected: str = "    return 2 * x\n", after: str = "\nprint(double(1))\n") -> InfillCase:
    tests = AssertTests("\nassert double(2) == 4\n")
    return InfillCase("set/whole 1", "python", "def double(x):\n", after, expected, tests)


def inline(*, runnable: bool = True) -> InfillCase:
    tests = AssertTests("\nassert f(1) == 2\n") if runnable else None
    return InfillCase("set/inline", "python", "def f(x):\n    return (x + ", ")\n", "1", tests)


def says(text: str, *, before_cursor: int = 0, after_cursor: int = 0) -> Complete:
    """A completer that always shows `text`, replacing that many characters around the cursor."""

    async def complete(query: Query) -> Suggestion:
        start, end = query.offset - before_cursor, query.offset + after_cursor
        cost = Cost(prompt_tokens=10, reused_tokens=5, computed_tokens=5)
        return Suggestion(text, start, end, shown=True, reason="", cost=cost)

    return complete


async def silent(query: Query) -> Suggestion:
    return Suggestion("", query.offset, query.offset, shown=False, reason="inside a word")


def replay(cases: tuple[InfillCase, ...]) -> Complete:
    """A completer that knows the answers, in order."""
    expected: Iterator[str] = (case.expected for case in cases)

    async def complete(query: Query) -> Suggestion:
        return Suggestion(next(expected), query.offset, query.offset, shown=True, reason="")

    return complete


def score(
    complete: Complete, *cases: InfillCase, placement: Literal["typed", "cut"] = "typed"
) -> InfillReport:
    return asyncio.run(evaluate(cases, complete, placement=placement))


def test_whole_lines_are_asked_for_on_a_blank_line() -> None:
    """That is where a person stands when a line is missing; inside a line, the cursor is in the hole."""
    query = question(whole(), "single")
    assert query.snapshot.text == "def double(x):\n\n\nprint(double(1))\n"
    assert query.offset == len("def double(x):\n")
    assert (query.trigger, query.lines, query.snapshot.language) == (Trigger.INVOKED, "single", "python")
    assert query.snapshot.path == "untitled:set_whole_1.py"
    query = question(inline())
    assert query.snapshot.text == "def f(x):\n    return (x + )\n"
    assert query.snapshot.text[query.offset :] == ")\n"


def test_the_blank_line_has_the_documents_own_line_end() -> None:
    case = InfillCase("crlf", "python", "a = 1\r\n", "c = 3\r\n", "b = 2\r\n", None)
    assert question(case).snapshot.text == "a = 1\r\n\r\nc = 3\r\n"


@pytest.mark.parametrize("placement", ["typed", "cut"])
@pytest.mark.parametrize("text", ["    return 2 * x", "    return 2 * x\n"])
def test_a_whole_line_gets_exactly_one_line_end(text: str, placement: Literal["typed", "cut"]) -> None:
    """The expected text brings its line end; a suggestion on a blank line need not."""
    case = whole()
    query = question(case, placement=placement)
    suggestion = Suggestion(text, query.offset, query.offset, shown=True, reason="")
    assert accept(case, query, suggestion) == case.before + case.expected + case.after


@pytest.mark.parametrize(
    ("num_chars", "before"),
    [(0, "def f(x):\r\n    return (x + "), (3, "def f(x):\r\n    return (x"), (17, "def f(x):"), (99, "")],
)
def test_what_was_not_typed_yet(num_chars: int, before: str) -> None:
    """The text behind the cursor was there already; nobody begins to type inside a line end."""
    case = InfillCase("crlf", "python", "def f(x):\r\n    return (x + ", ")\r\n", "1", None)
    earlier = before_typing(question(case), num_chars)
    assert earlier.snapshot.text == before + ")\r\n"
    assert earlier.offset == len(before)


def test_a_replaced_range_is_replaced() -> None:
    """A suggestion may rewrite the indentation before the cursor and the bracket after it."""
    case = inline()
    query = question(case)
    suggestion = Suggestion("x + 1)", query.offset - 4, query.offset + 1, shown=True, reason="")
    assert accept(case, query, suggestion) == "def f(x):\n    return (x + 1)\n"
    assert inserted_text(query, suggestion) == "1"


def test_the_right_text_scores_one() -> None:
    report = score(says("    return 2 * x"), whole())
    assert (report.pass_at_1, report.exact_match, report.edit_similarity, report.identifier_match) == (
        1,
        1,
        1,
        1,
    )
    assert (report.n, report.runnable, report.withheld, report.reasons) == (1, 1, 0, {})
    assert report.characters_shown == report.characters_accepted == len("    return 2 * x")
    assert report.reused_share == 0.5


def test_a_right_answer_in_other_words_passes_without_matching() -> None:
    """Pass rate and exact match are two figures for a reason."""
    report = score(says("    return x + x"), whole())
    assert (report.pass_at_1, report.exact_match, report.identifier_match) == (1, 0, 0)
    assert 0 < report.edit_similarity < 1
    assert report.characters_accepted == report.characters_shown


def test_a_wrong_answer_is_shown_but_not_accepted() -> None:
    report = score(says("    return 3 * x"), whole())
    assert (report.pass_at_1, report.characters_accepted) == (0, 0)
    assert report.characters_shown == 16
    (result,) = report.results
    assert result.outcome is not None
    assert result.outcome.kind == "failed"


def test_nothing_shown_is_run_as_an_empty_insertion() -> None:
    """Silence is not a pass, and its reason is counted; but a document that was right anyway is."""
    report = score(silent, whole(), whole(), inline())
    assert (report.pass_at_1, report.exact_match, report.withheld) == (0, 0, 3)
    assert report.reasons == {"inside a word": 3}
    needless = InfillCase("needless", "python", "x = 1\n", "assert x\n", "# one\n", AssertTests(""))
    assert score(silent, needless).pass_at_1 == 1


def test_without_tests_comparison_decides() -> None:
    """A set that cannot be run has no pass rate, rather than one of zero."""
    report = score(says("1"), inline(runnable=False))
    assert (report.runnable, report.pass_at_1, report.exact_match) == (0, None, 1)
    assert report.characters_accepted == 1


def test_what_the_completer_raises_ends_the_evaluation() -> None:
    """A figure over a broken engine would mislead."""

    async def broken(_query: Query) -> Suggestion:
        raise RuntimeError("engine gone")

    with pytest.raises(RuntimeError, match="engine gone"):
        score(broken, whole())


def test_the_bare_model_fills_exactly_the_hole() -> None:
    """The baseline sees the published prompt, not our blank line, and one line of what it says counts."""
    seen: list[tuple[str, str, int]] = []

    async def model(before: str, after: str, max_tokens: int) -> str:
        seen.append((before, after, max_tokens))
        return "    return 2 * x\n    pass\n"

    case = whole()
    report = score(raw_completer(model, single_line=True, max_tokens=9), case, placement="cut")
    assert seen == [(case.before, case.after, 9)]
    assert (report.pass_at_1, report.exact_match) == (1, 1)
    report = score(raw_completer(model, single_line=False, max_tokens=9), case, placement="cut")
    assert (report.pass_at_1, report.exact_match) == (1, 0)


def test_what_is_written_and_not_used_is_counted() -> None:
    """By the engine, right or not; nothing is divided by what was not accepted."""

    async def wasteful(query: Query) -> Suggestion:
        cost = Cost(generated_chars=30)
        at = query.offset
        return Suggestion("    return 2 * x\n", at, at, shown=True, reason="", cost=cost)

    report = score(wasteful, whole())
    assert report.characters_generated == 30
    assert report.characters_generated_per_accepted == 30 / report.characters_accepted
    assert score(silent, whole()).characters_generated_per_accepted is None


def test_progress_is_reported_case_by_case() -> None:
    steps: list[tuple[str, int]] = []
    asyncio.run(evaluate((whole(), inline()), silent, on_progress=lambda *step: steps.append(step)))
    assert steps == [("asked", 1), ("asked", 2), ("run", 1), ("run", 2)]


def oracle_cases(name: str, limit: int | None) -> tuple[InfillCase, ...]:
    path = BENCH / name
    if not path.exists():
        warnings.warn(f"{path} is absent: the oracle was not checked against {name}", stacklevel=2)
        pytest.skip(f"{name} is not on this machine")
    return read_cases(path, limit)


@pytest.mark.parametrize("placement", ["typed", "cut"])
def test_the_canonical_solutions_pass(placement: Literal["typed", "cut"]) -> None:
    """If the published answers did not score 1 here, no other figure of this harness would mean anything."""
    cases = oracle_cases("he_infill_singleline.jsonl.gz", 40)
    report = score(replay(cases), *cases, placement=placement)
    failed = [(result.case.id, result.outcome) for result in report.results if not result.is_right]
    assert failed == []
    assert (report.n, report.pass_at_1, report.exact_match, report.edit_similarity) == (40, 1, 1, 1)


@pytest.mark.parametrize(
    "name", ["he_infill_multiline.jsonl.gz", "he_infill_randomspan_light.jsonl.gz", "safim_block.jsonl.gz"]
)
def test_other_sets_pass_with_their_own_answers(name: str) -> None:
    """Spans of several lines, spans inside a line, and programs judged by their output."""
    cases = oracle_cases(name, 20)
    report = score(replay(cases), *cases)
    failed = [(result.case.id, result.outcome) for result in report.results if not result.is_right]
    assert failed == []
    assert (report.pass_at_1, report.exact_match) == (1, 1)


def test_saying_nothing_does_not_pass_the_published_cases() -> None:
    """A line that may be left out proves nothing about a completer; here every line is needed."""
    cases = oracle_cases("he_infill_singleline.jsonl.gz", 40)
    report = score(silent, *cases)
    assert (report.pass_at_1, report.exact_match, report.withheld) == (0, 0, 40)
