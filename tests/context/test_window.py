"""The window round the cursor holds still while a person types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.window import MAX_TYPED_CHARS, SNAP_LINES, SUFFIX_LINES, Window
from truepenny.context.window import cut as cut_at

LINES = st.lists(
    st.tuples(
        st.text(alphabet=st.sampled_from("ab (é😀\t"), max_size=12), st.sampled_from(["\n", "\r\n", "\r"])
    ),
    max_size=300,
).map(lambda lines: "".join(line + end for line, end in lines))
BUDGETS = st.sampled_from([0, 1, 7, 40, 300, 5_000])


def cut(
    text: str, offset: int, *, budget_tokens: int, count: Callable[[str], int], starts: Sequence[int] = ()
) -> Window:
    """With a quarter of the budget for what comes after the cursor."""
    suffix_tokens = budget_tokens // 4
    return cut_at(
        text,
        offset,
        prefix_tokens=budget_tokens - suffix_tokens,
        suffix_tokens=suffix_tokens,
        count=count,
        starts=starts,
    )


def first_line(text: str, window: Window) -> int:
    return text.count("\n", 0, window.start)


def split_lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def numbered(lines: int) -> str:
    return "".join(f"l{i}\n" for i in range(lines))


def at(text: str, line: int, budget_tokens: int) -> Window:
    """The window at the end of line `line` of `numbered` text, counting a line as one token."""
    offset = text.index(f"\nl{line}\n") + len(f"\nl{line}")
    return cut(text, offset, budget_tokens=budget_tokens, count=lambda part: part.count("\n"))


@given(text=LINES, data=st.data(), budget=BUDGETS)
@settings(max_examples=300, deadline=None)
def test_a_window_is_the_text_round_the_cursor(text: str, data: st.DataObject, budget: int):
    """Contiguous, within its shares, whole lines before, and honest about what it left out."""
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n" and offset:
        offset -= 1
    window = cut(text, offset, budget_tokens=budget, count=len)
    before = window.prefix + window.typed
    assert text[:offset].endswith(before)
    assert text[offset:].startswith(window.suffix)
    assert len(window.prefix) <= budget - budget // 4
    assert len(window.suffix) <= budget // 4
    assert len(split_lines(window.typed)) == 1
    assert window.prefix == "" or window.prefix[-1] in "\r\n"
    assert window.truncated_before == (len(before) < offset)
    assert window.truncated_after == (len(window.suffix) < len(text) - offset)
    start = offset - len(before)
    assert window.start == start
    assert start == 0 or text[start - 1] in "\r\n"
    assert text[start - 1 : start + 1] != "\r\n" or start == 0


@given(
    text=LINES,
    data=st.data(),
    budget=BUDGETS,
    typed=st.text(alphabet=st.sampled_from("xyz (é😀\t"), min_size=1, max_size=30),
)
@settings(max_examples=300, deadline=None)
def test_typing_on_a_line_changes_only_typed(text: str, data: st.DataObject, budget: int, typed: str):
    """The promise the engine's cache stands on."""
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n" and offset:
        offset -= 1
    old = cut(text, offset, budget_tokens=budget, count=len)
    new = cut(text[:offset] + typed + text[offset:], offset + len(typed), budget_tokens=budget, count=len)
    assert (new.prefix, new.suffix, new.start) == (old.prefix, old.suffix, old.start)
    assert new.typed == old.typed + typed


def test_a_small_file_is_taken_whole():
    """Nothing is left out that fits."""
    window = cut("a\nb\nc d\ne", 6, budget_tokens=100, count=len)
    assert window == Window("a\nb\n", "c ", "d\ne", 0, truncated_before=False, truncated_after=False)


def test_a_new_prefix_begins_at_a_multiple_of_64_lines():
    """So that two windows not far from each other begin with the same."""
    text = numbered(2_000)
    starts = [first_line(text, at(text, line, 1_000)) for line in range(800, 1_600)]
    room = 750 - 750 // 4  # a quarter is left to type into
    assert all(start % SNAP_LINES == 0 for start in starts)
    assert len(set(starts)) <= (800 // SNAP_LINES) + 2
    assert all(line - start <= room for line, start in zip(range(800, 1_600), starts, strict=True))
    assert all(
        line - start > room - SNAP_LINES for line, start in zip(range(800, 1_600), starts, strict=True)
    )


def test_a_small_budget_snaps_finer_rather_than_showing_nothing():
    """With room for 57 lines a step of 64 may leave nothing; at least half of the budget is used."""
    text = numbered(2_000)
    taken = [line - first_line(text, at(text, line, 100)) for line in range(500, 1_000)]
    assert min(taken) >= 75 // 2
    assert max(taken) <= 75 - 75 // 4
    assert len({first_line(text, at(text, line, 100)) for line in range(500, 1_000)}) <= 500 // 8 + 2


def test_a_former_beginning_is_kept_until_the_budget_is_full():
    """Typing on downwards moves it once in many lines."""
    text = numbered(2_000)
    start, moved = at(text, 500, 1_000).start, []
    for line in range(500, 1_500):
        offset = text.index(f"\nl{line}\n") + 1
        window = cut(text, offset, budget_tokens=1_000, count=lambda part: part.count("\n"), starts=[start])
        assert len(split_lines(window.prefix)) - 1 <= 750
        if window.start != start:
            moved.append(line)
            start = window.start
    gaps = [b - a for a, b in pairwise(moved)]
    assert min(gaps) >= 750 // 4


@given(
    budget=st.integers(64, 1_200),
    line=st.integers(0, 1_500),
    changes=st.lists(st.integers(-12, 20), max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_a_beginning_moves_at_most_once_in_an_eighth_of_the_budget(
    budget: int, line: int, changes: list[int]
):
    """Lines typed and deleted at random: what is kept has room on both sides."""
    above, below = [f"l{i}\n" for i in range(line)], "rest\n" * 50
    starts: list[int] = []
    num_moves = num_changed = 0
    for change in changes:
        above = above + [f"typed {change}\n"] * change if change >= 0 else above[:change]
        num_changed += abs(change)
        text = "".join(above)
        window = cut_at(
            text + below,
            len(text),
            prefix_tokens=budget,
            suffix_tokens=50,
            count=lambda part: part.count("\n"),
            starts=starts,
        )
        num_moves += starts not in ([], [window.start])
        starts = [window.start]
    assert num_moves <= num_changed / (budget // 8)


@pytest.mark.parametrize(
    ("start", "is_kept"),
    [
        ("l300\n", True),
        ("l10\n", False),  # too much
        ("l480\n", False),  # too little
        ("300\n", False),  # inside a line
        ("l600\n", False),  # behind the cursor
    ],
)
def test_a_beginning_that_does_not_serve_is_not_kept(start: str, *, is_kept: bool):
    """It must fit, be worth it, and be one."""
    text = numbered(2_000)
    at_start = text.index("\nl" + start.lstrip("l")) + (1 if start.startswith("l") else 2)
    offset = text.index("\nl500\n") + 1
    starts = [-1, at_start, len(text) + 1]
    window = cut(text, offset, budget_tokens=400, count=lambda part: part.count("\n"), starts=starts)
    assert (window.start == at_start) == is_kept


@given(text=LINES, data=st.data(), budget=BUDGETS, starts=st.lists(st.integers(-5, 2_000), max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_beginnings_are_offered_a_window_is_one(
    text: str, data: st.DataObject, budget: int, starts: list[int]
):
    """Within its share, whole lines, contiguous."""
    offset = data.draw(st.integers(0, len(text)))
    window = cut(text, offset, budget_tokens=budget, count=len, starts=starts)
    assert text.startswith(window.prefix, window.start)
    assert len(window.prefix) <= budget - budget // 4
    assert window.start == 0 or text[window.start - 1] in "\r\n"
    assert text[max(0, window.start - 1) : window.start + 1] != "\r\n" or window.start == 0


def test_the_suffix_ends_a_fixed_number_of_lines_below():
    """What is far below tells little and would cost prompt on every keystroke."""
    text = numbered(400)
    window = at(text, 100, 100_000)
    assert window.suffix.count("\n") == SUFFIX_LINES + 1
    assert window.suffix.endswith(f"l{100 + SUFFIX_LINES}\n")
    assert at(text, 100, 40).suffix.count("\n") == 10


def test_a_minified_line_keeps_its_last_part():
    """The beginning of a line of half a megabyte tells nothing, and its rest is cut too."""
    text = "// header\n" + "a," * 250_000
    window = cut(text, 300_000, budget_tokens=400, count=len)
    assert window.prefix == "// header\n"
    assert MAX_TYPED_CHARS - 256 < len(window.typed) <= MAX_TYPED_CHARS
    assert text[:300_000].endswith(window.typed)
    assert 0 < len(window.suffix) <= 100
    assert window.truncated_before
    assert window.truncated_after


def test_a_minified_line_is_cut_in_steps():
    """One more character does not shift all that was typed before."""
    text = "x" * 10_000
    begins = {i - len(cut(text, i, budget_tokens=100, count=len).typed) for i in range(9_000, 9_256)}
    assert len(begins) <= 2


@pytest.mark.parametrize("lines", [100_000, 1])
def test_a_huge_text_is_not_counted_whole(lines: int):
    """Five megabytes on every keystroke would be felt."""
    counted = 0

    def count(part: str) -> int:
        nonlocal counted
        counted += len(part)
        return len(part) // 4

    text = ("some words of a line that is about fifty long\n" * 100_000)[: 4_600_000 if lines > 1 else 46]
    cut(text, len(text) // 2, budget_tokens=2_000, count=count)
    assert counted <= 2_000 * 8 * 2


@pytest.mark.parametrize("offset", [-1, 4])
def test_an_offset_outside_the_text_is_a_mistake_of_ours(offset: int):
    """Positions are converted and clamped once, before they come here."""
    with pytest.raises(ValueError, match=f"offset {offset} is outside"):
        cut("abc", offset, budget_tokens=10, count=len)


def test_a_cursor_inside_crlf_counts_as_before_it():
    """No client can mean anything else."""
    assert cut("ab\r\ncd", 3, budget_tokens=100, count=len) == cut(
        "ab\r\ncd", 2, budget_tokens=100, count=len
    )
