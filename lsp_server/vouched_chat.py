"""A streamed answer of the model, vouched for: prose as it comes, code line by line.

Prose passes word by word, since half a word may be half a secret; secrets in it are left out.  A line
of a fenced block is held until it is whole and judged, together with the lines of the block before it:
what a guard would change in them is changed, and from a line that may not be shown on, the block is
withheld, with a sentence that says why.  How the stream is cut into pieces makes no difference.

The syntax of a block is not judged: answers show fragments.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from ..guard.secrets import SecretsCheck
from ..guard.verdict import Action, Judgement, Passage, Verdict
from ..models.client import Reply
from ..models.wire import Piece, Usage
from .settings import Unvouched

Judge = Callable[[Passage], Awaitable[Judgement]]

NOT_IN_ANSWERS = frozenset({"syntax"})
"""Checks that do not apply."""
LEFT_OUT = "[a secret was left out]"
MAX_BLOCK_CHARS = 16_000
"""Of a block that is judged anew with each of its lines; in a longer one they stand before it."""
_MAX_TOLD_CHARS = 2_000

_FENCE = re.compile(r"[ \t>]*(`{3,}(?!.*`)|~{3,})[ \t]*([^\s`{,]*)")
_BEGINS_FENCE = re.compile(r"[ \t>]*(?:```|~~~)")
_WORD = re.compile(r"\S*\s")
_MAY_BE_FENCE = re.compile(r"[ \t>]*(?:`{1,2}|~{1,2})?")


@dataclass(slots=True)
class _Block:
    """A fenced block that is open."""

    fence: str
    language: str
    above: str = ""
    """Of a long block, the lines that stand before what is judged."""
    code: str = ""
    """The lines below, as the model wrote them."""
    shown: str = ""
    """What became of these."""
    is_withheld: bool = False
    told: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    """The verdicts that were passed on, by rule and place."""

    def freeze(self) -> None:
        """Begin anew where the block is long, and as it was written."""
        if len(self.code) > MAX_BLOCK_CHARS and self.shown == self.code:
            self.above, self.code, self.shown = self.above + self.code, "", ""
            self.told.clear()

    def is_closed_by(self, line: str) -> bool:
        found = _FENCE.match(line)
        is_alike = found is not None and found[1].startswith(self.fence)
        return is_alike and line.strip(" \t>\r\n").strip(self.fence[0]) == ""


class VouchedChat:
    """One answer.  `judge` is asked about every line of code; `on_verdict` is told what was found."""

    def __init__(
        self,
        judge: Judge,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
        unvouched: Unvouched = "show",
    ) -> None:
        self._judge = judge
        self._on_verdict = on_verdict
        self._unvouched: Unvouched = unvouched
        self._secrets = SecretsCheck()
        self._held = ""
        """What has been read and not been decided about: of one line."""
        self._line = ""
        """Of the line in prose, what has been decided about, as it was written."""
        self._told = ""
        """The last of what was passed on."""
        self._block: _Block | None = None

    async def stream(self, events: AsyncGenerator[Reply]) -> AsyncGenerator[Reply]:
        """The same events with the text that may be shown.  Closing it closes `events`."""
        async with aclosing(events):
            async for event in events:
                if not isinstance(event, Piece):
                    if isinstance(event, Usage) and (rest := await self.end()):
                        yield Piece(rest)
                    yield event
                    continue
                text = await self.read(event.text)
                if event.finish_reason is not None:
                    yield Piece(text + await self.end(), finish_reason=event.finish_reason)
                elif text:
                    yield Piece(text)
            if rest := await self.end():
                yield Piece(rest)

    async def read(self, text: str) -> str:
        """What may be shown now that `text` has been read."""
        self._held += text
        shown = ""
        while unit := self._next_unit():
            self._held = self._held[len(unit) :]
            shown += await self._passed(unit)
        return shown

    async def end(self) -> str:
        """What may be shown of the rest: nothing more is coming."""
        unit, self._held = self._held, ""
        return await self._passed(unit) if unit else ""

    def _next_unit(self) -> str:
        """A line where lines count, else a word with the space behind it; empty while it is not whole."""
        line_end = self._held.find("\n") + 1
        if self._block is not None or _BEGINS_FENCE.match(self._line + self._held):
            return self._held[:line_end]
        if not line_end and _MAY_BE_FENCE.fullmatch(self._line + self._held):
            return ""
        word = _WORD.match(self._held)
        return word[0] if word else ""

    async def _passed(self, unit: str) -> str:
        block = self._block
        if block is None:
            shown = self._prose(unit)
        elif block.is_closed_by(unit):
            self._block = None
            shown = "" if block.is_withheld else unit
        else:
            shown = "" if block.is_withheld else await self._code(unit, block)
        self._told = (self._told + shown)[-_MAX_TOLD_CHARS:]
        return shown

    def _prose(self, unit: str) -> str:
        self._line += unit
        if fence := _FENCE.match(self._line):
            self._block = _Block(fence[1], fence[2].lower()) if unit.endswith("\n") else None
        if unit.endswith("\n"):
            self._line = ""
        # What was left out is not before it: what a person said himself is no secret to him.
        for verdict in reversed(self._secrets.judge(Passage(self._told, unit, "", "plaintext"))):
            if verdict.action >= Action.REPAIR:
                self._on_verdict(verdict)
                unit = unit[: verdict.start] + LEFT_OUT + unit[verdict.end :]
        return unit

    async def _code(self, line: str, block: _Block) -> str:
        """What may be shown of the block with `line`, beyond what is shown already."""
        block.freeze()
        block.code += line
        path = f"answer.{block.language}" if block.language.isalnum() else None
        passage = Passage(block.above, block.code, "", block.language or "plaintext", path)
        judgement = await self._judge(passage)
        for verdict in judgement.verdicts:
            if (verdict.rule, verdict.start) not in block.told:
                block.told.add((verdict.rule, verdict.start))
                self._on_verdict(verdict)
        text = judgement.text
        added = text[len(block.shown) :] if text.startswith(block.shown) else None
        why = _why(judgement, self._unvouched)
        if added is not None and not why:
            block.shown = text
            return added
        block.is_withheld = True
        kept = "" if added is None or not judgement.reason else added
        end = "" if (block.shown + kept).endswith("\n") or not block.shown + kept else "\n"
        why = why or "what was shown of it would have to be changed"
        return f"{kept}{end}{block.fence}\n[Withheld from here to the end of the block: {why}]\n"


def _why(judgement: Judgement, unvouched: Unvouched) -> str:
    """The reason not to go on, in one line; empty where there is none."""
    if judgement.reason:
        return " ".join(judgement.reason.split())
    is_held = not judgement.vouched and unvouched == "withhold"
    return " ".join(f"{judgement.doubt} (setting guard.unvouched)".split()) if is_held else ""
