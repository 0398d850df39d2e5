"""White space: the indentation of the file, its line ends, and none at the ends of lines."""

from __future__ import annotations

from itertools import pairwise

from ..place.gate import opens_block
from ..place.indentation import indent_unit
from .place import Place


def drop_blank_ends(text: str, place: Place) -> str:
    """Blank lines first and last; white space at the ends of lines, but for what a word follows."""
    lines = text.split("\n")
    if place.starts_line:
        while len(lines) > 1 and not lines[0].strip():
            lines = lines[1:]
    if not place.is_prose:
        lines = [*(line.rstrip(" \t") for line in lines[:-1]), lines[-1]]
    text = "\n".join(lines)
    rest = place.here.rest
    if rest[:1].isalnum() or rest[:1] in ("_", '"', "'", "$", "@"):
        return text
    return text.rstrip()


def drop_typed_indent(text: str, place: Place) -> str:
    """The editor has indented the line already; what the model wrote of it again goes."""
    here = place.here
    if not place.starts_line or not here.typed or text[:1] not in (" ", "\t"):
        return text
    first, *others = text.split("\n")
    margin = _margin(first)
    if not first.strip() or margin != here.typed:
        return text
    level = min((len(_margin(line)) for line in others if line.strip()), default=None)
    if level is None:
        opened = indent_unit(place.document) if opens_block(here.previous) else ""
        level = len(_margin(here.previous) + opened)
    return "\n".join([first[len(margin) :], *others]) if level <= len(here.typed) else text


def fit_indent(text: str, place: Place) -> str:
    """Tabs or spaces as in the file; steps as wide as the file's where the text's blocks agree on another."""
    lines = text.split("\n")
    if len(lines) < 2 or not any(line[:1] in (" ", "\t") for line in place.document.split("\n")):
        return text
    unit = indent_unit(place.document)
    step = _step(lines, place)
    if unit == "\t":
        width = step if step and step > 1 else 4
        return "\n".join([lines[0], *(_with_tabs(line, width) for line in lines[1:])])
    lines = [lines[0], *(_margin(line).replace("\t", unit) + line.lstrip(" \t") for line in lines[1:])]
    if step is None or step in (0, len(unit)) or any("\t" in _margin(line) for line in text.split("\n")[1:]):
        return "\n".join(lines)
    base = len(_margin(place.here.typed + lines[0]))
    return "\n".join([lines[0], *(_rescaled(line, base, step, len(unit)) for line in lines[1:])])


def like_document(text: str, document: str) -> str:
    """Line ends as the document has them, judged by its first."""
    at = document.find("\n")
    return text.replace("\n", "\r\n") if at > 0 and document[at - 1] == "\r" else text


def _step(lines: list[str], place: Place) -> int | None:
    """By how much the text indents a block, if its blocks agree."""
    whole = [place.here.typed + lines[0], *lines[1:]]
    written = [line.expandtabs(4) for line in whole if line.strip()]
    steps = {
        len(_margin(inner)) - len(_margin(header))
        for header, inner in pairwise(written)
        if opens_block(header) and len(_margin(inner)) > len(_margin(header))
    }
    return steps.pop() if len(steps) == 1 else None


def _with_tabs(line: str, width: int) -> str:
    margin = _margin(line)
    columns = len(margin.expandtabs(width))
    return "\t" * (columns // width) + " " * (columns % width) + line[len(margin) :]


def _rescaled(line: str, base: int, step: int, width: int) -> str:
    margin = len(_margin(line))
    steps, more = divmod(margin - base, step)
    if not line.strip() or margin <= base or more:
        return line
    return " " * (base + steps * width) + line[margin:]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
