"""Python's imports, aliases and `getattr`, resolved in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .canonical import (
    Canonical,
    Edit,
    assumed,
    called,
    drop_parameters,
    edits_of,
    folded,
    of_interest,
    shortened,
    uses,
)
from .trees import find_all, parse, span

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from .rule import FlowFacts, RuleSet

_HINT = re.compile(r"\bimport\b|\bgetattr\s*\(|__dict__|__import__")
_REFLECTION = re.compile(r"\bgetattr\s*\(|__import__|import_module|__dict__")
_ASSIGNED = re.compile(r"(?m)^[ \t]*([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)(.*)$", re.ASCII)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+", re.ASCII)
_NAMING = frozenset(
    {
        *("dotted_name", "aliased_import", "parameters", "function_definition", "class_definition"),
        *("default_parameter", "typed_parameter", "lambda_parameters", "global_statement"),
    }
)
"""Parents under which an identifier names something new, or is not a name of a value."""


def python_names(text: str, rules: RuleSet) -> Canonical:
    facts = rules.facts
    names = assumed(text, facts)
    if not names and not _HINT.search(text) and not any(f"{one}." in text for one in facts.short):
        return Canonical(text)
    root = parse(text, "python")
    for node in find_all(root, {"kind": "import_statement"}, {"kind": "import_from_statement"}):
        _read_import(node, names, facts)
    _read_aliases(text, names)
    names = of_interest(names, rules)
    drop_parameters(root, names, "python", ("parameters", "lambda_parameters"))
    edits = edits_of((node for node in uses(root, names) if _is_use(node)), names)
    edits += _without_modules(text, facts)
    first = Canonical(text, edits)
    first.root = root if not edits else None
    return _without_reflection(first) if _REFLECTION.search(first.text) else first


def _read_import(node: SgNode, names: dict[str, str], facts: FlowFacts) -> None:
    module = node.field("module_name")
    prefix = module.text() if module is not None else ""
    for one in node.field_children("name"):
        alias, name = one.field("alias"), one.field("name")
        dotted = name.text() if name is not None else one.text()
        bound = alias.text() if alias is not None else dotted.partition(".")[0]
        if prefix.startswith("."):
            names.pop(bound, None)
        elif alias is not None or prefix:
            names[bound] = shortened(f"{prefix}.{dotted}" if prefix else dotted, facts)
        else:
            names.pop(bound, None)


def _read_aliases(text: str, names: dict[str, str]) -> None:
    """`run = os.system`, where `run` is called; a name that something else is assigned to is no alias."""
    assigned: dict[str, list[str]] = {}
    for match in _ASSIGNED.finditer(text):
        assigned.setdefault(match[1], []).append(match[2].strip())
    for name, values in assigned.items():
        dotted = len(values) == 1 and _DOTTED.fullmatch(values[0]) is not None
        if dotted and f"{name}(" in text:
            names[name] = called(names, values[0])
        else:
            names.pop(name, None)


def _is_use(node: SgNode) -> bool:
    parent = node.parent()
    if parent is None:
        return False
    is_first = span(node)[0] == span(parent)[0]
    if parent.kind() in ("attribute", "assignment", "keyword_argument"):
        return is_first if parent.kind() == "attribute" else not is_first
    return parent.kind() not in _NAMING


def _without_modules(text: str, facts: FlowFacts) -> list[Edit]:
    """`flask.request` is `request`, for the modules that rules leave out."""
    present = [module for module in facts.short if f"{module}." in text]
    if not present:
        return []
    pattern = rf"(?<![\w.])(?:{'|'.join(map(re.escape, present))})\.(?=[A-Za-z_])"
    found: list[Edit] = []
    for match in re.finditer(pattern, text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not re.match(r"\s*(from|import)\b", line):
            found.append(Edit(match.start(), match.end(), ""))
    return found


def _without_reflection(first: Canonical) -> Canonical:
    """`getattr(os, "system")` and `__import__("os").system` are `os.system`."""
    root = parse(first.text, "python")
    edits: list[Edit] = []
    for node in find_all(
        root,
        {"pattern": "getattr($M, $S)"},
        {"pattern": "getattr($M, $S, $D)"},
        {"pattern": "$M.__dict__[$S]"},
    ):
        name = folded(node["S"].text())
        if name is not None and name.isidentifier():
            edits.append(Edit(*span(node), f"{_module(node['M'].text())}.{name}"))
    for node in find_all(root, {"pattern": "__import__($S)"}, {"pattern": "importlib.import_module($S)"}):
        name = folded(node["S"].text())
        if name is not None and name.replace(".", "").isidentifier():
            edits.append(Edit(*span(node), name))
    return Canonical(first.text, edits, first)


def _module(text: str) -> str:
    found = re.fullmatch(r"(?:__import__|importlib\.import_module)\((.*)\)", text, re.DOTALL)
    return (folded(found[1]) or text) if found else text
