"""A rule as it is written, made quick to search with.

ast-grep compiles a rule anew with each search, and its regular expressions with it, which costs a
millisecond where they know of Unicode.  So tests of the text of the whole or of a metavariable are
made here, once (`Matcher.tests`); those that must stay inside see ASCII alone; alternatives at the
top become matchers of their own, each with the words without which it cannot match.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATTERN_WORD = re.compile(r"\$+[A-Z_0-9]+|\b[^\W\d]\w{2,}")
_MAX_WORD_SETS = 64
_REGEX_BEGINNING = re.compile(r"^\^([A-Za-z_]\w{2,})(?:\\[sb.(]|=|\$)(?!.*[|?*]\Z)[^|]*\Z")
_OPTIONAL_ARGUMENTS = re.compile(r",\s*\$\$\$|\$\$\$[A-Z_0-9]*\s*,")
_CALL = re.compile(r"[\w.$:]+\(.*\)", re.DOTALL)
_CALL_FRAMES = {"c": "void f() { _; }", "cpp": "void f() { _; }", "go": "func f() { _ }"}
_CLASSES = {"w": "0-9A-Za-z_", "d": "0-9", "s": " \\t\\n\\r"}

Test = tuple[str, re.Pattern[str], bool]


def as_calls(rule: Any, languages: tuple[str, ...]) -> Any:
    """The rule with calls in patterns read as calls: alone, C takes `f($A)` for a macro, Go for a type."""
    frame = next((_CALL_FRAMES[name] for name in languages if name in _CALL_FRAMES), None)
    if frame is None:
        return rule
    if isinstance(rule, list):
        return [as_calls(one, languages) for one in cast("list[Any]", rule)]
    if not isinstance(rule, dict):
        return rule
    found: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", rule).items():
        if key == "pattern" and isinstance(value, str) and _CALL.fullmatch(value.strip()):
            context = frame.replace("_", value.strip())
            found[key] = {"context": context, "selector": "call_expression", "strictness": "relaxed"}
        else:
            found[key] = as_calls(value, languages)
    return found


def lenient(rule: Any) -> Any:
    """The rule with `f($A, $$$)` matching `f(a)` too: ast-grep's default insists on the comma."""
    if isinstance(rule, list):
        return [lenient(one) for one in cast("list[Any]", rule)]
    if not isinstance(rule, dict):
        return rule
    found: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", rule).items():
        if key == "pattern" and isinstance(value, str) and _OPTIONAL_ARGUMENTS.search(value):
            found[key] = {"context": value, "strictness": "relaxed"}
        else:
            found[key] = lenient(value) if key != "pattern" else value
    return found


def words_of(rule: Any) -> tuple[frozenset[str], ...]:
    """Sets of words, one of which must be in a text that the rule matches; an empty set says nothing."""
    if not isinstance(rule, dict):
        return (frozenset(),)
    sets: list[frozenset[str]] = [frozenset()]
    for key, value in cast("dict[str, Any]", rule).items():
        if key == "pattern":
            text: Any = value if isinstance(value, str) else value.get("context", "")
            found = _PATTERN_WORD.findall(str(text))
            more = (frozenset(word for word in found if not word.startswith("$")),)
        elif key == "all":
            more = _conjunction([words_of(one) for one in value])
        elif key == "any":
            more = tuple(words for one in value for words in words_of(one))
        elif key == "regex" and (begins := _REGEX_BEGINNING.match(str(value))):
            more = (frozenset({begins[1]}),)
        elif key in ("has", "inside", "precedes", "follows"):
            more = words_of(value)
        else:
            continue
        sets = list(_conjunction([tuple(sets), more]))
    return tuple(sets) if len(sets) <= _MAX_WORD_SETS else (frozenset(),)


def _conjunction(parts: list[tuple[frozenset[str], ...]]) -> tuple[frozenset[str], ...]:
    sets: tuple[frozenset[str], ...] = (frozenset(),)
    for part in parts:
        if len(sets) * len(part) > _MAX_WORD_SETS:
            return sets
        sets = tuple(one | other for one in sets for other in part)
    return sets


def alternatives(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One rule for each way at the top; what stands beside `any` holds for all."""
    rule: Any = config["rule"]
    if not isinstance(rule, dict) or "any" not in rule:
        return [dict(config)]
    rest = {key: value for key, value in cast("dict[str, Any]", rule).items() if key != "any"}
    found: list[dict[str, Any]] = []
    for one in cast("dict[str, Any]", rule)["any"]:
        whole = {**rest, **one} if not rest.keys() & one.keys() else {"all": [rest, one]}
        part = {**config, "rule": whole}
        if "constraints" in config:
            text = repr(whole)
            held = cast("dict[str, Any]", config["constraints"])
            part["constraints"] = {key: value for key, value in held.items() if f"${key}" in text}
        found.append(part)
    return found


def with_tests(config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Test, ...]]:
    """The rule without the regular expressions that can be tested afterwards, and these."""
    tests: list[Test] = []
    rule = cast("dict[str, Any]", config["rule"])
    if "regex" in rule and rule.keys() & {"kind", "pattern", "any", "all"}:
        pattern = _compiled(rule["regex"])
        if pattern is not None:
            tests.append(("", pattern, True))
            rule = {key: value for key, value in rule.items() if key != "regex"}
    constraints: dict[str, Any] = {}
    for name, held in cast("dict[str, Any]", config.get("constraints") or {}).items():
        kept = dict(held)
        for text, wanted in ((kept.get("regex"), True), (_only_regex(kept.get("not")), False)):
            pattern = _compiled(text) if text is not None else None
            if pattern is not None:
                tests.append((name, pattern, wanted))
                del kept["regex" if wanted else "not"]
        if kept:
            constraints[name] = kept
    lean = {key: value for key, value in config.items() if key not in ("rule", "constraints")}
    lean["rule"] = _in_ascii(rule)
    if constraints:
        lean["constraints"] = _in_ascii(constraints)
    if "utils" in lean:
        lean["utils"] = _in_ascii(lean["utils"])
    return lean, tuple(tests)


def rough(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """A quick rule that matches wherever `config` does; nothing where that one is quick itself."""
    rule = cast("dict[str, Any]", config["rule"])
    if "'regex':" not in repr(config) or "matches" in rule:
        return None
    kept: dict[str, Any] = {key: rule[key] for key in ("kind", "pattern") if key in rule}
    for one in cast("list[Any]", rule.get("all", [])):
        if not kept and isinstance(one, dict):
            first = cast("dict[str, Any]", one)
            kept = {key: first[key] for key in ("kind", "pattern") if key in first}
    return {"rule": kept} if kept else None


def _only_regex(held: Any) -> str | None:
    if not isinstance(held, dict):
        return None
    found = cast("dict[str, Any]", held)
    return str(found["regex"]) if set(found) == {"regex"} else None


def _compiled(text: Any) -> re.Pattern[str] | None:
    """As Python understands it; nothing where it does not, and ast-grep has to."""
    try:
        return re.compile(str(text), re.ASCII)
    except re.error:
        return None


def _in_ascii(rule: Any) -> Any:
    if isinstance(rule, list):
        return [_in_ascii(one) for one in cast("list[Any]", rule)]
    if not isinstance(rule, dict):
        return rule
    return {
        key: ascii_regex(value) if key == "regex" and isinstance(value, str) else _in_ascii(value)
        for key, value in cast("dict[str, Any]", rule).items()
    }


def ascii_regex(text: str) -> str:
    r"""`\w`, `\\d`, `\\s` and `\\b` of ASCII, as Rust's regular expressions say it."""
    parts: list[str] = []
    at, in_class = 0, False
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            letter = text[at + 1]
            if letter in _CLASSES:
                parts.append(_CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]")
            elif letter == "b" and not in_class:
                parts.append("(?-u:\\b)")
            else:
                parts.append(text[at : at + 2])
            at += 2
            continue
        if text[at] == "[" and not in_class:
            in_class = True
            # A bracket that comes first in a class stands for itself.
            if text[at + 1 : at + 3] == "^]" or text[at + 1 : at + 2] == "]":
                end = text.index("]", at) + 1
                parts.append(text[at:end])
                at = end
                continue
        elif text[at] == "]":
            in_class = False
        parts.append(text[at])
        at += 1
    return "".join(parts)
