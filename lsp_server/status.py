"""What the assistant tells the editor about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StatusKind = Literal["normal", "warning", "error", "inactive"]


@dataclass(frozen=True, slots=True)
class Indexing:
    """How far reading the workspace has come.  A total of 0: not known yet."""

    num_done: int
    num_total: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """The state to show, until the next one.

    `inactive` means nothing will be suggested and nothing is wrong (switched off); `warning` means
    suggestions come, but worse or slower than they should; `error` means none come.
    """

    kind: StatusKind
    busy: bool
    """Something long is under way, such as loading a model."""
    message: str
    """A sentence a person can act on; empty when all is well."""
    indexing: Indexing | None = None
    """When given, this is about the index alone, and the rest is not to be shown."""
