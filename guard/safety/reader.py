"""One YAML document to one rule.  All that can be wrong with it is said here, with file, line and fix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from .compiling import alternatives, as_calls, lenient, rough, with_tests, words_of
from .errors import RuleError
from .rule import LABELS, Flow, FlowFacts, Matcher, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDERS: Mapping[str, tuple[str, ...]] = {
    "python": ("python",),
    "javascript": ("javascript", "typescript", "tsx"),
    "c": ("c",),
    "cpp": ("cpp",),
    "java": ("java",),
    "go": ("go",),
    "csharp": ("csharp",),
    "php": ("php",),
    "ruby": ("ruby",),
    "bash": ("bash",),
}
"""Folders below `rules`, and the languages their rules are for where a rule does not say."""

_RULE_KEYS = {
    *("id", "cwe", "severity", "languages", "message", "fix", "rewrite", "imports", "bad", "good"),
    *("rule", "native", "constraints", "utils", "context", "unless", "unless_text"),
    *("sources", "sinks", "sanitisers", "guards", "built", "text"),
}
_FACT_KEYS = {
    *("languages", "remote", "local", "sanitisers", "guards", "handlers", "constants", "copies"),
    *("carriers", "stoppers", "number_types", "short", "assume"),
}
_REQUIRED = ("id", "cwe", "severity", "message", "fix", "bad", "good")
_MIN_EXAMPLES = 2


def short_name(path: Path) -> str:
    return "/".join(path.parts[-2:])


def line_of(node: Any) -> int:
    return int(node.start_mark.line) + 1


class Reader:
    """One document: every value asked for by key is checked, and complained about by line."""

    def __init__(self, path: Path, node: Any, value: dict[str, Any]) -> None:
        self.path, self.value = path, value
        self.first = line_of(node)
        self.lines: dict[str, int] = {str(key.value): line_of(key) for key, _ in node.value}
        self.items: dict[str, list[int]] = {
            str(key.value): [line_of(item) for item in held.value]
            for key, held in node.value
            if held.id == "sequence"
        }

    def rule(self, languages: tuple[str, ...]) -> Rule:
        self.check_keys(_RULE_KEYS)
        for key in _REQUIRED:
            if key not in self.value:
                raise self.error(None, f"the rule has no `{key}`: add it")
        languages = self.languages(languages)
        if sum(key in self.value for key in ("rule", "sinks", "native")) != 1:
            raise self.error(None, "a rule has either `rule` or `sinks` or `native`: give one of them")
        has_sinks = "sinks" in self.value
        matchers = self.matchers("sinks", languages) if has_sinks else ()
        if "rule" in self.value:
            matchers = self.whole(languages)
        if has_sinks and "sources" not in self.value:
            raise self.error("sinks", "`sinks` without `sources`: name labels or patterns under `sources`")
        return Rule(
            id=self.identifier(),
            cwe=self.pattern_text("cwe", r"CWE-\d+", "CWE- and a number, as in CWE-89"),
            severity=cast("Severity", self.one_of("severity", ("block", "warn"))),
            languages=languages,
            message=self.text("message"),
            fix=self.text("fix"),
            matchers=matchers,
            flow=self.flow(languages) if has_sinks else None,
            context=self.regex("context"),
            unless=self.matchers("unless", languages),
            unless_text=self.regex("unless_text"),
            rewrite=self.optional_text("rewrite"),
            imports=self.optional_text("imports"),
            bad=self.examples("bad"),
            good=self.examples("good"),
            place=f"{short_name(self.path)}:{self.first}",
            native=self.native() if "native" in self.value else None,
        )

    def facts(self, languages: tuple[str, ...]) -> FlowFacts:
        self.check_keys(_FACT_KEYS)
        languages = self.languages(languages)
        sources = [(label, one) for label in ("remote", "local") for one in self.matchers(label, languages)]
        assume: Any = self.value.get("assume") or {}
        if not isinstance(assume, dict):
            raise self.error("assume", "is not a mapping: write `name: module.name` lines below it")
        return FlowFacts(
            languages=languages,
            sources=tuple(sources),
            sanitisers=self.matchers("sanitisers", languages),
            guards=self.matchers("guards", languages),
            handlers=self.matchers("handlers", languages),
            constants=self.matchers("constants", languages),
            copies=self.matchers("copies", languages),
            carriers=self.regex("carriers"),
            stoppers=self.regex("stoppers"),
            number_types=self.regex("number_types"),
            short=tuple(str(one) for one in self.sequence("short")),
            assume={str(k): str(v) for k, v in cast("dict[Any, Any]", assume).items()},
        )

    def flow(self, languages: tuple[str, ...]) -> Flow:
        labels: set[str] = set()
        sources: list[Matcher] = []
        for at, item in enumerate(self.sequence("sources")):
            if isinstance(item, str) and item in LABELS:
                labels.add(item)
            elif isinstance(item, str) and re.fullmatch(r"[a-z]+", item):
                known = ", ".join(sorted(LABELS))
                raise self.error("sources", f"{item!r} is no label: the labels are {known}", at)
            else:
                sources.append(self.matcher(item, languages, "sources", at))
        built = self.value.get("built", False)
        if not isinstance(built, bool):
            raise self.error("built", f"is {built!r}: write true or false")
        return Flow(
            labels=frozenset(labels),
            sources=tuple(sources),
            sanitisers=self.matchers("sanitisers", languages),
            guards=self.matchers("guards", languages),
            built=built,
            text=self.regex("text"),
        )

    def check_keys(self, known: set[str]) -> None:
        for key in self.value:
            if key not in known:
                raise self.error(
                    str(key), f"`{key}` is no key of a rule: the keys are {', '.join(sorted(known))}"
                )

    def languages(self, default: tuple[str, ...]) -> tuple[str, ...]:
        known = {name for names in FOLDERS.values() for name in names}
        languages = tuple(str(one) for one in self.sequence("languages")) or default
        for at, name in enumerate(languages):
            if name not in known:
                raise self.error(
                    "languages", f"{name!r} is no language: they are {', '.join(sorted(known))}", at
                )
        if not languages:
            raise self.error(None, "the rule has no `languages`, and its folder is no language: add them")
        return languages

    def identifier(self) -> str:
        name = self.pattern_text("id", r"[a-z][a-z0-9-]*", "lower-case words joined by dashes")
        return f"{self.path.parent.name}/{name}"

    def native(self) -> str:
        from .native import ANALYSES

        return self.one_of("native", tuple(sorted(ANALYSES)))

    def whole(self, languages: tuple[str, ...]) -> tuple[Matcher, ...]:
        parts = {key: self.value[key] for key in ("rule", "constraints", "utils") if key in self.value}
        if isinstance(parts["rule"], str):
            parts["rule"] = {"pattern": parts["rule"]}
        self.tried(parts, languages, "rule", None)
        return tuple(self.tried(one, languages, "rule", None) for one in alternatives(parts))

    def matchers(self, key: str, languages: tuple[str, ...]) -> tuple[Matcher, ...]:
        return tuple(self.matcher(item, languages, key, at) for at, item in enumerate(self.sequence(key)))

    def matcher(self, item: Any, languages: tuple[str, ...], key: str, at: int) -> Matcher:
        """A pattern as text, an ast-grep rule, or one with `rule:` and `constraints:` beside it."""
        if isinstance(item, str):
            return self.tried({"rule": {"pattern": item}}, languages, key, at)
        if not isinstance(item, dict):
            raise self.error(
                key, f"{item!r} is neither a pattern nor a rule: write `- some.call($TAINT)`", at
            )
        entry = cast("dict[str, Any]", item)
        if "rule" in entry:
            return self.tried(entry, languages, key, at)
        constraints: Any = entry.pop("constraints", None)
        config: dict[str, Any] = {"rule": entry}
        if constraints is not None:
            config["constraints"] = constraints
        return self.tried(config, languages, key, at)

    def tried(self, config: dict[str, Any], languages: tuple[str, ...], key: str, at: int | None) -> Matcher:
        """The matcher, once it has been compiled for each language that the rule is for."""
        from ast_grep_py import SgRoot

        if "utils" not in config and "utils" in self.value:
            config = {**config, "utils": self.value["utils"]}
        words = words_of(config["rule"])
        config = cast("dict[str, Any]", lenient(as_calls(config, languages)))
        lean, tests = with_tests(config)
        for language in languages:
            for one in (config, lean):
                try:
                    SgRoot("", language).root().find(cast("Any", one))
                except Exception as error:
                    reason = _reason(error)
                    raise self.error(
                        key, f"ast-grep does not understand it as {language} ({reason}): mend the pattern", at
                    ) from error
        many = "$$$TAINT" in repr(config["rule"])
        return Matcher(lean, words, many=many, key=repr(lean), rough=rough(lean), tests=tests)

    def sequence(self, key: str) -> list[Any]:
        value: Any = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(key, "is not a list: put `- ` before each entry")
        return cast("list[Any]", value)

    def examples(self, key: str) -> tuple[str, ...]:
        found = self.sequence(key)
        if len(found) < _MIN_EXAMPLES:
            raise self.error(
                key, f"{len(found)} examples: a rule shows at least {_MIN_EXAMPLES} `{key}` ones"
            )
        for at, one in enumerate(found):
            if not isinstance(one, str):
                raise self.error(key, f"{one!r} is not text: write it as a block after `- |`", at)
        return tuple(found)

    def text(self, key: str) -> str:
        value = self.value[key]
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"is {value!r}: write a sentence a person can read")
        return " ".join(value.split())

    def optional_text(self, key: str) -> str | None:
        value = self.value.get(key)
        if value is not None and not isinstance(value, str):
            raise self.error(key, f"is {value!r}: write text, in quotes where it looks like something else")
        return value

    def pattern_text(self, key: str, pattern: str, wanted: str) -> str:
        value = self.value[key]
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.error(key, f"is {value!r}: write {wanted}")
        return value

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.value[key]
        if value not in allowed:
            raise self.error(key, f"is {value!r}: write {' or '.join(allowed)}")
        return cast("str", value)

    def regex(self, key: str) -> re.Pattern[str] | None:
        value = self.optional_text(key)
        if value is None:
            return None
        try:
            return re.compile(value)
        except re.error as error:
            raise self.error(key, f"is no regular expression ({error}): mend it") from error

    def error(self, key: str | None, message: str, at: int | None = None) -> RuleError:
        line = self.first if key is None else self.lines.get(key, self.first)
        if key is not None and at is not None and at < len(self.items.get(key, ())):
            line = self.items[key][at]
        said = message if key is None or message.startswith("`") else f"`{key}` {message}"
        return RuleError(f"{short_name(self.path)}:{line}", said)


def _reason(error: BaseException) -> str:
    """The last of the causes ast-grep lists, which is the one that says something."""
    text = str(error).split("Stack backtrace", 1)[0]
    lines = [re.sub(r"^\d+: ", "", line.strip()) for line in text.splitlines()]
    return next((line for line in reversed(lines) if line), "no reason given").rstrip(".")
