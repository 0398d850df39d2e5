"""A definition as text: its signature, in the manner of its language, without a body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..facts import TYPE_KINDS, Definition
from .masking import masked, masked_prose

MAX_SIGNATURE_CHARS = 240
SHORT_SIGNATURE_CHARS = 110
MAX_DOC_CHARS = 100

_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)")
_INDENT = "    "


def line_of(definition: Definition, *, max_chars: int, with_doc: bool, hash_comments: bool) -> str:
    """One line, or two with the first sentence of what is said of it; not indented."""
    signature = masked(definition.signature)
    if len(signature) > max_chars:
        signature = signature[: max_chars - 1].rstrip() + "…"
    doc = first_sentence(definition.doc) if with_doc else ""
    if not doc:
        return signature
    return f"{'#' if hash_comments else '//'} {masked_prose(doc)}\n{signature}"


def first_sentence(doc: str) -> str:
    """Empty where it would be long."""
    found = _SENTENCE.match(doc)
    sentence = found[1] if found else doc
    return sentence if len(sentence) <= MAX_DOC_CHARS else ""


def text_of(
    lines: Sequence[tuple[Definition, str]], headings: Mapping[str, str], path: str
) -> tuple[str, tuple[Definition, ...]]:
    """The lines of one file in order of the text, members under the heading of their type.

    `headings`: by the qualified name of a type, its signature; masked here.
    """
    ordered = sorted(lines, key=lambda item: item[0].start)
    groups: dict[str, list[tuple[Definition, str]]] = {}
    for item in ordered:
        definition = item[0]
        is_type = definition.kind in TYPE_KINDS
        group = definition.qualified_name if is_type else definition.parent
        if definition.signature.startswith("func ("):  # Go's methods stand by themselves
            group = ""
        groups.setdefault(group, []).append(item)
    opens, closes = (":", "") if path.endswith((".py", ".pyi")) else (" {", "}")
    text: list[str] = []
    shown: list[Definition] = []
    for group, items in groups.items():
        head = next((item for item in items if item[0].qualified_name == group), None)
        members = [item for item in items if item is not head]
        if head is not None:
            shown.append(head[0])
        if group and members:
            heading = head[1] if head is not None else masked(headings.get(group, group))
            text.append(heading.rstrip(" {:") + opens)
            text += [_indented(line) for _, line in members]
            text += [closes] if closes else []
        else:
            text += [line for _, line in items]
        shown += [definition for definition, _ in members]
    return "\n".join(text), tuple(shown)


def _indented(lines: str) -> str:
    return "\n".join(_INDENT + line for line in lines.split("\n"))
