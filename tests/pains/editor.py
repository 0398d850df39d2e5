"""An editor at the real server, with a fake model: types, asks, and asks why."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..lsp_server.conftest import RawClient, end  # noqa: TID252  (tests are no installed package)

_PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"
AUTOMATIC, INVOKED = 2, 1


class Editor:
    """One server process, and the documents open in it.  `|` marks the cursor in texts."""

    def __init__(self, client: RawClient, environment: dict[str, str]) -> None:
        self.client = client
        self._environment = environment
        self._versions: dict[str, int] = {}

    def ask(
        self, marked: str, *, path: str = "/ws/a.py", language: str = "python", trigger: int = AUTOMATIC
    ) -> list[str]:
        """Open the document, or replace its text, and ask at the mark.  The texts of the items."""
        offset = marked.index("|")
        text = marked[:offset] + marked[offset + 1 :]
        uri = path if ":" in path else f"file://{path}"
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if version == 1:
            self.client.open(uri, text, language, version)
        else:
            self._change(uri, version, [{"text": text}])
        before = text[:offset]
        return self.ask_at(uri, before.count("\n"), len(before) - (before.rfind("\n") + 1), trigger=trigger)

    def ask_at(self, uri: str, line: int, character: int, *, trigger: int = AUTOMATIC) -> list[str]:
        params = {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": trigger},
        }
        result = self.client.ask("textDocument/inlineCompletion", params)
        return [item["insertText"] for item in result["items"]]

    def change(self, uri: str, *changes: tuple[int, int, int, str]) -> None:
        """In each `line`, `[start, end)` becomes a text, one after another in one message."""
        self._versions[uri] += 1
        edits = [
            {
                "range": {
                    "start": {"line": line, "character": start},
                    "end": {"line": line, "character": stop},
                },
                "text": text,
            }
            for line, start, stop, text in changes
        ]
        self._change(uri, self._versions[uri], edits)

    def why(self, path: str = "/ws/a.py") -> dict[str, Any]:
        """What became of the last request about the document."""
        uri = path if ":" in path else f"file://{path}"
        return self.client.ask("truepenny/why", {"textDocument": {"uri": uri}})[0]

    def engine_status(self) -> dict[str, Any]:
        """What the engine tells about itself."""
        return self.command("engine", "status", "--model", "fake", "--json")

    def command(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """What `truepenny …` prints as JSON, beside this editor's server."""
        command = [sys.executable, "-I", "-c", _PROGRAM, *arguments]
        told = subprocess.run(command, env=self._environment, capture_output=True, timeout=60, check=False)
        assert told.returncode in codes, told.stderr.decode()
        return json.loads(told.stdout.splitlines()[-1])

    def _change(self, uri: str, version: int, changes: Sequence[object]) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        self.client.notify("textDocument/didChange", params)


@contextlib.contextmanager
def editor(
    settings: dict[str, Any] | None = None,
    *,
    replies: Sequence[tuple[str, str]] = (),
    otherwise: str = "answer()\n",
    engine: str = "fake",
    cache: Path | None = None,
    delay_ms: float = 0.0,
) -> Iterator[Editor]:
    """A server of its own, whose model writes `otherwise` but after what `replies` say.

    A pass of the model takes `delay_ms`.
    """
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        script = Path(folder) / "script.json"
        written = {"replies": list(replies), "otherwise": otherwise, "delay_ms": delay_ms}
        script.write_text(json.dumps(written), "utf-8")
        environment = {
            **os.environ,
            "TRUEPENNY_RUNTIME": str(Path(folder) / "r"),
            "TRUEPENNY_CACHE": str(cache or Path(folder) / "c"),
            "TRUEPENNY_FAKE_SCRIPT": str(script),
        }
        command = [sys.executable, "-I", "-c", _PROGRAM]
        client = RawClient([*command, "serve", "--engine", engine], env=environment)
        try:
            client.initialize(settings)
            yield Editor(client, environment)
            client.stop()
        finally:
            end(client)
            if engine == "fake":
                stop = [*command, "engine", "stop", "--model", "fake"]
                subprocess.run(stop, env=environment, capture_output=True, timeout=60, check=False)
