"""A look-up in the environment, in place of the literal that holds a secret.

Only where it is certain to mean the same to the compiler: the literal is a whole expression, wholly
the suggestion's, nothing is interpolated into it, and it stands where a call may stand (no constant,
no annotation, no pattern, no key, no import).  Everything else is not redacted; the caller withholds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...context.languages import find_language
from ...context.parsing import parse

if TYPE_CHECKING:
    from ...context.parsing import Node, Tree
    from ..verdict import Passage
    from .record import SecretRule

MAX_DOCUMENT_CHARS = 240_000
"""Longer documents are not parsed for this; their secrets are withheld."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """`replacement` for `[start, end)` of the suggestion; `needs` is an import the file still lacks."""

    start: int
    end: int
    replacement: str
    variable: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class _Lookup:
    """How one language asks its environment."""

    template: str
    literals: frozenset[str]
    """Kinds of nodes that are one literal."""
    refused: frozenset[str] = frozenset()
    """Kinds of nodes round a literal in which a call would not compile or not mean the same."""
    needs: str = ""
    has: re.Pattern[str] | None = None
    """Matches a text that already imports what is needed."""
    refused_words: re.Pattern[str] | None = None
    """In the statement before the literal: modifiers that ask for a constant."""


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split())


_JAVASCRIPT = _Lookup(
    "process.env.{}",
    _kinds("string template_string"),
    _kinds(
        "import_statement export_statement_source literal_type jsx_attribute switch_case import_attribute"
    ),
)
_TYPESCRIPT = _Lookup("process.env.{}!", _JAVASCRIPT.literals, _JAVASCRIPT.refused | _kinds("enum_body"))
_C_REFUSED = _kinds(
    "preproc_def preproc_include case_statement initializer_list attribute static_assert_declaration"
)
_CONSTANT = re.compile(r"\b(?:constexpr|constinit|static|const\s+char\s+\w+\s*\[)")

_LOOKUPS = {
    "python": _Lookup(
        'os.environ["{}"]',
        _kinds("string concatenated_string"),
        _kinds("case_pattern type interpolation format_specifier subscript_slice"),
        "import os",
        re.compile(r"^[ \t]*import[ \t]+(?:[\w.]+[ \t]*,[ \t]*)*os\b(?![ \t]+as\b|\.)", re.MULTILINE),
    ),
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": _Lookup(
        'os.Getenv("{}")',
        _kinds("interpreted_string_literal raw_string_literal"),
        _kinds("const_spec const_declaration import_spec field_declaration expression_case"),
        'import "os"',
        re.compile(r'^(?:import)?[ \t]*"os"', re.MULTILINE),
    ),
    "java": _Lookup('System.getenv("{}")', _kinds("string_literal"), _kinds("annotation switch_label")),
    "kotlin": _Lookup(
        'System.getenv("{}")',
        _kinds("string_literal line_string_literal"),
        _kinds("annotation when_condition"),
        refused_words=re.compile(r"\bconst\b"),
    ),
    "scala": _Lookup('sys.env("{}")', _kinds("string"), _kinds("annotation case_clause")),
    "c": _Lookup(
        'getenv("{}")',
        _kinds("string_literal concatenated_string"),
        _C_REFUSED,
        "#include <stdlib.h>",
        re.compile(r"#[ \t]*include[ \t]*<stdlib\.h>"),
        _CONSTANT,
    ),
    "cpp": _Lookup(
        'std::getenv("{}")',
        _kinds("string_literal concatenated_string raw_string_literal"),
        _C_REFUSED,
        "#include <cstdlib>",
        re.compile(r"#[ \t]*include[ \t]*<cstdlib>"),
        _CONSTANT,
    ),
    "csharp": _Lookup(
        'Environment.GetEnvironmentVariable("{}")',
        _kinds("string_literal verbatim_string_literal raw_string_literal"),
        _kinds("attribute switch_section constant_pattern case_switch_label parameter"),
        "using System;",
        re.compile(r"^[ \t]*(?:global[ \t]+)?using[ \t]+System[ \t]*;", re.MULTILINE),
        re.compile(r"\bconst\b"),
    ),
    "ruby": _Lookup('ENV["{}"]', _kinds("string chained_string"), _kinds("in_clause interpolation")),
    "php": _Lookup(
        "getenv('{}')",
        _kinds("string encapsed_string"),
        _kinds(
            "const_declaration property_declaration attribute simple_parameter static_variable_declaration"
        ),
    ),
    "shellscript": _Lookup(
        '"${}"', _kinds("string raw_string"), _kinds("case_item heredoc_body command_substitution")
    ),
    "lua": _Lookup('os.getenv("{}")', _kinds("string")),
}
"""By the names of `context`'s languages; a language that is not here is not redacted."""

_OPERATORS = _kinds("binary_operator binary_expression binary concatenated_string parenthesized_expression")
_KEYED = _kinds("pair keyed_element hash_pair array_element_initializer entry")
_INTERPOLATED = ("interpolat", "substitution", "expansion")


def redact(passage: Passage, rule: SecretRule, start: int, end: int) -> Redaction | None:
    """The look-up for the literal round `[start, end)` of the suggestion, or `None` where none is safe."""
    language = find_language(passage.language, passage.path)
    lookup = _LOOKUPS.get(language.name) if language is not None else None
    text = passage.before + passage.suggestion + passage.after
    if language is None or lookup is None or len(text) > MAX_DOCUMENT_CHARS:
        return None
    at = len(passage.before)
    tree = parse(text, language)
    node = _literal(tree, lookup, at + start, at + end)
    if node is None or node.start < at or node.end > at + len(passage.suggestion):
        return None
    if not _may_be_a_call(tree, node, lookup):
        return None
    variable = variable_for(rule, text[max(0, node.start - 200) : node.start])
    replacement, needs = _spelt(lookup, variable, text)
    return Redaction(node.start - at, node.end - at, replacement, variable, needs)


def _literal(tree: Tree, lookup: _Lookup, start: int, end: int) -> Node | None:
    """The literal, or the concatenation of nothing but literals, that holds `[start, end)`."""
    found: Node | None = None
    node = tree.node_at(start, end)
    chain = [] if node is None else [node, *node.ancestors()]
    for one in chain:
        if one.kind in lookup.literals or (one.kind in _OPERATORS and _only_literals(one, lookup)):
            found = one
        elif found is not None:
            break
    return found if found is not None and not found.has_error and _only_literals(found, lookup) else None


def _only_literals(node: Node, lookup: _Lookup) -> bool:
    if node.kind in lookup.literals:
        if node.kind in _OPERATORS:
            return all(_only_literals(child, lookup) for child in node.named_children)
        inner = [one.kind for one in node.walk() if one.start >= node.start and one.end <= node.end]
        return not any(mark in kind for kind in inner for mark in _INTERPOLATED)
    parts = node.named_children
    return node.kind in _OPERATORS and bool(parts) and all(_only_literals(one, lookup) for one in parts)


def _may_be_a_call(tree: Tree, node: Node, lookup: _Lookup) -> bool:
    parent = node.parent
    if parent is None or parent.is_error or parent.kind in ("expression_statement", "module", "program"):
        return False
    text = tree.text
    prefix = text[node.start : node.start + 3].split('"')[0].split("'")[0].lower()
    if "b" in prefix or (tree.language.name == "rust"):
        return False  # bytes: a look-up gives text
    if parent.kind in _KEYED and parent.named_children and parent.named_children[0] == node:
        key_value = len(parent.named_children) > 1
        if key_value:
            return False
    for one in node.ancestors():
        if one.kind in lookup.refused:
            return False
        if one.kind in (
            "block",
            "compound_statement",
            "statement_block",
            "class_body",
            "function_definition",
        ):
            break
    if tree.language.name == "c" and not any(one.kind == "compound_statement" for one in node.ancestors()):
        return False  # outside functions C wants constants
    line_start = max(text.rfind(end, 0, node.start) for end in "\n;{}") + 1
    words = lookup.refused_words
    return words is None or words.search(text, line_start, node.start) is None


_PYTHON_OWN = (
    (re.compile(r"^[ \t]*import[ \t]+os[ \t]+as[ \t]+(\w+)", re.MULTILINE), '{0}.environ["{1}"]'),
    (
        re.compile(r"^[ \t]*from[ \t]+os[ \t]+import[^\n]*\b(environ)\b(?![ \t]+as)", re.MULTILINE),
        '{0}["{1}"]',
    ),
    (
        re.compile(r"^[ \t]*from[ \t]+os[ \t]+import[^\n]*\b(getenv)\b(?![ \t]+as)", re.MULTILINE),
        '{0}("{1}")',
    ),
)


def _spelt(lookup: _Lookup, variable: str, text: str) -> tuple[str, str]:
    """The look-up as this file would write it, and the import it lacks."""
    if lookup.has is None or lookup.has.search(text):
        return lookup.template.format(variable), ""
    if lookup.needs == "import os":
        for pattern, template in _PYTHON_OWN:
            if own := pattern.search(text):
                return template.format(own[1], variable), ""
    return lookup.template.format(variable), lookup.needs


_ASSIGNED = re.compile(
    r"(?P<name>[A-Za-z_$][\w$-]*)[\"'`]?\]?\)?"
    r"\s*(?::\s*[\w<>.,\[\] |?*&]+?)?\s*(?::=|=>|=|:)\s*\(?\s*$"
)
_VAGUE = re.compile(
    r"(?i)_*(?:my_?|the_?|default_?|app_?)?(?:x|y|s|a|k|v|key|token|secret|password|passw?d?|pwd|value|val|data|id"
    r"|auth|api_?key|credentials?|creds|bearer|client_?secret|url|uri|dsn|conn|connection|login|str|string|text"
    r"|result|tmp|config|args?|print|return|key_?id|pem|private_?key|access_?key|(?:private|access|auth|bot|refresh|bearer|api)_?token)_*"
)
_ISSUED = {
    "aws-access-key": "AWS_ACCESS_KEY_ID",
    "aws-secret-key": "AWS_SECRET_ACCESS_KEY",
    "url-password": "DATABASE_URL",
    "jwt": "JWT",
    "generic-credential": "API_SECRET",
    "password": "PASSWORD",
    "private-key": "PRIVATE_KEY",
}


def variable_for(rule: SecretRule, left: str) -> str:
    """The environment variable: what the literal is assigned to, or the issuer where that is vague."""
    match = _ASSIGNED.search(left[-120:])
    name = match["name"] if match else ""
    issued = _ISSUED.get(rule.id) or re.sub(r"\W+", "_", rule.issuer).upper()
    generic = rule.id in ("generic-credential", "password", "private-key", "url-password", "jwt")
    if not name or len(name) < 3 or name.lower() in ("export", "var", "let", "const", "val"):
        return issued
    if _VAGUE.fullmatch(name) and not (generic and len(name) > 4 and rule.id != "url-password"):
        return issued
    return _upper(name) if re.search(r"[A-Za-z]", name) else issued


def _upper(name: str) -> str:
    """`apiKey` and `api-key` as `API_KEY`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_$"))
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").upper()
