"""References from the spans of uses, by whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..facts import REFERENCE_KINDS, References
from .captures import Captures
from .queries import USES
from .wording import MAX_RECEIVER, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_JOINTS = ("::", "->", "?.", "&.", "?->", "!!.", ".", ":", "\\")


_NAME, _MEMBER, _CALL = (REFERENCE_KINDS.index(kind) for kind in ("name", "member", "call"))
_FAR = 100
"""Between a receiver and its name, in characters; blanks and a line end, mostly."""


def references_of(
    text: str,
    captures: Captures,
    defined: set[int],
    imports: list[tuple[int, int]],
    line_starts: list[int],
) -> References:
    """All uses of names but those at `defined` and those within `imports`, which are sorted.

    A name with a receiver is a member, and one with `(` right behind it is a call, captured so or not.
    """
    uses = [(kind, *_columns(captures, name)) for kind, name in enumerate(USES) if name in captures.others]
    if not uses:
        return References()
    starts = np.concatenate([starts for _, starts, _ in uses])
    ends = np.concatenate([ends for _, _, ends in uses])
    kinds = np.concatenate([np.full(len(starts), kind, np.int64) for kind, starts, _ in uses])
    order = np.argsort((starts << 2) | kinds, kind="stable")
    starts, ends, kinds = starts[order], ends[order], kinds[order]
    keep = np.ones(len(starts), dtype=bool)
    keep[:-1] = starts[1:] != starts[:-1]  # the last of one place is what counts most
    ignored, _ = _columns(captures, "ignore")
    unused = np.concatenate([ignored, np.fromiter(defined, np.int64, len(defined))])
    keep &= ~np.isin(starts, unused)
    if imports:
        bounds = np.array(imports, dtype=np.int64)
        place = np.searchsorted(bounds[:, 0], starts, side="right") - 1
        keep &= (place < 0) | (starts >= bounds[np.maximum(place, 0), 1])
    starts, ends, kinds = starts[keep], ends[keep], kinds[keep]
    begins = _receivers_begin(text, starts, ends, captures)
    kinds[(begins >= 0) & (kinds == _NAME)] = _MEMBER
    points = _points(text)
    followed = points[np.minimum(ends, len(points) - 1)]
    kinds[(followed == ord("(")) & (kinds <= _MEMBER) & (ends < len(points))] = _CALL
    at = starts.tolist()
    return References(
        names=tuple([text[start:end] for start, end in zip(at, ends.tolist(), strict=True)]),
        kinds=kinds.astype(np.uint8).tobytes(),
        receivers=tuple(
            [
                "" if begin < 0 else _receiver(text, begin, start)
                for begin, start in zip(begins.tolist(), at, strict=True)
            ]
        ),
        starts=tuple(at),
        lines=tuple((np.searchsorted(np.array(line_starts), starts, side="right") - 1).tolist()),
    )


def _columns(captures: Captures, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends."""
    spans = captures.spans(name)
    return np.array(spans.starts, dtype=np.int64), np.array(spans.ends, dtype=np.int64)


def _points(text: str) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _receivers_begin(
    text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], captures: Captures
) -> NDArray[np.int64]:
    """Where what stands before each use begins, -1 where nothing does; of accesses that end alike the
    longest counts.
    """
    begins = np.full(len(starts), -1, dtype=np.int64)
    access_starts, access_ends = _columns(captures, "access")
    if len(access_starts):
        order = np.lexsort((access_starts, access_ends))
        access_ends, access_starts = access_ends[order], access_starts[order]
        place = np.minimum(np.searchsorted(access_ends, ends, side="left"), len(order) - 1)
        held = (access_ends[place] == ends) & (access_starts[place] < starts)
        begins = np.where(held, access_starts[place], begins)
    receiver_starts, receiver_ends = _columns(captures, "receiver")
    if len(receiver_starts):
        order = np.lexsort((receiver_starts, receiver_ends))
        receiver_ends, receiver_starts = receiver_ends[order], receiver_starts[order]
        place = np.searchsorted(receiver_ends, starts, side="right") - 1
        last = receiver_ends[np.maximum(place, 0)]
        first = receiver_starts[np.searchsorted(receiver_ends, last, side="left")]
        for one in np.flatnonzero((begins < 0) & (place >= 0) & (starts - last <= _FAR)).tolist():
            if text[last[one] : starts[one]].strip() in _JOINTS:
                begins[one] = first[one]
    return begins


def _receiver(text: str, begin: int, start: int) -> str:
    long = start - begin > MAX_RECEIVER
    if not long and text[start - 1] == "." and "\n" not in (short := text[begin : start - 1]):
        return short.rstrip("?! \t\r")
    piece = text[start - MAX_RECEIVER if long else begin : start].rstrip()
    joint = next((one for one in _JOINTS if piece.endswith(one)), "")
    piece = piece.removesuffix(joint).rstrip("?! \t\r\n")
    if "\n" in piece:
        piece = one_line(piece)
    return "…" + piece if long else piece
