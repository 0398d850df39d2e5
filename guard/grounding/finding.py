"""What a type checker says, in words that are the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """Kinds of trouble a checker can have with a name.  Its own rule names are mapped to these once."""

    MISSING_MEMBER = "missing-member"
    """Of a module, a class or a value whose type is known."""
    MISSING_MODULE = "missing-module"
    """What is imported is not there."""
    MISSING_NAME = "missing-name"
    """Not defined where it is used."""
    UNKNOWN_ARGUMENT = "unknown-argument"
    """A keyword that the called function does not take."""
    WRONG_CALL = "wrong-call"
    """The arguments fit no signature, or the thing cannot be called."""
    POSSIBLY_MISSING = "possibly-missing"
    """Of one member of a union, or on one path: a hint at most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnostic on `[start, end)`, code-point offsets into the text that was checked."""

    fault: Fault
    start: int
    end: int
    name: str
    """What is not there: the last part of `receiver.name`, the module, the keyword.  Empty if not said."""
    receiver: str
    """The type or module it was looked for in, or the called function; may be empty."""
    message: str
    nearest: str = ""
    """The checker's own "did you mean"; empty where it has none."""


class Checker(Protocol):
    """A type checker that is kept alive beside us.  Safe to call from several threads, which then wait."""

    @property
    def name(self) -> str: ...

    def findings(self, path: str, text: str, deadline_s: float) -> tuple[Finding, ...]:
        """What it says of `text` if that stood in the file `path`; nothing is written.

        Raises `CheckError` if it does not say so in time, or is not there.
        """
        ...

    def members(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        """Names that can follow a `.` that ends at `offset`; empty where the type is not known.

        Raises `CheckError` as `findings` does.
        """
        ...

    def close(self) -> None:
        """Ends the process.  The checker is not used after that."""
        ...
