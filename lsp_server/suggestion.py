"""After the model: when its text is complete, and what of it may stand before the code that follows.

Each rule is a small pure function.  Text here has Unix line ends; the assistant gives the
document's own back.
"""

from __future__ import annotations

from .gate import Surroundings, opens_block

MAX_LINES = 24
_CLOSERS = frozenset(")]}\"'`>;,:")
_PAIRS = {")": "(", "]": "[", "}": "{"}


class BlockEnd:
    """Watches generated text and says when it is complete: a line, or a block.

    A single line that opens a block goes on as a block (Cody's dynamic rule).  A block is complete
    when a line stands left of where it began, or at a blank line once the indentation is back.
    """

    def __init__(self, here: Surroundings, *, is_multi: bool) -> None:
        self._is_multi = is_multi
        self._typed = here.typed
        self._may_grow = not here.rest.strip()
        # Where the lines below already stand deeper, a header just written has its body.
        below = here.next_line if here.next_line and here.next_line.strip() else None
        self._indent_below = -1 if below is None else _indent(below)
        starts_line = not here.typed.strip()
        # Code written from a blank line may not go left of its own first line; code that follows a
        # header (`def f():`) may not come back to the header's level.
        self._floor: int | None = None if starts_line else _indent(here.typed) + 1
        self._starts_line = starts_line

    def complete_length(self, text: str) -> int | None:
        """Length of the part of `text` that is complete; None while more is wanted."""
        lines = text.split("\n")
        fence = next((i for i, line in enumerate(lines) if i and line.startswith("```")), None)
        if fence is not None:  # a chat habit: the code is over
            return len("\n".join(lines[:fence]))
        if not self._is_multi:
            return self._single_line(lines)
        return self._block(lines)

    def _single_line(self, lines: list[str]) -> int | None:
        content = next((i for i, line in enumerate(lines[:-1]) if line.strip()), None)
        if content is None:
            if self._starts_line or len(lines) == 1:
                return None
            return 0  # the model ended the line: it has nothing to add to it
        if content > 0 and not self._starts_line:
            return 0
        first = self._typed + lines[0] if content == 0 else lines[content]
        if self._may_grow and opens_block(first) and self._indent_below <= _indent(first):
            self._is_multi = True
            if not self._starts_line or content == 0:
                self._floor = _indent(first) + 1
            return self._block(lines)
        return len("\n".join(lines[: content + 1]))

    def _block(self, lines: list[str]) -> int | None:
        """The first line begins at the cursor; the end of the last has not been generated yet."""
        *finished, unfinished = lines
        kept = 0
        seen = False
        for number, line in enumerate(finished):
            whole = self._typed + line if number == 0 else line
            if whole.strip():
                if self._floor is None:
                    self._floor = _indent(whole)
                elif number > 0 and _indent(whole) < self._floor:
                    return self._with_closer(finished, kept, line)
                seen = True
                kept = number + 1
                if opens_block(whole) and _indent(whole) < self._indent_below:
                    return len("\n".join(finished[:kept]))
            elif seen and number > 0 and self._is_back(finished[:number]):
                return len("\n".join(finished[:kept]))
            if number + 1 >= MAX_LINES:
                return len("\n".join(finished[:kept]))
        # A line that has begun left of the block ends it before it is written out, unless it may close it.
        begun = unfinished.strip()
        if finished and begun and self._floor is not None and _indent(unfinished) < self._floor:
            return None if begun[0] in _CLOSERS else len("\n".join(finished[:kept]))
        return None

    def _is_back(self, lines: list[str]) -> bool:
        """Is the last written line at the level where the block began, so that a blank line ends it?"""
        last = next((line for line in reversed(lines) if line.strip()), "")
        return self._starts_line and _indent(last) <= (self._floor or 0) and not opens_block(last)

    def _with_closer(self, finished: list[str], kept: int, line: str) -> int:
        """The line left of the block belongs to it if it only closes what the block's header opened."""
        closes = bool(line.strip()) and all(c in _CLOSERS for c in line.strip())
        level = (self._floor or 0) - 1
        if closes and not self._starts_line and _indent(line) == level:
            kept = finished.index(line, kept) + 1
        return len("\n".join(finished[:kept]))


def finish(text: str, here: Surroundings, following: list[str]) -> tuple[str, str]:
    """The text that may be shown, and why it became empty if it did.

    `following` are the lines below the cursor's, nearest first.
    """
    if not text.strip():
        return "", "the model has nothing to add here"
    text = cut_repeats_of_following(text, here, following)
    if not text.strip():
        return "", "the suggestion only repeated the lines below"
    text = cut_repetition(text)
    text = drop_closers(text, here)
    text = text.rstrip() if "\n" not in here.rest else text
    if not text.strip():
        return "", "the suggestion only closed what is already closed"
    if here.previous.strip() and text.strip() == here.previous.strip() and not here.typed.strip():
        return "", "the suggestion only repeated the line above"
    return text, ""


def cut_repeats_of_following(text: str, here: Surroundings, following: list[str]) -> str:
    """Stop where the suggestion begins to write what already stands below.

    One equal line is enough when it is more than closers; lines of closers must be followed by more
    equality, or be the end of the suggestion.
    """
    below = [line.strip() for line in following if line.strip()]
    if not below:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        whole = (here.typed + line if number == 0 else line).strip()
        if not whole or whole != below[0]:
            continue
        rest = [other.strip() for other in lines[number + 1 :] if other.strip()]
        is_weak = all(c in _CLOSERS or c.isspace() for c in whole)
        is_again = rest[:1] == below[1:2] if rest else _closes_too_much(lines[: number + 1])
        if not is_weak or is_again:
            return "\n".join(lines[:number])
    return text


def cut_repetition(text: str) -> str:
    """Keep one of three or more equal lines in a row; a model that loops has nothing more to say."""
    lines = text.split("\n")
    for number in range(2, len(lines)):
        same = {line.strip() for line in lines[number - 2 : number + 1]}
        if len(same) == 1 and same != {""} and not same <= {"}", ")", "]", "end"}:
            return "\n".join(lines[: number - 1])
    return text


def drop_closers(text: str, here: Surroundings) -> str:
    """Drop from the end of a line what stands after the cursor already.

    Only where its brackets fit better without: `f(` `)` with `a, g(b))` becomes `a, g(b)`.
    """
    rest = here.rest.strip()
    if not rest or "\n" in text:
        return text
    kept = text.rstrip()
    for length in range(min(len(kept), len(rest)), 0, -1):
        shorter = kept[:-length].rstrip()
        if rest.startswith(kept[-length:]) and _num_unmatched(shorter) < _num_unmatched(kept):
            return shorter
    return text


def _num_unmatched(text: str) -> int:
    """Brackets without a partner, and kinds of quotes that occur an odd number of times."""
    unmatched = sum(text.count(quote) % 2 for quote in "\"'`")
    open_brackets: list[str] = []
    for char in text:
        if char in _PAIRS.values():
            open_brackets.append(char)
        elif char in _PAIRS:
            if open_brackets and open_brackets[-1] == _PAIRS[char]:
                open_brackets.pop()
            else:
                unmatched += 1
    return unmatched + len(open_brackets)


def _closes_too_much(lines: list[str]) -> bool:
    joined = "\n".join(lines)
    return any(joined.count(closer) > joined.count(opener) for closer, opener in _PAIRS.items())


def _indent(line: str) -> int:
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
