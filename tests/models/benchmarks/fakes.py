"""What the benchmark's tests measure: models where time passes, and a llama-server of a few lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truepenny.models.language_model import Span, never
from truepenny.models.testing import FakeModel


class Machine:
    """Where time passes only in models; `calls` says who was asked for how many tokens at which length."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[str, int, int]] = []
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


class TimedModel(FakeModel):
    """Takes `seconds` for every call and a tenth of it for every token."""

    def __init__(self, machine: Machine, name: str, seconds: float) -> None:
        super().__init__()
        self.machine, self.name, self.seconds = machine, name, seconds

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        (span,) = spans
        self.machine.calls.append((self.name, len(span.ids), span.kv.length))
        self.machine.now += self.seconds * (1 + len(span.ids) / 10)
        return super().forward(spans, is_cancelled)


class Llama:
    """Answers as llama-server does, with `prefill` and `decode` tokens per second.

    `is_forgetful`: it computes a cold prompt from its cache all the same.
    """

    def __init__(self, name: str = "m-Q4_0.gguf", prefill: float = 100.0, decode: float = 20.0) -> None:
        self.props: dict[str, Any] = {
            "model_path": f"/somewhere/{name}",
            "default_generation_settings": {"n_ctx": 4096},
            "build_info": "b1",
            "model_ftype": "Q4_0",
        }
        self.meta: dict[str, Any] = {"n_params": 0, "size": 1000}
        self.prefill, self.decode = prefill, decode
        self.asked: list[dict[str, Any]] = []
        self.encode: Callable[[str], list[int]] = lambda text: list(text.encode())
        self.is_ready = True
        self.is_warm = False

    def get(self, path: str) -> dict[str, Any]:
        if path == "/props":
            return self.props
        return {"data": [{"id": "alias", "meta": self.meta}]} if path == "/v1/models" else {"status": "ok"}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/tokenize":
            return {"tokens": self.encode(body["content"])}
        assert path == "/completion"
        self.asked.append(body)
        count, is_warm = body["n_predict"], body["cache_prompt"] or self.is_warm
        return {
            "content": "x" * 2 * count,
            "timings": {
                "prompt_n": 1 if is_warm else len(body["prompt"]),
                "prompt_per_second": self.prefill,
                "predicted_n": count,
                "predicted_per_second": self.decode if count > 1 else 0.0,
            },
        }


@contextmanager
def serving(llama: Llama) -> Generator[str, None, None]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(llama.get(self.path))

        def do_POST(self) -> None:
            self._answer(
                llama.post(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            )

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # base names them
            """Silent."""

        def _answer(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200 if llama.is_ready else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
