"""From a workspace on disk to what a model is shown; and what it is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from truepenny.context.gather import Gathered, Pack, Question, follow, gather
from truepenny.context.index.location import locate
from truepenny.context.index.process import run_build
from truepenny.context.index.reader import Reader

SECRET = "hunter2-correct-horse-battery"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEowIBAAKCAQEA' * 4}\n{SECRET}\n-----END RSA PRIVATE KEY-----\n"
SHORT_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\n"
FILES = {
    "app/store.py": 'class Rows:\n    """All rows."""\n    def find(self, key: str) -> str: ...\n',
    "app/private.py": f'SIGNING_KEY = """{KEY}"""\ndef sign(rows: str) -> str: ...\n',
    "app/ignored.py": f'TOKEN = "{SECRET}"\n',
    "app/config.py": (
        f'DATABASE_PASSWORD = "{SECRET}"\nSHORT: str = """{SHORT_KEY}"""\n'
        'class Settings:\n    secret = "abcd"\n'
        f'    def connect(self, token="{SECRET}"): ...\n'
    ),
    ".gitignore": "ignored.py\n",
    ".env": f"DATABASE_PASSWORD={SECRET}\n",
    ".env.production.py": f'DATABASE_PASSWORD = "{SECRET}"\n',
    "config/credentials.json": f'{{"password": "{SECRET}"}}\n',
    "id_rsa": KEY,
    "deploy.pem": KEY,
    ".npmrc": f"//registry.example.org/:_authToken={SECRET}\n",
    ".aws/credentials": f"aws_secret_access_key = {SECRET}\n",
}
TEXT = """
from app.store import Rows
import app.private, app.ignored, app.config

def f(rows: Rows, TOKEN):
    """
ASKED = [
    "rows.",
    "app.private.",
    "app.ignored.",
    "app.config.",
    "app.config.Settings().",
    "DATABASE_PASSWORD",
    "SIGNING_KEY, ",
    "password = ",
    "",
]


def count(text: str) -> int:
    return len(text) // 4 + 1


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder: Path = tmp_path_factory.mktemp("gather")
    root = folder / "workspace"
    (root / ".git").mkdir(parents=True)
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    location = locate(root, folder / "cache")
    run_build(location)
    return Reader(location)


def asked(reader: Reader, typed: str, *, budget: int = 4000, deadline_s: float = 60) -> Gathered:
    question = Question("app/main.py", TEXT + typed, len(TEXT + typed), "python")
    return gather(question, reader, budget_tokens=budget, count=count, deadline_s=deadline_s)


def test_members_are_told(reader: Reader) -> None:
    gathered = asked(reader, "rows.")
    assert gathered.is_complete
    assert "    def find(self, key: str) -> str" in gathered.chunks[-1].text
    assert gathered.chunks[-1].path == "app/store.py"


@pytest.mark.parametrize("typed", ASKED)
def test_secrets_are_never_told(reader: Reader, typed: str) -> None:
    """Not from files that hold keys, by name or by content, and not from those git ignores."""
    gathered = asked(reader, typed)
    whole = repr(gathered)
    assert SECRET not in whole
    assert "PRIVATE KEY" not in whole
    assert "abcd" not in whole
    told = {chunk.path for chunk in gathered.chunks} | {one.path for one in gathered.left_out}
    assert told <= {"app/store.py", "app/config.py"}


def test_no_budget_tells_nothing(reader: Reader) -> None:
    assert asked(reader, "rows.", budget=0).chunks == ()


def test_no_time_is_said(reader: Reader) -> None:
    assert not asked(reader, "rows.", deadline_s=0).is_complete


@pytest.mark.parametrize("offset", [-1, 10_000])
def test_an_offset_outside_is_refused(reader: Reader, offset: int) -> None:
    with pytest.raises(ValueError, match="outside the text"):
        gather(Question("a.py", "x", offset, "python"), reader, budget_tokens=9, count=count, deadline_s=1)


def test_a_language_nobody_knows_is_answered(reader: Reader) -> None:
    gather(Question("a.xyz", "Rows.", 5, "klingon"), reader, budget_tokens=99, count=count, deadline_s=60)


def test_a_pack_follows(reader: Reader) -> None:
    def after(pack: Pack, text: str) -> Pack:
        question = Question("app/main.py", text, len(text), "python")
        return follow(pack, question, reader, budget_tokens=200, count=count, deadline_s=60)

    first = after(Pack(), TEXT)
    assert first.chunks
    assert after(first, TEXT + "x = 1\n    ") is first
