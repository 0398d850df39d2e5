"""Planted secrets, and a real server that types among them: no part of one reaches an engine or a disk."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from truepenny.context.gather import Question, gather
from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.context.index.reader import Reader

PATIENCE_S = 120.0
DASHES = "-" * 5  # put together here, so that nobody's scanner of secrets takes this file for one
_PROGRAM = "from truepenny.lsp_server.cli import main; raise SystemExit(main())"


def secret(nth: int) -> str:
    """Of its own for each place, so that a leak tells where it comes from; looks like a word, on purpose."""
    return f"quagmire{chr(ord('a') + nth)}vexillum"


def pem(nth: int) -> str:
    body = "\n".join(f"{secret(nth)}{'MIIEowIBAAKCAQEAx7' * 3}" for _ in range(4))
    return f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}\n{body}\n{DASHES}END RSA PRIVATE KEY{DASHES}\n"


AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "Zk3vQ9xT7bW1nR5mY8cL2pD4"
STRIPE = "sk_live_" + "Hq8ZrT2vXw5Nc7Lb3Kd9"
SERVICE_ACCOUNT = {"type": "service_account", "private_key_id": secret(9), "private_key": pem(10)}

# Files that must not be read at all; then those that are ordinary but for what they hold.
CLOSED = {
    ".env": f"API_TOKEN={secret(0)}\n",
    ".env.local": f"API_TOKEN={secret(1)}\n",
    "id_rsa": pem(2),
    "deploy/server.pem": pem(3),
    ".npmrc": f"//registry.example.org/:_authToken={secret(4)}\n",
    ".netrc": f"machine example.org login me password {secret(5)}\n",
    "credentials.json": json.dumps({"password": secret(6)}),
    ".aws/credentials": f"[default]\naws_secret_access_key = {secret(7)}\n",
    "terraform.tfvars": f'db_password = "{secret(8)}"\n',
    "service-account.json": json.dumps(SERVICE_ACCOUNT),
    "signing.py": f'SIGNING_KEY = """{pem(11)}"""\n\n\ndef sign(rows: str) -> str: ...\n',
}
OPEN = {
    "settings.py": f'''"""Settings of the service."""

AWS_SECRET_ACCESS_KEY = "{AWS_SECRET}"
DATABASE_PASSWORD: str = "{secret(12)}"
BACKUP = "{STRIPE}"
DATABASE_URL = "postgres://tide:{secret(13)}@db.example.org/tide"
ENCODING = "utf-8"
HOME_PAGE = "https://example.org/tides"


class Settings:
    """All of them."""

    api_key = decoded("{secret(14)}")

    def connect(self, host: str = "localhost", password: str = "{secret(15)}") -> None:
        """Connects with {GITHUB}."""


class Guarded(Settings, token="{secret(16)}"):
    def watch(self) -> None: ...
''',
    "web/client.ts": f'export const apiToken = "{secret(17)}";\nexport function fetchTides(key = "x") {{}}\n',
    "store.py": "class Rows:\n    def find(self, key: str) -> str: ...\n",
}
SECRETS = [*(secret(nth) for nth in range(18)), AWS_SECRET, GITHUB, STRIPE, "MIIEowIBAAKCAQEAx7"]
MAIN = """import settings, signing
from settings import Settings, Guarded
from store import Rows


def tide(rows: Rows, some: Settings, guarded: Guarded):
    """
TYPED = [
    "rows.",
    "settings.",
    "some.",
    "guarded.",
    "signing.",
    "some.connect(",
    "password = DATABASE_PASSWORD, AWS_SECRET_ACCESS_KEY, DATABASE_URL, BACKUP, ",
    "apiToken, SIGNING_KEY, ENCODING, HOME_PAGE, ",
]


def parts(text: str, size: int = 6) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def check_tells_none(told: str) -> None:
    for one in SECRETS:
        leaked = [piece for piece in parts(one) if piece in told]
        assert not leaked, f"{leaked[0]!r} of {one!r} in {told!r}"


@dataclass
class Engine:
    """Speaks OpenAI's protocol, answers the same always, and keeps what it was asked."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        return [bytes(one if one < 256 else 124 for one in body["prompt"]).decode() for body in self.bodies]


@pytest.fixture
def engine() -> Iterator[Engine]:
    kept = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "prompt" in body:
                kept.bodies.append(body)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            choice = {"index": 0, "text": "pass\n", "finish_reason": "stop"}
            self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tide"
    (folder / ".git").mkdir(parents=True)
    for path, text in (CLOSED | OPEN | {"main.py": MAIN}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TRUEPENNY_RUNTIME", str(tmp_path / "runtime"))
    return folder


@pytest.fixture
def editor(root: Path, engine: Engine, start_client: Callable[..., Any]) -> Any:
    """A client of the real server, in that folder."""
    client = start_client([sys.executable, "-I", "-c", _PROGRAM, "serve"])
    options = {
        "engine": engine.url,
        "engine_prewarm": False,
        "completion": {"model": "fake"},
        "context": {"enabled": True, "tokens": 4000},
    }
    capabilities = {"general": {"positionEncodings": ["utf-8"]}}
    params = {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities}
    client.ask("initialize", params | {"initializationOptions": options})
    client.notify("initialized", {})
    return client


def ask(editor: Any, uri: str, text: str, version: int) -> Any:
    """The answer at the end of `text`, by key."""
    document = {"uri": uri, "version": version}
    editor.notify(
        "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text + "\n"}]}
    )
    line = text.count("\n")
    place = {"line": line, "character": len(text.rpartition("\n")[2].encode())}
    wanted = {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 1}}
    return editor.ask("textDocument/inlineCompletion", wanted)


def test_no_secret_reaches_an_engine_from_a_file_that_imports_it(
    root: Path, engine: Engine, editor: Any
) -> None:
    """While somebody types what asks for each of them; and what is harmless does come."""
    uri = (root / "main.py").as_uri()
    editor.open(uri, MAIN)
    version = 1
    deadline = time.monotonic() + PATIENCE_S
    while not any("store.py" in prompt for prompt in engine.prompts):
        assert time.monotonic() < deadline, engine.prompts[-1:]
        version += 1
        ask(editor, uri, MAIN + f"x = {version}\n    " * version + "rows.", version)
    for typed in TYPED * 2:
        version += 1
        ask(editor, uri, MAIN.replace("tide", f"tide_{version}") + typed, version)
    told = "\n".join(engine.prompts)
    assert "settings.py" in told
    assert 'password: str = "…"' in told
    for path in CLOSED:
        assert f"|{path}\n" not in told
    check_tells_none(told)


def test_in_a_file_of_secrets_nothing_is_asked(root: Path, engine: Engine, editor: Any) -> None:
    """By key or while typing: no request, and a reason."""
    for path, text in CLOSED.items():
        uri = (root / path).as_uri()
        editor.open(uri, text, "plaintext")
        assert ask(editor, uri, text + "x = ", 2)["items"] == [], path
        outcome = editor.ask("truepenny/why", {"textDocument": {"uri": uri}})[-1]
        assert "key" in outcome["reason"], path
    editor.stop()
    assert engine.bodies == []


@pytest.mark.parametrize("typed", TYPED)
def test_no_secret_is_told_however_much_is_told(root: Path, tmp_path: Path, typed: str) -> None:
    """With all the time and room there is."""
    location = locate(root, tmp_path / "cache")
    run_build(location)
    reader = Reader(location)
    text = MAIN + typed
    question = Question("main.py", text, len(text), "python")
    try:
        gathered = gather(question, reader, budget_tokens=16_000, count=len, deadline_s=PATIENCE_S)
    finally:
        reader.close()
    assert gathered.is_complete
    check_tells_none(repr(gathered))


def test_what_must_not_be_read_is_nowhere_in_the_index(root: Path, tmp_path: Path) -> None:
    """The raw bytes of the database and its logs are searched."""
    location = locate(root, tmp_path / "cache")
    run_build(location)
    stored = b"".join(one.read_bytes() for one in (tmp_path / "cache").rglob("*") if one.is_file())
    assert b"connect" in stored
    for nth in range(12):
        for piece in parts(secret(nth), len(secret(nth)) - 2):
            assert piece.encode() not in stored
    assert b"MIIEowIBAAKCAQEAx7" not in stored
    reader = Reader(location)
    try:
        refused = {one.path for one in reader.refused() if one.reason == "sensitive"}
        assert {one.path for one in reader.files()} == {*OPEN, "main.py"}
    finally:
        reader.close()
    assert refused == set(CLOSED)
