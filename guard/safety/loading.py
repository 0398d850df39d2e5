"""YAML files to rules, and what of them there is for a language."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .errors import RuleError
from .reader import FOLDERS, Reader, line_of, short_name
from .rule import FlowFacts, Rule, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from yaml.nodes import Node

RULES = Path(__file__).parent / "rules"
FLOW_FILE = "flow.yml"


@cache
def rule_set(language: str) -> RuleSet:
    """What ships for a language; empty for one without rules.  Cached: files are read once."""
    return load_folder(RULES, language)


def load_folder(root: Path, language: str) -> RuleSet:
    """The rules for `language` in the folders below `root`; `RuleError` where one is wrong."""
    rules: list[Rule] = []
    facts = FlowFacts(languages=(language,))
    for folder in sorted(path for path in root.iterdir() if path.name in FOLDERS):
        if language not in FOLDERS[folder.name] and not _shares(folder.name, language):
            continue
        for path in sorted(folder.glob("*.yml")):
            if path.name == FLOW_FILE:
                found = load_facts(path)
                facts = found if language in found.languages else facts
            else:
                rules += [rule for rule in load_rules(path) if language in rule.languages]
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            raise RuleError(
                rule.place, f"the id {rule.id!r} is taken by {seen[rule.id].place}: choose another"
            )
        seen[rule.id] = rule
    return RuleSet(language, tuple(rules), facts, _all_words(rules, facts), _by_word(rules))


def _by_word(rules: Sequence[Rule]) -> dict[str, frozenset[int]]:
    """Each set of words by its longest, which is the rarest as a rule."""
    found: dict[str, set[int]] = {}
    for at, rule in enumerate(rules):
        for words in (words for one in rule.matchers for words in one.words):
            found.setdefault(max(words, key=len, default=""), set()).add(at)
        if rule.native is not None:
            found.setdefault("", set()).add(at)
    return {word: frozenset(held) for word, held in found.items()}


def _all_words(rules: Sequence[Rule], facts: FlowFacts) -> frozenset[str]:
    matchers = [one for rule in rules for one in (*rule.matchers, *rule.unless)]
    for flow in (rule.flow for rule in rules if rule.flow is not None):
        matchers += [*flow.sources, *flow.sanitisers, *flow.guards]
    matchers += [one for _, one in facts.sources]
    matchers += [*facts.sanitisers, *facts.guards, *facts.constants, *facts.copies]
    return frozenset(word for one in matchers for words in one.words for word in words)


def _shares(folder: str, language: str) -> bool:
    """C and C++ read each other's folders: much of either is both."""
    return {folder, language} == {"c", "cpp"}


def load_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of one file: one YAML document each, separated by `---`."""
    languages = FOLDERS.get(path.parent.name, ())
    return tuple(Reader(path, node, value).rule(languages) for node, value in _documents(path))


def load_facts(path: Path) -> FlowFacts:
    documents = list(_documents(path))
    if len(documents) != 1:
        raise RuleError(
            f"{short_name(path)}:1", f"holds {len(documents)} documents: there is one flow per folder"
        )
    node, value = documents[0]
    return Reader(path, node, value).facts(FOLDERS.get(path.parent.name, ()))


def _documents(path: Path) -> Iterator[tuple[Node, dict[str, Any]]]:
    import yaml

    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(path.read_text(encoding="utf-8"))
        while loader.check_node():
            node = cast("Node", loader.get_node())
            value: Any = loader.construct_document(node)
            if not isinstance(value, dict):
                raise RuleError(
                    f"{short_name(path)}:{line_of(node)}",
                    "is not a mapping: begin it with `id: …` and `cwe: …`",
                )
            yield node, cast("dict[str, Any]", value)
    except UnicodeDecodeError as error:
        raise RuleError(f"{short_name(path)}:1", f"is not UTF-8 ({error}): save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or str(error)
        raise RuleError(
            f"{short_name(path)}:{line}",
            f"is not YAML ({problem}): quote text that holds `: ` or begins with a sign",
        ) from error
