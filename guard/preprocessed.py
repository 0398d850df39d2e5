"""What C's preprocessor may make of a text that the grammars of C and C++ refuse.  Text alone, no tree.

A name in capitals may be anything: an attribute in the head of a class, a type, a loop, a statement
with a block for its argument.  The grammars see juxtaposition, and are out of step from there on.  So
a token counts as refused only where no macro explains it; what that lets through a compiler finds.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREPROCESSED = frozenset({"c", "cpp"})

_CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(if|el|end)|\\$", re.MULTILINE)
"""Or a definition that goes on in the next line."""
_MACRO = re.compile(r"\b(?:[A-Za-z_]\w*_)?[A-Z][A-Z0-9_]+\b\s*(?:\([^;{}]*\)?)?\s*(?:[\w{}~]|$)")
_CALL_WITH_BLOCK = re.compile(r"\b[A-Za-z_]\w*\s*\([^;{}]*\)\s*\{$")
_CALL = re.compile(r"\b(?:[A-Z][A-Z0-9]*_[A-Z0-9_]*|[A-Z]{3,})\(")
_MAX_CALLS = 20
"""Of one suggestion that are looked at."""
_DECLARATION = re.compile(r"\s*(?:[A-Za-z_]\w*[\s*&]+){2,}[A-Za-z_]\w*\s*\(")
"""With attributes by any name: `static hidden inline int f(`."""
_ATTRIBUTE = re.compile(
    r"\b(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|__[a-z_]+__)\b(?:\((?:[^()\n]|\([^()\n]*\))*\))?(?=\s+[A-Za-z_~])"
)
_HEAD_ATTRIBUTE = re.compile(
    r"(?<=class |union |truct )(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+)\b(?:\([^()\n]*\))?(?=\s+\w)"
)
_BRACED_DEFAULT = re.compile(r"(?<==)\s*\{[^{}();\n]*\}(?=\s*[,)])")
"""Which the grammar of C++ knows in declarations only."""
_CPP = re.compile(
    r"^\s*(?:namespace\b|template\s*<|class\s+\w|using\s|public:|private:)|\bstd::", re.MULTILINE
)


def is_cpp(text: str) -> bool:
    """Whether a header's text can be C++ only."""
    return _CPP.search(text) is not None


def plain(text: str) -> str:
    """The text, as long as it was, without what is known to lead the grammars astray wherever it stands."""
    text = _HEAD_ATTRIBUTE.sub(_blank, text)
    return _BRACED_DEFAULT.sub(lambda found: "0".rjust(len(found[0])), text)


def without_attributes(text: str) -> str:
    """As long as it was, without names in capitals before another name."""
    return _ATTRIBUTE.sub(_blank, text)


def may_be_macro(before: str, suggestion: str, start: int, end: int, after: str) -> bool:
    """Whether a macro explains that `suggestion[start:end]` is refused; `start` may be before it."""
    text = before[-2_000:] + suggestion[:end]
    statement = re.split(r"[;{}]|^[ \t]*#.*$", text[:-1], flags=re.MULTILINE)[-1]
    beside = "".join(before[-400:].splitlines(keepends=True)[-2:]) + suggestion + after[:200]
    return (
        _CONDITIONAL.search(beside) is not None
        or _MACRO.search(statement + text[-1:]) is not None
        or _CALL_WITH_BLOCK.search(statement + text[-1:]) is not None
        or _DECLARATION.match(statement + text[-1:] + (suggestion[end:] + after)[:200]) is not None
        or _has_call_as_statement(suggestion[: max(start, 0)])
    )


def heads(text: str, class_head: str) -> Iterator[str]:
    """What may stand before it: nothing, a function, a class, a list; with as much open as it closes."""
    depth = num_closed = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        num_closed = max(num_closed, -depth)
    block, function = "{\n", "void f() {\n"
    yield ""
    yield function + block * num_closed
    yield class_head * (num_closed + 1)
    if num_closed:
        yield function + block * (num_closed - 1)
        yield class_head + function + block * (num_closed - 1)
        yield class_head * num_closed
    yield function + block * num_closed + "g(a,\n"
    yield class_head + "void f(int a,\n"
    yield "enum A {\n"


def _has_call_as_statement(text: str) -> bool:
    """Whether a call in capitals stands for a statement: nothing ends it, and the grammar wants a `;`."""
    for found in islice(_CALL.finditer(text), _MAX_CALLS):
        depth, at = 1, found.end()
        while depth and at < len(text):
            depth += (text[at] == "(") - (text[at] == ")")
            at += 1
        following = text[at:].lstrip()[:1]
        if not depth and (not following or following in "{}~_" or following.isalpha()):
            return True
    return False


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
