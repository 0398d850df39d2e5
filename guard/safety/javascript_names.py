"""JavaScript's `require`, imports, `promisify` and `obj["name"]`, resolved in the text."""

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

_HINT = re.compile(r"\brequire\b|\bimport\b|\[\s*['\"`]")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_BY_NAME = re.compile(r"""[\w)]\[\s*['"`][^\]\n]*['"`]\s*\]\s*\(""")
_REQUIRE = re.compile(r"\brequire\(([^()]*)\)")
_GLOBAL_OBJECTS = frozenset({"globalThis", "window", "global", "self"})
_NAMING = frozenset(
    {
        *("import_specifier", "namespace_import", "import_clause", "formal_parameters", "pair_pattern"),
        *("function_declaration", "class_declaration", "required_parameter", "optional_parameter"),
    }
)
"""Parents under which an identifier names something new."""


def javascript_names(text: str, rules: RuleSet) -> Canonical:
    language, facts = rules.language, rules.facts
    names = assumed(text, facts)
    if not names and not _HINT.search(text):
        return Canonical(text)
    root = parse(text, language)
    edits = _read_requires(root, names, facts)
    for node in find_all(root, {"kind": "import_statement"}):
        _read_import(node, names, facts)
    for node in find_all(
        root, {"pattern": "const $A = promisify($B)"}, {"pattern": "const $A = util.promisify($B)"}
    ):
        names[node["A"].text()] = called(names, _REQUIRE.sub(_named, node["B"].text()))
    names = of_interest(names, rules)
    drop_parameters(root, names, language, ("formal_parameters", "required_parameter", "optional_parameter"))
    edits += edits_of((node for node in uses(root, names) if _is_use(node)), names)
    first = Canonical(text, edits)
    first.root = root if not edits else None
    return _without_lookups(first, language) if _BY_NAME.search(first.text) else first


def _read_requires(root: SgNode, names: dict[str, str], facts: FlowFacts) -> list[Edit]:
    edits: list[Edit] = []
    for node in find_all(root, {"pattern": "require($S)"}):
        module = _module(node["S"].text())
        if module is None:
            continue
        edits.append(Edit(*span(node), module))
        holder, tail = node.parent(), ""
        if holder is not None and holder.kind() == "member_expression":
            tail = holder.text()[len(node.text()) :]
            holder = holder.parent()
        if holder is None or holder.kind() != "variable_declarator" or not _WORD.fullmatch(tail[1:] or "x"):
            continue
        target = holder.field("name")
        if target is not None:
            _bind(names, target, f"{module}{tail}", facts)
    return edits


def _bind(names: dict[str, str], target: SgNode, whole: str, facts: FlowFacts) -> None:
    """The names a declaration gives to a module or to parts of it."""
    if target.kind() == "identifier":
        names[target.text()] = whole
        return
    for one in target.named_children():
        key, value = one.field("key"), one.field("value")
        if one.kind() == "shorthand_property_identifier_pattern":
            names[one.text()] = shortened(f"{whole}.{one.text()}", facts)
        elif key is not None and value is not None:
            names[value.text()] = shortened(f"{whole}.{key.text()}", facts)


def _read_import(node: SgNode, names: dict[str, str], facts: FlowFacts) -> None:
    source = node.field("source")
    module = _module(source.text()) if source is not None else None
    if module is None:
        return
    for one in find_all(node, {"kind": "import_specifier"}):
        name = one.field("name")
        if name is not None:
            names[(one.field("alias") or name).text()] = shortened(f"{module}.{name.text()}", facts)
    for one in find_all(
        node,
        {"kind": "identifier", "inside": {"any": [{"kind": "namespace_import"}, {"kind": "import_clause"}]}},
    ):
        names[one.text()] = module


def _module(text: str) -> str | None:
    """`"node:fs/promises"` is `fs.promises`, `"js-yaml"` is `js_yaml`; nothing for a file of one's own."""
    name = folded(text)
    if not name or name.startswith("."):
        return None
    name = name.removeprefix("node:")
    if name.endswith("/promises"):
        return f"{name[: -len('/promises')]}.promises"
    return re.sub(r"\W", "_", name.lstrip("@"))


def _named(match: re.Match[str]) -> str:
    return _module(match[1]) or match[0]


def _is_use(node: SgNode) -> bool:
    parent = node.parent()
    if parent is None:
        return False
    if parent.kind() in ("variable_declarator", "assignment_pattern"):
        return span(node)[0] != span(parent)[0]
    return parent.kind() not in _NAMING


def _without_lookups(first: Canonical, language: str) -> Canonical:
    """`cp["ex" + "ec"](x)` is `cp.exec(x)`, `globalThis["eval"](x)` is `eval(x)`."""
    edits: list[Edit] = []
    for node in find_all(parse(first.text, language), {"pattern": "$M[$S]($$$)"}):
        name = folded(node["S"].text())
        if name is None or not _WORD.fullmatch(name):
            continue
        end = first.text.index("]", span(node["S"])[1]) + 1
        module = node["M"].text()
        whole = name if module in _GLOBAL_OBJECTS else f"{module}.{name}"
        edits.append(Edit(span(node)[0], end, whole))
    return Canonical(first.text, edits, first)
