"""`make demo`: what Truepenny does, on a small project, with the real model.

Four requests to one engine: a line, the same place again after five typed characters, a block, and
a question about a selection.  The files are edited in memory only.
`--svg FILE` keeps a picture of what is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from truepenny.context.languages import language_of_path
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.commands.chat import question_about
from truepenny.lsp_server.commands.place import offset_of
from truepenny.lsp_server.settings import Settings
from truepenny.lsp_server.snapshot import Query, Snapshot, Suggestion, Trigger
from truepenny.models.wire import Piece, Usage

PROJECT = Path(__file__).parent / "fixtures" / "tidewatch"
LINES_BEFORE = 6


@dataclass(frozen=True)
class Spot:
    """Delete from the first place to the second, and leave the cursor there (1-based)."""

    file: str
    line: int
    column: int
    to_line: int
    to_column: int
    typed: str = ""


SINGLE = Spot("web/src/api.ts", 36, 10, 36, 84)
MULTI = Spot("tidewatch/storage.py", 114, 9, 118, 31)
TYPED = Spot("web/src/api.ts", 36, 10, 36, 84, typed="getJs")


def query_at(spot: Spot) -> Query:
    """The project with the spot's text deleted, as an editor would hold it."""
    path = PROJECT / spot.file
    text = path.read_text(encoding="utf-8")
    start = offset_of(text, spot.line, spot.column)
    end = offset_of(text, spot.to_line, spot.to_column)
    language = language_of_path(str(path))
    assert language is not None, spot.file
    snapshot = Snapshot(str(path), language.name, text[:start] + spot.typed + text[end:])
    return Query(snapshot, start + len(spot.typed), Trigger.AUTOMATIC)


def show(console: Console, title: str, query: Query, suggestion: Suggestion) -> None:
    """The lines above the cursor, then the suggestion as ghost text, then what it cost."""
    before = query.snapshot.text[: query.offset]
    above = "\n".join(before.split("\n")[-LINES_BEFORE:])
    code = Syntax(above, query.snapshot.language, theme="ansi_dark").highlight(above)
    code.right_crop(len(code.plain) - len(above))  # the highlighter ends with a line end of its own
    code.append(suggestion.text if suggestion.shown else f"  ← {suggestion.reason}", style="bold green")
    cost = suggestion.cost
    share = 100 * cost.reused_tokens / max(1, cost.prompt_tokens)
    stages = " · ".join(f"{name} {ms:.0f}" for name, ms in cost.stage_ms.items())
    verdict = "checked" if suggestion.vouched else "unvouched"
    footer = Text(
        f"\n\nprompt {cost.prompt_tokens} tokens: {cost.reused_tokens} reused ({share:.0f} %), "
        f"{cost.computed_tokens} computed · ms: {stages} · {verdict}",
        style="dim",
    )
    path = Path(query.snapshot.path).relative_to(PROJECT)
    code.no_wrap, code.overflow = False, "fold"
    console.print(Panel(code + footer, title=f"{title} · {path}", title_align="left"))


async def ask(console: Console, assistant: Assistant) -> None:
    messages = question_about(
        "In two sentences: what does this function return, and when is it None?",
        f"{PROJECT / 'tidewatch' / 'alerts.py'}:30-41",
    )
    console.print("[bold]4 · A question about a selection[/] · tidewatch/alerts.py, lines 30 to 41\n")
    answer = ""
    async for event in assistant.chat(messages, max_tokens=120):
        if isinstance(event, Piece):
            answer += event.text
            if not console.record:  # a picture gets it whole, and wrapped
                console.print(event.text, end="", markup=False, highlight=False, soft_wrap=True)
        elif isinstance(event, Usage):
            if console.record:
                console.print(answer, end="", markup=False, highlight=False)
            rate = 1000 * event.completion_tokens / max(1.0, event.decode_ms)
            console.print(
                f"\n\n[dim]prompt {event.prompt_tokens} tokens · "
                f"first token after {event.prefill_ms:.0f} ms · "
                f"{event.completion_tokens} tokens at {rate:.0f} tokens/s[/]"
            )


async def main() -> int:
    parser = argparse.ArgumentParser(description="What Truepenny does, on a small project.")
    parser.add_argument("--svg", type=Path, help="keep a picture of the output")
    args = parser.parse_args()
    console = Console(record=args.svg is not None, width=110 if args.svg else None)
    started = time.perf_counter()
    assistant = Assistant(Settings(), lambda s: print(s.message, file=sys.stderr) if s.message else None)
    shown = 0
    try:
        await assistant.warm_up()
        console.print(f"[dim]engine ready after {time.perf_counter() - started:.1f} s[/]")
        for number, (title, spot) in enumerate(
            [
                ("A line", SINGLE),
                ("The same place, five characters later", TYPED),
                ("A block", MULTI),
            ],
            start=1,
        ):
            query = query_at(spot)
            suggestion = await assistant.complete(query)
            shown += suggestion.shown
            show(console, f"{number} · {title}", query, suggestion)
        await ask(console, assistant)
    finally:
        await assistant.close()
    console.print(f"[dim]all of it took {time.perf_counter() - started:.1f} s[/]")
    if args.svg:
        picture = console.export_svg(title="truepenny").replace("<svg ", '<svg xml:space="preserve" ', 1)
        # The fonts it names would be fetched from somebody's server by whoever looks at it.
        picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
        args.svg.write_text(re.sub(r"<!--.*?-->", "", picture, flags=re.DOTALL), encoding="utf-8")
    return 0 if shown == 3 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
