"""Every rule finds its bad examples and leaves its good ones alone; what it repairs, it no longer finds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from truepenny.guard.safety.check import SafetyCheck
from truepenny.guard.safety.loading import FLOW_FILE, FOLDERS, RULES, load_facts, load_rules, rule_set
from truepenny.guard.verdict import Action, Passage

CHECK = SafetyCheck()
LANGUAGE_IDS = {"tsx": "typescriptreact"}


def files():
    return sorted(path for path in RULES.glob("*/*.yml") if path.name != FLOW_FILE)


def examples():
    for path in files():
        for rule in load_rules(path):
            for kind in ("bad", "good"):
                for at, text in enumerate(getattr(rule, kind)):
                    for language in rule.languages:
                        yield pytest.param(rule, kind, text, language, id=f"{rule.id}-{language}-{kind}-{at}")


@cache
def found(text: str, language: str):
    return CHECK.judge(Passage("", text, "", LANGUAGE_IDS.get(language, language)))


@pytest.mark.parametrize(("rule", "kind", "text", "language"), list(examples()))
def test_examples(rule, kind, text, language):
    hits = [one for one in found(text, language) if one.rule == f"safety/{rule.id}"]
    if kind == "good":
        assert not hits, f"{rule.place}: {rule.id} finds {hits[0].evidence!r} in a good example:\n{text}"
    else:
        names = sorted({one.rule for one in found(text, language)})
        assert hits, f"{rule.place}: {rule.id} misses a bad example ({names} were found):\n{text}"
        assert all(one.cwe == rule.cwe for one in hits)
        assert not (rule.severity == "block" and max(one.action for one in hits) == Action.ANNOTATE)


@pytest.mark.parametrize(("rule", "kind", "text", "language"), list(examples()))
def test_repairs_hold(rule, kind, text, language):
    """A repair that the rule finds again would go round in circles."""
    for one in found(text, language):
        if one.action != Action.REPAIR or one.rule != f"safety/{rule.id}":
            continue
        repaired = text[: one.start] + (one.replacement or "") + text[one.end :]
        again = [
            hit
            for hit in found(repaired, language)
            if hit.rule == one.rule and hit.start <= one.start < hit.end
        ]
        assert not again, f"{rule.place}: the repair is found again:\n{repaired}"


@pytest.mark.parametrize("language", sorted({name for names in FOLDERS.values() for name in names}))
def test_every_language_loads(language):
    """Ids are unique, and flow files are sound."""
    assert rule_set(language).language == language


@pytest.mark.parametrize(
    "path", sorted(RULES.glob(f"*/{FLOW_FILE}")), ids=lambda path: Path(path).parent.name
)
def test_flow_files(path):
    assert load_facts(path).languages
