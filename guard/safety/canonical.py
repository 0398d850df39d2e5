"""Names resolved in the text itself, so that a pattern need not know how a thing was imported.

`from os import system as s; s(x)` becomes `…; os.system(x)`; `getattr(os, "sys" + "tem")` becomes
`os.system`; `const { exec: run } = require("child_process"); run(x)` becomes `child_process.exec(x)`.
`python_names` and `javascript_names` know how; here is the text with its edits, and the way back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .trees import find_all, known_kinds, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ast_grep_py import SgNode

    from .rule import FlowFacts, RuleSet

_STRING = re.compile(r"""[A-Za-z]{0,2}(['"`])((?:(?!\1)[^\\\n])*)\1""")


@dataclass(frozen=True, slots=True)
class Edit:
    start: int
    end: int
    text: str


class Canonical:
    """A text with `edits` made, and the way back.  Of edits that overlap the first is made."""

    __slots__ = ("_edits", "_inner", "_starts", "root", "text")

    def __init__(self, text: str, edits: Iterable[Edit] = (), inner: Canonical | None = None) -> None:
        self.root: SgNode | None = None
        """The tree of the text, where it was parsed on the way."""
        self._inner = inner
        self._edits: list[tuple[int, int, int, int]] = []  # new start, new end, old start, old end
        parts: list[str] = []
        at = length = 0
        for edit in sorted(edits, key=lambda one: (one.start, -one.end)):
            if edit.start < at:
                continue
            parts += [text[at : edit.start], edit.text]
            length += edit.start - at
            self._edits.append((length, length + len(edit.text), edit.start, edit.end))
            length += len(edit.text)
            at = edit.end
        self.text = "".join(parts) + text[at:] if parts else text
        self._starts = [one[0] for one in self._edits]

    def back(self, offset: int, *, end: bool = False) -> int:
        """Where `offset` of the text was; inside a replacement, the start or end of what it replaced."""
        at = bisect_right(self._starts, offset - 1 if end else offset) - 1
        if at >= 0:
            new_start, new_end, old_start, old_end = self._edits[at]
            if offset <= new_start:
                offset = old_start
            elif offset < new_end or (end and offset == new_end):
                offset = old_end if end else old_start
            else:
                offset += old_end - new_end
        return offset if self._inner is None else self._inner.back(offset, end=end)


def canonical(text: str, rules: RuleSet) -> Canonical:
    """`text` with names resolved, as far as the language allows."""
    language = rules.language
    if language == "python":
        from .python_names import python_names

        return python_names(text, rules)
    if language in ("javascript", "typescript", "tsx"):
        from .javascript_names import javascript_names

        return javascript_names(text, rules)
    return Canonical(text)


def assumed(text: str, facts: FlowFacts) -> dict[str, str]:
    """Names that are taken to be imported, of those the text holds."""
    return {name: whole for name, whole in (facts.assume or {}).items() if name in text}


def shortened(whole: str, facts: FlowFacts) -> str:
    """Without the module, where rules leave it out: `flask.request` is `request`."""
    for module in facts.short:
        if whole.startswith(f"{module}."):
            return whole[len(module) + 1 :].rpartition(".")[2]
    return whole


def uses(root: SgNode, names: Mapping[str, str]) -> list[SgNode]:
    """The identifiers that stand for something else."""
    changed = [name for name, whole in names.items() if name != whole]
    return find_all(root, {"kind": "identifier", "regex": any_of(changed)}) if changed else []


def drop_parameters(root: SgNode, names: dict[str, str], language: str, kinds: tuple[str, ...]) -> None:
    """Drops names that are parameters somewhere in the text: there they mean something else."""
    if not names:
        return
    wanted: dict[str, Any] = {"kind": "identifier", "regex": any_of(names)}
    for node in find_all(
        root, *({**wanted, "inside": {"kind": kind}} for kind in known_kinds(language, kinds))
    ):
        names.pop(node.text(), None)


def of_interest(names: Mapping[str, str], rules: RuleSet) -> dict[str, str]:
    """Those that lead to something a rule speaks of."""
    return {
        name: whole
        for name, whole in names.items()
        if len(head := whole.partition(".")[0]) < 3 or head in rules.words
    }


def any_of(names: Iterable[str]) -> str:
    return f"^({'|'.join(re.escape(name) for name in names)})$"


def folded(text: str) -> str | None:
    """The value of string literals written side by side or added up; nothing where there is more."""
    rest = _STRING.sub("", text)
    if not text.strip() or re.sub(r"[\s+().]", "", rest):
        return None
    return "".join(match[2] for match in _STRING.finditer(text))


def called(names: Mapping[str, str], dotted: str) -> str:
    """`dotted` with its first name resolved."""
    head, dot, rest = dotted.partition(".")
    return f"{names.get(head, head)}{dot}{rest}"


def edits_of(nodes: Iterable[SgNode], names: Mapping[str, str]) -> list[Edit]:
    return [Edit(*span(node), names[node.text()]) for node in nodes]
