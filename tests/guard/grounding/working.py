"""Blocks of about twenty lines of working code, as suggestions in their place."""

from __future__ import annotations

import ast
import random

from .installed import Source
from .snippets import Case

PACKAGES = (
    "rich",
    "httpx",
    "anyio",
    "urllib3",
    "jinja2",
    "click",
    "pydantic",
    "requests",
    "flask",
    "packaging",
    "pygments",
    "docutils",
    "ansible",
    "pylint",
    "attr",
    "yaml",
    "markdown_it",
    "sqlalchemy",
    "django",
)
BLOCK_LINES = 20
MAX_LINES = 32


def cases(sources: list[Source], count: int, seed: int) -> list[Case]:
    """`count` blocks of whole statements that stand beside each other, none twice."""
    rng = random.Random(f"{seed} working")
    places = [(source, *span) for source in sources for span in _blocks(source.tree)]
    chosen = rng.sample(places, min(count, len(places)))
    return [_case(*place) for place in chosen]


def _blocks(tree: ast.Module) -> list[tuple[int, int]]:
    """First and last line of runs of statements, each the shortest of at least twenty lines."""
    found: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                found += _runs([one for one in body if isinstance(one, ast.stmt)])
    return found


def _runs(body: list[ast.stmt]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for at, first in enumerate(body):
        start = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", ()))])
        for last in body[at:]:
            end = last.end_lineno or last.lineno
            if end - start + 1 >= BLOCK_LINES:
                if end - start < MAX_LINES:
                    found.append((start, end))
                break
    return found


def _case(source: Source, start: int, end: int) -> Case:
    lines = source.text.splitlines(keepends=True)
    return Case(
        library=source.package,
        snippet=f"{source.path}:{start}",
        kind="",
        before="".join(lines[: start - 1]),
        suggestion="".join(lines[start - 1 : end]),
        after="".join(lines[end:]),
        path=source.path,
    )
