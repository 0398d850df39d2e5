"""Traces in, edits out: nothing of what was recorded is lost, and what is damaged says so."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server.evaluation.replay.traces import Change, Edit, drawn_out, read_trace
from truepenny.models.errors import BenchmarkError

BENCH = Path(__file__).resolve().parents[5] / "shared" / "bench"
TEXTS = st.text(alphabet="ab(é😋\n\t", max_size=12)


def write(path: Path, value: object) -> Path:
    body = json.dumps(value).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


def recording(*changed: list[Any], content: str = "one\n") -> dict[str, Any]:
    """Of one file; each `changed` is `[milliseconds, [[start, end, text], …]]`."""
    return {
        "log": [
            {"kind": "header"},
            {"kind": "documentEncountered", "id": 7, "time": 0, "relativePath": "src\\a.py"},
            {"kind": "setContent", "id": 7, "time": 0, "content": content},
            {"kind": "selectionChanged", "id": 7, "time": 0, "selection": [[0, 0]]},
            *({"kind": "changed", "id": 7, "time": ms, "edit": edit} for ms, edit in changed),
        ]
    }


@pytest.mark.parametrize("name", ["rustcode", "sveltecomponent"])
def test_a_published_trace_ends_as_it_says(name: str) -> None:
    """The whole of it, replayed, gives the content it was published with."""
    path = BENCH / f"{name}.json.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository")
    trace = read_trace(path)
    assert trace.texts_after(len(trace.edits)) == [
        json.loads(gzip.decompress(path.read_bytes()))["endContent"]
    ]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), TEXTS), max_size=12), TEXTS)
def test_patches_count_in_the_text_the_last_one_left(
    tmp_path_factory: pytest.TempPathFactory, raw: list[tuple[int, int, str]], start: str
) -> None:
    """In code points, whatever the characters."""
    text, txns = start, []
    for position, deleted, inserted in raw:
        at = min(position, len(text))
        text = text[:at] + inserted + text[at + deleted :]
        txns.append({"time": "2020-01-01T00:00:00.000Z", "patches": [[at, deleted, inserted]]})
    path = tmp_path_factory.mktemp("trace") / "t.json"
    trace = read_trace(write(path, {"startContent": start, "endContent": text, "txns": txns}), "t.py")
    assert trace.texts_after(len(trace.edits)) == [text]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), TEXTS), max_size=8), TEXTS)
def test_typing_an_insertion_out_changes_nothing_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, raw: list[tuple[int, int, str]], start: str
) -> None:
    """A recording counts UTF-16 units, and merged insertions are typed letter by letter."""
    text, changed = start, []
    for nth, (position, deleted, inserted) in enumerate(raw):
        at, end = min(position, len(text)), min(position + deleted, len(text))
        units = [len(text[:offset].encode("utf-16-le")) // 2 for offset in (at, end)]
        changed.append([1000 * nth, [[*units, inserted]]])
        text = text[:at] + inserted + text[end:]
    path = tmp_path_factory.mktemp("trace") / "t.recording.w.json"
    trace = read_trace(write(path, recording(*changed, content=start)))
    assert trace.texts_after(len(trace.edits)) == [text]
    times = [edit.at_s for edit in trace.edits]
    assert times == sorted(times)


def test_the_edits_of_one_change_count_in_the_text_before_it(tmp_path: Path) -> None:
    """As VS Code reports a change at several cursors."""
    trace = read_trace(write(tmp_path / "t.json", recording([5, [[0, 1, "XX"], [2, 3, "Y\n"]]])))
    assert trace.texts_after(1) == ["XXnY\n\n"]
    assert trace.files[0].path == "src/a.py"


@pytest.mark.parametrize(
    ("seconds", "drawn"),
    [
        ([3, 3, 3, 3, 5], [3.125, 3.375, 3.625, 3.875, 5.5]),
        ([3, 3.5], [3, 3.5]),
        ([], []),
    ],
)
def test_whole_seconds_are_drawn_out(seconds: list[float], drawn: list[float]) -> None:
    """Else a person would type a second's letters at once; finer times stay as they are."""
    edits = [Edit(0, at_s, (Change(0, 0, "x"),)) for at_s in seconds]
    assert [edit.at_s for edit in drawn_out(edits)] == drawn


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("t.json", b"{}", "neither 'txns' nor 'log'"),
        ("t.json", b"[]", "a list, not an object"),
        ("t.json", b"not json", "not JSON"),
        ("t.json.gz", b"not gzip", "drop the .gz"),
        ("t.json", b'{"txns": [], "startContent": ""}', "--as main.py"),
        ("rustcode.json", b'{"txns": [{"time": "now"}], "startContent": ""}', "damaged"),
        ("t.json", json.dumps(recording([1, [[90, 91, ""]]])).encode(), "[90, 91)"),
        ("t.json", None, "cannot be read"),
    ],
)
def test_what_cannot_be_played_is_named(tmp_path: Path, name: str, body: bytes | None, says: str) -> None:
    """The path, what is wrong, and what to do."""
    path = tmp_path / name
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(BenchmarkError) as caught:
        read_trace(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
