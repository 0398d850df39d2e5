"""What hides from its reader is withheld; what is only written in another script is not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.hygiene import HygieneCheck
from truepenny.guard.verdict import Action, Passage

HIDING = [
    ("python", "access = 'user\u202e \u2066# admin\u2069 \u2066'", "bidi"),
    ("c", "/*\u202e } \u2066if (admin)\u2069 \u2066 begin */", "bidi"),
    ("python", "# \u200fnote", "bidi"),
    ("javascript", "function is\u200bAdmin() {}", "invisible"),
    ("python", "x\u00ad = 1", "invisible"),
    ("javascript", "const \u3164 = 1", "invisible"),
    ("python", "key = 'a\U000e0061\U000e0062'", "invisible"),
    ("python", "s = 'a\ufe00\ufe01\ufe02'", "invisible"),
    ("python", "x = 1 \x08\x08# hidden", "control"),
    ("python", "print('\x1b[2K')", "control"),
    ("python", "def say\u041dello(): ...", "mixed-script"),
    ("python", "is_\u0430dmin = True", "mixed-script"),
    ("python", "url = 'https://p\u0430ypal.com'", "mixed-script"),
    ("python", "sql = 'select say\u041dello()'", "mixed-script"),
    ("go", "func \u0440rint() {}", "mixed-script"),
    ("python", "\u0435\u0445\u0435\u0441(code)", "confusable"),
    ("python", "\u0441\u043e\u0440\u0443 = 1\nuse(copy)", "confusable"),
    ("python", "\U0001d41e\U0001d431\U0001d41e\U0001d41c(code)", "folded"),
    ("python", "\uff45val(code)", "folded"),
    ("javascript", "if (environment\u01c3=PRODUCTION) {}", "operator"),
    ("javascript", "let a = 1\u037e", "operator"),
]

HONEST = [
    (
        "python",
        (
            "# \u0438\u0441\u043f\u043e\u043b\u044c\u0437\u0443\u0435\u0442 HTTP\u0441\u0435\u0440\u0432"
            "\u0435\u0440 \u0438 API\u0430\n"
        ),
    ),
    ("python", "\u0438\u043c\u044f = '\u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440'"),
    ("python", "\u0441\u043e\u0440 = \u0440\u043e\u0441\u0442"),
    ("julia", "\u0394t = 3; \u03bbx = d\u03b8 + \u03b8_max"),
    ("python", "\u03c32 = 1"),
    ("python", "s = '\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525 1\ufe0f\u20e3'"),
    ("python", "s = '\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f'"),
    (
        "python",
        (
            "s = '\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645'  "
            "# \u05e9\u05dc\u05d5\u05dd"
        ),
    ),
    ("python", "s = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'"),
    ("python", "s = '\u0915\u094d\u200d\u0937'"),
    ("python", "\u540d\u524dAPI = 1; \u30e6\u30fc\u30b6\u30fcID = 2; \u30e6\u30fc\u30b6\u30fc\u540d = 3"),
    ("go", "// \u4e2d\u6587\u6ce8\u91ca mixed with English\uff0cok\nvar \u53d8\u91cfx = 1"),
    ("python", "caf\u00e9 = na\u00efve"),
    ("python", "# \uff21\uff22\uff23 \u2460 \u2116 5 a\u2212b \u2044"),
    ("python", "\u00b5s = 1"),
    ("c", "int main(void)\n{\n\treturn 0;\n}\n\x0c\n"),
    ("python", "price = '5\u00a0\u20ac'"),
]


def rules(language: str, text: str, before: str = "") -> list[str]:
    verdicts = HygieneCheck().judge(Passage(before, text, "", language))
    assert all(one.action == Action.WITHHOLD and one.kind == "unicode" for one in verdicts)
    return [one.rule.removeprefix("unicode/") for one in verdicts]


@pytest.mark.parametrize(("language", "text", "rule"), HIDING)
def test_what_hides_is_withheld(language: str, text: str, rule: str):
    """Each row is one way to make code read otherwise than it runs."""
    assert rule in rules(language, text)


@pytest.mark.parametrize(("language", "text"), HONEST)
def test_other_scripts_are_left_alone(language: str, text: str):
    """Comments, strings and names in a script of their own, emoji, joiners where they belong."""
    assert rules(language, text) == []


def test_a_byte_order_mark_belongs_at_the_start_of_a_file():
    """Anywhere else it is a space nobody sees."""
    assert rules("python", "\ufeffx = 1") == []
    assert rules("python", "\ufeffx = 1", before="y = 2\n") == ["invisible"]


def test_the_published_attacks_are_caught():
    """Nearly all: one of them attacks the engine of regular expressions and not the reader."""
    path = Path(__file__).resolve().parents[2].parent / "shared" / "guard-data" / "trojan_source_dev.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository: nothing to measure on")
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    caught = [bool(rules(row["lang"].lower(), row["text"])) for row in rows]
    assert len(rows) > 20
    assert sum(caught) / len(rows) >= 0.96


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str):
    """Surrogates, unassigned characters, half a cluster: a verdict, never an error."""
    for one in HygieneCheck().judge(Passage("", text, "", "python")):
        assert 0 <= one.start < one.end <= len(text)


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("\n\t\r\f"), max_size=200)
)
def test_printable_ascii_always_passes(text: str):
    """The usual case, and the fast one."""
    assert rules("python", text) == []
