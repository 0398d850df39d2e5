"""`truepenny packages` as a person types it, against an index on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from truepenny.guard.grounding.packages.refresh import configured_index
from truepenny.lsp_server.cli import main

NAMES = ["Ledger_Kit", "b.c", *(f"package-{nth}" for nth in range(5_000))]


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages = {
            "/simple/": (
                "application/vnd.pypi.simple.v1+json",
                json.dumps({"projects": [{"name": one} for one in NAMES]}),
            ),
            "/html/": ("text/html", "<html>" + "".join(f'<a href="/{one}/">{one}</a>\n' for one in NAMES)),
            "/empty/": ("text/html", "<html>hello</html>"),
            "/npm.json": ("application/json", json.dumps(["ledger-web", "@scope/kit", "not a name"])),
        }
        found = pages.get(self.path)
        body = (found[1] if found else "").encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", found[0] if found else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  (its name there)


@pytest.fixture
def index():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    status = main(["packages", *arguments, "--json"])
    told = capsys.readouterr()
    lines = told.out.splitlines()
    return status, json.loads(lines[-1]) if lines else {}, told.err


@pytest.mark.parametrize("page", ["simple", "simple/", "html/"])
def test_published_names_are_known_after_a_refresh(index: str, page: str, capsys):
    status, told, _ = run(capsys, "check", "ledger-kit", "package-4999")
    assert (status, [one["source"] for one in told["packages"]]) == (1, ["unknown", "unknown"])
    status, told, _ = run(capsys, "refresh", "--index", f"{index}/{page}")
    assert (status, told["names"]) == (0, len(NAMES))
    status, told, _ = run(capsys, "check", "ledger-kit", "package-4999", "B_C")
    assert (status, [one["source"] for one in told["packages"]]) == (0, ["published"] * 3)
    _, told, _ = run(capsys, "list")
    assert told["registries"]["pypi"]["published"]["names"] == len(NAMES)


@pytest.mark.parametrize("kind", ["address", "text", "json"])
def test_names_of_npm_come_from_where_the_user_says(index: str, kind: str, tmp_path: Path, capsys):
    source = f"{index}/npm.json"
    if kind != "address":
        source = str(tmp_path / "names")
        names = ["ledger-web", "@scope/kit"]
        Path(source).write_text("\n".join(names) if kind == "text" else json.dumps(dict.fromkeys(names, 1)))
    assert run(capsys, "refresh", "--npm", source)[1]["names"] == 2
    status, told, _ = run(capsys, "check", "--npm", "@scope/kit", "ledger-web", "react")
    assert (status, [one["source"] for one in told["packages"]]) == (
        0,
        ["published", "published", "well-known"],
    )


def test_a_refresh_that_fails_leaves_what_was_there(index: str, capsys, cache: Path):
    run(capsys, "refresh", "--index", f"{index}/simple/")
    before = (cache / "packages" / "pypi.names").read_bytes()
    for page, said in [("nowhere/", "404"), ("empty/", "lists no packages")]:
        status, _, err = run(capsys, "refresh", "--index", f"{index}/{page}")
        assert status == 2
        assert said in err
    status, _, err = run(capsys, "refresh", "--index", "http://me:word@127.0.0.1:1/simple")
    assert status == 2
    assert "word" not in err
    assert (cache / "packages" / "pypi.names").read_bytes() == before
    assert list((cache / "packages").iterdir()) == [cache / "packages" / "pypi.names"]


def test_a_slip_is_answered_with_what_was_meant(capsys):
    status = main(["packages", "check", "requests", "reqeusts"])
    out = capsys.readouterr().out
    assert status == 1
    assert "requests: well-known" in out
    assert "reqeusts: look-alike: did you mean requests?" in out


def test_a_damaged_list_is_said(cache: Path, capsys):
    (cache / "packages").mkdir(parents=True)
    (cache / "packages" / "npm.names").write_bytes(b"nonsense")
    status, told, err = run(capsys, "list")
    assert status == 1
    assert told["damaged"]
    assert "npm.names" in err


@pytest.mark.parametrize(
    ("variables", "text", "expected"),
    [
        ({"PIP_INDEX_URL": "http://a/simple"}, "[global]\nindex-url = http://b/simple\n", "http://a/simple"),
        ({"UV_DEFAULT_INDEX": "http://c/simple"}, "", "http://c/simple"),
        ({}, "[global]\nindex-url = http://b/simple\n", "http://b/simple"),
    ],
)
def test_the_index_is_the_one_that_pip_is_set_to(
    tmp_path: Path, variables: dict[str, str], text: str, expected: str
):
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(text)
    assert configured_index(variables, tmp_path) == expected
