"""A proposal is found wherever the text still leads to it, and accepting what is left gives its text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truepenny.lsp_server.recall.proposal import (
    AFTER_CHARS,
    BEFORE_CHARS,
    Proposal,
    Spot,
    continues,
)


def proposal(fixture: str, text: str, *, is_ahead: bool = False) -> Proposal:
    """Proposed at the bar."""
    at = fixture.index("|")
    spot = Spot.of(fixture.replace("|", ""), at, at)
    return Proposal(spot, text, "python", is_ahead=is_ahead)


def check(made: str, text: str, now: str, expected: str | None, *, is_ahead: bool = False) -> None:
    """`expected` is the document with what is replaced in brackets: `⟦old→new⟧`; None for nothing."""
    found = proposal(made, text, is_ahead=is_ahead).rest(now.replace("|", ""), now.index("|"))
    shown = None
    if found is not None:
        bare = now.replace("|", "")
        shown = f"{bare[: found.start]}⟦{bare[found.start : found.end]}→{found.text}⟧{bare[found.end :]}"
    assert shown == expected


@pytest.mark.parametrize(
    ("made", "text", "now", "expected"),
    [
        pytest.param("x = |\n", "foo(1)", "x = |\n", "x = ⟦→foo(1)⟧\n", id="as it was"),
        pytest.param("x = |\n", "foo(1)", "x = fo|\n", "x = fo⟦→o(1)⟧\n", id="typed through"),
        pytest.param("x = |\n", "foo(1)", "x = foo(1)|\n", None, id="all of it typed"),
        pytest.param("x = |\n", "foo(1)", "x = fa|\n", None, id="something else typed"),
        pytest.param("x = |\n", "foo(1)", "x =|\n", None, id="deleted from before it"),
        pytest.param("x = |\n", "foo(1)", "y = fo|\n", None, id="another text above"),
        pytest.param("x = |\n", "foo(1)", "x = fo|\n\n", None, id="another text below"),
        pytest.param("x = |\n", "foo(1)", "x = fo|o\n", None, id="inside what was typed"),
        pytest.param("x = |", "foo(1)\n  # \n", "x = foo(1)\n  # |", None, id="only white space left"),
        # Brackets and quotes that the editor closes by itself.
        pytest.param("x = |\n", "foo(a, b)", "x = foo(|)\n", "x = foo(⟦→a, b⟧)\n", id="a bracket closed"),
        pytest.param("x = |\n", "foo([a])", "x = foo([|])\n", "x = foo([⟦→a⟧])\n", id="two closed"),
        pytest.param("x = |\n", "foo(a, b)", "x = foo(a|)\n", "x = foo(a⟦→, b⟧)\n", id="typed inside"),
        pytest.param("x = |\n", "foo(a)", "x = foo(a)|\n", None, id="the closer typed over"),
        pytest.param("x = |\n", "foo()", "x = foo(|)\n", None, id="nothing but the closer left"),
        pytest.param("x = |\n", "foo(a) + 1", "x = foo(|)\n", "x = foo(⟦)→a) + 1⟧\n", id="more behind"),
        pytest.param("x = |\n", 'f("a")', 'x = f("|")\n', 'x = f("⟦→a⟧")\n', id="a quote closed"),
        pytest.param("x = |\n", 'f("(b")', 'x = f("(|")\n', 'x = f("(⟦→b⟧")\n', id="a bracket in a string"),
        pytest.param("x = |\n", "foo(a)", "x = foo(|]\n", None, id="not its closer"),
        pytest.param("x = |\n", "foo", "x = fo|)\n", None, id="a closer of nothing"),
        pytest.param("f(|)\n", "g(a)", "f(g(|))\n", "f(g(⟦→a⟧))\n", id="before a closer that was there"),
        pytest.param("{|}", "a: {b}", "{a: {|}}", "{a: {⟦→b⟧}}", id="equal closers"),
        pytest.param(
            "f |\n",
            "{\n  a\n}",
            "f {\n  |\n}\n",
            "f {\n  ⟦→a⟧\n}\n",
            id="a brace closed on a line of its own",
        ),
        pytest.param("f |\n", "{\n  a\n}\nb", "f {\n  |\n}\n", None, id="and more behind that"),
        # Indentation that the editor brings along with a line end.
        pytest.param("if x:|\n", "\n    y()", "if x:\n  |\n", "if x:\n  ⟦→  y()⟧\n", id="less of it"),
        pytest.param("  a|\n", "\nb", "  a\n  |\n", "  a\n⟦  →b⟧\n", id="more of it"),
        pytest.param("if x:|\n", "\n\ty()", "if x:\n    |\n", "if x:\n⟦    →\ty()⟧\n", id="of another kind"),
        pytest.param("  a|\n", "\nb", "  a\n  b|\n", None, id="kept by typing on"),
        pytest.param("a|\n", "\n  b\nc", "a\n  b\n  |\n", "a\n  b\n⟦  →c⟧\n", id="on the second line"),
        pytest.param(
            "a|\r\n", "\r\n  b", "a\r\n  |\r\n", "a\r\n  ⟦→b⟧\r\n", id="line ends of two characters"
        ),
        pytest.param("a|\r\n", "\r\nb", "a\r\n  |\r\n", "a\r\n⟦  →b⟧\r\n", id="and other indentation"),
        pytest.param("é😋 |\n", "é😋é", "é😋 é|\n", "é😋 é⟦→😋é⟧\n", id="characters of any width"),
        pytest.param("|", "import os", "imp|", "imp⟦→ort os⟧", id="an empty document"),
        pytest.param("|", "import os", "# \nimp|", None, id="at the beginning, which has moved"),
    ],
)
def test_what_is_left_of_a_proposal(made: str, text: str, now: str, expected: str | None) -> None:
    """One row for each thing a person or an editor does to the text."""
    check(made, text, now, expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("a = 1|\n", None),
        ("a = 1\n|\n", "a = 1\n⟦→b = 2⟧\n"),
        ("a = 1\n    |\n", "a = 1\n⟦    →b = 2⟧\n"),
        ("a = 1\nb|\n", "a = 1\nb⟦→ = 2⟧\n"),
    ],
)
def test_a_line_thought_of_ahead_waits_for_its_line_end(now: str, expected: str | None) -> None:
    """Nobody is shown a line end where the model would have ended the line."""
    check("a = 1|\n", "\nb = 2", now, expected, is_ahead=True)


FAR = "".join(f"line {number}\n" for number in range(1_000))


@pytest.mark.parametrize(
    ("before", "after", "is_found"),
    [
        (FAR, FAR, True),
        ("added = 1\n" + FAR, FAR, True),
        (FAR, FAR + "added = 1\n", True),
        (FAR[9:], FAR[:-9], True),
        (FAR + "added = 1\n", FAR, False),
        (FAR, "added = 1\n" + FAR, False),
        (FAR[: -BEFORE_CHARS + 10] + "!" + FAR[-BEFORE_CHARS + 10 :], FAR, False),
        (FAR, FAR[: AFTER_CHARS - 10] + "!" + FAR[AFTER_CHARS - 10 :], False),
    ],
)
def test_an_edit_far_away_changes_nothing_and_one_nearby_does(
    before: str, after: str, *, is_found: bool
) -> None:
    """What a model was shown of near the cursor must be the same; offsets may have moved."""
    made = proposal(f"{FAR}x = |\n{FAR}", "foo(1)")
    now = f"{before}x = fo"
    found = made.rest(now + "\n" + after, len(now))
    assert (found is not None) == is_found
    if found is not None:
        assert (found.text, found.start, found.end) == ("o(1)", len(now), len(now))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("x = |\n", ""),
        ("x = fo|\n", ""),
        ("x = foo(1)|\n", ""),
        ("x = fa|\n", "a"),
        ("x = bar()|\n", "bar()"),
        ("x = foo(1)\ny|\n", "\ny"),
        ("x =|\n", None),
        ("y|\nx = \n", None),
    ],
)
def test_what_was_typed_instead(now: str, expected: str | None) -> None:
    """To have gone elsewhere, or to have deleted more, is not to have typed something else."""
    made = proposal("x = |\n", "foo(1)")
    assert made.departed(now.replace("|", ""), now.index("|")) == expected


@pytest.mark.parametrize(
    ("written", "typed", "may"),
    [
        ("", "a", True),
        ("foo(", "fo", True),
        ("fo", "foo(b", True),
        ("\n        x", "\n    x =", True),
        ("foo", "fa", False),
        ("foo", "\n", False),
    ],
)
def test_what_is_being_written_may_still_lead_there(written: str, typed: str, *, may: bool) -> None:
    """A person may be faster than the model."""
    assert continues(written, typed) is may


TEXTS = st.text(alphabet="ab (){}[]\"'\n\t\r é😋", max_size=30)


@given(
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(st.sampled_from(["type", "delete", "pair", "enter", "type over"]), max_size=40),
)
@example("  a", "\nb", "\n", ["enter"])
@example("", "f(a)", "", ["type", "pair", "type"])
def test_accepting_what_is_left_gives_what_was_proposed(
    before: str, text: str, after: str, deeds: list[str]
) -> None:
    """A model of an editor: whatever a person does, the whole is the proposal's or nothing is offered."""
    made = Proposal(Spot.of(before + after, len(before), len(before)), text, "python")
    whole = before + text + after
    left, right = before, after
    for deed in deeds:
        following = text[len(left) - len(before) :][:1] if left.startswith(before) else ""
        if deed == "delete":
            left = left[:-1]
        elif deed == "pair" and following in tuple("([{\"'"):
            left, right = left + following, {"(": ")", "[": "]", "{": "}"}.get(following, following) + right
        elif deed == "enter" and following == "\n":
            left += "\n  "
        elif deed == "type over" and right != after and right[:1] == following:
            left, right = left + following, right[1:]
        else:
            left += following
        found = made.rest(left + right, len(left))
        if found is not None:
            now = left + right
            assert now[: found.start] + found.text + now[found.end :] == whole
            assert found.start <= len(left) <= found.end
            assert "\n" not in now[found.start : found.end]
        elif left + right == before + text[: len(left) - len(before)] + after and left.startswith(before):
            rest = text[len(left) - len(before) :]
            assert not rest.strip() or "\r" in whole, "typed through, and lost"
