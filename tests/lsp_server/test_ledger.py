"""What is remembered of answers: fates, figures, the journal and the trace; and never a document's words."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.verdict import Action, Verdict
from truepenny.lsp_server.editor.convert import Position
from truepenny.lsp_server.editor.documents import Documents
from truepenny.lsp_server.editor.inline import Answer, InlineParams, Replacement, ask
from truepenny.lsp_server.editor.protocol import make_converter
from truepenny.lsp_server.ledger import journal as journal_module
from truepenny.lsp_server.ledger.afterlife import KEPT_AFTER_S, Later, num_points, share_kept
from truepenny.lsp_server.ledger.journal import (
    Journal,
    Record,
    public_reason,
    read_journal,
    without_names,
)
from truepenny.lsp_server.ledger.ledger import Ledger
from truepenny.lsp_server.ledger.outcomes import Outcome, Stage, setting_in
from truepenny.lsp_server.ledger.redaction import redacted
from truepenny.lsp_server.ledger.stats import as_json, percentile
from truepenny.lsp_server.ledger.timing import Span
from truepenny.lsp_server.ledger.trace import public_settings
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Trigger

URI = "file:///home/me/invoice_totals.py"
SECRET = "def zq_invoice_total(qzCustomer):\n    return qzCustomer.zebraBalance + 4711\n"
TIMES = Span("request", 0, 20, (Span("gate", 0, 1), Span("engine", 1, 18, (Span("decode", 2, 16),))))


class Desk:
    """A ledger, its document, and a clock that is turned by hand."""

    def __init__(self, text: str = SECRET, journal: Journal | None = None) -> None:
        self.documents = Documents()
        self.documents.open(URI, "python", 1, text)
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.ledger = Ledger(self.documents, lambda path: "hash of a name", journal, self._later)
        self._num = 0

    def _later(self) -> Later:
        return lambda after_s, look: self.later.append((after_s, look))

    def answer(
        self, suggested: str = "", reason: str = "", stage: Stage = "", typed: int = 0, **more: Any
    ) -> str:
        """An answer at the document's end, replacing `typed` characters; its id."""
        self._num += 1
        document = self.documents.get(URI)
        assert document is not None
        end = len(document.text)
        position = document.index.position(end, "utf-16")
        params = InlineParams(URI, position, Trigger.AUTOMATIC, None, None, document)
        outcome = Outcome(
            f"completion-{self._num}",
            1,
            shown=bool(suggested),
            reason=reason,
            stage=stage,
            setting=setting_in(reason),
            language="python",
            num_chars=len(suggested),
            timing=TIMES,
            **more,
        )
        placed = Replacement(end - typed, end, suggested) if suggested else None
        self.ledger.answered(URI, Answer(outcome, ask(params, document, "auto", "utf-16"), placed))
        return outcome.id

    def edit(self, text: str) -> None:
        self.documents.open(URI, "python", 2, text)
        self.ledger.edited(URI)

    def record(self, id_: str) -> Record:
        return self.ledger._records[id_]


@pytest.mark.parametrize(
    ("lengths", "fate", "num_chars"),
    [
        ([], "answered", 0),
        ([4], "partially_accepted", 3),
        ([4, 7], "partially_accepted", 5),
        ([7, 4], "partially_accepted", 5),
        ([4, 8], "accepted", 6),
        ([4, None], "accepted", 6),
        ([None, 4], "accepted", 6),
        ([99], "accepted", 6),
        ([0], "answered", 0),
    ],
)
def test_how_far_it_was_accepted_is_counted_in_characters_not_typed(
    lengths: list[int | None], fate: str, num_chars: int
) -> None:
    """Lengths count UTF-16 units from the item's start, what was typed included; they only grow."""
    desk = Desk()
    id_ = desk.answer("ab+c😋ef", typed=1)  # 7 characters, 8 units, one of them typed
    for length in lengths:
        desk.ledger.taken(id_, length)

    record = desk.record(id_)
    assert (record.fate, record.accepted_chars) == (fate, num_chars)
    (outcome,) = desk.ledger.outcomes.of(URI)
    assert outcome.fate == fate
    assert outcome.accepted_length == max((length or 0 for length in lengths), default=0)


@pytest.mark.parametrize(("units", "points"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (9, 3), (-1, 0)])
def test_half_a_character_is_not_accepted(units: int, points: int) -> None:
    """`a😋b`: the face is two units."""
    assert num_points("a😋b", units) == points


def test_what_is_displayed_lasts_until_something_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit, an acceptance or a newer answer takes it away."""
    now = 100.0
    monkeypatch.setattr("truepenny.lsp_server.ledger.afterlife.time.monotonic", lambda: now)
    desk = Desk()
    shown = []
    for step, ms in (("edit", 800), ("accept", 300), ("answer", 750)):
        id_ = desk.answer("text")
        desk.ledger.shown(id_)
        now += ms / 1000
        if step == "edit":
            desk.ledger.edited(URI)
        elif step == "accept":
            desk.ledger.taken(id_)
        else:
            desk.answer("newer")
        shown.append(desk.record(id_).displayed_ms)

    assert shown == pytest.approx([800, 300, 750])
    assert desk.ledger.stats().num_seen == 3  # the second was accepted: it must have been seen


@pytest.mark.parametrize(
    ("after", "share"),
    [
        (SECRET + "total = first + second\n", 1.0),
        ("# above\n" * 500 + SECRET + "total = first + second\n", 1.0),
        (SECRET + "total  =  first+second\n", 1.0),
        (SECRET + "total = first + third\n", 0.8),
        (SECRET, 0.2),  # its plus
        ("nothing", 0.0),
    ],
)
def test_what_is_still_there_is_looked_for_where_it_was(after: str, share: float) -> None:
    """At 30 s, 2 and 10 min, as a share of tokens, whatever was written above it meanwhile."""
    desk = Desk()
    id_ = desk.answer("total = first + second")
    desk.ledger.taken(id_)
    desk.edit(after)
    for _, look in desk.later:
        look()

    assert [after_s for after_s, _ in desk.later] == list(KEPT_AFTER_S)
    for value in desk.record(id_).kept.values():
        assert value == pytest.approx(share)
    num_kept = len(KEPT_AFTER_S) if share >= 0.5 else 0
    assert sum(kept.num_kept for kept in desk.ledger.stats().kept) == num_kept


def test_a_closed_document_is_neither_kept_nor_lost() -> None:
    """What cannot be known is not counted."""
    desk = Desk()
    id_ = desk.answer("text")
    desk.ledger.taken(id_)
    desk.documents.close(URI)
    for _, look in desk.later:
        look()

    assert desk.record(id_).kept == {}
    assert [kept.num_known for kept in desk.ledger.stats().kept] == [0, 0, 0]


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_a_share_kept_agrees_with_trying_every_part(text: list[str], window: list[str]) -> None:
    """Against the plain edit distance to each stretch of the window."""

    def distance(one: list[str], other: list[str]) -> int:
        if not one or not other:
            return len(one) + len(other)
        swap = distance(one[1:], other[1:]) + (one[0] != other[0])
        return min(swap, distance(one[1:], other) + 1, distance(one, other[1:]) + 1) if swap else 0

    text, window = text[:4], window[:5]
    parts = [window[low:high] for low in range(len(window) + 1) for high in range(low, len(window) + 1)]
    expected = 1 - min(distance(text, part) for part in parts) / len(text) if text else 1.0

    assert share_kept(" ".join(text), " ".join(window)) == pytest.approx(expected)


def test_figures_are_summed_up_by_language() -> None:
    """Counts, shares, percentiles, and each reason with its number."""
    desk = Desk()
    for _ in range(3):
        desk.answer("text", prompt_tokens=100, reused_tokens=90)
    desk.ledger.taken("completion-1")
    desk.ledger.taken("completion-2", 2)
    desk.answer(reason="asked about version 3, and version 4 is open", stage="session")
    desk.answer(reason="asked about version 5, and version 6 is open", stage="session")
    stats = desk.ledger.stats()
    document = json.loads(json.dumps(as_json(stats)))

    assert (stats.num_asked, stats.num_shown, stats.num_accepted, stats.num_partially_accepted) == (
        5,
        3,
        1,
        1,
    )
    assert stats.num_chars_accepted == 4 + 2
    assert [(silence.num, silence.reason) for silence in stats.silences] == [
        (2, "asked about version N, and version N is open")
    ]
    assert {one.stage: one.p95_ms for one in stats.latencies} == {
        "total": 20,
        "gate": 1,
        "engine": 18,
        "decode": 16,
    }
    assert document["reused_share"] == 0.9
    assert [part["language"] for part in document["languages"]] == ["python"]


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=30), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], rank: int) -> None:
    """Nearest rank: no value is made up."""
    found = percentile(values, rank)

    assert found in values
    assert sum(value <= found for value in values) >= rank / 100 * len(values)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("there is code after the cursor on this line", "there is code after the cursor on this line"),
        ("no whole line was ready (setting completion.time_cap_ms)", None),
        ("internal error, see the log: KeyError('customer')", "internal error, see the log"),
        ("'qzCustomer' is not defined", "… is not defined"),
        ("qzCustomer.zebraBalance is unknown", "… is unknown"),
        ("the file /home/me/secret.py is sensitive", "the file … is sensitive"),
        ("its name matches `*.pem`", "its name matches …"),
        ("confidence 0.31 is below 0.5 (setting completion.min_confidence)", "confidence 0.31 is below 0.5"),
        ("suggestions are off for c++ and C#", "suggestions are off for c++ and …"),
    ],
)
def test_a_reason_keeps_its_words_and_loses_its_names(reason: str, expected: str | None) -> None:
    """What is quoted, a path or an identifier may come from a document; settings' names are ours."""
    assert without_names(reason).startswith(reason if expected is None else expected)


def test_of_a_finding_only_the_rule_is_kept() -> None:
    """Its evidence may repeat the suggestion."""
    verdict = Verdict("grounding", Action.WITHHOLD, "unknown-name", 0, 1, "there is no zebra balance")
    outcome = Outcome(
        "1", 1, shown=False, reason="there is no zebra balance", stage="guard", verdicts=(verdict,)
    )

    assert public_reason(outcome) == "the guard withheld it (grounding: unknown-name)"


def test_the_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """By the next process, for this user alone; half a line is passed over."""
    journal = Journal(tmp_path / "j")
    desk = Desk(journal=journal)
    id_ = desk.answer("text")
    desk.ledger.taken(id_)
    desk.answer(reason="the cursor is inside a word", stage="gate")
    desk.ledger.close()
    path = tmp_path / "j" / "journal.jsonl"
    with path.open("a") as file:
        file.write('{"session": "x", "id"\n[]\n{"session":"a","id":"b","changed":{"fate":"accepted"}}\n')

    records = read_journal(tmp_path / "j")

    assert records == list(desk.ledger._records.values())
    assert [record.fate for record in records] == ["accepted", "answered"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_journal_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of a bounded size; the newest records are always there."""
    monkeypatch.setattr(journal_module, "MAX_BYTES", 4000)
    desk = Desk(journal=Journal(tmp_path))
    for _ in range(60):
        desk.answer("text")
    desk.ledger.close()

    sizes = [path.stat().st_size for path in tmp_path.glob("*.jsonl")]
    assert len(sizes) == 2
    assert max(sizes) < 6000
    assert read_journal(tmp_path)[-1].id == "completion-60"


def test_switched_off_nothing_is_written(tmp_path: Path) -> None:
    """By setting; what is in memory answers the editor still."""
    desk = Desk(journal=Journal(tmp_path))
    desk.ledger.keeps_journal = False
    desk.ledger.taken(desk.answer("text"))
    desk.ledger.close()

    assert list(tmp_path.iterdir()) == []
    assert desk.ledger.stats().num_accepted == 1


def test_a_journal_that_cannot_be_written_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full or read-only disk is one line in the log."""
    (tmp_path / "file").write_text("in the way")
    desk = Desk(journal=Journal(tmp_path / "file"))
    for _ in range(3):
        desk.answer("text")
    desk.ledger.close()

    assert [record.levelname for record in caplog.records] == ["WARNING"]


identifiers = st.text(string.ascii_letters + "_éß漢", min_size=3, max_size=12).map(lambda word: f"Zq{word}Q")


@given(st.lists(identifiers, min_size=1, max_size=6), st.data())
def test_no_identifier_of_a_document_is_in_the_trace_or_the_journal(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], data: st.DataObject
) -> None:
    """Whatever document, suggestion, reason and settings say: it may be attached to a report."""
    folder = tmp_path_factory.mktemp("trace")
    joints = st.sampled_from([" = ", ".", "(", "):\r\n\t", "\n", " '", "🙂", "{", " + 17\n"])
    text = "".join(word + data.draw(joints) for word in words)
    desk = Desk(text, Journal(folder))
    desk.answer("".join(words))
    desk.answer(reason=f"{words[0]} is odd, '{' '.join(words)}' too", stage="trim")
    settings = public_settings(Settings(engine=f"https://{words[0]}.example", engine_api_key_env=words[0]))

    path = desk.ledger.trace.write(folder, "utf-16", settings, make_converter().unstructure)
    desk.ledger.close()

    written = path.read_text() + (folder / "journal.jsonl").read_text()
    plain = json.dumps(json.loads(path.read_text()), ensure_ascii=False) + written
    assert not [word for word in words if word in plain or word.lower() in plain.lower()]
    assert "invoice_totals" not in plain
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.text())
def test_redaction_keeps_the_shape_of_a_text(text: str) -> None:
    """Lengths in every encoding, line ends, white space and ASCII punctuation; no letter or digit."""
    text = text.encode("utf-8", "replace").decode()
    shape = redacted(text)

    for codec in ("utf-8", "utf-16-le", "utf-32-le"):
        assert len(shape.encode(codec)) == len(text.encode(codec))
    assert [c for c in shape if c in string.whitespace + string.punctuation] == [
        c for c in text if c in string.whitespace + string.punctuation
    ]
    assert not re.search(r"[^\W\dxXé漢_]|[1-9]", shape)


def test_a_trace_has_what_a_report_needs(tmp_path: Path) -> None:
    """The timing tree, the figures, where the cursor was; and only the last five files are kept."""
    desk = Desk()
    desk.answer("    return 1", prompt_tokens=7)
    paths = [
        desk.ledger.trace.write(tmp_path, "utf-8", {"engine": "local"}, make_converter().unstructure)
        for _ in range(7)
    ]
    document = json.loads(paths[-1].read_text())
    (request,) = document["requests"]

    assert len(list(tmp_path.iterdir())) == 5
    assert request["before"].splitlines()[0] == "xxx xx_xxxxxxx_xxxxx(xxXxxxxxxx):"
    assert request["placed"]["text"] == "    xxxxxx 0"
    assert request["timing"]["parts"][1]["parts"][0]["name"] == "decode"
    assert request["record"]["prompt_tokens"] == 7


def test_over_the_wire_why_stats_and_trace_agree(client: Any, tmp_path: Path) -> None:
    """One request, seen from each of them."""
    client.open("file:///w.py", "x quiet")
    shown = client.inline("file:///w.py", 0, 1)["items"][0]
    client.notify("textDocument/didShowCompletion", {"item": shown})
    client.notify("textDocument/didPartiallyAcceptCompletion", {"item": shown, "acceptedLength": 3})
    silent = client.inline("file:///w.py", 0, 7)["truepenny"]
    outcomes = client.ask("truepenny/why", {"textDocument": {"uri": "file:///w.py"}})
    stats = client.ask("truepenny/stats", None)
    refused = client.answer(client.request("truepenny/trace", {}))

    assert [(outcome["fate"], outcome["accepted_length"]) for outcome in outcomes[:2]] == [
        ("answered", 0),
        ("partially_accepted", 3),
    ]
    assert silent["stage"] == "session"
    assert silent["timing"]["name"] == "request"
    assert (stats["num_asked"], stats["num_partially_accepted"], stats["num_chars_accepted"]) == (2, 1, 3)
    assert stats["silences"] == [{"reason": "scripted silence", "stage": "session", "num": 1}]
    assert "no folder" in refused["error"]["message"]


def test_time_is_told_of_the_loop_when_there_is_one() -> None:
    """The default clock is that of the running loop."""

    async def accept() -> None:
        documents = Documents()
        documents.open(URI, "python", 1, "x")
        ledger = Ledger(documents, str)
        document = documents.get(URI)
        assert document is not None
        params = InlineParams(URI, Position(0, 1), Trigger.AUTOMATIC, None, None, document)
        made = Outcome("completion-1", 1, shown=True, reason="")
        ledger.answered(URI, Answer(made, ask(params, document, "auto", "utf-8"), Replacement(1, 1, "y")))
        ledger.taken("completion-1")
        assert ledger.stats().num_accepted == 1

    asyncio.run(accept())
