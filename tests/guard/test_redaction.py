"""A secret becomes a look-up where a look-up compiles, and is withheld where it would not."""

from __future__ import annotations

import base64
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.context.languages import find_language
from truepenny.context.parsing import parse
from truepenny.guard.pipeline import Guard
from truepenny.guard.secrets import SecretsCheck
from truepenny.guard.syntax import SyntaxCheck
from truepenny.guard.verdict import Action, Judgement, Passage

GITHUB = "gh" + "p_" + "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=36))
AWS = "AK" + "IA" + "".join(random.Random(8).choices(string.ascii_uppercase + "234567", k=16))


def judge(text: str, language: str = "python", before: str = "", after: str = "") -> Judgement:
    return Guard([SecretsCheck(), SyntaxCheck()]).judge(Passage(before, text, after, language))


# language, document with §…§ round the suggestion and # for the secret, what the suggestion becomes
REDACTED = [
    ("python", "§token = '#'§\n", 'token = os.environ["GITHUB_TOKEN"]'),
    ("python", "§ci_deploy_key = '#'§\n", 'ci_deploy_key = os.environ["CI_DEPLOY_KEY"]'),
    ("python", "from os import environ\n§token = '#'§\n", 'token = environ["GITHUB_TOKEN"]'),
    ("python", "import os as system\n§token = '#'§\n", 'token = system.environ["GITHUB_TOKEN"]'),
    ("python", "§login('me', r\"#\")§\n", "login('me', os.environ[\"GITHUB_TOKEN\"])"),
    ("python", "§h = {'auth': '#'}§\n", "h = {'auth': os.environ[\"GITHUB_TOKEN\"]}"),
    ("javascript", "§const token = `#`;§\n", "const token = process.env.GITHUB_TOKEN;"),
    ("javascript", "§const o = { botKey: '#' };§\n", "const o = { botKey: process.env.BOT_KEY };"),
    ("typescript", "§const t: string = '#';§\n", "const t: string = process.env.GITHUB_TOKEN!;"),
    ("go", 'package m\nfunc f() {\n§\tt := "#"§\n}\n', '\tt := os.Getenv("GITHUB_TOKEN")'),
    ("java", 'class A {\n§  String t = "#";§\n}\n', '  String t = System.getenv("GITHUB_TOKEN");'),
    ("cpp", 'void f() {\n§  std::string t = "#";§\n}\n', '  std::string t = std::getenv("GITHUB_TOKEN");'),
    ("c", 'void f(void) {\n§  login("#");§\n}\n', '  login(getenv("GITHUB_TOKEN"));'),
    (
        "csharp",
        'class A {\n§  string t = "#";§\n}\n',
        '  string t = Environment.GetEnvironmentVariable("GITHUB_TOKEN");',
    ),
    ("ruby", "§t = '#'§\n", 't = ENV["GITHUB_TOKEN"]'),
    ("php", "<?php\n§$t = '#';§\n", "$t = getenv('GITHUB_TOKEN');"),
    ("shellscript", "§export DEPLOY_TOKEN='#'§\n", 'export DEPLOY_TOKEN="$DEPLOY_TOKEN"'),
]

WITHHELD = [
    ("python", "§# use #§\n"),
    ("python", "§t = b'#'§\n"),
    ("python", "§t = f'{x}#'§\n"),
    ("python", "§'#'§\n"),
    ("python", "§d = {'#': 1}§\n"),
    ("python", "t = '§#§'\n"),
    ("javascript", "§import x from '#';§\n"),
    ("javascript", "§const t = `${a}#`;§\n"),
    ("typescript", "§type T = '#';§\n"),
    ("go", 'package m\n§const t = "#"§\n'),
    ("java", 'class A {\n§  @Key("#") int x;§\n}\n'),
    ("csharp", 'class A {\n§  const string T = "#";§\n}\n'),
    ("c", '§static const char *t = "#";§\n'),
    ("cpp", '§constexpr auto t = "#";§\n'),
    ("c", '§#define T "\x23"§\n'.replace("\x23", "#").replace("§#define", "§\x00define")),
    ("php", "<?php\n§const T = '#';§\n"),
    ("json", '§{"token": "#"}§\n'),
    ("yaml", "§token: #§\n"),
    ("rust", '§let t = "#";§\n'),
]


def placed(document: str) -> tuple[str, str, str]:
    before, suggestion, after = document.replace("#", GITHUB).replace("\x00", "#").split("§")
    return before, suggestion, after


@pytest.mark.parametrize(("language", "document", "expected"), REDACTED)
def test_a_literal_becomes_a_lookup(language: str, document: str, expected: str):
    """In the words of the language, named after what it is assigned to or after its issuer."""
    before, suggestion, after = placed(document)
    judgement = judge(suggestion, language, before, after)
    assert (judgement.text, judgement.action, judgement.vouched) == (expected, Action.REPAIR, True)
    assert GITHUB not in "".join(one.evidence for one in judgement.verdicts)
    known = find_language(language)
    assert known is not None
    assert not parse(before + judgement.text + after, known).has_errors


@pytest.mark.parametrize(("language", "document"), WITHHELD)
def test_where_a_lookup_would_not_do_it_is_withheld(language: str, document: str):
    """Constants, annotations, keys, bytes, comments, half a literal, data."""
    before, suggestion, after = placed(document)
    judgement = judge(suggestion, language, before, after)
    assert (judgement.text, judgement.action) == ("", Action.WITHHOLD)


def test_a_missing_import_is_named():
    """The look-up alone does not compile; the person is told what it needs."""
    (alone,) = judge(f"token = '{GITHUB}'").verdicts
    assert "`import os`" in alone.evidence
    (imported,) = judge(f"token = '{GITHUB}'", before="import os\n").verdicts
    assert "import" not in imported.evidence


@pytest.mark.parametrize(
    "text",
    [
        f"k = '{AWS[:4]}' + '{AWS[4:]}'",
        f"k = '{AWS[:9]}' '{AWS[9:]}'",
        f"k = ('{AWS[:2]}'\n     '{AWS[2:7]}'\n     '{AWS[7:]}')",
        f"k = '{base64.b64encode(GITHUB.encode()).decode()}'",
        f"k = '{base64.urlsafe_b64encode(('token=' + GITHUB).encode()).decode()}'",
    ],
)
def test_pieces_and_encodings_are_seen_through(text: str):
    """What the program would see is what is judged; the whole expression is replaced."""
    judgement = judge(text)
    assert judgement.action == Action.REPAIR
    assert judgement.text.replace("(", "").replace(")", "").startswith("k = os.environ[")
    assert judge(judgement.text).verdicts == ()


def test_pieces_in_other_languages():
    """Each language has its own way to put literals together."""
    for language, text in [
        ("javascript", f"const k = '{AWS[:4]}' + '{AWS[4:]}';"),
        ("php", f"<?php $k = '{AWS[:4]}' . '{AWS[4:]}';"),
        ("java", f'class A {{ String k = "{AWS[:4]}" + "{AWS[4:]}"; }}'),
    ]:
        assert judge(text, language).action == Action.REPAIR, text


def test_two_secrets_are_replaced_at_once():
    """And the text that is left holds none."""
    judgement = judge(f"a = '{GITHUB}'\nb = '{AWS}'\n")
    assert judgement.text == 'a = os.environ["GITHUB_TOKEN"]\nb = os.environ["AWS_ACCESS_KEY_ID"]\n'
    assert judge(judgement.text).verdicts == ()


LANGUAGES = ["python", "javascript", "go", "java", "cpp", "ruby", "php", "shellscript", "json", "plaintext"]
PIECES = st.sampled_from(
    [
        f"'{GITHUB}'",
        f'"{AWS}"',
        f" {AWS} ",
        f"`{GITHUB}`",
        f"({GITHUB})",
        "'",
        '"',
        "`",
        " = ",
        " x ",
        "(",
        ")",
        "{",
        "}",
        "\n",
        ",",
        ":",
        " + ",
        " f'",
        "# ",
        "const ",
        "$",
        "<?php ",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(LANGUAGES))
def test_nothing_that_is_shown_holds_a_secret(text: str, language: str):
    """Whatever stands round it: redacted, trimmed or withheld, and judged again it is clean."""
    guard = Guard([SecretsCheck()])
    shown = guard.judge(Passage("", text, "", language)).text
    assert GITHUB not in shown
    assert AWS not in shown
    assert guard.judge(Passage("", shown, "", language)).text == shown


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str):
    """A verdict on a span inside the text, never an error."""
    for one in SecretsCheck().judge(Passage("", text, "", "python")):
        assert 0 <= one.start < one.end <= len(text)
