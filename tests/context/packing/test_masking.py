"""What of a literal, or of a sentence, is told."""

from __future__ import annotations

import base64
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.packing.masking import masked, masked_prose

# Put together here, so that nobody's scanner of secrets takes this file for one.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "0123456789abcdefABCDEF0123"
GITLAB = "glpat-" + "aBcDeFgHiJkLmNoPqRsT"
SLACK = "xoxb-" + "1234567890-abcdefghij"
STRIPE = "sk_live_" + "abcdefghijklmnopqrstuvwx"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
HEX = "9f86d081884c7d659a2feaa0c55ad015"
PEM = "-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5
PLAIN = "marmalade"
WORDS = "correct horse battery staple"
MIXED = "Tr0ub4dor&3xQ!z9"

# Code, and what of it is secret.
SECRETS = [
    (f'AWS_ACCESS_KEY_ID = "{AWS}"', AWS),
    (f'AWS_SECRET_ACCESS_KEY = "{AWS_SECRET}"', AWS_SECRET),
    (f'AWS_SECRET_ACCESS_KEY: Final[str] = "{PLAIN}"', PLAIN),
    (f'X = "{GITHUB}"', GITHUB),
    (f"const a = `{GITLAB}`", GITLAB),
    (f"var b = '{SLACK}'", SLACK),
    (f'let c: &\'static str = "{STRIPE}"', STRIPE),
    (f'const TOKEN: &\'static str = "{PLAIN}"', PLAIN),
    (f'x = "{JWT}"', JWT),
    (f'DIGEST = "{HEX}"', HEX),
    (f'KEY = """{PEM} x', PEM),
    (f'password = "{WORDS}"', WORDS),
    (f'DB_PASS = "{PLAIN}"', PLAIN),
    (f'dbpassword := "{PLAIN}"', PLAIN),
    (f'private static final String API_KEY = decode("{PLAIN}")', PLAIN),
    (f'api_key: str = Field(default="{PLAIN}")', PLAIN),
    (f'std::string api_key = "{PLAIN}"', PLAIN),
    (f'char *password = "{PLAIN}"', PLAIN),
    (f'#define API_TOKEN "{PLAIN}"', PLAIN),
    (f"define('DB_PASSWORD', '{PLAIN}')", PLAIN),
    (f'def f(self, token="{PLAIN}")', PLAIN),
    (f'def f(self, *, api_key: str | None = "{PLAIN}")', PLAIN),
    (f"function f(user, secret = '{PLAIN}')", PLAIN),
    (f'SETTINGS = {{"user": "me", "password": "{PLAIN}"}}', PLAIN),
    (f"options = {{ :password => '{PLAIN}' }}", PLAIN),
    (f'HEADERS = {{"Authorization": "Bearer {PLAIN}"}}', PLAIN),
    (f'HEADERS = {{"X": "Bearer {MIXED}"}}', MIXED),
    (f'K = os.environ.get("SECRET_KEY", "{PLAIN}")', PLAIN),
    (f'c = Client().setPassword("{PLAIN}")', PLAIN),
    (f'URL = "postgres://app:{PLAIN}@db.example.org/tide"', PLAIN),
    (f'URL = "https://example.org/?a=1&token={PLAIN}"', PLAIN),
    (f'DSN = "Server=db;User=me;Password={PLAIN};"', PLAIN),
    (f"P = '{MIXED}'", MIXED),
    (f"export API_TOKEN={PLAIN}", PLAIN),
    (f"TOKEN={PLAIN}", PLAIN),
    (f"local token = [[{PLAIN}]]", PLAIN),
    (f'ROWS = ["one", "{AWS_SECRET[:14]}…', AWS_SECRET[:14]),
    (f'x = \'"\', password = "{PLAIN}"', PLAIN),
]
ORDINARY = [
    'ENCODING = "utf-8"',
    'URL = "https://example.org/api/v1/tides?station=9414290&units=metric"',
    'URL = "http://127.0.0.1:8080/health"',
    'NAME = "the name of a token"',
    'TOKEN_HELP = "what a token is"',
    'TOKEN_URL = "https://example.org/token"',
    'token_type = "bearer"',
    'MODULE = "app/store/rows/x1"',
    'x: Literal["notifications/tools/list"]',
    "fn f<'a>(x: &'a str) -> &'a str",
    "limit = 3",
    'AUTHOR = "somebody"',
    'tokenizer = "characters"',
    'pad_token = "<pad>"',
    'WORD = "internationalizationalism"',
    'MODEL = "qwen2.5-coder-0.5b-instruct"',
    'TARGET = "x86_64-unknown-linux-gnu"',
    'ALGORITHM = "sha256-rsa-pkcs1-oaep"',
    'FORMAT = "%Y-%m-%dT%H:%M:%S.%f"',
    'TYPE = "application/vnd.api+json"',
    'LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"',
    'METHOD = "convertUTF8ToLatin1"',
    'KEYBOARD = "azerty"',
    'primary_key = "station_id"',
    'sort_key = "height"',
    'MESSAGE = "Don\'t forget the tide"',
    'VERSION = "2024.10.1-beta.2"',
    "def sign(self, token: str, api_key: bytes) -> str",
    "rows[[1, 2]]",
]
SAID = [
    (f"Use {AWS} to sign in.", AWS),
    (f"The key {AWS_SECRET} is for tests.", AWS_SECRET),
    (f"The password is {MIXED} for now.", MIXED),
    ("Log in with password: hunter2.", "hunter2"),
    ('The passphrase is "correct-horse".', "correct-horse"),
    (f"Connect to redis://:{PLAIN}@cache first.", PLAIN),
    (f"Don't lose {GITHUB}.", GITHUB),
]
PLAINLY_SAID = [
    "Reads a token: the one that was typed last.",
    "The password is asked for once.",
    "Writes UTF-8 or ISO-8859-1, see https://example.org/docs/v2.",
    "Base64 of a SHA-256, as in RFC 4648.",
    "internationalizationalism and other long words",
    "Don't call it twice.",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('PASSWORD = "s3cret"', 'PASSWORD = "…"'),
        ('password: str = "hunter"', 'password: str = "…"'),
        ("const apiKey = 'abcdef'", "const apiKey = '…'"),
        ('def f(token="abcd", x="y")', 'def f(token="…", x="y")'),
        (f'KEY = """{PEM} x', 'KEY = """…'),
        ('URL = "ftp://me:abc@host/x"', 'URL = "ftp://me:…@host/x"'),
    ],
)
def test_secrets_become_dots(text: str, expected: str) -> None:
    """What stands round them stays."""
    assert masked(text) == expected


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_no_part_of_a_secret_is_told(text: str, secret: str) -> None:
    """By its name, its mark, its place or its looks, in whatever language."""
    told = masked(text)
    assert not shares_a_part(told, secret), told


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_values_are_told(text: str) -> None:
    """A model learns from them."""
    assert masked(text) == text


@pytest.mark.parametrize(("text", "secret"), SAID)
def test_no_part_of_a_secret_is_told_in_a_sentence(text: str, secret: str) -> None:
    assert not shares_a_part(masked_prose(text), secret), masked_prose(text)


@pytest.mark.parametrize("text", PLAINLY_SAID)
def test_ordinary_sentences_are_told(text: str) -> None:
    assert masked_prose(text) == text


def test_random_keys_have_the_looks() -> None:
    """Letters and digits, base 64, base 16: of a thousand keys without a name, at most two slip by."""
    source = random.Random(1)
    letters = string.ascii_letters + string.digits
    slipped: list[str] = []
    for _ in range(250):
        data = source.randbytes(source.randint(24, 48))
        keys = (
            "".join(source.choices(letters, k=len(data) + 8)),
            data.hex(),
            base64.b64encode(data).decode(),
            base64.urlsafe_b64encode(data).decode(),
        )
        slipped += [key for key in keys if masked(f'X = "{key}"') != 'X = "…"']
    assert len(slipped) <= 2, slipped


@given(st.text(alphabet="ab1\"'`= \\\nü:tokens[]{}@/…-", max_size=60))
def test_any_text_is_masked_once(text: str) -> None:
    """No exception, never longer, and told again the same."""
    for mask in (masked, masked_prose):
        once = mask(text)
        assert len(once) <= len(text)
        assert mask(text) == once


def shares_a_part(told: str, secret: str, size: int = 4) -> bool:
    return any(secret[at : at + size] in told for at in range(len(secret) - size + 1))
