"""Characters that make code read otherwise than it runs: always withheld.

Bidirectional controls, characters without width, tags and control characters anywhere; in names,
letters of another script that look like the ones beside them, letters a compiler folds into others,
and letters that look like operators.  Text in a script of its own, emoji, and the joiners that Arabic
and Indic scripts need are left alone.  A text in ASCII costs two scans.

After Boucher and Anderson, "Trojan Source" (2021), and Unicode Technical Standard 39; the tables are
the part of it that matters between scripts which programmers mix.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from ..context.languages import find_language
from ..context.parsing import parse
from .verdict import Action, Passage, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..context.parsing import Tree

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]|[\ufe00-\ufe0f]{2,}"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,7}\U000e007f")
"""The flags of England, Scotland and their like are tags on a black flag."""

_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_OPERATOR_LIKE = {
    "\u01c3": "!",
    "\u01c0": "|",
    "\u01c1": "||",
    "\u037e": ";",
    "\ua789": ":",
    "\u02d0": ":",
    "\u02f8": ":",
    "\u02b9": "'",
    "\u02bc": "'",
    "\u2236": ":",
    "\u2215": "/",
    "\u2044": "/",
    "\u2212": "-",
    "\u2216": "\\",
}
_OPERATORS = re.compile("[" + "".join(_OPERATOR_LIKE) + "]")

_LATIN_LIKE = dict(
    zip(
        "аеорсухіјѕһԁԛԝӏқвАВЕКМНОРСТХУІЈЅԌԚԜӀҮҺԛВ" + "οΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳ" + "օսհոցզԱՏՍՕ" + "ᎪᏴᏟᎠᎬᎻᏃᎫᏦᏞᎷᏢᏒᎢᏙᏔ",
        "aeopcyxijshdqwlkBABEKMHOPCTXYIJSGQWIYhqB" + "oABEZHIKMNOPTYXcj" + "ouhngqUSUO" + "ABCDEHZJKLMPRTVW",
        strict=True,
    )
)
"""Letters that look like a Latin one: Cyrillic, Greek, Armenian, Cherokee."""

_MIXABLE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH", "FULLWIDTH", "LATIN"})
"""Scripts that names mix as a matter of course."""

_JOINING = frozenset(
    {
        *("ARABIC", "SYRIAC", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL"),
        *("TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "NKO", "MANICHAEAN"),
    }
)
"""Scripts in which joiners change how letters are written."""


class HygieneCheck:
    """Withholds text that hides something from its reader."""

    name = "hygiene"

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        text = passage.suggestion
        found = [
            _verdict("control", one.start(), one.end(), "a control character that an editor does not show")
            for one in _CONTROLS.finditer(text)
        ]
        if not text.isascii():
            found += _invisible(passage)
            found += _lookalike(passage)
        return tuple(found)


def _verdict(rule: str, start: int, end: int, what: str) -> Verdict:
    return Verdict(
        kind="unicode",
        action=Action.WITHHOLD,
        rule=f"unicode/{rule}",
        start=start,
        end=end,
        evidence=f"the suggestion contains {what}",
        cwe="CWE-1007",
    )


def _invisible(passage: Passage) -> Iterator[Verdict]:
    text = passage.suggestion
    for one in _BIDI.finditer(text):
        code = f"U+{ord(one[0]):04X}"
        yield _verdict(
            "bidi", one.start(), one.end(), f"{code}, which changes the order in which text is shown"
        )
    flags = [one.span() for one in _FLAG.finditer(text)]
    for one in _HIDDEN.finditer(text):
        if any(start <= one.start() < end for start, end in flags) or _is_joined(text, one.start()):
            continue
        if one[0] == "\ufeff" and one.start() == 0 and not passage.before:
            continue  # a byte order mark, at the start of a file
        code = f"U+{ord(one[0][0]):04X}"
        yield _verdict("invisible", one.start(), one.end(), f"{code}, which has no width and hides in names")


def _is_joined(text: str, at: int) -> bool:
    """Whether the joiner at `at` does what joiners are for: between emoji, or in scripts that need it."""
    if text[at] not in "\u200c\u200d\u180b\u180c\u180d" or not 0 < at < len(text) - 1:
        return False
    left, right = text[at - 1], text[at + 1]
    if text[at] == "\u200d" and _is_pictorial(left) and _is_pictorial(right):
        return True
    scripts = {_script(left), _script(right)}
    return bool(scripts & _JOINING) and not {left, right} & set(_ASCII_LETTERS)


_ASCII_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def _is_pictorial(letter: str) -> bool:
    return (
        letter in "\ufe0f\u20e3"
        or unicodedata.category(letter) in ("So", "Sk", "Sm")
        or letter >= "\U0001f000"
    )


@cache
def _script(letter: str) -> str:
    """The first word of the letter's name, which is its script; `COMMON` for marks and digits."""
    if unicodedata.category(letter)[0] != "L":
        return "COMMON"
    name = unicodedata.name(letter, "COMMON").split(" ", 1)[0].split("-", 1)[0]
    return "COMMON" if name in ("MICRO", "FEMININE", "MASCULINE", "MODIFIER", "SUPERSCRIPT") else name


def _lookalike(passage: Passage) -> Iterator[Verdict]:
    text = passage.suggestion
    regions = _Regions(passage)
    for one in _OPERATORS.finditer(text):
        if regions.at(one.start()) == "code":
            sign = _OPERATOR_LIKE[one[0]]
            yield _verdict(
                "operator",
                one.start(),
                one.end(),
                f"U+{ord(one[0]):04X}, which looks like `{sign}` and is none",
            )
    for one in _WORD.finditer(text):
        reason = _suspicion(one[0], one.start(), regions, passage)
        if reason is not None:
            rule, what = reason
            yield _verdict(rule, one.start(), one.end(), what)


def _suspicion(word: str, at: int, regions: _Regions, passage: Passage) -> tuple[str, str] | None:
    """The rule and the sentence for one word, or nothing."""
    scripts = {_script(letter) for letter in word} - {"COMMON"}
    foreign = scripts - {"LATIN"}
    if "LATIN" in scripts and foreign - _MIXABLE and _is_mixed(word, at, regions):
        names = " and ".join(sorted(script.capitalize() for script in scripts))
        return "mixed-script", f"a word that mixes {names} letters: it reads like another word"
    if len(foreign - _MIXABLE) > 1 and regions.at(at) == "code":
        names = " and ".join(sorted(script.capitalize() for script in foreign))
        return "mixed-script", f"a name that mixes {names} letters"
    if foreign and all(letter in _LATIN_LIKE or letter.isascii() for letter in word):
        plain = "".join(_LATIN_LIKE.get(letter, letter) for letter in word)
        if len(word) > 1 and regions.at(at) == "code" and _is_known(plain, passage):
            return "confusable", f"a name that looks like `{plain}` and is another"
    folded = unicodedata.normalize("NFKC", word)
    if folded.isascii() and folded != word and regions.at(at) == "code":
        return "folded", f"a name that compilers read as `{folded}` and people do not"
    return None


def _is_mixed(word: str, at: int, regions: _Regions) -> bool:
    """Whether Latin and the other script form one word, rather than stand side by side.

    In text for people, a Latin word takes an ending in its reader's script, and that is no disguise;
    in names, Greek letters stand beside Latin ones in formulas, unless they look like them.
    """
    in_code = regions.at(at) == "code"
    lookalikes = [i for i, letter in enumerate(word) if letter in _LATIN_LIKE]
    others = [i for i, letter in enumerate(word) if _script(letter) not in ("LATIN", "COMMON")]
    if in_code:
        return bool(lookalikes) or any(_script(word[i]) != "GREEK" for i in others)
    if not lookalikes or len(lookalikes) < len(others):
        return False
    parts = re.split(r"[\d_]+", word)
    return any(_is_disguised(part) for part in parts)


def _is_disguised(part: str) -> bool:
    """A Latin word in which the foreign letters are not its ending, nor it theirs."""
    latin = [i for i, letter in enumerate(part) if _script(letter) == "LATIN"]
    foreign = [i for i, letter in enumerate(part) if letter in _LATIN_LIKE]
    return bool(latin and foreign) and min(foreign) < max(latin) and len(latin) + len(foreign) == len(part)


def _is_known(plain: str, passage: Passage) -> bool:
    """Whether the Latin reading is a word somebody would take it for."""
    if keyword.iskeyword(plain) or keyword.issoftkeyword(plain) or _TRUSTED.fullmatch(plain):
        return True
    pattern = re.compile(rf"(?<!\w){re.escape(plain)}(?!\w)")
    return any(pattern.search(place) for place in (passage.before, passage.suggestion, passage.after))


_TRUSTED = re.compile(
    "exec|eval|copy|open|type|input|print|import|require|scope|access|user|pass|auth|admin|root|hash|true|false"
    "|null|none|self|this|super|case|else|try|catch|var|let|const|func|fn|int|char"
)


class _Regions:
    """Code, strings or comments: asked only where something is odd already."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self._tree: Tree | None = None

    def at(self, offset: int) -> str:
        """`code`, or `text` inside comments and strings."""
        passage = self.passage
        language = find_language(passage.language, passage.path)
        if language is None:
            return "text" if passage.language.lower() in ("markdown", "plaintext", "latex") else "code"
        if self._tree is None:
            before, after = passage.before[-40_000:], passage.after[:4_000]
            self._tree = parse(before + passage.suggestion + after, language)
        place = min(len(passage.before), 40_000) + offset
        for node in self._tree.ancestors(place):
            if "interpolation" in node.kind or "substitution" in node.kind:
                return "code"
            if any(
                mark in node.kind for mark in ("comment", "string", "heredoc", "char_literal", "jsx_text")
            ):
                return "text"
        return "code"
