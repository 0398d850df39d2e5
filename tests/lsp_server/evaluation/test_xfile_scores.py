"""What counts as right, and what the figures of several contexts say beside each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.lsp_server.evaluation.xfile_scores import (
    CONTEXTS,
    Context,
    Group,
    XFileAnswer,
    first_line,
    first_name,
    group_of,
    is_right_line,
    summarise,
)


@pytest.mark.parametrize(
    ("written", "expected", "is_right", "name"),
    [
        ("get_prompt(ctx).await?;", "get_prompt(ctx).await?;", True, "get_prompt"),
        ("get_prompt(ctx).await?;  \n    next()", "get_prompt(ctx).await?;", True, "get_prompt"),
        ("get_prompt(ctx).await?;\r\nnext()", "get_prompt(ctx).await?;", True, "get_prompt"),
        ("get_prompt(ctx)", "get_prompt(ctx).await?;", False, "get_prompt"),
        ("get_prompt(ctx).await?; // more", "get_prompt(ctx).await?;", False, "get_prompt"),
        (" get_prompt()", "get_prompt()", False, "get_prompt"),
        ("get_prompts()", "get_prompt()", False, "get_prompts"),
        ("Größe_2", "Größe_2", True, "Größe_2"),
        ("$emit('x')", "$emit('x')", True, "$emit"),
        ("from(result)", "from(result)", True, "from"),
        ("2nd", "second", False, ""),
        ("(get_prompt", "get_prompt", False, ""),
        ("", "get_prompt", False, ""),
        ("\nget_prompt", "get_prompt", False, ""),
    ],
)
def test_what_counts_as_right(written: str, expected: str, name: str, *, is_right: bool) -> None:
    """The rest of the line, white space at its end aside; the name is the one it begins with."""
    assert is_right_line(written, expected) is is_right
    assert first_name(first_line(written)) == name


def answer(
    number: int, context: Context, *, right: bool, language: str = "go", **extra: object
) -> XFileAnswer:
    values: dict[str, object] = {
        "text": "x",
        "exact": right,
        "identifier": right,
        "prompt_tokens": 100,
        "num_chunks": 0,
        "context_tokens": 0,
        "told": False,
        "context_ms": 0.0,
    }
    return XFileAnswer(id=str(number), context=context, language=language, **(values | extra))  # pyright: ignore[reportArgumentType]  # the rows are right


def rows(*cases: str) -> list[XFileAnswer]:
    """`"001"`: wrong without other files and with ours, right with the oracle's."""
    return [
        answer(number, context, right=flag == "1")
        for number, case in enumerate(cases)
        for context, flag in zip(CONTEXTS, case, strict=True)
    ]


def figures(group: Group) -> tuple[float, float, float, float | None]:
    """Gain, mended, broken of ours; recovered."""
    change = group.changes["ours"]["exact"]
    recovery = group.recovered.get("exact")
    return change.gain, change.mended, change.broken, recovery.share if recovery else None


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (("011",) * 4, (1.0, 1.0, 0.0, 1.0)),
        (("001",) * 4, (0.0, 0.0, 0.0, 0.0)),
        (("111", "011", "001", "000"), (0.25, 0.25, 0.0, 0.5)),
        (("101", "011", "001", "001"), (0.0, 0.25, 0.25, 0.0)),
        (("101", "001", "111", "111"), (-0.25, 0.0, 0.25, -1.0)),
        (("010", "001", "000", "000"), (0.25, 0.25, 0.0, 1.0)),
        (("111", "111"), (0.0, 0.0, 0.0, None)),
        (("110", "111"), (0.0, 0.0, 0.0, None)),
    ],
)
def test_what_is_gained(cases: tuple[str, ...], expected: tuple[float, ...]) -> None:
    """Recovered is a share of what the oracle gains, and is not said where that gains nothing."""
    assert figures(group_of(rows(*cases))) == pytest.approx(expected)


flags = st.lists(st.sampled_from([f"{n:03b}" for n in range(8)]), min_size=1, max_size=40)


@settings(deadline=None)  # each resamples thousands of times, on a machine with other work
@given(flags)
def test_figures_agree_with_each_other(cases: list[str]) -> None:
    """Whatever is right: shares are shares, gains are differences of them, intervals hold them in."""
    group = group_of(rows(*cases))
    none, ours, oracle = (group.contexts[context].exact for context in CONTEXTS)
    change = group.changes["ours"]["exact"]
    assert all(0 <= share <= 1 for share in (none, ours, oracle, change.broken, change.mended))
    assert change.gain == pytest.approx(ours - none)
    assert change.gain == pytest.approx(change.mended - change.broken)
    assert -1 <= change.gain_interval.low <= change.gain_interval.high <= 1
    recovery = group.recovered.get("exact")
    assert (recovery is not None) == (oracle > none)
    if recovery is not None:
        assert recovery.share * (oracle - none) == pytest.approx(ours - none)
        assert recovery.interval is None or recovery.interval.low <= recovery.interval.high


@settings(deadline=None)  # each resamples thousands of times, on a machine with other work
@given(flags, st.randoms())
def test_the_order_of_answers_does_not_matter(cases: list[str], random: object) -> None:
    """Contexts are paired by case, not by place; the interval may move within its resampling."""
    answers = rows(*cases)
    shuffled = list(answers)
    random.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # a random.Random
    assert figures(group_of(shuffled)) == pytest.approx(figures(group_of(answers)))


def test_the_interval_holds_what_is_certain() -> None:
    """Where every case says the same, there is no doubt; where they differ, it lies round the figure."""
    certain = group_of(rows(*["011"] * 30)).recovered["exact"]
    assert certain.interval is not None
    assert (certain.interval.low, certain.interval.high) == (1.0, 1.0)
    mixed = group_of(rows(*["011"] * 20, *["001"] * 10, *["111"] * 30)).recovered["exact"]
    assert mixed.interval is not None
    assert mixed.interval.low < mixed.share < mixed.interval.high


def test_only_pairs_are_compared() -> None:
    """A case without an answer in one context counts in neither side of the comparison."""
    answers = [answer(0, "none", right=False), answer(1, "none", right=True), answer(0, "ours", right=True)]
    group = group_of(answers)
    assert (group.n, group.changes["ours"]["exact"].gain, group.recovered) == (2, 1.0, {})
    assert set(group.contexts) == {"none", "ours"}
    assert group_of([answer(0, "oracle", right=True)]).changes == {}


def test_languages_come_after_all() -> None:
    """Each with its own figures, and what context cost."""
    answers = [
        answer(0, "ours", right=True, language="rust", context_ms=3.0, told=True, prompt_tokens=300),
        answer(1, "ours", right=False, language="go", context_ms=1.0, complete=False),
    ]
    groups = summarise(answers)
    assert list(groups) == ["all", "go", "rust"]
    every = groups["all"].contexts["ours"]
    assert (every.exact, every.told, every.prompt_tokens) == (0.5, 0.5, 200)
    assert (every.context_ms_p50, every.context_ms_p95, every.cut_short) == (1.0, 3.0, 1)
    assert (groups["go"].n, groups["rust"].contexts["ours"].exact) == (1, 1.0)
