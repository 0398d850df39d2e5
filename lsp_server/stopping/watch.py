"""The verdict on generated text, line end by line end: complete, or more is wanted.

A statement is complete at the line end where nothing it opened is open any more.  A block is complete
where what opened it is closed, where a line stands left of where the block began, after a statement
that leaves it, or at a blank line once the code is back at its level.  One line is asked for as one
statement; if it opens a block that has no body yet, the block comes with it (Cody's dynamic rule).
Where no tree can be had, nothing counts as open and indentation alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ...context.errors import ContextError
from ...context.languages import find_language
from ..place.gate import Surroundings, opens_block
from ..place.indentation import indent_unit
from ..snapshot import Query
from .frames import Balance, Closing, Frame, Frames
from .lines import CLOSERS, declares, goes_on, indent, jumps, may_be_chained, only_closes
from .table import TABLE, UNKNOWN, Ends

MAX_LINES = 24
MAX_STATEMENT_LINES = 6
"""Over how many lines one statement may go on where one line is asked for."""

MAX_GAP_LINES = 10
"""How long more is waited for where the code below does not fit."""

_LOOK_AT = frozenset("\n;)]}")


class Ending(Protocol):
    """What a reader of the stream asks."""

    def complete_length(self, text: str) -> int | None:
        """Length of the part of `text` that is complete; None while more is wanted."""
        ...

    def whole_length(self, text: str) -> int:
        """Where to cut if no more comes: the end of the last whole statement."""
        ...


@dataclass(frozen=True, slots=True)
class _View:
    """Generated text at one moment.  The last line has not been finished."""

    finished: tuple[str, ...]
    whole: tuple[str, ...]
    """The same, the first with what was typed before the cursor."""
    unfinished: str
    balances: tuple[Balance, ...]
    """At the end of each finished line."""
    closings: tuple[Closing, ...]

    def length(self, num_lines: int) -> int:
        return len("\n".join(self.finished[:num_lines]))

    def line_of(self, at: int) -> int:
        end = -1
        for number, line in enumerate(self.finished):
            end += len(line) + 1
            if at <= end:
                return number
        return len(self.finished)


def watch(query: Query, here: Surroundings, following: Sequence[str], *, is_multi: bool) -> Watch:
    """`following` are the lines below the cursor's, nearest first."""
    before = query.snapshot.text[: query.offset]
    if "\r" in before:
        before = before.replace("\r\n", "\n").replace("\r", "\n")
    language = find_language(query.snapshot.language, query.snapshot.path)
    ends = UNKNOWN if language is None else TABLE[language.name]
    frames = None
    if language is not None:
        try:
            frames = Frames(before, language, ends)
        except ContextError:  # the grammar is not installed; `truepenny doctor` tells
            frames = None
    step = len(indent_unit(query.snapshot.text).expandtabs(4))
    may_grow = query.lines != "single"  # the person's word, not the place's
    return Watch(
        here, following, frames, ends, before=before, step=step, is_multi=is_multi, may_grow=may_grow
    )


class Watch:
    """Watches one stream.  Text has Unix line ends."""

    def __init__(
        self,
        here: Surroundings,
        following: Sequence[str] = (),
        frames: Frames | None = None,
        ends: Ends = UNKNOWN,
        *,
        before: str = "",
        step: int = 4,
        is_multi: bool,
        may_grow: bool = True,
    ) -> None:
        self._ends = ends
        self._before = before
        self._frames = frames if frames is not None and frames.is_usable else None
        self._is_in_text = self._frames is not None and self._frames.is_text
        self._is_multi = is_multi
        self._typed = here.typed
        self._step = step
        self._starts_line = not here.typed.strip()
        self._may_grow = may_grow and not here.rest.strip()
        self._below = [line for line in following if line.strip()]
        # Where the lines below already stand deeper, a header just written has its body.
        near = next((line for line in following[:2] if line.strip()), None)
        self._indent_below = -1 if near is None else indent(near)
        self._is_label_below = near is not None and near.rstrip().endswith(":")
        above = indent(here.previous) if here.previous.strip() else 0
        wanted = above + step if opens_block(here.previous) else above
        self._is_indented = self._starts_line and indent(here.typed + "x") >= wanted
        self._margin = min(above, indent(self._below[0])) if self._below and self._starts_line else 0
        # Code written from a blank line may not go left of its own first line; code that follows a
        # header (`def f():`) may not come back to the header's level.
        self._floor: int | None = None if self._starts_line else indent(here.typed) + 1
        self._view: _View | None = None
        self._looked = ""

    def complete_length(self, text: str) -> int | None:
        """Called for every piece; the tree is asked only where a line or a bracket has ended."""
        return self._judge(self._look(text))[0]

    def whole_length(self, text: str) -> int:
        """Where to cut if no more comes: the end of the last whole statement; 0 where there is none."""
        view = self._look(text)
        complete, whole = self._judge(view)
        return view.length(whole) if complete is None else complete

    def _look(self, text: str) -> _View:
        is_longer = text.startswith(self._looked)
        is_new = self._view is None or not is_longer or not _LOOK_AT.isdisjoint(text[len(self._looked) :])
        *finished, unfinished = text.split("\n")
        if not is_new and self._view is not None:
            return replace(self._view, unfinished=unfinished)
        ends = [-1]
        for line in finished:
            ends.append(ends[-1] + len(line) + 1)
        balances, closings = [Balance()] * len(finished), list[Closing]()
        if self._frames is not None:
            balances, closings = self._frames.read(text, ends[1:])
        whole = [self._first(line) if number == 0 else line for number, line in enumerate(finished)]
        self._view = _View(tuple(finished), tuple(whole), unfinished, tuple(balances), tuple(closings))
        self._looked = text
        return self._view

    def _judge(self, view: _View) -> tuple[int | None, int]:
        """The length that is complete, or None; and how many lines are whole statements."""
        kept = whole = begin = 0  # lines kept, lines whole, and where the present statement began
        floor, is_multi = self._floor, self._is_multi
        declared = False  # a declaration at the level of the block has been written
        written = ("", "")  # first and last line of the statement before
        could_end = -1  # where it would have ended, had it fitted to what stands below
        closing_line = view.line_of(view.closings[0].at) if view.closings else None
        for number, line in enumerate(view.finished):
            full, first = view.whole[number], view.whole[begin]
            is_begin, seen = number == begin, kept > 0
            if is_begin and number and line.startswith("```"):  # a chat habit: the code is over
                return view.length(kept), whole
            if is_begin and self._repeats_below(full, is_first=not seen):
                # If there is nothing else, it is handed on: `trimming` says why nothing is shown.
                return view.length(number if seen else number + 1), number
            if number == closing_line and not self._is_in_text:
                return self._closed(view, number), whole
            if is_begin and not line.strip():
                if seen and self._is_back(view.whole[:number], floor):
                    if could_end < 0 and not self._is_unfit(*written, number):
                        return view.length(kept), whole
                    could_end = kept if could_end < 0 else could_end
                elif number == 0 and not self._starts_line and not is_multi and self._is_done(view, 0):
                    return 0, 0  # the model ended the line: it has nothing to add to it
                begin = number + 1 if self._is_done(view, number) else begin
                continue
            if is_begin and not seen and number > 0 and not self._starts_line and not is_multi:
                return 0, 0
            is_left = is_begin and floor is not None and number > 0 and indent(full) < floor
            if is_left and floor is not None and could_end < 0 and not self._may_stand_left(full):
                could_end = self._left(view, kept, number, floor)
                if not seen or not self._is_unfit(*written, number) or self._is_outside(full):
                    return view.length(could_end), whole
            if is_begin and seen and self._is_next(full, view.finished[number - 1], floor, declared=declared):
                return view.length(kept), whole
            if is_begin and floor is None:
                floor = indent(full)
                if floor < self._margin and not (opens_block(full) and self._bridges(full)):
                    return 0, 0  # between two lines of a block, nothing stands left of both
            if not is_multi and not seen:
                num_lines, is_multi = self._statement(view, begin, number, first)
                if num_lines is not None:
                    return view.length(num_lines), num_lines
                if not is_multi:
                    continue
                if opens_block(first):
                    floor = indent(first) + 1
            if not self._is_done(view, number) or goes_on(full, self._ends):
                if number + 1 >= MAX_LINES:
                    return view.length(kept), whole
                continue
            declared = declared or (indent(first) == floor and declares(first) and begin != number)
            declared = declared or (indent(first) == floor and declares(first) and opens_block(full))
            kept, begin = number + 1, number + 1
            whole = whole if opens_block(full) and not self._bridges(first) else kept
            written = (first, full)
            is_unfit = self._is_unfit(*written, kept)
            if could_end >= 0 and not is_unfit:
                return view.length(kept), kept
            if self._leaves_block(first, floor) or (opens_block(full) and self._bridges(first)):
                if not is_unfit:
                    return view.length(kept), kept
                could_end = kept if could_end < 0 else could_end
            if self._is_in_text and not view.balances[number].is_text:
                return view.length(kept), kept
            if kept >= MAX_LINES or (could_end >= 0 and kept >= MAX_GAP_LINES):
                return view.length(kept if could_end < 0 else could_end), whole
        if could_end >= 0 and begin == len(view.finished) and self._is_outside(view.unfinished):
            return view.length(could_end), whole
        if could_end >= 0 or not is_multi:
            return None, whole
        has_begun = kept > 0 and begin == len(view.finished) and bool(view.unfinished.strip())
        if has_begun and self._is_next(view.unfinished, view.finished[-1], floor, declared=declared):
            return view.length(kept), whole
        if kept and self._is_unfit(*written, kept):
            return None, whole
        return self._begun(view, kept, begin, floor), whole

    def _is_outside(self, line: str) -> bool:
        """Does it stand left of the code above and below, so that the block is over?"""
        return bool(line.strip()) and indent(line) < self._margin and not self._bridges(line)

    def _is_next(self, line: str, above: str, floor: int | None, *, declared: bool) -> bool:
        """Does something else begin here: the next declaration, or the next paragraph of a file?"""
        if not self._starts_line or floor is None or indent(line) != floor:
            return False
        return (declared and declares(line)) or (floor == 0 and not above.strip())

    def _is_unfit(self, first: str, last: str, num_lines: int) -> bool:
        """Could the code right below not follow this statement, so that more is wanted between them?

        It stands deeper than the statement, which does not open it; or it would never be reached.
        """
        if not self._starts_line or self._indent_below < 0 or num_lines >= MAX_GAP_LINES:
            return False
        if self._indent_below > indent(first):
            return not (opens_block(last) and self._bridges(first))
        return self._indent_below == indent(first) and jumps(first, self._ends) and not self._is_label_below

    def _first(self, line: str) -> str:
        """The whole first line.  Where the editor has indented it, the model may do so again."""
        is_doubled = bool(self._typed) and line.startswith(self._typed) and self._is_indented
        return line if is_doubled else self._typed + line

    def _statement(self, view: _View, begin: int, number: int, first: str) -> tuple[int | None, bool]:
        """One statement is wanted: how many lines it takes, if it ends here; and whether it is a block."""
        line = view.whole[number]
        is_first_line = number == begin
        if not self._may_grow:
            return number + 1, False
        has_body = self._indent_below > indent(first)
        num_lines = number - begin + 1
        if self._is_done(view, number):
            if is_first_line and opens_block(line) and not has_body:
                return None, True
            if is_first_line and self._is_unfit(line, line, 0):
                return None, True
            if num_lines < MAX_STATEMENT_LINES and goes_on(line, self._ends):
                return None, False
            if num_lines < MAX_STATEMENT_LINES and may_be_chained(line, self._ends):
                below = [*view.finished[number + 1 :], view.unfinished][0]
                may_be = any(chain.startswith(below.strip()) for chain in self._ends.chains)
                if may_be and number + 1 == len(view.finished):
                    return None, False  # its first characters tell
                if below.lstrip().startswith(self._ends.chains):
                    return None, False
            return number + 1, False
        opened = view.balances[number].opened
        if is_first_line and opened and opened[-1].is_block and has_body:
            return number + 1, False
        limit = MAX_LINES if opened and opened[0].is_block else MAX_STATEMENT_LINES
        return (begin + 1 if num_lines >= limit else None), False

    def _bridges(self, header: str) -> bool:
        """Does the code right below stand where this header's body would?"""
        return 0 < self._indent_below - indent(header) <= self._step

    def _is_done(self, view: _View, number: int) -> bool:
        """Is nothing open any more at the end of this line that was opened on the way?"""
        balance = view.balances[number]
        if self._is_in_text:
            return True
        return balance.is_balanced and not self._is_open_on_line(balance)

    def _is_open_on_line(self, balance: Balance) -> bool:
        """Is a bracket open that was opened on the cursor's line before the cursor?"""
        if self._frames is None or not self._may_grow:
            return False
        outer = self._frames.outer[: balance.outer]
        return any(not frame.is_block and frame.at >= -len(self._typed) for frame in outer)

    def _repeats_below(self, line: str, *, is_first: bool) -> bool:
        """Does the model write what stands below?  Then the hole ends here."""
        if not self._below or not line.strip() or only_closes(line) or self._is_closing_word(line):
            return False
        is_same = line.strip() == self._below[0].strip()
        return is_same and (is_first or indent(line) == indent(self._below[0]))

    def _is_closing_word(self, line: str) -> bool:
        return line.strip() in self._ends.words.values()

    def _is_back(self, lines: Sequence[str], floor: int | None) -> bool:
        """Is the last written line at the level where the block began, so that a blank line ends it?"""
        last = next((line for line in reversed(lines) if line.strip()), "")
        if not self._starts_line or indent(last) > (floor or 0) or opens_block(last):
            return False
        # Where nothing of the block stands below, it is not over with its first paragraph.
        return not floor or bool(self._below and indent(self._below[0]) >= floor)

    def _leaves_block(self, first: str, floor: int | None) -> bool:
        """A `return` at the level of the block: what came after it would not be reached."""
        if not self._starts_line or floor is None or indent(first) != floor:
            return False
        return jumps(first, self._ends) and not self._lacks_closer()

    def _lacks_closer(self) -> bool:
        """Is the innermost block open at the cursor not closed below?"""
        blocks = [] if self._frames is None else [frame for frame in self._frames.outer if frame.is_block]
        return bool(blocks) and not self._is_closed_below(blocks[-1])

    def _is_closed_below(self, frame: Frame) -> bool:
        """Does the next line at or left of the level of what is open there close it?"""
        opener = self._before[: len(self._before) + frame.at]
        line = self._before[opener.rfind("\n") + 1 :].partition("\n")[0]
        level = indent(line)
        below = next((line for line in self._below if indent(line) <= level), "")
        return indent(below) == level and below.lstrip().startswith(frame.closer)

    def _closed(self, view: _View, number: int) -> int | None:
        """A frame open at the cursor is closed on this line: with it, or before it if it stands below."""
        closing = view.closings[0]
        line = view.finished[number]
        if self._is_closed_below(closing.frame) and line.lstrip().startswith(closing.frame.closer):
            return view.length(number)
        for last in range(number, len(view.finished)):
            if view.balances[last].is_balanced and not self._is_open_on_line(view.balances[last]):
                return view.length(last + 1)
        return None

    def _may_stand_left(self, line: str) -> bool:
        return line.lstrip().startswith(self._ends.margin) if self._ends.margin else False

    def _left(self, view: _View, kept: int, number: int, floor: int) -> int:
        """A line left of the block: it belongs to it if it only closes what the block's header opened."""
        line = view.finished[number]
        if only_closes(line) and not self._starts_line and indent(line) == floor - 1:
            return number + 1
        return kept

    def _begun(self, view: _View, kept: int, begin: int, floor: int | None) -> int | None:
        """A line begun left of the block ends it before it is written out, unless it may close it."""
        begun = view.unfinished.strip()
        if not (view.finished and begun) or begin != len(view.finished):
            return None
        if floor is None or indent(view.unfinished) >= floor or begun[0] in CLOSERS:
            return None
        words = self._ends.words.values()
        if any(word.startswith(begun) or begun.startswith(word) for word in words):
            return None
        return None if self._may_stand_left(view.unfinished) else view.length(kept)
