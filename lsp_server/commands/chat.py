"""`truepenny chat`: a question to the model, about a piece of code or about nothing, streamed."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from ...context.errors import ContextError
from ...context.files import read_file
from ...guard.verdict import Verdict
from ...models.client import Reply
from ...models.errors import ModelsError
from ...models.wire import Message, Piece, Usage
from .complete import verdict_document
from .place import PlaceError, add_engine_arguments, settings_of

EXAMPLE = """\
examples:
  truepenny chat "What does a context manager return from __exit__?"
  truepenny chat "Explain this." --about src/app.py:40-62
"""

_SELECTION = re.compile(r"(?P<path>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "chat",
        help="ask the model, about a piece of code",
        description="Ask a question; the answer is streamed, and its code judged line by line.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--about", metavar="FILE[:FIRST[-LAST]]", help="lines the question is about")
    parser.add_argument("--max-tokens", type=int, default=512, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    add_engine_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: answered; 2: it could not be asked."""
    try:
        settings = settings_of(args)
        messages = question_about(args.question, args.about)
    except (PlaceError, ContextError) as error:
        print(f"truepenny chat: {error}", file=sys.stderr)
        return 2
    try:
        verdicts: list[Verdict] = []
        work = _ask(settings, messages, args.max_tokens, verdicts, quiet=args.json)
        answer, usage = asyncio.run(work)
    except ModelsError as error:
        print(f"\ntruepenny chat: {error}", file=sys.stderr)
        return 2
    if args.json:
        record: dict[str, Any] = {"answer": answer, "verdicts": [verdict_document(one) for one in verdicts]}
        record |= {"prompt_tokens": usage.prompt_tokens, "reused_tokens": usage.reused_tokens}
        record |= {"completion_tokens": usage.completion_tokens}
        print(json.dumps(record, ensure_ascii=False))
    return 0


def question_about(question: str, selection: str | None) -> tuple[Message, ...]:
    """The conversation that asks `question` about a selection `FILE[:FIRST[-LAST]]`.

    The code comes before the question, so that a second question about it reuses its KV.

    Raises:
        ContextError: the file cannot be read.
        PlaceError: it has no such lines.
    """
    if selection is None:
        return (Message("system", SYSTEM), Message("user", question))
    match = _SELECTION.fullmatch(selection)
    assert match is not None, "every text has this form"
    text = read_file(match["path"]).text
    lines = text.splitlines()
    first = int(match["first"] or 1)
    last = int(match["last"] or (match["first"] or len(lines)))
    if not 1 <= first <= last <= max(1, len(lines)):
        raise PlaceError(f"{match['path']} has {len(lines)} lines, not {first} to {last}")
    code = "\n".join(lines[first - 1 : last])
    content = f"{match['path']}, lines {first} to {last}:\n```\n{code}\n```\n\n{question}"
    return (Message("system", SYSTEM), Message("user", content))


SYSTEM = "You are a careful programming assistant. Answer briefly and only what the code shows."


async def _ask(
    settings: Any, messages: tuple[Message, ...], max_tokens: int, verdicts: list[Verdict], *, quiet: bool
) -> tuple[str, Usage]:
    from ..assistant import Assistant

    assistant = Assistant(settings)
    try:
        events = assistant.chat(messages, max_tokens=max_tokens, on_verdict=verdicts.append)
        return await printed(events, quiet=quiet)
    finally:
        await assistant.close()


async def printed(events: AsyncGenerator[Reply], *, quiet: bool = False) -> tuple[str, Usage]:
    """Print an answer as it comes; returns all of it and what it cost."""
    answer = ""
    usage: Usage | None = None
    async with aclosing(events) as stream:
        async for event in stream:
            if isinstance(event, Piece):
                answer += event.text
                if not quiet:
                    print(event.text, end="", flush=True)
            elif isinstance(event, Usage):
                usage = event
    if not quiet:
        print()
    assert usage is not None, "a stream ends with its usage, or raises"
    return answer, usage
