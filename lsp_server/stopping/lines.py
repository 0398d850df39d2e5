"""The shape of single lines: how deep they stand, what they leave open.  Text has Unix line ends."""

from __future__ import annotations

import re

from .table import Ends

CLOSERS = frozenset(")]}\"'`>;,:")
_GOES_ON = re.compile(
    r"(?:[+\-*/%&|^<=]|(?<![-=])>(?==)|\?\?|\.|::|\\|->|=>|\b(?:and|or|not|in|is|instanceof|as))[ \t]*$"
)
_POSTFIX = re.compile(r"(?:\+\+|--|\*/)[ \t]*$")
_TERMINATED = re.compile(r"[;{},:>][ \t]*(?://.*|#.*|/\*.*\*/[ \t]*)?$")
_NO_STATEMENT = re.compile(r"[ \t]*(?:[@#\[]|//|/\*|\*)")
_DECLARES = re.compile(
    r"[ \t]*(?:@|#\[|"
    r"(?:(?:export|default|pub(?:\(\w+\))?|public|private|protected|internal|static|final|abstract|"
    r"async|override|open|data|sealed|virtual|inline|const|unsafe|extern|local|suspend|template|mutating)\s+)*"
    r"(?:def|class|function|fn|func|fun|interface|struct|enum|impl|trait|module|object|protocol|extension|"
    r"namespace|record|union|mod)\b|(?:public|private|protected|internal)\s)"
)
_FIRST_WORD = re.compile(r"[ \t]*(\w+)")


def indent(line: str) -> int:
    """Columns of white space before the line, a tab being four."""
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())


def only_closes(line: str) -> bool:
    """Nothing but closers and separators stands in it."""
    stripped = line.strip()
    return bool(stripped) and all(c in CLOSERS for c in stripped)


def goes_on(line: str, ends: Ends) -> bool:
    """Does the line, all of whose brackets are closed, want another below it?"""
    if not line.strip() or _NO_STATEMENT.match(line):
        return line.rstrip().endswith("\\")
    if ends.needs_semicolon and not _TERMINATED.search(line):
        return True
    return bool(_GOES_ON.search(line)) and not _POSTFIX.search(line)


def may_be_chained(line: str, ends: Ends) -> bool:
    """Could the line below go on with this one, so that only its first character tells?"""
    return bool(ends.chains) and not _TERMINATED.search(line) and not _NO_STATEMENT.match(line)


def declares(line: str) -> bool:
    """Does it begin a function, a type or the like?  By its words, in any language."""
    return _DECLARES.match(line) is not None


def jumps(line: str, ends: Ends) -> bool:
    """Does it leave the block, so that nothing after it would be reached?"""
    word = _FIRST_WORD.match(line)
    return word is not None and word[1] in ends.jumps
