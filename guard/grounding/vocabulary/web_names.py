"""The names that JavaScript or TypeScript defines, found by a few expressions over its bytes.

As in `python_names`, a few too many: keys and names in strings, local variables, functions that are
called without a receiver.  Minified files say nothing: their names are not what a person would write.
"""

from __future__ import annotations

import re
from itertools import chain

MAX_SOURCE_BYTES = 4_000_000
_MINIFIED_LINE = 5_000

_NAME = rb"[A-Za-z_$][\w$]*+"
_DECLARED = re.compile(
    rb"\b(?:(?:function|class|interface|type|enum|const|let|var|namespace|module|get|set|readonly|static|"
    rb"public|private|protected|abstract|async|declare)[ \t*]++)++(" + _NAME + rb")"
)
_MEMBER = re.compile(rb"(?<![.\w$])(" + _NAME + rb")[ \t]*+[?!]?[:(<=,;}]")  # keys, members, methods, values
_ASSIGNED = re.compile(rb"\.(" + _NAME + rb")[ \t]*+=(?![=>])")
_LITERAL = re.compile(rb"""["'](""" + _NAME + rb""")["']""")
_PARAMETERS = re.compile(rb"\(([\w$ \t,?:.{}=\[\]|<>]*+)\)[ \t]*+(?:=>|\{|:)")
_ALTERNATIVES = re.compile(rb"^[ \t]*+(" + _NAME + rb"),?[ \t]*+$", re.MULTILINE)
_WORD = re.compile(_NAME)


def names_in(source: bytes) -> set[bytes]:
    """Names as UTF-8, a few too many of them; empty for what is minified."""
    source = source[:MAX_SOURCE_BYTES]
    if _is_minified(source):
        return set()
    found = set(_DECLARED.findall(source))
    for pattern in (_MEMBER, _ASSIGNED, _LITERAL, _ALTERNATIVES):
        found.update(pattern.findall(source))
    found.update(chain.from_iterable(map(_WORD.findall, _PARAMETERS.findall(source))))
    return found


def _is_minified(source: bytes) -> bool:
    """Whether lines are far longer than people's."""
    lines = source.count(b"\n") + 1
    return len(source) > _MINIFIED_LINE and len(source) / lines > _MINIFIED_LINE / 10
