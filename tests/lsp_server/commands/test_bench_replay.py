"""`truepenny bench replay`: the real server, an engine without weights, and a peer of a few lines."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from truepenny.lsp_server.commands import bench

TYPED = "def add(a, b):\n    return a + b\n"
START = "import os\n\n\n"


class PeerHandler(BaseHTTPRequestHandler):
    """Answers as llama-server does, with the same few words."""

    def do_GET(self) -> None:
        self._answer({"status": "ok"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/infill"
        timings = {"timings/prompt_n": 2, "timings/prompt_ms": 1.0, "timings/predicted_n": 3}
        self._answer(
            {"content": "" if body["n_predict"] == 0 else "peer", "tokens_evaluated": 40, **timings}
            | {"timings/predicted_ms": 1.5}
        )

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # base names them
        """Silent."""

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def peer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), PeerHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person types a function; the cache folder is the test's."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    txns = [
        {"time": f"2020-01-01T00:00:{nth // 10:02}.{nth % 10}00Z", "patches": [[len(START) + nth, 0, key]]}
        for nth, key in enumerate(TYPED)
    ]
    path = tmp_path / "add.json"
    path.write_text(json.dumps({"startContent": START, "endContent": START + TYPED, "txns": txns}))
    return path


def invoke(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench", "replay", *words])
    return args.run(args)


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


FAKE = ("--set", "engine=fake", "--as", "add.py", "--pace", "2")


def test_a_session_beside_a_peer_answers_every_request(
    trace: Path, peer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it: server process, engine process, both sides in turns, figures and picture."""
    plot = tmp_path / "waits.svg"
    words = (*FAKE, "--segment", "8", "--peer", peer, "--plot", str(plot), "--json")
    assert invoke(str(trace), *words) == 0
    found = document(capsys)
    assert found["peer"]["address"] == peer
    assert found["requests"] == found["answered"] == sum(one["ours"]["requests"] for one in found["sessions"])
    assert {"shown", "cancelled", "cache_hits", "tokens_reused", "tokens_computed"} <= found.keys()
    assert found["peer"].keys() - {"address"} <= found.keys()
    assert found["options"]["engine"] == "fake"
    (session,) = found["sessions"]
    assert (session["name"], session["keystrokes"]) == ("add", len(TYPED))
    for side in (session["ours"], session["peer"]):
        assert side["keystrokes"] == len(TYPED)
        assert (side["by_kind"]["unanswered"], side["by_kind"]["failed"]) == (0, 0)
        assert sum(side["by_kind"].values()) == side["requests"]
    assert session["ours"]["requests"] == len(TYPED)
    assert session["ours"]["by_kind"]["model"] > 0
    assert session["ours"]["reused_share"] > 0.5
    assert {"context", "prefill", "decode", "guard", "queue"} <= session["ours"]["stage_ms"].keys()
    assert session["peer"]["completion_tokens"]["p50"] == 3
    comparison = session["comparison"]
    assert comparison["compared"] + sum(comparison["left_out"].values()) == len(TYPED)
    assert comparison["ratio_p50"] > 0
    assert plot.read_text().startswith("<svg")


def test_without_a_peer_people_get_a_table(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A part of the trace; progress is not in the result."""
    assert invoke(str(trace), *FAKE, "--start", "15", "--keystrokes", "6") == 0
    output = capsys.readouterr()
    assert "add: 6 keystrokes from 15" in output.out
    assert "llama-server" not in output.out
    assert "6 of 6 keystrokes" in output.err
    assert "bench:" not in output.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "engine"), "write KEY=VALUE"),
        (("--set", "completion.max_tokens=no"), "completion.max_tokens"),
        (("--set", "engin=fake"), "did you mean 'engine'"),
        (("--set", "engine=fake", "--set", "engine.x=1"), "give each key once"),
        (("--segment", "0"), "--segment 0"),
        (("--keystrokes", "0"), "--keystrokes 0"),
        (("--max-gap", "0"), "must be above 0"),
        (("--plot", "nowhere/a.svg"), "no such folder"),
        (("--peer", "http://127.0.0.1:9"), "no llama-server is ready there"),
        (("--peer", "nonsense"), "--peer nonsense"),
    ],
)
def test_a_mistake_names_itself(
    trace: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    """Exit 2, one sentence, before anything is measured."""
    assert invoke(str(trace), "--as", "add.py", *words) == 2
    assert says in capsys.readouterr().err


def test_an_engine_that_does_not_start_is_told(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that has not been pulled: its name and the command."""
    assert invoke(str(trace), "--as", "add.py") == 2
    assert "truepenny pull" in capsys.readouterr().err
