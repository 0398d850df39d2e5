"""What speaks against a finding that a checker is sure of, and what makes one sure that it doubts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...context.records.record import names
from .finding import Fault, Finding
from .knowledge import Modules, Vocabulary
from .slips import kind_of

if TYPE_CHECKING:
    from ...context.parsing import Node
    from .draft import Draft

_CALLED = re.compile(r"[ \t]*(?:\?\.)?(?:<[^()<>\n]*>)?\(")
_METHOD = re.compile(r"bound method `(\w+)(?:\[.*\])?\.(\w+)`")
_BUILT_IN = names("int str bool bytes float complex list dict set frozenset tuple array")


def is_called(finding: Finding, draft: Draft) -> bool:
    """Data is read from anywhere, by any name; a method that is called was written by somebody."""
    return _CALLED.match(draft.text, finding.end) is not None


def is_nowhere(finding: Finding, draft: Draft, vocabulary: Vocabulary | None) -> bool:
    """Whether a member is called that nothing defines: with that, no excuse of a type holds."""
    if finding.fault is not Fault.MISSING_MEMBER or not finding.name or draft.language != "python":
        return False
    if vocabulary is None or not is_called(finding, draft) or _is_own_and_last(finding, draft):
        return False
    return vocabulary.is_complete(draft.path) and vocabulary.knows(finding.name, draft.path) is False


def is_private_elsewhere(finding: Finding, draft: Draft, vocabulary: Vocabulary | None) -> bool:
    """Whether it is a private member of something else, which stubs leave out, and somebody defines it."""
    if finding.fault is not Fault.MISSING_MEMBER or not re.match(r"_(?!_)", finding.name):
        return False
    if finding.receiver.startswith(("Self@", "type[Self@")):
        return False
    return vocabulary is not None and vocabulary.knows(finding.name, draft.path) is True


def is_inherited(finding: Finding, draft: Draft, vocabulary: Vocabulary | None) -> bool:
    """Whether it is data of `self` that a base, which is written elsewhere, may put there at run time."""
    if not _own_class(finding, draft) or is_called(finding, draft) or vocabulary is None:
        return False
    node = _class_at(finding, draft)
    has_base = node is not None and node.field("superclasses") is not None
    return has_base and vocabulary.knows(finding.name, draft.path) is True


def is_derived(finding: Finding, draft: Draft, modules: Modules | None) -> bool:
    """Whether a class derived from the receiver's has the member, or takes more than that one does.

    An unannotated parameter is of any class that has the method.
    """
    if modules is None or draft.language != "python":
        return False
    if finding.fault is Fault.WRONG_CALL:
        match = _METHOD.search(finding.message)
        if match is None or finding.receiver.startswith("Self@"):
            return False
        kind, name = match.groups()
        return _is_unannotated(finding, draft) or modules.derived_has(
            kind, name, draft.text, draft.path, by_itself=False
        )
    if finding.fault is not Fault.MISSING_MEMBER or finding.message.startswith("Module"):
        return False
    kind = _own_class(finding, draft) or kind_of(finding.receiver)
    if not kind or kind in _BUILT_IN:
        return False
    return modules.derived_has(kind, finding.name, draft.text, draft.path)


def _own_class(finding: Finding, draft: Draft) -> str:
    if not finding.receiver.startswith(("Self@", "type[Self@")):
        return ""
    node = _class_at(finding, draft)
    name = node.field("name") if node is not None else None
    return draft.text[name.start : name.end] if name is not None else ""


def _class_at(finding: Finding, draft: Draft) -> Node | None:
    return next((node for node in draft.ancestors_at(finding.start) if node.kind == "class_definition"), None)


def _is_own_and_last(finding: Finding, draft: Draft) -> bool:
    """Whether it is called on `self` where the class ends with the suggestion: it may be written next."""
    found = draft.access_at(finding.start, finding.end)
    if found is None or draft.text[found[1].start : found[1].end] not in ("self", "cls"):
        return False
    node = _class_at(finding, draft)
    return node is not None and not draft.after.strip() and node.end >= draft.end - 1


def _is_unannotated(finding: Finding, draft: Draft) -> bool:
    """Whether the method is called on a parameter without a type: what is said of it is a guess."""
    word = re.match(r"\w+", draft.text[finding.start : finding.end])
    call = draft.at(finding.start, finding.end)
    while call is not None and call.kind != "call":
        call = call.parent
    if call is not None:
        word = re.match(r"\w+(?=\.)", draft.text[call.start : call.end])
    for node in draft.ancestors_at(finding.start) if word is not None else ():
        parameters = node.field("parameters") if node.kind == "function_definition" else None
        if parameters is None or word is None:
            continue
        for one in parameters.named_children:
            name = draft.text[one.start : one.end].partition("=")[0].strip()
            if name == word[0] and ":" not in name:
                return True
    return False
