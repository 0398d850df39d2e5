"""One running language server: the handshake, its shadow documents, and what it says of them.

A shadow document has the address of the real file, so that relative imports and the settings of the
project hold for it, and a text that is nowhere on the disk.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from ...errors import CheckerError
from .answers import get, members, parameters
from .dialect import Diagnostic, Dialect
from .positions import OFFERED, Encoding, Lines, changed_part
from .rpc import Connection, ResponseError

MAX_TEXT_CHARS = 1_000_000
_CREATED, _DELETED = 1, 3
_INCREMENTAL = 2
_NOT_NOW = frozenset({-32800, -32801, -32802})
"""RequestCancelled, ContentModified, ServerCancelled: ask again."""

_CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": list(OFFERED)},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "diagnostics": {"refreshSupport": True},
    },
    "window": {"workDoneProgress": False},
    "textDocument": {
        "synchronization": {"dynamicRegistration": False},
        "diagnostic": {"dynamicRegistration": False, "relatedDocumentSupport": False},
        "publishDiagnostics": {"versionSupport": True, "codeDescriptionSupport": False},
        "completion": {"completionItem": {"snippetSupport": False, "labelDetailsSupport": True}},
        "signatureHelp": {"signatureInformation": {"parameterInformation": {"labelOffsetSupport": True}}},
    },
}


@dataclass(slots=True)
class _Document:
    version: int
    lines: Lines
    pushed: Any = None
    """What was published of this version; None until it was."""
    is_checked: bool = field(default=False)


class Session:
    """From the handshake to the end of one connection.  One caller at a time, which the caller sees to."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._documents: OrderedDict[str, _Document] = OrderedDict()
        self._published = threading.Condition()
        self._connection: Connection | None = None
        self._encoding: Encoding = "utf-16"
        self._can_pull = self._is_incremental = False

    # What the server asks and tells, on the reading thread.

    def answer(self, method: str, params: Any) -> Any:
        match method:
            case "workspace/configuration":
                items = cast("list[dict[str, Any]]", get(params, "items") or [])
                return [self._dialect.settings.get(str(get(item, "section") or "")) for item in items]
            case "workspace/workspaceFolders":
                return [self._folder()]
            case (
                "client/registerCapability"
                | "client/unregisterCapability"
                | "window/workDoneProgress/create"
                | "window/showMessageRequest"
                | "workspace/diagnostic/refresh"
                | "workspace/semanticTokens/refresh"
                | "workspace/inlayHint/refresh"
                | "workspace/codeLens/refresh"
            ):
                return None
            case "workspace/applyEdit":
                return {"applied": False}
            case _:
                raise NotImplementedError(method)

    def hear(self, method: str, params: Any) -> None:
        if method != "textDocument/publishDiagnostics":
            return
        with self._published:
            document = self._published_one(str(get(params, "uri")))
            if document is not None and get(params, "version") == document.version:
                document.pushed = get(params, "diagnostics") or []
                self._published.notify_all()

    def _published_one(self, uri: str) -> _Document | None:
        """Servers quote other characters than we do."""
        plain = unquote(uri)
        return next((one for ours, one in self._documents.items() if unquote(ours) == plain), None)

    # What we ask and tell.

    def begin(self, connection: Connection, deadline_s: float) -> None:
        """Raises CheckerError: it does not answer, or refuses."""
        self._connection = connection
        try:
            answer = connection.request(
                "initialize",
                {
                    "processId": os.getpid(),
                    "clientInfo": {"name": "truepenny"},
                    "rootUri": _uri(self._dialect.root),
                    "workspaceFolders": [self._folder()],
                    "initializationOptions": dict(self._dialect.options),
                    "capabilities": _CAPABILITIES,
                },
                deadline_s,
            )
        except ResponseError as error:
            raise CheckerError(f"{self._dialect.name} refuses to start: {error}") from error
        offers = get(answer, "capabilities")
        encoding = get(offers, "positionEncoding") or "utf-16"
        if encoding not in OFFERED:
            raise CheckerError(f"{self._dialect.name} counts in {encoding!r}, which was not offered")
        self._encoding = encoding
        self._can_pull = bool(get(offers, "diagnosticProvider"))
        sync = get(offers, "textDocumentSync")
        self._is_incremental = (sync if isinstance(sync, int) else get(sync, "change")) == _INCREMENTAL
        connection.notify("initialized", {})
        connection.notify("workspace/didChangeConfiguration", {"settings": dict(self._dialect.settings)})

    def diagnostics(self, path: str, text: str, deadline_s: float) -> tuple[Diagnostic, ...]:
        """All it says of the text, in order.  Raises CheckerError."""
        until_s = time.monotonic() + deadline_s
        uri, prefix = _uri(path), self._prefix(path)
        document = self._documents.get(uri)
        if self._dialect.probe and (document is None or not document.is_checked):
            document = self._show(uri, path, prefix + self._dialect.probe)
            if not self._ask(uri, document, until_s, len(prefix)):
                raise CheckerError(f"{self._dialect.name} does not check {path}")
        document = self._show(uri, path, prefix + self._dialect.prepare(text))
        document.is_checked = True
        return tuple(self._ask(uri, document, until_s, len(prefix)))

    def completions(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        """Names that are offered at `offset`, but no keywords and nothing that would have to be imported."""
        return members(self._at("textDocument/completion", path, text, offset, deadline_s))

    def parameters(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        """Names of the parameters of the call round `offset`, of every overload."""
        return parameters(self._at("textDocument/signatureHelp", path, text, offset, deadline_s))

    def changed(self, paths: Iterable[str]) -> None:
        """These files are new, different or gone on the disk."""
        changes: list[dict[str, Any]] = []
        for path in paths:
            # Whether it was there before, servers know and we do not: gone and back fits both.
            kinds = (_DELETED, _CREATED) if Path(path).exists() else (_DELETED,)
            changes += [{"uri": _uri(path), "type": kind} for kind in kinds]
        self._told().notify("workspace/didChangeWatchedFiles", {"changes": changes})

    def _at(self, method: str, path: str, text: str, offset: int, deadline_s: float) -> Any:
        uri, prefix = _uri(path), self._prefix(path)
        document = self._show(uri, path, prefix + self._dialect.prepare(text))
        position = document.lines.position(len(prefix) + offset)
        return self._request(method, {"textDocument": {"uri": uri}, "position": position}, deadline_s)

    # Documents.

    def _show(self, uri: str, path: str, text: str) -> _Document:
        if len(text) > MAX_TEXT_CHARS:
            raise CheckerError(f"{path} has {len(text)} characters; at most {MAX_TEXT_CHARS} are checked")
        lines = Lines(text, self._encoding)
        document = self._documents.get(uri)
        if document is None:
            document = self._open(uri, path, lines)
        elif document.lines.text != text:
            change = self._change(document.lines, text)
            with self._published:
                document.version, document.lines, document.pushed = document.version + 1, lines, None
            self._told().notify(
                "textDocument/didChange",
                {"textDocument": {"uri": uri, "version": document.version}, "contentChanges": [change]},
            )
        self._documents.move_to_end(uri)
        return document

    def _open(self, uri: str, path: str, lines: Lines) -> _Document:
        while len(self._documents) >= self._dialect.num_open:
            with self._published:
                oldest, _ = self._documents.popitem(last=False)
            self._told().notify("textDocument/didClose", {"textDocument": {"uri": oldest}})
        document = _Document(1, lines)
        with self._published:
            self._documents[uri] = document
        item = {"uri": uri, "version": 1, "text": lines.text}
        item["languageId"] = self._dialect.language_id(Path(path).suffix)
        self._told().notify("textDocument/didOpen", {"textDocument": item})
        return document

    def _change(self, old: Lines, text: str) -> dict[str, Any]:
        if not self._is_incremental:
            return {"text": text}
        start, end, new_end = changed_part(old.text, text)
        places = {"start": old.position(start), "end": old.position(end)}
        return {"range": places, "text": text[start:new_end]}

    def _ask(self, uri: str, document: _Document, until_s: float, shift: int) -> list[Diagnostic]:
        """Places are counted without the first `shift` characters, and what is said of those is dropped."""
        items = self._pull(uri, until_s) if self._can_pull else self._wait(document, until_s)
        found: list[Diagnostic] = []
        for item in cast("list[Any]", items if isinstance(items, list) else []):
            try:
                start = document.lines.offset(get(get(item, "range"), "start"))
                end = document.lines.offset(get(get(item, "range"), "end"))
            except ValueError as error:
                raise CheckerError(f"{self._dialect.name} said something without a place: {error}") from error
            if end >= shift:
                code, message = str(get(item, "code") or ""), str(get(item, "message") or "")
                found.append(Diagnostic(code, message, max(start - shift, 0), max(end, start) - shift))
        return sorted(found, key=lambda one: (one.start, one.end))

    def _pull(self, uri: str, until_s: float) -> Any:
        params = {"textDocument": {"uri": uri}}
        answer = self._request("textDocument/diagnostic", params, until_s - time.monotonic())
        return get(answer, "items")

    def _wait(self, document: _Document, until_s: float) -> Any:
        with self._published:
            while document.pushed is None:
                left_s = until_s - time.monotonic()
                if left_s <= 0 or self._told().ended.is_set():
                    raise CheckerError(f"{self._dialect.name} has published nothing in time")
                self._published.wait(min(left_s, 0.2))
            return document.pushed

    def _request(self, method: str, params: Any, deadline_s: float) -> Any:
        """Asks again for as long as it is told to."""
        until_s = time.monotonic() + deadline_s
        while True:
            try:
                return self._told().request(method, params, until_s - time.monotonic())
            except ResponseError as error:
                if error.code not in _NOT_NOW:
                    raise CheckerError(f"{self._dialect.name} refuses {method}: {error}") from error
                time.sleep(0.002)  # told "not now": a moment, so that two processes do not spin

    def _prefix(self, path: str) -> str:
        return self._dialect.prefixes.get(Path(path).suffix, "")

    def _told(self) -> Connection:
        if self._connection is None:
            raise CheckerError(f"{self._dialect.name} is starting")
        return self._connection

    def _folder(self) -> dict[str, str]:
        return {"uri": _uri(self._dialect.root), "name": "workspace"}


def _uri(path: str) -> str:
    return Path(path).absolute().as_uri()
