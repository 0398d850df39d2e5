"""Pain 15: files of keys and credentials are read, and sent to a model."""

from __future__ import annotations

import pytest

from .editor import AUTOMATIC, INVOKED, Editor, editor

KEY = 'K = """-----BEGIN RSA PRIVATE KEY-----\n' + "A" * 64 + '\n|"""\n'


@pytest.fixture(scope="module")
def typing():
    with editor({"completion": {"disabled_globs": ["private/", "*.sql", "!public.sql"]}}) as one:
        yield one


@pytest.mark.parametrize("trigger", [AUTOMATIC, INVOKED])
@pytest.mark.parametrize(
    ("path", "marked", "reason"),
    [
        ("/ws/.env", "API_KEY=|\n", ".env holds keys or credentials"),
        ("/ws/.npmrc", "//registry.example/:_authToken=|\n", ".npmrc holds keys"),
        ("/home/me/.aws/credentials", "[default]\n|\n", "holds keys"),
        ("/home/me/.ssh/id_ed25519", "x |\n", "holds keys"),
        ("untitled:/ws/.env", "API_KEY=|\n", "holds keys"),
        ("/ws/settings.py", KEY, "private key"),
        ("/ws/private/a/b.py", "value = |\n", "'private/'"),
        ("/ws/tables.sql", "select |\n", "'*.sql'"),
    ],
)
def test_nothing_of_a_secret_is_sent_whoever_asks(
    typing: Editor, path: str, marked: str, reason: str, trigger: int
) -> None:
    """No prompt is made of it, and the reason names the file or the pattern."""
    assert typing.ask(marked, path=path, trigger=trigger) == []
    told = typing.why(path)
    assert reason in told["reason"]
    assert told["promptTokens" if "promptTokens" in told else "prompt_tokens"] == 0


@pytest.mark.parametrize("path", ["/ws/.env.example", "/ws/credentials.py", "/ws/public.sql"])
def test_what_only_sounds_like_a_secret_is_served(typing: Editor, path: str) -> None:
    """A rule that silences too much is switched off."""
    assert typing.ask("value = |\n", path=path)
