"""Which of several proposals is shown, which are forgotten, and which are not offered again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.recall import memory
from truepenny.lsp_server.recall.memory import DISPLAYED_S, MAX_BYTES, MAX_DOCUMENTS, MAX_PROPOSALS, Recall
from truepenny.lsp_server.recall.proposal import Proposal, Spot
from truepenny.lsp_server.recall.silences import MAX_REJECTIONS, MAX_SILENCES, SILENT_S, Silences
from truepenny.lsp_server.snapshot import Query, Snapshot


def at(marked: str, path: str = "a.py", language: str = "python") -> Query:
    return Query(Snapshot(path, language, marked.replace("|", "")), marked.index("|"))


def proposed(query: Query, text: str, told: object = None) -> Proposal:
    spot = Spot.of(query.snapshot.text, query.offset, query.offset)
    return Proposal(spot, text, query.snapshot.language, told)


class Desk:
    """A memory whose clock is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.recall = Recall(lambda: self.now_s)

    def keep(self, marked: str, text: str, told: object = None, **how: bool) -> None:
        self.recall.keep(at(marked), proposed(at(marked), text, told), **how)

    def find(self, marked: str, told: object = None) -> str | None:
        found = self.recall.find(at(marked), told)
        return None if found is None else found[1].text

    def changed(self, marked: str, after_s: float = 0.1) -> None:
        self.now_s += after_s
        self.recall.changed(at(marked))

    def is_rejected(self, marked: str, text: str) -> bool:
        return self.recall.is_rejected(at(marked), proposed(at(marked), text))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_was_typed_away_and_back_is_there_again(desk: Desk) -> None:
    """Typing through, deleting, retyping, going elsewhere: one call to the model for all of it."""
    desk.keep("x = |\n", "foo(1)")
    moments = [
        ("x = |\n", "foo(1)"),
        ("x = fo|\n", "o(1)"),
        ("x = f|\n", "oo(1)"),
        ("x = |\n", "foo(1)"),
        ("x = fa|\n", None),
        ("x = f|\n", "oo(1)"),
        ("y|\nx = \n", None),
        ("x = foo(|)\n", "1"),
    ]
    assert [desk.find(marked) for marked, _ in moments] == [expected for _, expected in moments]


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("foo(1)", "foo(1)", "foo(1)"),
        ("foo(1)", "foo(1)\nbar(2)", "foo(1)\nbar(2)"),
        ("foo(1)", "foo(2)", "foo(1)"),
        ("foo(1)", "foo(", "foo(1)"),
        ("foo(1)", "other", "foo(1)"),
    ],
)
def test_what_is_shown_is_only_replaced_by_the_same_and_more(
    desk: Desk, first: str, second: str, shown: str
) -> None:
    """Ghost text that changes its mind while one reads it is worse than none."""
    desk.keep("x = |\n", first)
    assert desk.find("x = |\n") == first
    desk.keep("x = |\n", second)
    assert desk.find("x = |\n") == shown


def test_an_earlier_place_leads_to_what_was_shown_at_a_later_one(desk: Desk) -> None:
    """After deleting, the model may say something else; typed again, the text has its suggestion again."""
    desk.keep("x = f|\n", "oo(1)")
    desk.find("x = f|\n")
    desk.keep("x = |\n", "f(2)")
    assert desk.find("x = |\n") == "foo(1)"
    desk.keep("x =|\n", " bar(2)")
    assert desk.find("x =|\n") == " foo(1)"


def test_somebody_who_asks_for_others_gets_them(desk: Desk) -> None:
    """And they stay from then on."""
    desk.keep("x = |\n", "foo(1)")
    desk.keep("x = |\n", "bar()", replaces=True)
    assert [desk.find("x = |\n"), desk.find("x = b|\n"), desk.find("x = f|\n")] == ["bar()", "ar()", None]


def test_what_was_thought_of_ahead_comes_last(desk: Desk) -> None:
    """It has not been shown; what has been is."""
    desk.keep("x = |\n", "foo(1)")
    query = at("x = f|\n")
    desk.recall.keep_behind(query, proposed(query, "ull"))
    assert desk.find("x = f|\n") == "oo(1)"
    assert desk.find("x = fu|\n") == "ll"


def test_another_context_makes_stale_but_not_what_is_on_the_screen(desk: Desk) -> None:
    """What the model is told changes in pauses; a person who types through a suggestion goes on with it."""
    desk.keep("x = |\n", "foo(1)", "pack 1")
    desk.keep("y = |\n", "bar(1)", "pack 1")
    assert desk.find("y = |\n", "pack 1") == "bar(1)"
    assert desk.find("x = |\n", "pack 2") is None
    assert desk.find("y = b|\n", "pack 2") == "ar(1)"
    desk.keep("x = |\n", "new()", "pack 2")
    assert desk.find("x = |\n", "pack 2") == "new()", "what is stale stands in nobody's way"


def test_another_language_is_another_text(desk: Desk) -> None:
    """The same text in a file that has been renamed."""
    desk.keep("x = |\n", "foo(1)")
    assert desk.recall.find(at("x = |\n", language="ruby")) is None


@pytest.mark.parametrize(
    ("moments", "is_rejected"),
    [
        pytest.param([("x = bar|\n", DISPLAYED_S)], True, id="typed over"),
        pytest.param([("x = \n|\n", DISPLAYED_S)], True, id="left alone, and the line ended"),
        pytest.param([("x = b|\n", DISPLAYED_S), ("x = bar|\n", 9.0)], True, id="letter by letter"),
        pytest.param([("x = bar|\n", DISPLAYED_S / 2)], False, id="before it could be read"),
        pytest.param([("x = b|\n", 0.2), ("x = bar|\n", 9.0)], False, id="begun before it could be read"),
        pytest.param([("x = b|\n", 9.0), ("x = |\n", 0.1)], False, id="a slip"),
        pytest.param([("x = foo|\n", 9.0), ("x = foo(1)|\n", 9.0)], False, id="typed through"),
        pytest.param([("x =|\n", 9.0), ("x|\n", 0.1)], False, id="deleted more"),
        pytest.param([("x = \nimport y|\n", 9.0)], True, id="went on below"),
        pytest.param([("import y|\nx = \n", 9.0)], False, id="went on elsewhere"),
    ],
)
def test_what_is_typed_over_is_not_offered_again(
    desk: Desk, moments: list[tuple[str, float]], *, is_rejected: bool
) -> None:
    """Only what could be read, and only when somebody went on with something else."""
    desk.keep("x = |\n", "foo(1)")
    desk.find("x = |\n")
    for marked, after_s in moments:
        desk.changed(marked, after_s)
    assert desk.is_rejected("x = |\n", "foo(1)") is is_rejected
    assert desk.is_rejected("x = f|\n", "oo(1)") is is_rejected, "the same text, half typed"
    assert (desk.find("x = |\n") is None) is is_rejected
    assert not desk.is_rejected("x = |\n", "bar(1)")
    assert not desk.is_rejected("y = |\n", "foo(1)")


def test_rejections_are_bounded(desk: Desk) -> None:
    """The oldest may be offered again."""
    for number in range(MAX_REJECTIONS + 1):
        desk.keep("x = |\n", f"foo({number})", replaces=True)
        desk.find("x = |\n")
        desk.changed("x = something else|\n", 9.0)
    assert not desk.is_rejected("x = |\n", "foo(0)")
    assert desk.is_rejected("x = |\n", "foo(1)")


def test_everything_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was used longest ago goes; what is on the screen never does."""
    for number in range(MAX_PROPOSALS + 10):
        desk.keep(f"x{number} = |\n", "foo(1)")
        assert desk.find("x0 = |\n") == "foo(1)"
    assert desk.find("x1 = |\n") is None
    desk.keep("big = |\n", "y" * (MAX_BYTES + 1))
    assert desk.find("big = |\n") is not None
    assert desk.find("x0 = |\n") is None
    monkeypatch.setattr(memory, "MAX_DOCUMENTS", 3)
    for number in range(4):
        query = at("x = |\n", f"{number}.py")
        desk.recall.keep(query, proposed(query, "foo(1)"))
    found = [desk.recall.find(at("x = |\n", f"{number}.py")) is not None for number in range(4)]
    assert found == [False, True, True, True]
    assert MAX_DOCUMENTS > 3


@given(st.integers(0, 1 << 32))
def test_there_are_never_two_for_one_text(seed: int) -> None:
    """A model of typing: letters, deletion, a request that the model answers as it likes, and again."""
    chance, desk, left = random.Random(seed), Desk(), "x"
    made: set[str] = set()
    said: dict[str, str] = {}
    for _ in range(25):
        match chance.choice("aab<<^^"):
            case "<":
                left = left[:-1] or "x"
            case "^" if desk.find(left + "|") is None:
                text = chance.choice(["aa", "ab", "aab", "ba", "aaab"])
                desk.keep(left + "|", text)
                made.add(left + text)
            case "^":
                pass
            case letter:
                left += letter
        found = desk.find(left + "|")
        if found is not None:
            assert left + found in made
            assert said.setdefault(left, found) == found


def test_silence_is_remembered_for_a_while() -> None:
    """The same text is not asked about at every twitch of the cursor; another one is."""
    now = [100.0]
    silences = Silences(lambda: now[0])
    silences.keep(at("x = |\n"), "nothing to add")
    assert silences.find(at("x = |\n")).startswith("nothing to add (")
    assert silences.find(at("x = 1|\n")) == ""
    assert silences.find(at("x = |\n", "b.py")) == ""
    now[0] += SILENT_S
    assert silences.find(at("x = |\n")) == ""
    for number in range(MAX_SILENCES + 1):
        silences.keep(at(f"x{number} = |\n"), "nothing to add")
    assert silences.find(at("x0 = |\n")) == ""
    assert silences.find(at("x1 = |\n")) != ""
