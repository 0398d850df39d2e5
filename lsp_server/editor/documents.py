"""The open documents, as the editor has them.  Files that were never opened are not read."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pygls.uris import to_fs_path

from ..snapshot import Snapshot
from .convert import Encoding, LineIndex, RangeLike, apply_change
from .notebooks import Frame, Notebooks

logger = logging.getLogger(__name__)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class ChangeLike(Protocol):
    """One content change; whole texts have no `range`."""

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Document:
    """One version of an open document.  A change makes a new one."""

    uri: str
    language: str
    version: int
    index: LineIndex

    @property
    def text(self) -> str:
        return self.index.text

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(path_of(self.uri), self.language, self.text, self.version)


class Documents:
    """Documents by URI, compared as the client spells them."""

    def __init__(self) -> None:
        self.notebooks = Notebooks()
        self._open: dict[str, Document] = {}

    def get(self, uri: str) -> Document | None:
        return self._open.get(uri)

    def frame(self, uri: str) -> Frame:
        """What the model is told around this document: the other cells of its notebook, if it is one."""
        return self.notebooks.frame(uri, self.get)

    def open(self, uri: str, language: str, version: int, text: str) -> None:
        self._open[uri] = Document(uri, language, version, LineIndex(_encodable(text)))

    def change(self, uri: str, version: int, changes: Iterable[ChangeLike], encoding: Encoding) -> None:
        """Apply `changes` in order; each one's range counts in the text the one before it left."""
        document = self._open.get(uri)
        if document is None:
            logger.warning("a change to %s, which is not open, is ignored", uri)
            return
        index = document.index
        for change in changes:
            range_: RangeLike | None = getattr(change, "range", None)
            index = LineIndex(apply_change(index, range_, _encodable(change.text), encoding))
        self._open[uri] = Document(uri, document.language, version, index)

    def close(self, uri: str) -> None:
        self._open.pop(uri, None)


def path_of(uri: str) -> str:
    """The file-system path of a `file:` URI; any other URI, or one that cannot be parsed, as it is."""
    if not uri.startswith("file:"):
        return uri
    try:
        return to_fs_path(uri) or uri
    except ValueError:
        return uri  # a name is all that is needed, and this one is as good as any


def _encodable(text: str) -> str:
    """JSON can carry half a surrogate pair, which no encoder takes: it becomes U+FFFD, of equal width."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
