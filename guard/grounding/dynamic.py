"""What a type checker lets through because the object takes anything: `**kwargs`, a `__getattr__`.

A name that such an object would take and that is a slip away from one it has by name is a slip; so is
a method that is called on a table of pandas, whose other names are columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .finding import Fault, Finding
from .ladder import OPEN
from .nearest import nearest
from .repair import NEAR, Repairer
from .slips import slips_of

if TYPE_CHECKING:
    from .draft import Call, Draft
    from .knowledge import Vocabulary

LISTED = "not listed"
MAX_ASKED = 4
"""Questions to the checker for one suggestion."""
_TABLES = {"DataFrame": "columns", "Series": "str", "DataFrameGroupBy": "ngroups"}
"""Types of pandas, and a member that only they have."""
_table_names: set[str] = set()
"""Members of tables as they were told: asking takes a tenth of a second, and most names are real."""


def let_through(
    draft: Draft, repairer: Repairer, found: list[Finding], vocabulary: Vocabulary | None
) -> Iterator[Finding]:
    """Findings in the suggestion that the checker did not make."""
    if draft.language != "python":
        return
    taken = [(one.start, one.end) for one in found if one.fault is not Fault.WRONG_CALL]
    for one in _keywords(draft, repairer, found):
        if not any(start < one.end and one.start < end for start, end in taken):
            yield one
    yield from _imports(draft, repairer, taken, vocabulary)
    if re.search(r"\bpandas\b", draft.text):
        yield from _tables(draft, repairer, taken)


def _keywords(draft: Draft, repairer: Repairer, found: list[Finding]) -> Iterator[Finding]:
    slips = slips_of(draft.language).keywords
    refused = [one for one in found if one.message.startswith("No overload")]
    round_ = draft.before + "\n" + draft.after
    asked = 0
    for call in draft.calls():
        is_refused = any(_is_of(one, call) for one in refused)
        if not is_refused and all(_is_used(keyword, round_) for keyword, _ in call.keywords):
            continue
        asked += 1
        if asked > MAX_ASKED:
            return
        names = repairer.parameters(call)
        is_open = any(name.startswith("*") for name in names)
        if not names or not (is_open or is_refused):
            continue
        plain = [name for name in names if not name.startswith("*")]
        for keyword, start in call.keywords:
            if keyword in plain or not draft.start <= start < draft.end:
                continue
            free = [name for name in plain if name not in {given for given, _ in call.keywords}]
            near = nearest(keyword, free, 1)
            is_slip = any(right in free for right in slips.get(keyword, ()))
            if not is_open or is_slip or (near and near[0].apart <= NEAR):
                callee = draft.text[call.whole.start : call.arguments.start]
                yield Finding(
                    Fault.UNKNOWN_ARGUMENT,
                    start,
                    start + len(keyword),
                    keyword,
                    callee,
                    OPEN if is_open else "",
                )


def _is_used(keyword: str, text: str) -> bool:
    """Whether the text round it has such a keyword already."""
    return re.search(rf"\b{re.escape(keyword)}\s*=(?!=)", text) is not None


def _is_of(finding: Finding, call: Call) -> bool:
    return finding.start == call.whole.start and finding.end == call.whole.end


def _imports(
    draft: Draft, repairer: Repairer, taken: list[tuple[int, int]], vocabulary: Vocabulary | None
) -> Iterator[Finding]:
    asked = 0
    for node in draft.tree.walk(draft.start, draft.end) if draft.tree is not None else ():
        if node.kind != "import_from_statement":
            continue
        module = node.field("module_name")
        for part in node.named_children:
            name = part.field("name") if part.kind == "aliased_import" else part
            if name is None or module is None or part.start <= module.start or name.kind != "dotted_name":
                continue
            is_ours = draft.start <= name.start and name.end <= draft.end
            if not is_ours or any(start < name.end and name.start < end for start, end in taken):
                continue
            word = draft.text[name.start : name.end]
            if vocabulary is not None and vocabulary.knows(word, draft.path):
                continue
            asked += 1
            if asked > MAX_ASKED:
                return
            known = repairer.members(name.start)
            if not known or word in known:
                continue
            near = nearest(word, known, 1)
            is_proven = vocabulary is not None and vocabulary.is_complete(draft.path)
            if is_proven or (near and near[0].apart <= NEAR):
                owner = draft.text[module.start : module.end]
                yield Finding(Fault.MISSING_MEMBER, name.start, name.end, word, owner, f"Module {LISTED}")


def _tables(draft: Draft, repairer: Repairer, taken: list[tuple[int, int]]) -> Iterator[Finding]:
    asked = 0
    for node in draft.tree.walk(draft.start, draft.end) if draft.tree is not None else ():
        name = node.field("attribute") if node.kind == "attribute" else None
        if name is None or not draft.start <= name.start < name.end <= draft.end:
            continue
        if draft.text[name.end : name.end + 1] != "(":
            continue  # a column, perhaps
        if any(start < name.end and name.start < end for start, end in taken):
            continue
        asked += 1
        if asked > MAX_ASKED:
            return
        word = draft.text[name.start : name.end]
        if word in _table_names:
            continue
        known = repairer.members(name.start)
        if "iloc" not in known and "agg" not in known:
            continue
        _table_names.update(one for one in known if not one.startswith("_"))
        if word in known:
            continue
        kind = next((kind for kind, member in _TABLES.items() if member in known), "")
        if kind:
            yield Finding(Fault.MISSING_MEMBER, name.start, name.end, word, kind, LISTED)


def without_consequences(found: list[Finding], extra: list[Finding]) -> list[Finding]:
    """`found` without what only follows from `extra`: a call that fits no overload because of a keyword,
    a column that is called because it is no method.
    """
    return [
        one
        for one in found
        if one.fault is not Fault.WRONG_CALL
        or not any(one.start <= other.start and other.end <= one.end + 1 for other in extra)
    ]
