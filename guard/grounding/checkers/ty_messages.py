"""What `ty` says, in our words.  Its rules and sentences change between releases: all of them are here.

For ty 0.0.104, the version this project pins.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ..finding import Fault, Finding
from .dialect import Diagnostic

FAULTS = {
    "missing-attribute": Fault.MISSING_MEMBER,
    "invalid-typed-dict-key": Fault.MISSING_MEMBER,
    "import-not-found": Fault.MISSING_MODULE,
    "unresolved-reference": Fault.MISSING_NAME,
    "unknown-argument": Fault.UNKNOWN_ARGUMENT,
    "unknown-typed-dict-constructor-key": Fault.UNKNOWN_ARGUMENT,
    "missing-argument": Fault.WRONG_CALL,
    "too-many-positional-arguments": Fault.WRONG_CALL,
    "positional-only-parameter-as-kwarg": Fault.WRONG_CALL,
    "parameter-already-assigned": Fault.WRONG_CALL,
    "no-matching-overload": Fault.WRONG_CALL,
    "not-callable": Fault.WRONG_CALL,
    "missing-union-attribute": Fault.POSSIBLY_MISSING,
    "possibly-missing-attribute": Fault.POSSIBLY_MISSING,
    "possibly-missing-import": Fault.POSSIBLY_MISSING,
    "possibly-missing-submodule": Fault.POSSIBLY_MISSING,
    "possibly-unresolved-reference": Fault.POSSIBLY_MISSING,
}
"""Its rules; every other one is not about whether something exists."""

_SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        r"Cannot resolve imported module `(?P<name>[^`]*)`",
        r"Module `(?P<receiver>[^`]*)` has no member `(?P<name>[^`]*)`",
        r"^[A-Z][\w ]* `(?P<receiver>.*)` (?:may not have|has no) attribute `(?P<name>[^`]*)`",
        r"Unresolved attribute `(?P<name>[^`]*)` on type `(?P<receiver>.*?)`(?:$|[ .])",
        r"Attribute `(?P<name>[^`]*)` (?:is not defined on|may be missing on|on type) .*?`(?P<receiver>.*?)`",
        r"Member `(?P<name>[^`]*)` of module `(?P<receiver>[^`]*)` may be missing",
        r"Submodule `(?P<name>[^`]*)` might not",
        r"Name `(?P<name>[^`]*)` used when",
        r"Argument `(?P<name>[^`]*)` does not match any known parameter(?: of (?P<receiver>.*))?",
        r"Unknown key \"(?P<name>[^\"]*)\" (?:for|in) TypedDict `(?P<receiver>[^`]*)`",
        r"No argument provided for required parameter `(?P<name>[^`]*)`(?: of (?P<receiver>.*))?",
        r"No arguments provided for required parameters .*? of (?P<receiver>.*)",
        r"Too many positional arguments(?: to (?P<receiver>.*?))?: expected",
        r"No overload of (?P<receiver>.*) matches arguments",
        r"Multiple values provided for parameter (?:\d+ \()?`(?P<name>[^`]*)`\)?(?: of (?P<receiver>.*))?",
        r"Positional-only parameter .*?`(?P<name>[^`]*)`\)? passed as keyword(?:.*? of (?P<receiver>.*))?",
        r"Object of type `(?P<receiver>.*)` (?:is not|may not be) callable",
    )
)
_QUOTES = ("'", '"')
_NEAREST = re.compile(r"[Dd]id you mean `?\"?(?:[\w.]*\.)?(\w+)`?\"?\??")
_KIND = re.compile(r"^(?:bound method|function|class|constructor of|method wrapper|bound) |`")
_OVERLOAD = re.compile(r"^info:\s+(?:\[.*?\])?\((.*)\) -> ", re.MULTILINE)
_MORE = re.compile(r"^info:.*\b(?:omitted \d+|\d+ more) (?:other )?overloads?", re.MULTILINE)
_PARAMETER = re.compile(r"(?:^|, )(\*{0,2}\w+)(?=: | ?=|,|$)")


def read(said: Diagnostic, text: str, path: str) -> Finding | None:
    """The range is the part of the text that names what is missing, where that can be told.

    Of a file that is not on the disk yet, ty does not know in which package it is.
    """
    fault = FAULTS.get(said.code)
    if fault is None:
        return None
    sentence, _, details = said.message.partition("\n")
    name, receiver = _parts(sentence)
    if fault is Fault.MISSING_MODULE and name.startswith(".") and not Path(path).exists():
        return None
    if fault is Fault.MISSING_MODULE and receiver:
        fault = Fault.MISSING_MEMBER  # `from module import member`
    if said.code == "no-matching-overload":
        unknown = _unknown_keyword(said, text, details)
        if unknown is not None:
            start, name = unknown
            end = start + len(name)
            return Finding(Fault.UNKNOWN_ARGUMENT, start, end, name, receiver, sentence)
    nearest = _NEAREST.search(said.message)
    start, end = _place(fault, said, text, name)
    return Finding(fault, start, end, name, receiver, sentence, nearest[1] if nearest else "")


def _parts(sentence: str) -> tuple[str, str]:
    for pattern in _SENTENCES:
        if match := pattern.search(sentence):
            parts = match.groupdict()
            return parts.get("name") or "", _KIND.sub("", parts.get("receiver") or "").strip("`. ")
    return "", ""


def _place(fault: Fault, said: Diagnostic, text: str, name: str) -> tuple[int, int]:
    """Of `a.b.name` only the name; of `name=value` the keyword; of `module as m` the module."""
    shown = text[said.start : said.end]
    if fault in (Fault.MISSING_MEMBER, Fault.POSSIBLY_MISSING) and name:
        end = said.end - 1 if shown[-1:] in _QUOTES else said.end  # a key of a TypedDict
        if text.endswith(name, said.start, end):
            return end - len(name), end
    if fault in (Fault.UNKNOWN_ARGUMENT, Fault.MISSING_MODULE) and name and shown.startswith(name):
        return said.start, said.start + len(name)
    return said.start, said.end


def _unknown_keyword(said: Diagnostic, text: str, details: str) -> tuple[int, str] | None:
    """A keyword that none of the overloads takes: then it is that, and not the types of the others."""
    if _MORE.search(details):
        return None
    taken: set[str] = set()
    for overload in _OVERLOAD.findall(details):
        taken.update(_PARAMETER.findall(_flat(overload)))
    if not taken or any(name.startswith("**") for name in taken):
        return None
    for start, keyword in _keywords(text[said.start : said.end]):
        if keyword not in taken:
            return said.start + start, keyword
    return None


def _flat(parameters: str) -> str:
    """Without what is in brackets and quotes: what commas are left stand between parameters."""
    depth, kept, quote = 0, list[str](), ""
    for char in parameters:
        if quote:
            quote = "" if char == quote else quote
            continue
        if char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0:
            kept.append(char)
    return "".join(kept)


def _keywords(call: str) -> Iterator[tuple[int, str]]:
    """Of the outermost call, with where they stand in it."""
    try:
        tree = ast.parse(f"({call})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return
    if not isinstance(tree, ast.Call):
        return
    lines = f"({call})".splitlines(keepends=True)
    for keyword in tree.keywords:
        if keyword.arg is not None:
            before = lines[keyword.lineno - 1].encode("utf-8", "replace")[: keyword.col_offset]
            start = sum(map(len, lines[: keyword.lineno - 1])) + len(before.decode("utf-8", "replace"))
            yield start - 1, keyword.arg
