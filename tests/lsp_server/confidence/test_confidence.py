"""From how sure the model was to a probability, to whether it is shown, and what is learned from it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.confidence import Facts, of
from truepenny.lsp_server.confidence.estimate import WEIGHTS
from truepenny.lsp_server.confidence.facts import NAMES, NUM_LOGPROBS, values
from truepenny.lsp_server.confidence.history import HALF_LIFE, MAX_SHIFT, History, Tally
from truepenny.lsp_server.confidence.showing import AUTO_THRESHOLD, Judge

logprobs = st.lists(st.floats(-50, 0), min_size=1, max_size=60).map(tuple)
facts = st.builds(
    Facts,
    logprobs,
    num_lines=st.integers(0, 100),
    language=st.sampled_from(["python", "go", "cobol", ""]),
    is_cut=st.booleans(),
    num_findings=st.integers(0, 50),
)
DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 20_000 * DAY

    def __call__(self) -> float:
        return self.now_s


# -- the estimate ------------------------------------------------------------------------------------


@given(facts, st.floats(-20, 20))
def test_it_is_a_probability(some, shift):
    """Whatever the facts, and however it is moved."""
    confidence = of(some, shift)
    assert 0 <= confidence.probability <= 1
    assert confidence.because


@given(facts, st.data())
def test_a_surer_model_is_never_trusted_less(some, data):
    """Raising the probability of any token, or of all."""
    raised = tuple(
        min(0.0, logprob + data.draw(st.sampled_from([0.0, 0.1, 2.0]))) for logprob in some.logprobs
    )
    surer = Facts(raised, some.num_lines, some.language, some.is_cut, some.num_findings)
    assert of(surer).probability >= of(some).probability - 1e-12


def test_it_tells_the_sure_from_the_unsure():
    """By enough to act on."""
    sure, unsure = Facts((-0.01,) * 8, language="python"), Facts((-2.5,) * 8, language="python")
    assert of(sure).probability > 0.6
    assert of(unsure).probability < 0.2
    assert of(sure).probability > of(unsure).probability + 0.4


def test_every_value_has_a_weight():
    """And the three that tell how sure the model was never count against it."""
    assert tuple(WEIGHTS) == NAMES
    assert len(values(Facts((-1.0,)))) == len(NAMES)
    assert all(WEIGHTS[name] >= 0 for name in NAMES[:NUM_LOGPROBS])


@pytest.mark.parametrize(
    ("some", "said"),
    [
        (Facts((-0.5,)), "one token 61%"),
        (Facts((-0.5, -0.5)), "its 2 tokens 61% each"),
        (Facts((-0.5, -0.5), num_lines=3), "its 2 tokens in 3 lines 61% each"),
        (Facts((-0.5,), is_cut=True), "cut short"),
    ],
)
def test_it_says_what_it_rests_on(some, said):
    """In words, for `truepenny why`."""
    assert said in of(some).because


# -- the threshold -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threshold", "logprob", "shown"),
    [(0.0, -50.0, True), (1.0, -0.0001, False), ("auto", -0.0001, True), ("auto", -50.0, False)],
)
def test_what_is_shown(threshold, logprob, shown):
    """0 shows everything; silence has both figures and the setting's name."""
    judge = Judge(threshold, History(None))
    confidence = judge.of(Facts((logprob,) * 3, language="python"))
    silence = judge.silence(confidence)
    assert (silence == "") == shown
    if silence:
        assert "setting completion.min_confidence" in silence
        assert f"{100 * confidence.probability:.1f} %".replace(".0 %", " %") in silence
        figure = AUTO_THRESHOLD if threshold == "auto" else threshold
        assert f"from {100 * figure:.1f} %".replace(".0 %", " %") in silence


def test_a_threshold_of_ones_own_is_not_moved_by_habits():
    """The figure a person set keeps its meaning; `auto` learns."""
    history = History(None)
    some = Facts((-0.7,) * 4, language="python")
    own, auto = Judge(0.4, history), Judge("auto", history)
    before = own.of(some).probability
    for _ in range(40):
        auto.learn(some, accepted=False)
    assert own.of(some).probability == before
    assert auto.of(some).probability < before
    assert "you accept 0% of the last" in auto.of(some).because


# -- what is learned ---------------------------------------------------------------------------------


def test_it_learns_in_both_directions_and_by_language():
    """Somebody who takes more than expected sees more; of other languages nothing is known from it."""
    history = History(None, Clock())
    for _ in range(60):
        history.learn("python", 0.5, accepted=True)
        history.learn("go", 0.5, accepted=False)
    assert history.shift("python") == pytest.approx(MAX_SHIFT)
    assert history.shift("java") == history.shift("go") == pytest.approx(-MAX_SHIFT)  # one group
    assert history.shift("cobol") == 0
    assert (history.told("python").split("%")[0], history.told("cobol")) == ("you accept 100", "")


def test_what_happens_as_expected_moves_nothing():
    """Of every ten shown with 30 %, three are accepted."""
    history = History(None, Clock())
    for number in range(200):
        history.learn("python", 0.3, accepted=number % 10 in (0, 3, 6))
    assert abs(history.shift("python")) < 0.2
    assert history.told("python").startswith(("you accept 29%", "you accept 30%", "you accept 31%"))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=80), st.floats(0, 1))
def test_the_shift_is_bounded_and_forgets(events, probability):
    """Nothing that happened long ago, in suggestions or in days, still counts."""
    clock = Clock()
    tally = Tally()
    for given_with, accepted in events:
        tally = tally.after(given_with, accepted=accepted, day=clock() / DAY)
        assert abs(tally.shift) <= MAX_SHIFT
        assert tally.accepted <= tally.shown <= 1 / (1 - 0.5 ** (1 / HALF_LIFE)) + 1
    for _ in range(20 * HALF_LIFE if len(events) < 3 else 0):
        tally = tally.after(probability, accepted=probability > 0.5, day=clock() / DAY)
    later = tally.faded(clock() / DAY + 3000)
    assert abs(later.shift) < 1e-6
    assert math.isclose(later.shown, 0, abs_tol=1e-6)


def test_a_changed_mind_counts_within_two_half_lives():
    """A month of rejections is undone by two hundred acceptances."""
    history = History(None, Clock())
    for _ in range(500):
        history.learn("python", 0.5, accepted=False)
    low = history.shift("python")
    for _ in range(2 * HALF_LIFE):
        history.learn("python", 0.5, accepted=True)
    assert low < 0 < history.shift("python")


@given(st.floats(-30, -1e-6))
def test_nobody_silences_it_for_good(logprob):
    """After a thousand rejections the surest suggestions are still shown, so that there is more to learn."""
    judge = Judge("auto", History(None))
    history = judge.history
    for _ in range(30):
        history.learn("python", 0.9, accepted=False)
    assert judge.silence(judge.of(Facts((-1e-6,) * 4, language="python"))) == ""
    surest, other = Facts((-1e-6,) * 4, language="python"), Facts((logprob,) * 4, language="python")
    assert judge.of(other).probability <= judge.of(surest).probability


def test_windows_share_what_they_learn(tmp_path):
    """Each adds to the file; both know all of it with their next suggestion."""
    file = tmp_path / "cache" / "acceptance.json"
    one, other = History(file, Clock()), History(file, Clock())
    for _ in range(10):
        one.learn("python", 0.5, accepted=True)
        other.learn("python", 0.5, accepted=True)
    assert History(file, Clock()).told("python").endswith(("19 like it", "20 like it"))
    assert other.told("python") == History(file, Clock()).told("python")


def test_the_file_holds_numbers_and_does_not_grow(tmp_path):
    """No text, no names of files, nothing about when but a day."""
    file = tmp_path / "acceptance.json"
    history = History(file, Clock())
    sizes = []
    for number in range(120):
        history.learn(f"language-{number}", 0.5, accepted=bool(number % 2))
        history.learn("python", 0.5, accepted=bool(number % 2))
        history.learn("go", 0.5, accepted=bool(number % 2))
        sizes.append(file.stat().st_size)
    assert max(sizes) < 1000
    groups = json.loads(file.read_text())["groups"]
    assert groups.keys() == {"python", "braces", "others"}
    assert all(type(n) is float for tally in groups.values() for n in tally.values())
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["acceptance.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"groups": []}',
        '{"groups": {"python": 3}}',
        '{"groups": {"python": {"shown": 1}}}',
        '{"groups": {"python": {"shown": 1, "accepted": 9, "expected": 0, "spread": 0, "day": 0}}}',
        '{"groups": {"python": {"shown": 1e999, "accepted": 0, "expected": 0, "spread": 0, "day": 0}}}',
        '{"groups": {"python": {"shown": -1, "accepted": -1, "expected": 0, "spread": 0, "day": 0}}}',
        "\x00\xff",
    ],
)
def test_a_damaged_file_counts_for_nothing(tmp_path: Path, content):
    """It is written anew, and nobody notices."""
    file = tmp_path / "acceptance.json"
    file.write_bytes(content.encode("latin-1"))
    history = History(file, Clock())
    assert (history.shift("python"), history.told("python")) == (0, "")
    history.learn("python", 0.5, accepted=True)
    assert History(file, Clock()).shift("python") > 0


def test_what_cannot_be_written_is_not_lost_at_once(tmp_path, caplog):
    """A folder that is a file: the session goes on, and the log says so."""
    blocked = tmp_path / "cache"
    blocked.write_text("in the way")
    history = History(blocked / "acceptance.json", Clock())
    history.learn("python", 0.5, accepted=True)
    assert "cannot be kept" in caplog.text
    blocked.unlink()
    history.learn("python", 0.5, accepted=True)
    assert history._known()["python"].shown == pytest.approx(2, abs=0.01)
