"""The notice that goes with code of others: whose it is, on what terms, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable

from ...guard import verdict as guard
from ...guard.verdict import Verdict

COPY_NOTICE = "truepenny.copyNotice"
"""A command: given the id of a suggestion, the notices that belong to it."""


def name_of(reference: guard.Reference) -> str:
    """The project and the place in it, for a person."""
    project = f"{reference.name} {reference.version}".rstrip()
    return f"{project}: {reference.path}, line {reference.line}"


def notice_of(reference: guard.Reference) -> str:
    """To put beside the code."""
    terms = f"under {reference.licence}" if reference.licence else "on terms that are not known"
    lines = [f"Contains code of {name_of(reference)}", f"used {terms}"]
    return "\n".join([*lines, reference.url] if reference.url else lines) + "\n"


def notices_of(verdicts: Iterable[Verdict]) -> str:
    """All of a suggestion, each once; empty where it repeats nobody's code."""
    references = (one.reference for one in verdicts if one.reference is not None)
    return "\n".join(dict.fromkeys(map(notice_of, references)))
