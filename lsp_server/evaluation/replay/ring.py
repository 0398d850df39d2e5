"""The peer plug-in's ring: pieces of the files a person has been at, sent along with every request.

What ggml-org/llama.vim does by default (commit a1c8e6e, `autoload/llama.vim`), told from its
behaviour: pieces are gathered into a queue; when nobody types, the first of the queue moves to the
ring, and the ring is sent ahead so that the server has computed it before it is needed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

NUM_CHUNKS = 16
CHUNK_LINES = 64
SCOPE_LINES = 1024
PREFIX_LINES = 256
SUFFIX_LINES = 64
MOVED_LINES = 32
"""A cursor that is farther than this from where chunks were last gathered gathers anew."""

_SAME = 0.9
"""Chunks more alike than this are the same one."""
_DISTORTS = 0.5
"""A chunk more alike than this to what stands at the cursor makes a model repeat what is there."""
_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Chunk:
    file: str
    lines: tuple[str, ...]
    """Without their ends."""


@dataclass(slots=True)
class Ring:
    """The pieces of one session.  Lines count from 0."""

    chance: random.Random
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    queued: list[Chunk] = field(default_factory=list[Chunk])
    _gathered_at: int | None = None

    def enter(self, file: str, lines: Sequence[str], at: int) -> None:
        """A person opens a file, the cursor on line `at`."""
        self._pick(file, _around(lines, at), is_replacing=True)

    def make_room(self, lines: Sequence[str], at: int) -> None:
        """Before a request: chunks that are much like the cursor's surroundings go."""
        around = _around(lines, at)
        near = around[self._half(around)]
        self.chunks = [chunk for chunk in self.chunks if likeness(chunk.lines, near) <= _DISTORTS]

    def moved(self, file: str, lines: Sequence[str], at: int) -> None:
        """After a request: where the cursor has come far, a piece from above and one from below."""
        if self._gathered_at is not None and abs(at - self._gathered_at) <= MOVED_LINES:
            return
        last = len(lines) - 1
        above = lines[max(0, at - SCOPE_LINES) : max(0, at - PREFIX_LINES) + 1]
        below = lines[min(last, at + SUFFIX_LINES) : at + SUFFIX_LINES + CHUNK_LINES + 1]
        self._pick(file, above, is_replacing=False)
        self._pick(file, below, is_replacing=False)
        self._gathered_at = at

    def updates(self, most: int) -> Iterator[tuple[Chunk, ...]]:
        """Move up to `most` queued chunks to the ring, one by one; the ring after each."""
        for _ in range(min(most, len(self.queued))):
            if len(self.chunks) == NUM_CHUNKS:
                del self.chunks[0]
            self.chunks.append(self.queued.pop(0))
            yield tuple(self.chunks)

    def _pick(self, file: str, lines: Sequence[str], *, is_replacing: bool) -> None:
        """Queue a piece of `lines`, unless one like it is there; replacing, that one goes instead."""
        if len(lines) < 3:
            return
        chunk = Chunk(file, tuple(lines if len(lines) + 1 < CHUNK_LINES else lines[self._half(lines)]))
        if any(chunk.lines == one.lines for one in (*self.chunks, *self.queued)):
            return
        for known in (self.queued, self.chunks):
            same = [one for one in known if likeness(one.lines, chunk.lines) > _SAME]
            if same and not is_replacing:
                return
            known[:] = [one for one in known if one not in same]
        if len(self.queued) == NUM_CHUNKS:
            del self.queued[0]
        self.queued.append(chunk)

    def _half(self, lines: Sequence[str]) -> slice:
        """Half a chunk's lines and one, from a random place."""
        half = CHUNK_LINES // 2
        first = self.chance.randint(0, max(0, len(lines) - half))
        return slice(first, min(first + half, len(lines)) + 1)


def likeness(first: Sequence[str], second: Sequence[str]) -> float:
    """Share of words in common, 0 to 1; repetitions in `second` count each time."""
    one, other = _words(first), _words(second)
    if not one and not other:
        return 1.0
    known = set(one)
    return 2 * sum(word in known for word in other) / (len(one) + len(other))


def _words(lines: Sequence[str]) -> list[str]:
    return [word for word in _NOT_WORD.split("\n".join(lines)) if word]


def _around(lines: Sequence[str], at: int) -> Sequence[str]:
    half = CHUNK_LINES // 2
    return lines[max(0, at - half) : at + half + 1]
