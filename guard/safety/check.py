"""The check the pipeline runs: findings to verdicts.

Only what touches the suggestion and was not in the document before.  A rule that blocks repairs
where it knows how, and else cuts the suggestion off before the statement; a rule that warns repairs
or remarks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...context.languages import find_language
from ...context.parsing import parse
from ..errors import CheckError
from ..verdict import Action, Passage, Verdict
from .grammars import GRAMMARS
from .loading import rule_set
from .rewriting import Rewrite, rewrite_of
from .scan import Finding, Scan
from .trees import span
from .window import MAX_SUGGESTION_CHARS, Window, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .rule import RuleSet

_AST_GREP_NAMES = {"shellscript": "bash", "typescriptreact": "tsx"}
_EXPLOSIVE = frozenset({"java", "csharp", "ruby"})
"""Grammars that some texts make slow beyond bounds; `context.parsing` knows which texts."""


class SafetyCheck:
    """Judges a suggestion by the rules of its language.  Holds no state but the rules."""

    name = "safety"

    def __init__(self, rules_of: Callable[[str], RuleSet] = rule_set) -> None:
        self._rules_of = rules_of

    def warm(self, language_id: str, path: str | None = None) -> None:
        """Reads the rules of a language now rather than with the first suggestion."""
        language = rule_language(language_id, path)
        if language is not None:
            self._rules_of(language)

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        language = rule_language(passage.language, passage.path)
        if language is None:
            return ()
        if len(passage.suggestion) > MAX_SUGGESTION_CHARS:
            raise CheckError(
                f"the suggestion has {len(passage.suggestion)} characters, more than the "
                f"{MAX_SUGGESTION_CHARS} that the safety rules look at"
            )
        rules = self._rules_of(language)
        if not rules.rules:
            return ()
        window = window_of(passage, language)
        _refuse_explosive(window.text, language, passage)
        scan = Scan(window.text, rules)
        found = scan.findings(window.start, window.end)
        if found:
            found = _new(found, window, rules)
        return tuple(_verdict(one, scan, window, passage) for one in _telling(found))


def rule_language(language_id: str, path: str | None = None) -> str | None:
    """The name rules go by, or nothing for a language that can have none."""
    language = find_language(language_id, path)
    if language is None:
        return None
    name = _AST_GREP_NAMES.get(language.name, language.name)
    return name if name in GRAMMARS else None


def _refuse_explosive(text: str, name: str, passage: Passage) -> None:
    language = find_language(passage.language, passage.path)
    if name in _EXPLOSIVE and language is not None and parse(text, language).skipped:
        raise CheckError(f"the text is too deeply nested to parse as {name}")


def _new(found: Sequence[Finding], window: Window, rules: RuleSet) -> list[Finding]:
    """Without those that the document had before the suggestion came."""
    inside = [one for one in found if window.start <= one.start and one.end <= window.end]
    across = [one for one in found if one not in inside]
    if not across:
        return inside
    grown = window.end - window.start
    old = {(one.rule.id, one.start) for one in Scan(window.without, rules).findings(0, len(window.without))}
    for one in across:
        start = one.start if one.start < window.start else one.start - grown
        if (one.rule.id, start) not in old:
            inside.append(one)
    return inside


def _telling(found: Sequence[Finding]) -> list[Finding]:
    """One finding per place and weakness: the one that blocks, or that can be repaired."""
    ordered = sorted(found, key=_rank)
    kept: list[Finding] = []
    for one in ordered:
        if not any(a.rule.cwe == one.rule.cwe and a.start < one.end and one.start < a.end for a in kept):
            kept.append(one)
    return kept


def _rank(one: Finding) -> tuple[int, bool, bool, bool, str]:
    rule = one.rule
    plain = rule.flow is None or not rule.flow.built
    return one.start, rule.severity != "block", rule.rewrite is None, plain, rule.id


def _verdict(finding: Finding, scan: Scan, window: Window, passage: Passage) -> Verdict:
    rule = finding.rule
    start, end = _within(finding, window)
    evidence = f"{rule.message.rstrip('.')}: {rule.fix[:1].lower()}{rule.fix[1:].rstrip('.')}"
    action, replacement = Action.ANNOTATE, None
    rewrite = rewrite_of(finding, scan)
    repair = _repair(rewrite, finding, scan, window, passage) if rewrite is not None else None
    if repair is not None:
        action, replacement = Action.REPAIR, repair.text
        start, end = repair.start, repair.end
        if rule.imports and not _imported(rule.imports, passage) and rule.imports not in repair.text:
            evidence += f" (the file needs `{rule.imports}`)"
    elif rule.severity == "block":
        action = Action.TRIM
        start, end = _statement_start(finding, scan, window, start), window.end
        start = window.start + len(passage.suggestion[: start - window.start].rstrip())
    return Verdict(
        kind="safety",
        action=action,
        rule=f"safety/{rule.id}",
        start=start - window.start,
        end=end - window.start,
        evidence=evidence,
        replacement=replacement,
        cwe=rule.cwe,
    )


def _within(finding: Finding, window: Window) -> tuple[int, int]:
    """The part of the finding, or of the way to it, that the suggestion holds."""
    for start, end in ((finding.start, finding.end), *reversed(finding.steps)):
        if start < window.end and end > window.start:
            return max(start, window.start), min(end, window.end)
    return window.start, window.end


def _repair(
    rewrite: Rewrite, finding: Finding, scan: Scan, window: Window, passage: Passage
) -> Rewrite | None:
    """The rewrite as a change of the suggestion alone, with the import it needs; nothing if it cannot be."""
    start, end, text = rewrite.start, rewrite.end, rewrite.text
    if start < window.start:
        typed = window.text[start : window.start]
        if not text.startswith(typed):
            return None
        start, text = window.start, text[len(typed) :]
    if end > window.end:
        following = window.text[window.end : end]
        if not text.endswith(following):
            return None
        end, text = window.end, text[: len(text) - len(following)]
    if start > end or window.text[start:end] == text:
        return None
    line = finding.rule.imports
    if line and not _imported(line, passage):
        at = _statement_start(finding, scan, window, -1)
        margin = window.text[window.text.rfind("\n", 0, max(at, 0)) + 1 : max(at, 0)]
        if at >= window.start and not margin.strip():
            text = f"{line}\n{margin}{window.text[at:start]}{text}"
            start = at
    return Rewrite(start, end, text)


def _imported(line: str, passage: Passage) -> bool:
    name = line.rsplit(maxsplit=1)[-1].strip("\"';()")
    pattern = rf"(?m)^[ \t]*(?:import|from|const|let|var)\b.*\b{re.escape(name)}\b"
    return any(
        re.search(pattern, text) is not None for text in (passage.before, passage.suggestion, passage.after)
    )


def _statement_start(finding: Finding, scan: Scan, window: Window, default: int) -> int:
    """Where the statement begins that holds the finding; `default` if that is before the suggestion."""
    if not window.start <= finding.start < window.end:
        return default
    node = finding.node
    for above in finding.node.ancestors():
        if above.kind() in scan.grammar.blocks:
            break
        node = above
    start = scan.canonical.back(span(node)[0])
    return start if window.start <= start < window.end else default
