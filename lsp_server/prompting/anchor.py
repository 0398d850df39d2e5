"""Where the middle of the prompt begins: a little above where the person began to type, and it stays there.

A prompt is `PRE prefix SUF suffix MID middle`.  Cut anew at every line, a line end typed would move
a line from middle to prefix, and the whole suffix behind it would have to be computed again.  So the
cut stays where it was, and all that has been typed since stands after `MID` (EFIM, Guo et al. 2025,
arXiv:2505.21889).  What stands before `MID` is a *branch*, a document has a few, and one serves as long
as it spells the text round the cursor: an edit far away, an undo, or coming back cost nothing.

A new branch is cut `LEAD_LINES` above the cursor's line.  A model that finds some code after `MID` goes
on with it; one that finds nothing starts anew, often with something else (`docs/log.md` has the
figures: 0.51 and 0.67 pass@1).  Nobody should wait for a new branch:

* when the middle is half as long as it may be, `next_branch` says which one should follow; the caller
  has it computed while nobody types, and then calls `adopt`.  Until then the old branch serves, and
  where typing never pauses, up to twice as long;
* where the cursor has jumped to, the first branch has little around it (`QUICK_*`), and the one that
  follows in a pause has everything.

What is told of other files (`Pack`) stands before all that, so it belongs to the branch too: it stays as
long as the branch does, a branch made while somebody waits takes over the last one's, and another pack
comes in with a branch that is computed in a pause.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from ...context.packing.pack import Pack
from ...context.window import Window
from ..snapshot import Query, Trigger

LEAD_LINES = 2
MAX_MIDDLE_CHARS = 1_200
MAX_MIDDLE_LINES = 14

PREFIX_TOKENS = 1_152
SUFFIX_TOKENS = 384
"""Of the current file, before and after the cursor."""

QUICK_PREFIX_TOKENS = 768
QUICK_SUFFIX_TOKENS = 96
"""Where nothing is computed yet and somebody is waiting."""

_MAX_DOCUMENTS = 16
_MAX_BRANCHES = 8
_HEAD_CHARS = 240
"""Of a prefix, by which its beginning is found again when lines were added above it."""
_SHIFT_CHARS = 4_000
_FEW_CHARS = 2_000
"""Computed while somebody waits, rather than left out."""
_ENOUGH_BEFORE_CHARS, _ENOUGH_AFTER_CHARS = 1_000, 100
"""With this round the cursor a branch may serve, although more could be shown."""

NO_PACK = Pack()
"""Nothing is told of other files."""

Layout = Literal["ours", "quick", "plain"]
"""How prompts are laid out.  `ours`: as above.  To compare with: `quick`, always with the little that is
shown at first, and `plain`, cut anew at the cursor's line for every request."""


class WindowAt(Protocol):
    """What of the file would go into a prompt that is made now."""

    def __call__(
        self, query: Query, prefix_tokens: int, suffix_tokens: int, starts: Sequence[int]
    ) -> Window: ...


@dataclass(frozen=True, slots=True)
class Cut:
    """The text of a prompt: `middle` is what was typed since the cut, up to the cursor."""

    prefix: str
    suffix: str
    middle: str
    pack: Pack = NO_PACK


@dataclass(frozen=True, slots=True)
class Branch:
    """A prompt up to its middle."""

    prefix: str
    suffix: str
    at: int
    """Where the document was cut, as far as known: edits above may have moved it."""
    pack: Pack = NO_PACK

    def is_same(self, other: Branch) -> bool:
        return self.prefix == other.prefix and self.suffix == other.suffix and self.pack == other.pack

    def middle(self, text: str, offset: int, max_chars: int, max_lines: int) -> str | None:
        """What stands between the cut and the cursor; None if this does not spell the text, or it is long."""
        if not text.startswith(self.suffix, offset):
            return None
        length = offset - self.at
        if not 0 <= length <= max_chars or not text.endswith(self.prefix, 0, self.at):
            begin = text.rfind(self.prefix, max(0, offset - max_chars - len(self.prefix)), offset)
            if begin < 0:
                return None
            length = offset - begin - len(self.prefix)
        middle = text[offset - length : offset]
        return None if middle.count("\n") > max_lines else middle


@dataclass(slots=True)
class _Document:
    branches: list[Branch] = field(default_factory=list[Branch])
    """The one to try first comes first."""
    following: Branch | None = None
    """What is to be computed in the next pause, perhaps begun."""

    @property
    def pack(self) -> Pack:
        return self.branches[0].pack if self.branches else NO_PACK


class Anchors:
    """The branches of each document.  Forgets the documents longest untouched."""

    def __init__(
        self,
        window_at: WindowAt,
        *,
        stretch: int = 2,
        lead_lines: int = LEAD_LINES,
        quick_for: Collection[Trigger] = (Trigger.AUTOMATIC,),
    ) -> None:
        """`stretch`: how many times longer than usual a middle may be while the next branch is not ready.

        1 where nobody gets it ready; 0 cuts anew for every request.  `quick_for`: who is given little at
        first rather than made to wait.
        """
        self._window_at = window_at
        self._stretch = stretch
        self._lead_lines = lead_lines
        self._quick_for = quick_for
        self._documents: OrderedDict[str, _Document] = OrderedDict()

    def cut(self, query: Query, pack: Pack | None = None) -> Cut:
        """The prompt of a request made now.  The document's text round the cursor, in three parts.

        `pack` is for a branch that must be made; None: what the document had last.
        """
        document = self._document(query)
        window = self._window(query, document)
        pack = document.pack if pack is None else pack
        if not _is_whole(window, query):
            return Cut(window.prefix, window.suffix, window.typed, pack)
        branch, middle = self._serving(document, query, window)
        if branch is None:
            is_quick = query.trigger in self._quick_for
            shown = self._quick(query, document, window) if is_quick else window
            branch, middle = self._new(query, shown, pack)
        self.adopt(query, replace(branch, at=query.offset - len(middle)))
        return Cut(branch.prefix, branch.suffix, middle, branch.pack)

    def pack(self, query: Query) -> Pack:
        """What is told of other files, or about to be: another pack is to follow this one."""
        document = self._document(query)
        return document.pack if document.following is None else document.following.pack

    def waits(self, query: Query) -> bool:
        """Would a request made now be given a branch of its own, with all there is to show?"""
        document = self._document(query)
        if query.trigger in self._quick_for:
            return False
        window = self._window(query, document)
        return not _is_whole(window, query) or self._serving(document, query, window)[0] is None

    def next_branch(self, query: Query, pack: Pack | None = None) -> tuple[Branch, Cut] | None:
        """What to compute while nobody waits, and the prompt that does; None while there is no need.

        `pack`: what should be told of other files from now on; None: what is told now.
        """
        document = self._document(query)
        window = self._window(query, document)
        if not _is_whole(window, query):
            return None
        pack = document.pack if pack is None else pack
        serving, middle = self._serving(document, query, window)
        is_told = serving is not None and serving.pack == pack
        if serving is not None and is_told and not _is_due(serving, middle, window):
            return None
        following, ahead = self._new(query, window, pack)
        if document.following is not None:  # what was begun is gone on with, if it still leads here
            text, offset = query.snapshot.text, query.offset
            begun = document.following.middle(text, offset, MAX_MIDDLE_CHARS, MAX_MIDDLE_LINES)
            is_told = document.following.pack == pack
            if begun is not None and is_told and not _is_due(document.following, begun, window):
                following, ahead = document.following, begun
        if serving is not None and serving.is_same(following):
            return None  # a line so long that nothing can be done about it
        document.following = following
        return following, Cut(following.prefix, following.suffix, ahead, following.pack)

    def adopt(self, query: Query, branch: Branch) -> None:
        """From now on `branch` is the first to serve the document."""
        document = self._document(query)
        others = [other for other in document.branches if not other.is_same(branch)]
        document.branches = [branch, *others][:_MAX_BRANCHES]
        if document.following is not None and document.following.is_same(branch):
            document.following = None

    def _document(self, query: Query) -> _Document:
        document = self._documents.setdefault(query.snapshot.path, _Document())
        self._documents.move_to_end(query.snapshot.path)
        while len(self._documents) > _MAX_DOCUMENTS:
            self._documents.popitem(last=False)
        return document

    def _window(self, query: Query, document: _Document) -> Window:
        return self._window_at(query, PREFIX_TOKENS, SUFFIX_TOKENS, _starts(query, document))

    def _quick(self, query: Query, document: _Document, window: Window) -> Window:
        """`window` with less after the cursor; with less before it too where that is not computed yet."""
        known_chars = max((_common(window.prefix, branch.prefix) for branch in document.branches), default=0)
        if len(window.prefix) - known_chars <= _FEW_CHARS:
            return self._window_at(query, PREFIX_TOKENS, QUICK_SUFFIX_TOKENS, [window.start])
        return self._window_at(query, QUICK_PREFIX_TOKENS, QUICK_SUFFIX_TOKENS, _starts(query, document))

    def _serving(self, document: _Document, query: Query, window: Window) -> tuple[Branch | None, str]:
        max_chars, max_lines = MAX_MIDDLE_CHARS * self._stretch, MAX_MIDDLE_LINES * self._stretch
        for branch in document.branches:
            middle = branch.middle(query.snapshot.text, query.offset, max_chars, max_lines)
            if middle is not None and _covers(branch, middle, window):
                return branch, middle
        return None, ""

    def _new(self, query: Query, window: Window, pack: Pack) -> tuple[Branch, str]:
        prefix, lead = _split_lead(window.prefix, self._lead_lines)
        middle = lead + window.typed
        return Branch(prefix, window.suffix, query.offset - len(middle), pack), middle


def anchors_for(layout: Layout, window_at: WindowAt, *, is_prewarmed: bool) -> Anchors:
    """`is_prewarmed`: somebody calls `next_branch` and computes what it says."""
    match layout:
        case "plain":
            return Anchors(window_at, stretch=0, lead_lines=0, quick_for=())
        case "quick":
            return Anchors(window_at, quick_for=tuple(Trigger))
        case "ours" if is_prewarmed:
            return Anchors(window_at)
        case "ours":
            return Anchors(window_at, stretch=1, quick_for=())


def _is_whole(window: Window, query: Query) -> bool:
    """Not so on a line too long to show: then prefix and middle do not meet."""
    return query.snapshot.text.startswith(window.prefix + window.typed, window.start) and (
        window.start + len(window.prefix) + len(window.typed) == query.offset
    )


def _split_lead(prefix: str, num_lines: int) -> tuple[str, str]:
    """The prefix without its last lines, and these lines; all of it where there are no more."""
    lines = prefix.splitlines(keepends=True)
    lead = "".join(lines[len(lines) - min(num_lines, len(lines)) :])
    return prefix[: len(prefix) - len(lead)], lead


def _covers(branch: Branch, middle: str, window: Window) -> bool:
    """Does the branch show enough of what could be shown?  It does not grow with the document by itself."""
    before, after = len(branch.prefix) + len(middle), len(branch.suffix.strip())
    could_before, could_after = len(window.prefix) + len(window.typed), len(window.suffix.strip())
    return before >= min(could_before // 2, _ENOUGH_BEFORE_CHARS) and (
        after >= min((could_after + 1) // 2, _ENOUGH_AFTER_CHARS)
    )


def _is_due(branch: Branch, middle: str, window: Window) -> bool:
    """Should another branch follow?  The middle is long, or there is more to show."""
    if len(middle) * 2 > MAX_MIDDLE_CHARS or middle.count("\n") * 2 > MAX_MIDDLE_LINES:
        return True
    before, could_before = len(branch.prefix) + len(middle), len(window.prefix) + len(window.typed)
    return before * 5 < could_before * 4 or len(branch.suffix.strip()) * 5 < len(window.suffix.strip()) * 4


def _starts(query: Query, document: _Document) -> list[int]:
    """Where the prefixes known already begin in this text."""
    starts = [_start_in(query.snapshot.text, branch) for branch in document.branches]
    return [start for start in dict.fromkeys(starts) if start is not None]


def _start_in(text: str, branch: Branch) -> int | None:
    """Where the branch's prefix begins in `text`, by its first lines."""
    if not branch.prefix:
        return None
    head = branch.prefix[:_HEAD_CHARS]
    start = branch.at - len(branch.prefix)
    if start >= 0 and text.startswith(head, start):
        return start
    found = text.find(head, max(0, start - _SHIFT_CHARS), max(0, start) + _SHIFT_CHARS)
    return None if found < 0 else found


def _common(a: str, b: str) -> int:
    """Length of the common beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        half = (low + high + 1) // 2
        if a[low:half] == b[low:half]:
            low = half
        else:
            high = half - 1
    return low
