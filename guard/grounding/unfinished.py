"""A suggestion may stop anywhere: what is said of its last word, or of what is still open, may come right."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .finding import Fault, Finding

if TYPE_CHECKING:
    from .draft import Draft

_WORD = re.compile(r"[^\W\d]\w*")
_BUILTINS = tuple(dir(builtins))


def may_come_right(finding: Finding, draft: Draft, members: Callable[[int], tuple[str, ...]]) -> bool:
    """Whether more text could make `finding` go away.  `members` is asked only where it matters."""
    if not finding.name and finding.fault is Fault.MISSING_MEMBER:
        return True  # nothing behind the dot yet
    if finding.end >= draft.end and draft.is_at_word_end and _is_a_beginning(finding, draft, members):
        return True
    if not draft.is_last_statement(finding.start):
        return False
    if finding.fault in (Fault.WRONG_CALL, Fault.UNKNOWN_ARGUMENT):
        return draft.is_open_at_end(max(finding.end - 1, finding.start)) or _has_open_call(finding, draft)
    if finding.fault is Fault.MISSING_NAME:
        if draft.text[finding.end : finding.end + 1] == "(":
            return False
        if draft.is_open_at_end(finding.start) or _is_a_target(finding, draft):
            return True  # a comprehension names its variables last
        return any(node.is_error for node in draft.ancestors_at(finding.start)) and not _is_read(
            finding, draft
        )
    return False


def _is_a_beginning(finding: Finding, draft: Draft, members: Callable[[int], tuple[str, ...]]) -> bool:
    name = finding.name.rpartition(".")[2]
    match finding.fault:
        case Fault.MISSING_MEMBER | Fault.MISSING_MODULE | Fault.POSSIBLY_MISSING:
            known = members(finding.end - len(name))
            return not known or any(one.startswith(name) for one in known if one != name)
        case Fault.MISSING_NAME:
            if not _is_read(finding, draft) or draft.is_open_at_end(finding.start):
                return True
            words = {*_WORD.findall(draft.before), *_WORD.findall(draft.after), *_BUILTINS, *keyword.kwlist}
            return any(word.startswith(name) for word in words if word != name)
        case Fault.UNKNOWN_ARGUMENT | Fault.WRONG_CALL:
            return True


def _is_read(finding: Finding, draft: Draft) -> bool:
    """Whether something stands before it that makes it a value, and not what an assignment begins with."""
    first = draft.text.rfind("\n", 0, finding.start) + 1
    head = draft.text[first : finding.start].strip()
    return bool(head) and not re.fullmatch(
        r"(?:[\w.]+\s*,\s*)+|(?:async\s+)?for\b.*|lambda\b.*|.*\bfor\s+[\w, ]*", head
    )


def _is_a_target(finding: Finding, draft: Draft) -> bool:
    """Whether the statement is nothing but names, to which something may be assigned."""
    first = draft.text.rfind("\n", 0, finding.start) + 1
    return re.fullmatch(r"[\w., \t*]+", draft.text[first : draft.end].strip()) is not None and not _is_read(
        finding, draft
    )


def _has_open_call(finding: Finding, draft: Draft) -> bool:
    """Whether the call itself is not closed within the suggestion."""
    text = draft.text[finding.start : draft.end]
    return text.count("(") > text.count(")")
