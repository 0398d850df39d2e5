"""One call of a method in a function of an installed package, renamed to what neither it nor Python has.

The suggestion is the statement it stands in; before and after it is the rest of the real file.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator

from .installed import Source, library_words
from .plants import made
from .snippets import Case

TYPED = ("rich", "httpx", "anyio", "attr", "urllib3", "pydantic", "requests", "click", "flask", "packaging")
UNTYPED = ("ansible", "pylint", "docutils", "pygments", "jinja2", "django")
MAX_LINES = 10
_WORD = re.compile(r"[A-Za-z_]\w*")


def cases(sources: list[Source], count: int, seed: int) -> list[Case]:
    """`count` of them, at most one for each function, spread over the files."""
    rng = random.Random(f"{seed} mutation")
    known = set(library_words())
    for source in sources:
        known.update(_WORD.findall(source.text))
    places = [(source, function) for source in sources for function in _functions(source.tree)]
    rng.shuffle(places)
    found: list[Case] = []
    for source, function in places:
        if len(found) >= count:
            break
        case = _mutant(source, function, known, rng)
        if case is not None:
            found.append(case)
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _mutant(source: Source, function: ast.AST, known: set[str], rng: random.Random) -> Case | None:
    calls = [
        (statement, node.func)
        for statement in _statements(function)
        if (statement.end_lineno or 0) - statement.lineno < MAX_LINES
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    calls = [one for one in calls if not one[1].attr.startswith("__") and len(one[1].attr) > 2]
    if not calls:
        return None
    statement, call = rng.choice(calls)
    starts = _line_starts(source.text)
    end = _offset(source.text, starts, call.end_lineno or 0, call.end_col_offset or 0)
    begin = end - len(call.attr)
    if source.text[begin:end] != call.attr:
        return None
    wrong = next((one for _ in range(20) if (one := made(call.attr, rng)) not in known), "")
    if not wrong:
        return None
    first = starts[statement.lineno - 1]
    last_line = statement.end_lineno or statement.lineno
    last = starts[last_line] if last_line < len(starts) else len(source.text)
    right = source.text[first:last]
    suggestion = source.text[first:begin] + wrong + source.text[end:last]
    return Case(
        library=source.package,
        snippet=f"{source.path}:{call.lineno}",
        kind=_receiver(call.value),
        before=source.text[:first],
        suggestion=suggestion,
        after=source.text[last:],
        path=source.path,
        planted=wrong,
        expected=call.attr,
        right=right,
        origin="made",
    )


def _statements(function: ast.AST) -> Iterator[ast.stmt]:
    """Those without statements in them, so that a suggestion is a few lines."""
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node


def _receiver(value: ast.expr) -> str:
    match value:
        case ast.Name(id="self"):
            return "self"
        case ast.Attribute(value=ast.Name(id="self")):
            return "attribute of self"
        case ast.Name():
            return "name"
        case ast.Constant() | ast.JoinedStr() | ast.List() | ast.Dict():
            return "literal"
        case ast.Call():
            return "call"
        case _:
            return "other"


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    return starts


def _offset(text: str, starts: list[int], line: int, column_bytes: int) -> int:
    """Of a place as `ast` gives it, whose columns count UTF-8 bytes."""
    start = starts[line - 1]
    end = starts[line] if line < len(starts) else len(text)
    return start + len(text[start:end].encode()[:column_bytes].decode(errors="ignore"))
