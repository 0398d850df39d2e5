"""What tells comments, strings and blocks apart, one row per language: node kinds of its grammar, and
marks that a reader without a tree goes by.

Kinds of comments and strings are in the records of `context`; here is what only completion asks.
Languages without a grammar have a row of marks alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from ...context.languages import find_language
from ...context.records import Language

Scope = Literal["code", "comment", "docstring", "string", "regex", "markup"]
"""`docstring` is all documentation: Python's strings, and comments made for it (`/** */`, `///`).
`markup` is text between tags, and what stands outside PHP's."""

TextScope = Literal["comment", "docstring", "string", "regex", "markup"]
TEXT_SCOPES: tuple[TextScope, ...] = get_args(TextScope)

_NOTHING: frozenset[str] = frozenset()
_NEVER = r"(?!)"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Row:
    """One language.  Offsets, trees and settings are none of its business."""

    line_comments: tuple[str, ...] = ()
    block_comments: tuple[tuple[str, str], ...] = ()
    doc_comments: tuple[str, ...] = ()
    """What a comment begins with that documents what comes next."""
    quotes: tuple[str, ...] = ('"',)
    """Longest first; the same text closes."""
    long_quotes: frozenset[str] = frozenset()
    """Those of them that go on over line ends."""
    hole: tuple[str, str] | None = None
    """What opens and closes code inside a string."""
    holed: str = ""
    """Pattern of the opening quote, with up to two characters before it, of strings with such code."""
    holes: frozenset[str] = _NOTHING
    """Nodes inside strings that hold code again."""
    strings: frozenset[str] = _NOTHING
    """Nodes of text that stands for itself, besides those of the record."""
    regexes: frozenset[str] = _NOTHING
    markup: frozenset[str] = _NOTHING
    """Nodes of text between tags, or outside the program."""
    has_tags: bool = False
    header: str = _NEVER
    """Pattern of a line, without its comment, after which a block must come.  Matched from its first word."""
    ends: frozenset[str] = _NOTHING
    """Words that end a block, or part one from the next."""


_C_BLOCK = (("/*", "*/"),)
_C_DOCS = ("/**", "/*!", "///", "//!")
_BRACE = r".*(?:\{|=>)\s*$"
_LABEL = r"(?:case\b.*|default\s*):\s*$"

_ECMASCRIPT = Row(
    line_comments=("//",),
    block_comments=_C_BLOCK,
    doc_comments=("/**",),
    quotes=("`", '"', "'"),
    long_quotes=frozenset("`"),
    hole=("${", "}"),
    holed="`",
    holes=_names("template_substitution jsx_expression template_type"),
    regexes=_names("regex"),
    markup=_names("jsx_text"),
    header=rf"{_BRACE}|{_LABEL}|(?:if|for|while)\s*\(.*\)\s*$|(?:else|do)\s*$",
    ends=_names("case default"),
)
_JSX = replace(_ECMASCRIPT, has_tags=True)
_C = Row(
    line_comments=("//",),
    block_comments=_C_BLOCK,
    doc_comments=_C_DOCS,
    quotes=('"', "'"),
    header=rf"{_BRACE}|{_LABEL}|(?:public|private|protected)\s*:\s*$|(?:if|for|while)\s*\(.*\)\s*$|(?:else|do)\s*$",
    strings=_names("system_lib_string"),
    ends=_names("case default public private protected #endif #else #elif"),
)

ROWS: dict[str, Row] = {
    "python": Row(
        line_comments=("#",),
        quotes=('"""', "'''", '"', "'"),
        long_quotes=frozenset({'"""', "'''"}),
        hole=("{", "}"),
        holed=r"(?i:f|rf|fr)['\"]+",
        holes=_names("interpolation"),
        header=(
            r"(?:else|try|finally)\s*:\s*$"
            r"|(?!\w[\w.\[\], ]*:\s*$|.*\blambda\b[^:]*:\s*$).*:\s*$"
            r"|(?:async\s+)?(?:class|with|for|if|elif|while|match|case|except)\b.*:\s*$|.*\{\s*$"
        ),
        ends=_names("elif else except finally case"),
    ),
    "javascript": _JSX,
    "typescript": _ECMASCRIPT,
    "typescriptreact": _JSX,
    "go": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        quotes=("`", '"', "'"),
        long_quotes=frozenset("`"),
        header=rf".*\{{\s*$|{_LABEL}",
        ends=_names("case default"),
    ),
    "rust": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=_C_DOCS,
        quotes=('"',),
        long_quotes=frozenset('"'),
        header=_BRACE,
    ),
    "java": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=("/**",),
        quotes=('"""', '"', "'"),
        long_quotes=frozenset({'"""'}),
        holes=_names("string_interpolation"),
        header=rf".*(?:\{{|->)\s*$|{_LABEL}|(?:if|for|while)\s*\(.*\)\s*$|(?:else|do)\s*$",
        ends=_names("case default"),
    ),
    "c": _C,
    "cpp": _C,
    "csharp": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=("///", "/**"),
        quotes=('"""', '"', "'"),
        long_quotes=frozenset({'"""'}),
        hole=("{", "}"),
        holed=r"\$@?\"+",
        holes=_names("interpolation"),
        header=rf"{_BRACE}|{_LABEL}|(?:if|for|foreach|while)\s*\(.*\)\s*$|(?:else|do|try|finally)\s*$",
        ends=_names("case default"),
    ),
    "ruby": Row(
        line_comments=("#",),
        block_comments=(("=begin", "=end"),),
        quotes=('"', "'", "`"),
        long_quotes=frozenset("\"'`"),
        hole=("#{", "}"),
        holed='["`]',
        holes=_names("interpolation"),
        strings=_names("bare_string string_array symbol_array heredoc_content"),
        regexes=_names("regex"),
        header=(
            r"(?:def|class|module|if|unless|elsif|else|while|until|for|case|when|in|begin|rescue|ensure)\b"
            r"(?!.*\bend\b).*$|.*(?:\bdo|\{)\s*(?:\|[^|]*\|)?\s*$|.*\bthen\s*$"
        ),
        ends=_names("end elsif else when in rescue ensure"),
    ),
    "php": Row(
        line_comments=("//", "#"),
        block_comments=_C_BLOCK,
        doc_comments=("/**",),
        quotes=('"', "'", "`"),
        long_quotes=frozenset("\"'`"),
        hole=("{$", "}"),
        holed='"',
        holes=_names("variable_name member_access_expression subscript_expression dynamic_variable_name"),
        markup=_names("text"),
        has_tags=True,
        header=rf"{_BRACE}|{_LABEL}|(?:if|for|foreach|while|elseif)\s*\(.*\)\s*:?\s*$|(?:else|do)\s*:?\s*$",
        ends=_names("case default endif endforeach endfor endwhile else elseif"),
    ),
    "shellscript": Row(
        line_comments=("#",),
        quotes=('"', "'", "`"),
        long_quotes=frozenset("\"'`"),
        hole=("$(", ")"),
        holed='"',
        holes=_names("command_substitution expansion simple_expansion arithmetic_expansion"),
        regexes=_names("regex"),
        header=r".*(?:\bthen|\bdo|\belse|\{|\bin)\s*$|[^()]+\)\s*$",
        ends=_names("fi done esac elif else then ;;"),
    ),
    "lua": Row(
        line_comments=("--",),
        block_comments=(("--[[", "]]"),),
        doc_comments=("---",),
        quotes=("'", '"'),
        header=(r"(?!.*\bend\b)(?:.*\bfunction\b[^()]*\([^()]*\)|.*\b(?:then|do|else|repeat)|.*\{)\s*$"),
        ends=_names("end else elseif until"),
    ),
    "kotlin": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=("/**",),
        quotes=('"""', '"', "'"),
        long_quotes=frozenset({'"""'}),
        hole=("${", "}"),
        holed='"+',
        holes=_names("interpolation"),
        header=r".*(?:\{(?:[^{}]*->)?|->)\s*$|(?:if|for|while)\s*\(.*\)\s*$|(?:else|do|try|finally)\s*$",
    ),
    "swift": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=("///", "/**"),
        quotes=('"""', '"'),
        long_quotes=frozenset({'"""'}),
        hole=("\\(", ")"),
        holed='"+',
        holes=_names("interpolated_expression"),
        regexes=_names("regex_literal"),
        header=rf".*\{{(?:[^{{}}]*\bin)?\s*$|{_LABEL}",
        ends=_names("case default"),
    ),
    "scala": Row(
        line_comments=("//",),
        block_comments=_C_BLOCK,
        doc_comments=("/**",),
        quotes=('"""', '"', "'"),
        long_quotes=frozenset({'"""'}),
        hole=("${", "}"),
        holed=r'\w"+',
        holes=_names("interpolation"),
        header=(
            r".*(?:\{(?:[^{}]*=>)?|=>|\bthen|\bdo|\byield)\s*$"
            r"|(?:\w+\s+)*(?:def|class|object|trait|if|for|while|try|match|extension|enum)\b.*[:=]\s*$|else\s*$"
        ),
        ends=_names("case else catch finally end"),
    ),
}
"""By the name of the record."""

_HASH = Row(line_comments=("#",), quotes=('"', "'"))
_SLASHES = Row(line_comments=("//",), block_comments=_C_BLOCK, doc_comments=_C_DOCS, quotes=('"', "'"))
_DASHES = Row(line_comments=("--",), block_comments=_C_BLOCK, quotes=('"', "'"))
_TAGS = Row(block_comments=(("<!--", "-->"),), has_tags=True)
_SEMICOLON = Row(line_comments=(";",))
_PERCENT = Row(line_comments=("%",))
UNKNOWN = Row()
"""No comments: that a `#` begins one is not known."""

_OTHERS: dict[str, Row] = {
    **dict.fromkeys(
        _names(
            "yaml toml dockerfile makefile r perl julia elixir nix cmake properties powershell nim crystal "
            "graphql hcl terraform coffeescript fish gdscript starlark mojo"
        ),
        _HASH,
    ),
    **dict.fromkeys(
        _names(
            "dart zig objective-c objective-cpp groovy proto proto3 solidity fsharp d v odin jsonc json5 "
            "verilog systemverilog glsl hlsl wgsl scss less vala haxe"
        ),
        _SLASHES,
    ),
    **dict.fromkeys(_names("sql haskell elm ada vhdl purescript plsql"), _DASHES),
    **dict.fromkeys(_names("html xml svg vue svelte astro handlebars razor xhtml xsl"), _TAGS),
    **dict.fromkeys(_names("clojure lisp commonlisp scheme racket emacs-lisp ini asm"), _SEMICOLON),
    **dict.fromkeys(_names("erlang prolog matlab octave"), _PERCENT),
    "css": Row(block_comments=_C_BLOCK, quotes=('"', "'")),
}


def row_of(language_id: str, path: str) -> tuple[Row, Language | None]:
    """The row of a document, and its record where it has a grammar."""
    language = find_language(language_id, path)
    if language is not None:
        return ROWS[language.name], language
    return _OTHERS.get(language_id.strip().lower(), UNKNOWN), None
