"""What ends statements and blocks, one record per language; no code here asks which language it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...context.language_table import LANGUAGES

_JUMPS = frozenset({"return", "break", "continue"})
_THROWS = _JUMPS | {"throw"}


@dataclass(frozen=True, slots=True)
class Ends:
    """How one language closes what it opens.  Without a record, indentation alone decides."""

    words: dict[str, str] = field(default_factory=dict[str, str])
    """Words that open a block, and the word that closes it: `if` … `fi`."""
    modifiers: frozenset[str] = frozenset()
    """Those of them that open nothing where they follow an expression: Ruby's `x = 1 if y`."""
    loops: frozenset[str] = frozenset()
    """Words whose `do` on the same line opens no second block."""
    braces_are_blocks: bool = True
    """Whether `{` holds statements.  Elsewhere it is a bracket among others."""
    long_texts: tuple[str, ...] = ()
    """What opens a text that may go on over line ends, longest first."""
    needs_semicolon: bool = False
    """A line without one, and without a brace or a comma, is not the end of its statement."""
    chains: tuple[str, ...] = ()
    """What a line begins with when it goes on with the statement of the line above."""
    margin: tuple[str, ...] = ()
    """What may stand left of the block it belongs to: directives."""
    jumps: frozenset[str] = _JUMPS
    """After a statement that begins with one, nothing is reached in the same block."""


_C_LIKE = ("/*",)
_DOTS = (".", "?.")

TABLE: dict[str, Ends] = {
    "python": Ends(
        braces_are_blocks=False,
        long_texts=('"""', "'''"),
        jumps=_JUMPS | {"raise"},
    ),
    "javascript": Ends(long_texts=("`", *_C_LIKE), chains=_DOTS, jumps=_THROWS),
    "typescript": Ends(long_texts=("`", *_C_LIKE), chains=_DOTS, jumps=_THROWS),
    "typescriptreact": Ends(long_texts=("`", *_C_LIKE), chains=_DOTS, jumps=_THROWS),
    "go": Ends(long_texts=("`", *_C_LIKE), jumps=_JUMPS | {"panic"}),
    "rust": Ends(long_texts=('"', 'r#"', *_C_LIKE), chains=_DOTS),
    "java": Ends(long_texts=('"""', *_C_LIKE), needs_semicolon=True, chains=_DOTS, jumps=_THROWS),
    "c": Ends(long_texts=_C_LIKE, needs_semicolon=True, margin=("#",), jumps=_JUMPS | {"goto"}),
    "cpp": Ends(long_texts=('R"', *_C_LIKE), needs_semicolon=True, margin=("#",), jumps=_THROWS | {"goto"}),
    "csharp": Ends(
        long_texts=('"""', '@"', *_C_LIKE), needs_semicolon=True, margin=("#",), chains=_DOTS, jumps=_THROWS
    ),
    "ruby": Ends(
        words=dict.fromkeys(
            ("def", "class", "module", "begin", "do", "case", "if", "unless", "while", "until", "for"), "end"
        ),
        modifiers=frozenset({"if", "unless", "while", "until"}),
        loops=frozenset({"while", "until", "for"}),
        long_texts=('"', "'", "=begin", "<<"),
        chains=(".", "&."),
        jumps=frozenset({"return", "break", "next", "raise"}),
    ),
    "php": Ends(
        long_texts=('"', "'", "<<<", *_C_LIKE), needs_semicolon=True, chains=("->", "?->"), jumps=_THROWS
    ),
    "shellscript": Ends(
        words={"if": "fi", "case": "esac", "do": "done"},
        long_texts=('"', "'", "<<"),
        chains=("|", "&&"),
        jumps=_JUMPS | {"exit"},
    ),
    "lua": Ends(
        words={"function": "end", "do": "end", "if": "end", "repeat": "until"},
        braces_are_blocks=False,
        long_texts=("[[", "[=[", "--[["),
        jumps=frozenset({"return", "break", "goto"}),
    ),
    "kotlin": Ends(long_texts=('"""', *_C_LIKE), chains=(*_DOTS, "?:"), jumps=_THROWS),
    "swift": Ends(long_texts=('"""', *_C_LIKE), chains=_DOTS, jumps=_THROWS),
    "scala": Ends(long_texts=('"""', *_C_LIKE), chains=_DOTS, jumps=frozenset({"return", "throw"})),
}

UNKNOWN = Ends()

assert TABLE.keys() == {language.name for language in LANGUAGES}, "a language lacks its record"
