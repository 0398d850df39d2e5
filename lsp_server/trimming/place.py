"""What a rule may know: the cursor's line, its neighbours, and habits of the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..place.gate import Surroundings

PROSE = frozenset({"markdown", "plaintext", "restructuredtext", "latex", "asciidoc", "scminput"})


@dataclass(frozen=True)
class Place:
    """`following` are the lines below the cursor's, nearest first."""

    here: Surroundings
    following: tuple[str, ...] = ()
    language: str = ""
    document: str = ""
    """The text of the file, or as much of it as tells its habits."""
    is_asked: bool = False
    """A person asked: then little is better than nothing."""

    @cached_property
    def below(self) -> tuple[str, ...]:
        """The lines after the cursor's that are not blank."""
        return tuple(line for line in self.following if line.strip())

    @property
    def starts_line(self) -> bool:
        """Nothing but white space stands before the cursor on its line."""
        return not self.here.typed.strip()

    @property
    def is_prose(self) -> bool:
        return self.language in PROSE
