"""Which suggestions were read and left, and which were accepted: what is learned from.

A suggestion that is typed through is shown again after every key, each time under a name of its own.  That
is one decision of the person, not ten, so what ends alike counts once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ..snapshot import Suggestion

READ_MS = 750.0
"""On the screen for so long, all its times together, a suggestion has been read (Copilot's measure)."""
_NUM_REMEMBERED = 64


@dataclass(slots=True)
class _Episode:
    """One suggestion, however often it was shown."""

    suggestion: Suggestion
    ms: float = 0.0


class Habits:
    """Belongs to one event loop.  `learn` is called once for each that was accepted or left."""

    def __init__(self, learn: Callable[[Suggestion, bool], None]) -> None:
        self._learn = learn
        self._episodes: dict[str, _Episode] = {}
        self._sent: OrderedDict[str, tuple[str, _Episode]] = OrderedDict()

    def sent(self, id_: str, uri: str, suggestion: Suggestion) -> None:
        """It went to the editor, which may show it or not."""
        episode = self._episodes.get(uri)
        if episode is None or not _is_rest(suggestion.text, episode.suggestion.text):
            self._left(uri)
            episode = self._episodes[uri] = _Episode(suggestion)
        self._sent[id_] = (uri, episode)
        while len(self._sent) > _NUM_REMEMBERED:
            self._sent.popitem(last=False)

    def displayed(self, id_: str, ms: float) -> None:
        """It was on the screen, and is there no more."""
        if id_ in self._sent:
            self._sent[id_][1].ms += ms

    def accepted(self, id_: str) -> None:
        """Whole or in part: that it was read needs no proof."""
        uri, episode = self._sent.pop(id_, ("", None))
        if episode is not None and self._episodes.get(uri) is episode:
            del self._episodes[uri]
            self._learn(episode.suggestion, True)  # noqa: FBT003  (a callable has no keywords)

    def closed(self, uri: str) -> None:
        """The document was closed."""
        self._left(uri)

    def _left(self, uri: str) -> None:
        episode = self._episodes.pop(uri, None)
        if episode is not None and episode.ms >= READ_MS:
            self._learn(episode.suggestion, False)  # noqa: FBT003  (a callable has no keywords)


def _is_rest(text: str, of: str) -> bool:
    """Is one what is left of the other, when some of it was typed or deleted again?"""
    return text.endswith(of) or of.endswith(text)
