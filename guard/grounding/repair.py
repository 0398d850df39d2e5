"""What was meant instead: a table of slips first, then the nearest name that exists; all of it re-checked.

A candidate is an edit within the suggestion.  It is accepted if the checker, asked again, has nothing
to say of the place any more.  What the checker cannot re-check in time is not accepted.
"""

from __future__ import annotations

import builtins
import keyword
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .finding import Checker, Fault, Finding
from .knowledge import Signatures, Standing
from .nearest import Near, distance, nearest
from .slips import slips_of

if TYPE_CHECKING:
    from .draft import Call, Draft

MAX_TRIED = 5
NEAR = 0.2
"""Below this two names are the same word, written differently."""
SAME = 0.03
"""Below this they differ in case and underscores alone."""
LIKELY = 0.3
_MEMBER = re.compile(r"\.([^\W\d]\w*)\b(?!\()")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_HOLE = re.compile(r"\{(\d|\*|name)\}")
_BUILTINS = tuple(name for name in dir(builtins) if not name.startswith("_"))
_ENCLOSED = frozenset(
    {
        "parenthesized_expression",
        "argument_list",
        "arguments",
        "assignment",
        "return_statement",
        "if_statement",
        "elif_clause",
        "while_statement",
        "expression_statement",
        "not_operator",
        "boolean_operator",
        "assert_statement",
        "subscript",
        "list",
        "pair",
        "interpolation",
        "variable_declarator",
        "keyword_argument",
    }
)
_SIMPLE = re.compile(r"[\w.]+(?:\([^()]*\)|\[[^\[\]]*\])*")


@dataclass(frozen=True, slots=True)
class Edit:
    """`[start, end)` of the whole text becomes `replacement`."""

    start: int
    end: int
    replacement: str
    instead: str
    """What to call it in a sentence."""
    apart: float = 0.0
    """How far the new name is from the old one; 0 for a slip from the table."""


class Repairer:
    """Of one draft.  Keeps to one deadline."""

    def __init__(self, draft: Draft, checker: Checker, until_s: float) -> None:
        self._draft, self._checker, self._until_s = draft, checker, until_s
        self._slips = slips_of(draft.language)
        self._members: dict[int, tuple[str, ...]] = {}

    def members(self, offset: int) -> tuple[str, ...]:
        """What exists where `offset` follows a `.`, or where an import names something."""
        if offset not in self._members:
            draft = self._draft
            known = self._checker.members(draft.path, draft.text, offset, self._left_s())
            if not known and draft.text[offset - 1 : offset] == ".":
                # What follows on the line can make it another expression: `a. if b`.
                end = draft.text.find("\n", offset)
                text = draft.text[:offset] + (draft.text[end:] if end >= 0 else "")
                known = self._checker.members(draft.path, text, offset, self._left_s())
            self._members[offset] = known
        return self._members[offset]

    def repair(self, finding: Finding, standing: Standing | None, found: Iterable[Finding]) -> Edit | None:
        """The first edit that leaves nothing to complain about there."""
        before = tuple(found)
        seen: set[tuple[int, int, str]] = set()
        second: Edit | None = None
        for edit in self._candidates(finding, standing, before):
            key = (edit.start, edit.end, edit.replacement)
            if key in seen or not self._is_ours(edit):
                continue
            seen.add(key)
            if len(seen) > MAX_TRIED or self._left_s() <= 0:
                break
            rest = self._left_over(edit, finding, before)
            if rest == 0:
                return edit
            if rest is not None and second is None:
                second = edit
        return second

    def _candidates(
        self, finding: Finding, standing: Standing | None, found: tuple[Finding, ...]
    ) -> Iterator[Edit]:
        match finding.fault:
            case Fault.MISSING_MEMBER:
                yield from self._for_member(finding, found)
            case Fault.MISSING_NAME:
                yield from self._for_name(finding)
            case Fault.UNKNOWN_ARGUMENT:
                yield from self._for_argument(finding, found)
            case Fault.MISSING_MODULE:
                yield from self._for_module(finding, standing)
            case Fault.WRONG_CALL:
                yield from self._for_call(finding)
            case Fault.POSSIBLY_MISSING:
                return

    def _for_member(self, finding: Finding, found: tuple[Finding, ...]) -> Iterator[Edit]:
        known = [name for name in self.members(finding.start) if name != finding.name]
        is_import = self._is_import(finding.start)
        if is_import:
            for name in self._used_unbound(known, found):
                yield self._renamed(finding, name, is_import=is_import)
        ranked = self._nearest(finding, known, suggested=finding.nearest)
        for near in ranked:
            if near.apart <= SAME:
                yield self._renamed(finding, near.name, near.apart, is_import=is_import)
        for right in self._slips.of_member(finding.receiver, finding.name, known):
            if "{" in right or "(" in right:
                if not is_import:
                    yield from self._reshaped(finding, right)
            elif right.partition(".")[0] in known or not known:
                yield from (
                    [] if is_import and "." in right else [self._renamed(finding, right, is_import=is_import)]
                )
        for near in ranked:
            yield self._renamed(finding, near.name, near.apart, is_import=is_import)

    def _used_unbound(self, known: Iterable[str], found: Iterable[Finding]) -> Iterator[str]:
        """What a module has of the names that are used and not bound: one of them was to be imported."""
        there = set(known)
        for one in found:
            if one.fault is Fault.MISSING_NAME and one.name in there:
                yield one.name

    def _for_name(self, finding: Finding) -> Iterator[Edit]:
        is_python = self._draft.language == "python"
        yield from self._called_elsewhere(finding)
        for right in self._slips.names.get(finding.name, ()):
            if right not in ("self", "this") or right in self._draft.names:
                yield Edit(finding.start, finding.end, right, right)
        words = [word for word in _WORD.findall(self._draft.text) if not keyword.iskeyword(word)]
        own = [word for word in words if word not in _BUILTINS]
        node = self._draft.at(finding.start, finding.end)
        call = self._draft.call_of(node) if node is not None else None
        # What a function is called with says nothing in its name: `sort_names(names)`.
        given = " ".join(call.values) if call is not None else ""
        ranked = list(self._nearest(finding, own, suggested=finding.nearest, owner=given))
        # A builtin is an unlikely meaning of anything but a slip of the finger.
        general = nearest(finding.name, _BUILTINS, owner=given) if is_python else ()
        ranked += [Near(one.name, one.apart + 0.1) for one in general if one.apart <= LIKELY]
        for near in sorted(ranked, key=lambda one: one.apart):
            yield Edit(finding.start, finding.end, near.name, near.name, near.apart)

    def _called_elsewhere(self, finding: Finding) -> Iterator[Edit]:
        """`console.log(x)`: a call on something that does not exist here at all."""
        node = self._draft.at(finding.start, finding.end)
        while node is not None:
            callee = self._draft.text[node.start : node.end]
            call = self._draft.call_of(node)
            if call is not None:
                for form in self._slips.calls.get(callee, ()):
                    if text := _fill(form, "", call.values):
                        yield Edit(call.whole.start, call.whole.end, text, text.partition("(")[0])
                return
            parent = node.parent
            if parent is None or parent.start != node.start or parent.end - node.end > 60:
                return
            node = parent

    def _for_argument(self, finding: Finding, found: tuple[Finding, ...]) -> Iterator[Edit]:
        call = self._draft.call_around(finding.start, finding.end)
        if self._draft.language != "python":
            # A key of an object: what it may have besides is what a completion there would offer.
            for near in self._nearest(finding, self.members(finding.start), suggested=finding.nearest):
                yield Edit(finding.start, finding.end, near.name, near.name, near.apart)
        if call is None:
            return
        given = {keyword for keyword, _ in call.keywords}
        free = [name for name in self.parameters(call) if name not in given and name.isidentifier()]
        ranked = self._nearest(finding, free, suggested=finding.nearest)
        slips = [name for name in self._slips.keywords.get(finding.name, ()) if name in free]
        for name in (*(one.name for one in ranked if one.apart <= SAME), *slips):
            yield Edit(finding.start, finding.end, name, name)
        # A parameter that the same call lacks is what was meant by the one that does not exist.
        lacking = [
            one.name
            for one in found
            if one.fault is Fault.WRONG_CALL and one.start <= finding.start and finding.end <= one.end
        ]
        for near in ranked:
            yield Edit(finding.start, finding.end, near.name, near.name, near.apart)
        for name in lacking:
            if name in free:
                yield Edit(finding.start, finding.end, name, name, NEAR)

    def parameters(self, call: Call) -> tuple[str, ...]:
        """Those of the called function; empty where nobody knows."""
        if not isinstance(self._checker, Signatures):
            return ()
        draft = self._draft
        return self._checker.arguments(draft.path, draft.text, call.arguments.start + 1, self._left_s())

    def _for_module(self, finding: Finding, standing: Standing | None) -> Iterator[Edit]:
        if self._draft.language == "python":
            for right in self._slips.modules.get(finding.name, ()):
                yield self._renamed(finding, right, is_import=True)
        head, dot, last = finding.name.rpartition(".")
        if standing is not None:
            for name in (standing.nearest, standing.look_alike_of):
                if name:
                    yield self._renamed(finding, name, is_import=True)
        if finding.nearest:
            yield self._renamed(finding, finding.nearest, is_import=True)
        known = self.members(finding.start + len(head) + len(dot)) if self._draft.language == "python" else ()
        for near in self._nearest(finding, known, last):
            if near.apart <= NEAR + 0.05:
                yield self._renamed(finding, head + dot + near.name, near.apart, is_import=True)

    def _for_call(self, finding: Finding) -> Iterator[Edit]:
        text = self._draft.text[finding.start : finding.end]
        if "not callable" in finding.message:
            call = self._draft.call_around(finding.end, finding.end) if not text.endswith(")") else None
            end = call.whole.end if call is not None else finding.end
            if self._draft.text[:end].endswith("()"):
                yield Edit(end - 2, end, "", "the value itself")

    def _renamed(self, finding: Finding, name: str, apart: float = 0.0, *, is_import: bool) -> Edit:
        """`name` instead; what an import binds is renamed where the suggestion goes on to use it."""
        if not is_import or "." in name or "." in finding.name:
            return Edit(finding.start, finding.end, name, name, apart)
        rest = self._draft.text[finding.end : self._draft.end]
        if re.match(r"[ \t]+as\b", rest):
            return Edit(finding.start, finding.end, name, name, apart)
        uses = list(re.finditer(rf"(?<![\w.]){re.escape(finding.name)}\b(?![ \t]*=[^=])", rest))
        if not uses:
            return Edit(finding.start, finding.end, name, name, apart)
        length = uses[-1].end()
        changed = re.sub(rf"(?<![\w.]){re.escape(finding.name)}\b(?![ \t]*=[^=])", name, rest[:length])
        return Edit(finding.start, finding.end + length, name + changed, name, apart)

    def _reshaped(self, finding: Finding, form: str) -> Iterator[Edit]:
        found = self._draft.access_at(finding.start, finding.end)
        if found is None:
            return
        access, receiver = found
        call = self._draft.call_of(access)
        values = call.values if call is not None else ()
        whole = call.whole if call is not None else access
        owner = self._draft.text[receiver.start : receiver.end]
        text = _fill(form, owner, values)
        if text is None or (" = " in form and getattr(whole.parent, "kind", "") != "expression_statement"):
            return
        if "{0}" not in form and not form.startswith(("{", "not ")) and _starts_with_member(form):
            yield Edit(finding.start, whole.end, text, form.partition("(")[0])
            return
        if not _is_one(text) and not _is_enclosed(whole, text):
            text = f"({text})"
        yield Edit(whole.start, whole.end, text, _fill(form, "…", ("…", "…", "…")) or text)

    def _nearest(
        self, finding: Finding, known: Iterable[str], name: str = "", *, suggested: str = "", owner: str = ""
    ) -> tuple[Near, ...]:
        """Names that are used round it come a little before others, and what the checker suggests too.

        What the same statement has already is as seldom meant again: `self.width * self.width`.
        """
        name = name or finding.name
        ranked = list(nearest(name, known, 2 * MAX_TRIED, owner=owner or finding.receiver))
        if suggested and all(one.name != suggested for one in ranked):
            ranked.append(Near(suggested, max(distance(name, suggested), NEAR)))
        used, beside, given = self._draft.names, self._beside(finding), self._given(finding)

        def place(one: Near) -> float:
            if one.name in beside:
                return one.apart + 0.02
            if any(one.name.lower().endswith(word) for word in given):
                return one.apart - 0.03
            return one.apart - (0.03 if one.name in used or one.name == suggested else 0.0)

        return tuple(sorted(ranked, key=place))

    def _given(self, finding: Finding) -> frozenset[str]:
        """Names that stand alone as arguments, of three letters and more: `rows` in `write_all(rows)`."""
        found = self._draft.access_at(finding.start, finding.end)
        call = self._draft.call_of(found[0]) if found is not None else None
        values = call.values if call is not None else ()
        return frozenset(one.lower() for one in values if len(one) > 2 and one.isidentifier())

    def _beside(self, finding: Finding) -> frozenset[str]:
        """The other members that the line of `finding` reads."""
        text = self._draft.text
        start, end = text.rfind("\n", 0, finding.start) + 1, text.find("\n", finding.end)
        return frozenset(_MEMBER.findall(text[start : end if end >= 0 else len(text)])) - {finding.name}

    def _is_import(self, offset: int) -> bool:
        statement = self._draft.statement_at(offset)
        return statement is not None and "import" in statement.kind

    def _is_ours(self, edit: Edit) -> bool:
        draft = self._draft
        if edit.start < draft.start:
            typed = draft.text[edit.start : draft.start]
            return (
                edit.start >= draft.word_start
                and edit.replacement.startswith(typed)
                and edit.end <= draft.end
            )
        return edit.end <= draft.end

    def _left_over(self, edit: Edit, finding: Finding, before: tuple[Finding, ...]) -> int | None:
        """How many findings the edit brings to light elsewhere; None where it is no repair.

        Of a receiver whose type was not known before the repair, more is known after it.
        """
        draft = self._draft
        text = draft.text[: edit.start] + edit.replacement + draft.text[edit.end :]
        found = self._checker.findings(draft.path, text, self._left_s())
        end = edit.start + len(edit.replacement)
        old = Counter((one.fault, one.receiver, one.name) for one in before)
        num_new = 0
        for one in found:
            if one.fault is Fault.POSSIBLY_MISSING:
                continue
            touches = one.start < end and one.end > edit.start
            key = (one.fault, one.receiver, one.name)
            old[key] -= 1
            if touches and (old[key] < 0 or (one.fault is finding.fault and one.name == finding.name)):
                return None
            num_new += old[key] < 0
        return num_new

    def _left_s(self) -> float:
        return self._until_s - time.monotonic()


def _fill(form: str, owner: str, values: tuple[str, ...]) -> str | None:
    """The form with its holes filled; None where an argument is not there."""

    def value(match: re.Match[str]) -> str:
        hole = match[1]
        if hole == "*":
            return ", ".join(values)
        if hole == "0":
            return owner
        return values[int(hole) - 1]

    needed = [int(hole) for hole in _HOLE.findall(form) if hole.isdigit() and hole != "0"]
    if needed and max(needed) > len(values):
        if ":{2}" not in form or len(values) != 1:
            return None
        form = form.replace("{2}", "")
    if not needed and "{*}" not in form and values and "{0}" in form:
        return None
    return (
        _HOLE.sub(value, form.replace("{{", "\x00").replace("}}", "\x01"))
        .replace("\x00", "{")
        .replace("\x01", "}")
    )


def _starts_with_member(form: str) -> bool:
    return re.match(r"[a-z_]\w*[.(]", form) is not None


def _is_one(text: str) -> bool:
    """Whether nothing round it can tear it apart."""
    return _SIMPLE.fullmatch(text) is not None


def _is_enclosed(whole: object, text: str) -> bool:
    parent = getattr(whole, "parent", None)
    kind = getattr(parent, "kind", "")
    if text.startswith("not ") and kind == "not_operator":
        return False
    return kind in _ENCLOSED
