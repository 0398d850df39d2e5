"""Stop strings on a stream: nothing after a stop string gets out, nothing before it is lost."""

from __future__ import annotations


class StopMatcher:
    """Feed text, get back what is safe to show.

    Text that could be the beginning of a stop string is kept back until the next characters decide.
    The stop string itself is never part of the output (as in the OpenAI API).
    """

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.is_stopped = False

    def feed(self, text: str) -> str:
        if self.is_stopped:
            return ""
        if not self._stop:
            return text
        self._held += text
        # The one complete first wins, as it would if the characters came one by one.
        found = [(at + len(s), at) for s in self._stop if (at := self._held.find(s)) >= 0]
        if found:
            self.is_stopped = True
            out, self._held = self._held[: min(found)[1]], ""
            return out
        keep = max(_overlap(self._held, s) for s in self._stop)
        out = self._held[: len(self._held) - keep]
        self._held = self._held[len(self._held) - keep :]
        return out

    def finish(self) -> str:
        """The text kept back, when the stream ends without a stop string."""
        out, self._held = self._held, ""
        return "" if self.is_stopped else out


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a proper beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if stop.startswith(text[-length:]):
            return length
    return 0
