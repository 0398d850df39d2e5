"""Where a person goes on when a suggestion has been accepted.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..place.gate import opens_block, surroundings
from ..place.indentation import indent_unit
from ..snapshot import Query, Suggestion, Trigger


@dataclass(frozen=True, slots=True)
class Ahead:
    """A request to come: `lead` is what will have been typed behind the suggestion by then."""

    query: Query
    lead: str = ""


def places_ahead(query: Query, suggestion: Suggestion) -> tuple[Ahead, ...]:
    """Right behind it, and where nothing follows on its line, on a new line, indented as editors do."""
    snapshot, text = query.snapshot, query.snapshot.text
    offset = suggestion.start + len(suggestion.text)
    accepted = text[: suggestion.start] + suggestion.text + text[suggestion.end :]
    behind = replace(
        query, snapshot=replace(snapshot, text=accepted), offset=offset, trigger=Trigger.AUTOMATIC
    )
    here = surroundings(accepted, offset)
    if here.rest or not here.typed.strip():
        return (Ahead(behind),)
    lead = ("\r\n" if "\r\n" in accepted else "\n") + _margin(here.typed)
    if opens_block(here.typed):
        lead += indent_unit(accepted)
    below = replace(snapshot, text=accepted[:offset] + lead + accepted[offset:])
    return Ahead(behind), Ahead(replace(behind, snapshot=below, offset=offset + len(lead)), lead)


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
