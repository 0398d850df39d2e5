"""Packages that a text tells somebody to install: in comments, scripts and answers.

A name that looks like a well-known one and is not that is how people get somebody else's code; it is
replaced by the name it looks like.  One that nobody is known to have published is remarked on.
"""

from __future__ import annotations

from typing import Protocol

from ..verdict import Action, Passage, Verdict
from .knowledge import Source, Standing
from .packages.known import Registry
from .packages.mentions import Mention, mentions


class Publications(Protocol):
    """As `KnownPackages`."""

    def standing_of_package(self, name: str, registry: Registry, path: str = "") -> Standing: ...


class InstallCheck:
    """Is what is to be installed what it looks like?  Safe to share between threads."""

    name = "packages"

    def __init__(self, packages: Publications) -> None:
        self._packages = packages

    def judge(self, passage: Passage) -> tuple[Verdict, ...]:
        """Also where the command was typed, and the suggestion is what it installs."""
        line = passage.before[passage.before.rfind("\n") + 1 :]
        found = mentions(line + passage.suggestion)
        return tuple(
            verdict
            for one in found
            if one.end > len(line) and (verdict := self._verdict(one, len(line), passage.path or ""))
        )

    def _verdict(self, mention: Mention, shift: int, path: str) -> Verdict | None:
        standing = self._packages.standing_of_package(mention.name, mention.registry, path)
        start, end = mention.start - shift, mention.end - shift
        if standing.source is Source.LOOK_ALIKE:
            text = f"`{mention.name}` is not `{standing.look_alike_of}`, but looks like it"
            if start < 0:  # half of it was typed
                return Verdict("package", Action.WITHHOLD, "package/look-alike", 0, end, text)
            return Verdict(
                "package", Action.REPAIR, "package/look-alike", start, end, text, standing.look_alike_of
            )
        if standing.source is Source.UNKNOWN:
            text = f"no package `{mention.name}` is known"
            return Verdict("package", Action.ANNOTATE, "package/unknown", max(start, 0), end, text)
        return None
