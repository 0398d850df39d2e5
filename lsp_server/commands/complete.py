"""`truepenny complete`: one completion through the whole pipeline."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import Settings
from ..snapshot import Query, Suggestion, Trigger
from .place import PlaceError, add_engine_arguments, open_place, settings_of

if TYPE_CHECKING:
    from ...guard.verdict import Verdict
    from ..prompting.gathering import StoredIndex

EXAMPLE = """\
examples:
  truepenny complete src/app.py:42:9
  truepenny complete src/app.py:42:9 --typed 'retur' --json   as if these characters had been typed there
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "complete",
        help="one completion, as an editor would get it",
        description="One completion through the whole pipeline: the text, or why there is none.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("place", metavar="FILE:LINE:COL", help="lines and columns count from 1")
    parser.add_argument("--lines", choices=("auto", "single", "multi"), default="auto")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="as the setting completion.max_tokens")
    parser.add_argument("--typed", metavar="TEXT", default="", help="insert TEXT at the place first")
    parser.add_argument("--stdin", action="store_true", help="read the document from standard input")
    parser.add_argument("--automatic", action="store_true", help="ask as typing does, not as a key does")
    parser.add_argument(
        "--context",
        choices=("on", "off"),
        default="on" if Settings().context.enabled else "off",
        help="tell of other files, where the workspace has an index; default: %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    add_engine_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: something is shown; 1: nothing is, with the reason; 2: it could not be asked."""
    try:
        place = open_place(args.place, stdin=args.stdin)
        settings = settings_of(args, max_tokens=args.max_tokens)
    except PlaceError as error:
        print(f"truepenny complete: {error}", file=sys.stderr)
        return 2
    text, offset = place.snapshot.text, place.offset
    snapshot = replace(place.snapshot, text=text[:offset] + args.typed + text[offset:])
    trigger = Trigger.AUTOMATIC if args.automatic else Trigger.INVOKED
    query = Query(snapshot, offset + len(args.typed), trigger, args.lines)
    settings = replace(
        settings,
        context=replace(settings.context, enabled=args.context == "on"),
        guard=replace(settings.guard, deadline_ms=0),  # whoever asks on the command line waits
    )
    index = _index_of(Path(snapshot.path)) if args.context == "on" else None
    suggestion, is_trouble = asyncio.run(_ask(settings, query, index))
    if args.json:
        print(json.dumps(document(suggestion), ensure_ascii=False))
    elif suggestion.shown:
        print(suggestion.text)
    if not suggestion.shown:
        print(f"truepenny complete: nothing to show: {suggestion.reason}", file=sys.stderr)
    return 2 if is_trouble else 0 if suggestion.shown else 1


def _index_of(path: Path) -> StoredIndex | None:
    """The index of the workspace `path` is in, if there is one: nothing is built for one completion."""
    from ...context.index.location import locate
    from ...models.store import cache_root
    from ..prompting.gathering import StoredIndex
    from .context import workspace_of

    location = locate(workspace_of(path), cache_root())
    return StoredIndex(location) if location.database.exists() else None


async def _ask(settings: Any, query: Query, index: StoredIndex | None) -> tuple[Suggestion, bool]:
    from ..assistant import Assistant

    troubles: list[str] = []
    assistant = Assistant(
        settings, lambda s: troubles.append(s.message) if s.kind == "error" else None, index=index
    )
    try:
        await assistant.looked_at(query)
        suggestion = await assistant.complete(query)
    finally:
        await assistant.close()
    return suggestion, bool(troubles)


def document(suggestion: Suggestion) -> dict[str, Any]:
    """The JSON contract of `complete`."""
    return {
        "text": suggestion.text,
        "shown": suggestion.shown,
        "reason": suggestion.reason,
        "vouched": suggestion.vouched,
        "verdicts": [verdict_document(verdict) for verdict in suggestion.verdicts],
        "prompt_tokens": suggestion.cost.prompt_tokens,
        "reused_tokens": suggestion.cost.reused_tokens,
        "computed_tokens": suggestion.cost.computed_tokens,
        "stage_ms": {name: round(ms, 1) for name, ms in suggestion.cost.stage_ms.items()},
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """One finding, in the same contract."""
    return {
        "kind": verdict.kind,
        "action": verdict.action.name.lower(),
        "rule": verdict.rule,
        "start": verdict.start,
        "end": verdict.end,
        "evidence": verdict.evidence,
        "replacement": verdict.replacement,
    }
