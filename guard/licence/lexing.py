"""Raw text as lexemes: words, numbers and single signs, without white space and comments.

No language is asked for and no state is kept: a fragment that begins inside a string or a docstring
gives the lexemes that the whole file gives there.  (A lexer with strings loses a sixth of all
20-line copies, because where it begins decides what it sees.)  So strings are lexemes like any
other, and the only comments dropped are those that show both ends: from `#` or `//` to the end of
the line, and `/* … */` of at most `MAX_COMMENT_CHARS`.  `//` in Python and `#` in CSS fall away with
the rest of their line, on both sides of a comparison alike.

A lexeme is one 64-bit number.  Its lowest byte is its *code*: signs and common keywords have one of
their own, numbers share 16, all other words `WORDS`.  Codes are what an index keeps.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .folding import fold

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

MAX_COMMENT_CHARS = 4_000
MAX_WORDS = 400_000
"""Different lexemes remembered in memory; above it the memory is begun anew."""

_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"
# Words that are keywords wherever they are common.  What is a name in some languages (`new`, `type`,
# `default`, `end`) is left out: renaming it would otherwise show.
_KEYWORD_TEXT = (
    "if else elif for while do switch case return break continue try catch except finally throw raise "
    "class def function import from as with in is not and or None null nil true false True False lambda "
    "yield async await pass del global void int char float double long bool const static struct enum "
    "public private protected var let instanceof typeof unsigned foreach echo "
)
_KEYWORDS = _KEYWORD_TEXT.split()

OTHER_SIGN = len(_SIGNS) + 1
_FIRST_KEYWORD = OTHER_SIGN + 1
FIRST_NUMBER = _FIRST_KEYWORD + len(_KEYWORDS)
FIRST_WORD = FIRST_NUMBER + 16
WORDS = 256 - FIRST_WORD

_KNOWN = {sign: i + 1 for i, sign in enumerate(_SIGNS)} | {
    word: i + _FIRST_KEYWORD for i, word in enumerate(_KEYWORDS)
}

_LEXEME = re.compile(r"\w+|[^\w\s]")
# A directive of C's preprocessor and an attribute of Rust or PHP are code.
_LINE_COMMENT = re.compile(
    r"//[^\n]*"
    r"|(?:(?<=\s)|^)#(?!!?\[|(?:include|define|undef|ifn?def|if|elif|else|endif|pragma|error)\b)[^\n]*",
    re.MULTILINE,
)


class _Values(dict[str, int]):
    def __missing__(self, lexeme: str) -> int:
        if len(self) > MAX_WORDS:
            self.clear()
        digest = int.from_bytes(hashlib.blake2b(lexeme.encode("utf-8", "replace"), digest_size=8).digest())
        code = _KNOWN.get(lexeme)
        if code is None:
            if lexeme[0].isdigit():
                code = FIRST_NUMBER + digest % 16
            elif lexeme[0].isalnum() or lexeme[0] == "_":
                code = FIRST_WORD + (digest >> 32) % WORDS
            else:
                code = OTHER_SIGN
        value = self[lexeme] = digest & ~0xFF | code
        return value


_VALUES = _Values()


def _shapes() -> U64:
    rng = np.random.Generator(np.random.PCG64(0x5E77))
    values = rng.integers(0, 2**64, size=256, dtype=np.uint64)
    values[FIRST_NUMBER:FIRST_WORD] = values[FIRST_NUMBER]
    values[FIRST_WORD:] = values[FIRST_WORD]
    return values


SHAPES = _shapes()
"""By code: what is left of a lexeme when names and numbers do not count."""

SHAPE_CODES = np.arange(256, dtype=np.uint8)
"""By code: the same as one byte; all numbers are `FIRST_NUMBER`, all words `FIRST_WORD`."""
SHAPE_CODES[FIRST_NUMBER:FIRST_WORD] = FIRST_NUMBER
SHAPE_CODES[FIRST_WORD:] = FIRST_WORD


@dataclass(frozen=True, eq=False)
class Lexemes:
    """`values[i]` stands at `[starts[i], ends[i])` of the text; shapes (n,)."""

    values: U64
    starts: Ints
    ends: Ints

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def codes(self) -> U8:
        return (self.values & np.uint64(0xFF)).astype(np.uint8)

    @cached_property
    def shapes(self) -> U64:
        return SHAPES[self.codes]

    def part(self, start: int, end: int) -> Lexemes:
        return Lexemes(self.values[start:end], self.starts[start:end], self.ends[start:end])


def lex(text: str) -> Lexemes:
    """All lexemes of `text`.  Never fails; offsets are code points of `text` as given."""
    folded, origins = fold(text)
    bare = _LINE_COMMENT.sub(_blank, _without_block_comments(folded))
    words = _LEXEME.findall(bare)
    count = len(words)
    values = np.fromiter(map(_VALUES.__getitem__, words), dtype=np.uint64, count=count)
    spans = np.array([one.span() for one in _LEXEME.finditer(bare)], np.int64).reshape(-1, 2)
    starts, ends = spans[:, 0], spans[:, 1]
    if origins is not None and count:
        starts, ends = origins[starts], origins[ends - 1] + 1
    return Lexemes(values, starts, ends)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _without_block_comments(text: str) -> str:
    """Comments become blanks of their length; one that a line comment or a quote begins stays."""
    if "/*" not in text:
        return text
    pieces: list[str] = []
    done = 0
    at = text.find("/*")
    while at >= 0:
        reach = max(0, at - 200)
        before = text[max(text.rfind("\n", reach, at) + 1, reach) : at]
        quoted = before[-1:] in ("'", '"', "`", "*", ".", "/") or before[-1:].isalnum()
        end = -1
        if not quoted and "//" not in before:
            end = text.find("*/", at + 2, at + MAX_COMMENT_CHARS)
        if end >= 0:
            pieces += [text[done:at], " " * (end + 2 - at)]
            done = end + 2
            at = text.find("/*", done)
        else:
            at = text.find("/*", at + 2)
    return "".join([*pieces, text[done:]])
