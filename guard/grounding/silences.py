"""When a checker is right about what it sees and wrong about the program: nothing is said then.

Each silence has its reason, a few words for the log.  A silence looks only at the text round the
finding, except that names of modules made at run time are looked for in the module's own file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .elsewhere import ELSEWHERE, INJECTED, MODULES_ELSEWHERE, PYTHON_2, SCRIPT_GLOBALS
from .finding import Fault, Finding

if TYPE_CHECKING:
    from ...context.parsing import Node
    from .draft import Draft

_REMARKS = re.compile(
    r"(?:#|//|/\*)\s*(?:(?:type|ty|pyright|mypy):\s*ignore\b(?:\[(?P<kinds>[^\]]*)\])?"
    r"|noqa\b(?::\s*(?P<rules>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*))?"
    r"|pylint:\s*disable\b(?:=(?P<checks>[\w,\- ]+))?"
    r"|@ts-ignore|@ts-expect-error|@ts-nocheck)"
)
_OF_NAMES = re.compile(
    r"attr|union|import|unresolved|missing|name-defined|undefined|call-arg|call-overload|misc|member|operator|arguments?\b"
    r"|index|possibly|report(?:Attr|Optional|Undefined|Call|Missing|Unknown|Possibly|General)"
    r"|no-name|unexpected-keyword|too-many-function|not-callable|no-value|^[CEFRW]\d{4}$|all\b"
)
"""Kinds of remarks that speak of members, imports, names and arguments."""
_OF_NAMES_RULES = re.compile(r"\b(?:F(?:4|8|$)|E\d{4})")
_CAUGHT = {
    Fault.MISSING_MODULE: re.compile(r"\b(ImportError|ModuleNotFoundError|Exception|BaseException)\b"),
    Fault.MISSING_MEMBER: re.compile(r"\bAttributeError\b"),
    Fault.MISSING_NAME: re.compile(r"\b(NameError|ImportError)\b"),
    Fault.UNKNOWN_ARGUMENT: re.compile(r"\bTypeError\b"),
    Fault.WRONG_CALL: re.compile(r"\bTypeError\b"),
}
_PLATFORM = re.compile(
    r"sys\.platform|os\.name|platform\.(system|python_implementation)|sys\.(version_info|hexversion|implementation)"
    r"|\bPY[23]\d*\b|\bIS_?WIN|\bWIN(DOWS|32)?\b|\bon_windows\b|\bis_windows\b|\bPYPY\b|\bsix\.PY"
    r"|process\.platform|typeof "
)
_NOT_CODE = re.compile(
    r"\.(css|scss|sass|less|svg|png|jpe?g|gif|webp|vue|svelte|json|html?|md|txt|wasm|graphql|ya?ml)(\?.*)?$"
)
_STAR = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*\*", re.MULTILINE)
_MAKES_NAMES = re.compile(
    r"\bexec\(|globals\(\)\s*(\.update|\[)|locals\(\)\.update|\bvars\(\)\[|__builtins__"
)


def silence(
    finding: Finding, draft: Draft, known: frozenset[tuple[str, str, str]], *, is_nowhere: bool = False
) -> str:
    """Why nothing is to be said of `finding`; empty if there is no reason.

    `known` are findings of the text without the suggestion, by fault, receiver and name.
    With `is_nowhere` nothing defines the name, so that no class can get it at run time.
    """
    statement = draft.statement_at(finding.start)
    places = {finding.start} if statement is None else {finding.start, statement.start}
    if any(is_remarked(draft.line_at(place)) for place in places):
        return "a remark on the line"
    if (finding.fault, finding.receiver, finding.name) in known:
        return "the text round it has the same"
    if draft.language == "python":
        return _python_silence(finding, draft, is_nowhere=is_nowhere) or _starred(finding, draft, known)
    return _script_silence(finding, draft)


def is_remarked(line: str) -> bool:
    """Whether a remark on `line` tells checkers to say nothing of names: one of another kind does not."""
    for match in _REMARKS.finditer(line):
        if rules := match["rules"]:
            if _OF_NAMES_RULES.search(rules):
                return True
            continue
        kinds = match["kinds"] or match["checks"]
        if kinds is None or any(_OF_NAMES.search(one.strip()) for one in kinds.split(",")):
            return True
    return False


def _python_silence(finding: Finding, draft: Draft, *, is_nowhere: bool) -> str:
    if finding.fault is Fault.MISSING_NAME:
        if finding.name in INJECTED and not _is_plain_slip(finding.name, draft):
            return "a name that is put there from outside"
        if draft.path.endswith(".ipynb"):
            return "another cell may define it"
        if _MAKES_NAMES.search(draft.text):
            return "the text makes names at run time"
        if _is_bound(finding.name, finding.start, draft):
            return "it is defined, but not on every path"
    if finding.name and finding.fault is Fault.MISSING_MEMBER:
        if finding.name in ELSEWHERE.get(finding.receiver, ()) or finding.receiver in MODULES_ELSEWHERE:
            return "it is there on another system"
        if _is_set(finding.name, draft) or _is_asked_for(finding.name, draft):
            return "the text sets it, or asks whether it is there"
        if _is_used_alike(finding, draft):
            return "the text round it uses the same"
        if _is_of_metaclass(finding, draft):
            return "the class that is made has it"
        is_dynamic = finding.receiver.startswith("<locals") or _is_dynamic_self(finding, draft)
        if is_dynamic and not is_nowhere:
            return "the class gets members that are not written in it"
    return _guarded(finding, draft, is_nowhere=is_nowhere)


def _starred(finding: Finding, draft: Draft, known: frozenset[tuple[str, str, str]]) -> str:
    if finding.fault is not Fault.MISSING_NAME:
        return ""
    for module in _STAR.findall(draft.text):
        if module.startswith(".") or any(
            fault == Fault.MISSING_MODULE and name == module for fault, _, name in known
        ):
            return "a module that is not there may define it"
    return ""


def _guarded(finding: Finding, draft: Draft, *, is_nowhere: bool) -> str:
    for node in draft.ancestors_at(finding.start):
        if node.kind == "try_statement" and _is_caught(finding, node, draft):
            return "the error is caught"
        if node.kind == "with_statement" and "suppress(" in draft.text[node.start : node.start + 120]:
            header = draft.text[node.start : node.start + 200].partition(":\n")[0]
            if _CAUGHT.get(finding.fault, _REMARKS).search(header):
                return "the error is suppressed"
        if node.kind in ("if_statement", "elif_clause", "conditional_expression", "boolean_operator"):
            condition = node.field("condition") or node
            said = draft.text[condition.start : condition.end]
            if _PLATFORM.search(said):
                return "a guard for the platform or the version"
            if (
                node.kind == "if_statement"
                and "TYPE_CHECKING" in said
                and finding.fault is Fault.MISSING_MODULE
            ):
                return "an import for type checkers only"
        if not is_nowhere and node.kind == "function_definition" and node.field("name") is not None:
            name = node.field("name")
            if name is not None and draft.text[name.start : name.end] == "__getattr__":
                return "inside __getattr__"
    return ""


def _is_caught(finding: Finding, whole: Node, draft: Draft) -> bool:
    """Whether it stands in the body of a `try` that catches it, or in the handler that makes up for it."""
    pattern = _CAUGHT.get(finding.fault)
    body = whole.field("body")
    if pattern is None or body is None:
        return False
    if finding.fault is Fault.MISSING_MEMBER and _is_imported(finding, draft):
        pattern = _CAUGHT[Fault.MISSING_MODULE]
    inside = body.start <= finding.start < body.end
    for part in whole.named_children:
        if part.kind != "except_clause":
            continue
        header = draft.text[part.start : part.end].partition(":")[0]
        catches = pattern.search(header) is not None
        if header.strip() == "except":
            catches = finding.fault is Fault.MISSING_MODULE
        if catches and (inside or part.start <= finding.start < part.end):
            return True
    return False


def _is_imported(finding: Finding, draft: Draft) -> bool:
    return any(node.kind == "import_from_statement" for node in draft.ancestors_at(finding.start))


def _is_bound(name: str, offset: int, draft: Draft) -> bool:
    """Whether the text binds `name` where a use at `offset` could see it: a flow that ty cannot follow."""
    word = re.escape(name)
    binding = re.compile(
        rf"^[ \t]*(?:(?:global|nonlocal)[ \t][\w, \t]*\b{word}\b"
        rf"|(?:[\w.\[\]'\"]+[ \t]*,[ \t]*|\()*{word}[ \t]*(?:,[^=\n]*)?\)?[ \t]*(?::[^=\n]*)?=(?!=)"
        rf"|(?:async[ \t]+)?(?:def|class)[ \t]+{word}\b|import[ \t]+{word}\b"
        rf"|(?:from|import)[ \t][^\n]*\bas[ \t]+{word}\b"
        rf"|from[ \t][^\n]*\bimport[ \t][^\n]*\b{word}\b|(?:async[ \t]+)?for[ \t][^\n]*\b{word}\b[^\n]*\bin\b"
        rf"|(?:async[ \t]+)?with[ \t][^\n]*\bas[ \t]+\(?{word}\b|except[ \t][^\n]*\bas[ \t]+{word}\b)",
        re.MULTILINE,
    )
    here = _function_at(offset, draft)
    for match in binding.finditer(draft.text):
        place = match.end() - 1
        if draft.start <= match.start() and draft.text[match.start() : match.end()].strip().startswith(name):
            # `x = x + 1` binds what it uses, and no other binding means the use comes first
            first = draft.text.rfind("\n", 0, offset) + 1
            if match.start() >= first:
                continue
        holder = _function_at(place, draft)
        if holder is None or (here is not None and holder.start <= here.start and here.end <= holder.end):
            return True
    return False


def _function_at(offset: int, draft: Draft) -> Node | None:
    for node in draft.ancestors_at(offset):
        if node.kind in ("function_definition", "class_definition"):
            header = node.field("body")
            if header is not None and offset >= header.start:
                return node
    return None


def _is_set(name: str, draft: Draft) -> bool:
    """Whether the text itself puts a member of that name on something."""
    word = re.escape(name)
    return (
        re.search(rf"\.{word}[ \t]*(?::[^=\n]+)?=(?!=)|setattr\([^,\n]+,[ \t]*[\"']{word}[\"']", draft.text)
        is not None
    )


def _is_asked_for(name: str, draft: Draft) -> bool:
    word = re.escape(name)
    return (
        re.search(rf"(?:hasattr|getattr|callable|delattr)\([^()\n]*[\"']{word}[\"']", draft.text) is not None
    )


def _is_used_alike(finding: Finding, draft: Draft) -> bool:
    """Whether the text round the suggestion has `receiver.name` too, written the same."""
    found = draft.access_at(finding.start, finding.end)
    if found is None or not draft.start <= finding.start < draft.end:
        return False
    _, receiver = found
    written = draft.text[receiver.start : receiver.end]
    alike = re.compile(rf"(?<![\w.]){re.escape(written)}\.{re.escape(finding.name)}\b")
    return len(written) < 200 and any(alike.search(part) for part in (draft.before, draft.after))


def _is_dynamic_self(finding: Finding, draft: Draft) -> bool:
    """`self.x` in a mixin, or in a class that fills itself."""
    if not finding.receiver.startswith(("Self@", "type[Self")):
        return False
    for node in draft.ancestors_at(finding.start):
        if node.kind != "class_definition":
            continue
        body = draft.text[node.start : node.end]
        header = body.partition(":")[0]
        return (
            re.search(r"Mixin|Protocol|\bABC\b|metaclass", header) is not None
            or re.search(r"setattr\(|__dict__|__getattr__|vars\(self\)|def __getattribute__", body)
            is not None
        )
    return False


def _is_of_metaclass(finding: Finding, draft: Draft) -> bool:
    """Whether `cls` stands for a class that the metaclass round it makes."""
    if not finding.receiver.startswith(("Self@", "type[Self")):
        return False
    node = next((one for one in draft.ancestors_at(finding.start) if one.kind == "class_definition"), None)
    bases = node.field("superclasses") if node is not None else None
    if bases is None:
        return False
    return re.search(r"\btype\b(?!\()|Meta(?:class)?\b", draft.text[bases.start : bases.end]) is not None


def _is_plain_slip(name: str, draft: Draft) -> bool:
    """A name of Python 2 in a text that gives no sign of being for it."""
    return name in PYTHON_2 and re.search(r"\bsix\b|\bPY[23]\b|python_2|__future__", draft.text) is None


def _script_silence(finding: Finding, draft: Draft) -> str:
    previous = draft.text[: draft.text.rfind("\n", 0, finding.start) + 1].rstrip("\n").rpartition("\n")[2]
    if is_remarked(previous) or "@ts-nocheck" in draft.text[:2_000]:
        return "a remark on the line before"
    if finding.fault is Fault.MISSING_NAME:
        if finding.name in SCRIPT_GLOBALS:
            return "a name that is put there from outside"
        if re.search(rf"/[*/].*\bglobals?\b.*\b{re.escape(finding.name)}\b", draft.text):
            return "declared as a global"
    if finding.fault is Fault.MISSING_MODULE:
        if _NOT_CODE.search(finding.name):
            return "not a module of code"
        if finding.name.startswith(("virtual:", "~", "@/", "#")):
            return "an alias of the build"
    if finding.fault is Fault.MISSING_MEMBER:
        if re.search(rf"\.{re.escape(finding.name)}[ \t]*=(?![=>])", draft.text):
            return "the text sets it"
        if re.search(rf"[\"'`]{re.escape(finding.name)}[\"'`][ \t]+in\b", draft.text):
            return "the text asks whether it is there"
        if _is_used_alike(finding, draft):
            return "the text round it uses the same"
    for node in draft.ancestors_at(finding.start):
        if node.kind in ("if_statement", "ternary_expression", "binary_expression"):
            condition = node.field("condition") or node.field("left")
            said = draft.text[condition.start : condition.end] if condition is not None else ""
            if _PLATFORM.search(said) and finding.name in said:
                return "a guard for the platform"
    return ""
