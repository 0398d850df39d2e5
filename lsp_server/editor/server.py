"""The language server: pygls' wiring between the protocol and a `Session`, and nothing else.

Every handler that can wait is `async`: pygls cancels those on `$/cancelRequest`, while a thread
handler would run on, and block the reader besides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer

from ..ledger.journal import Journal
from ..ledger.outcomes import Outcome
from ..ledger.stats import as_json
from ..ledger.trace import public_settings
from ..place.edits import num_places
from ..settings import Settings, SettingsProblem
from ..status import Status
from .index_progress import IndexProgress
from .inline import DID_ACCEPT, InlineParams, ItemList
from .notices import COPY_NOTICE
from .popup import TRIGGERS, PopupList, is_wanted, style_of
from .protocol import (
    DID_CHANGE_STATUS,
    DID_PARTIALLY_ACCEPT,
    DID_SHOW,
    STATS,
    TRACE,
    WHY,
    TruepennyProtocol,
    WhyParams,
    make_converter,
)
from .session import AssistantFactory, AssistantLike, Session

logger = logging.getLogger(__name__)

WRITE_TRACE = "truepenny.writeTrace"


def make_local_assistant(settings: Settings, on_status: Callable[[Status], None]) -> AssistantLike:
    """The real assistant; imported when first needed, so that `initialize` is answered at once."""
    from ..assistant import Assistant

    return Assistant(settings, on_status)


class TruepennyServer(LanguageServer):
    """One connection to one editor."""

    protocol: TruepennyProtocol  # pyright: ignore[reportIncompatibleVariableOverride]  # made of protocol_cls

    def __init__(
        self,
        make_assistant: AssistantFactory = make_local_assistant,
        engine: str | None = None,
        state: Path | None = None,
    ) -> None:
        """`engine`, when given, stands above the editor's setting.  `state`: a folder for the journal and
        for traces; without one nothing is written.
        """
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # pygls passes *args on, untyped
            name="truepenny",
            version=version("truepenny"),
            protocol_cls=TruepennyProtocol,
            converter_factory=make_converter,
            notebook_document_sync=_every_notebook(),
        )
        journal = Journal(state) if state is not None else None
        self.session = Session(self.protocol.documents, make_assistant, self._send_status, engine, journal)
        self._state = state
        self.index_progress = IndexProgress(self)
        self._problems: list[SettingsProblem] = []
        self._problems_shown: set[SettingsProblem] = set()
        _register(self)

    def configure(self, raw: object) -> None:
        """Take settings, either bare or under our name, as editors differ."""
        given = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
        bare = given["truepenny"] if set(given) == {"truepenny"} else cast("object", raw)
        self._problems.extend(self.session.configure(bare))

    def show_problems(self) -> None:
        """Tell the person about each mistake in the settings, once."""
        for problem in self._problems:
            logger.warning("%s", problem)
            if problem not in self._problems_shown:
                self._problems_shown.add(problem)
                message = types.ShowMessageParams(types.MessageType.Warning, str(problem))
                self.window_show_message(message)
        self._problems.clear()

    def write_trace(self) -> dict[str, str | int]:
        """The last requests in a file for bug reports, and where it is."""
        if self._state is None:
            raise JsonRpcInvalidRequest("this server has no folder to write a trace into")
        trace, plain = self.session.ledger.trace, self.protocol.plain
        settings = public_settings(self.session.settings)
        path = trace.write(self._state, self.protocol.encoding, settings, plain)
        return {"path": str(path), "requests": len(trace)}

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log what went wrong outside a request; people are not shown our internals."""
        logger.error("%s: %s", source.__name__, error)
        if source is JsonRpcException and isinstance(error, (ValueError, RecursionError)):
            self.protocol.refuse_unreadable(error)

    def _send_status(self, status: Status) -> None:
        if status.indexing is not None:
            self.index_progress.tell(status.indexing)
            return
        params = {"busy": status.busy, "kind": status.kind.capitalize(), "message": status.message}
        self.protocol.notify(DID_CHANGE_STATUS, params)


def _register(server: TruepennyServer) -> None:
    """The handlers, in the order of a session's life.

    No parameter may be annotated `object`: pygls hands the server to a first parameter that admits it.
    """
    session = server.session

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = params.workspace_folders
        session.enter(folders[0].uri if folders else params.root_uri)
        server.configure(params.initialization_options)
        session.popup_style = style_of(params.capabilities)
        if is_wanted(session.settings.completion.popup, params.capabilities):
            options = types.CompletionOptions(trigger_characters=TRIGGERS)
            server.feature(types.TEXT_DOCUMENT_COMPLETION, options)(popup)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.show_problems()
        session.warm_up()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration_changed(params: types.DidChangeConfigurationParams) -> None:
        if params.settings is not None:  # null: a client that wants to be asked instead
            server.configure(params.settings)
            server.show_problems()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        session.opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        if params.content_changes:
            changes = params.content_changes
            places = num_places(changes)
            session.changed(params.text_document.uri, changes[-1], server.protocol.encoding, places)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.settled(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.forget(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(params: InlineParams) -> ItemList:
        return await session.complete(params, server.protocol.encoding)

    async def popup(params: InlineParams) -> PopupList:
        return await session.complete_popup(params, server.protocol.encoding)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        for item in params.cell_text_documents:
            session.opened(item.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: types.DidChangeNotebookDocumentParams) -> None:
        cells = params.change.cells
        structure = cells.structure if cells is not None else None
        for item in (structure.did_open if structure is not None else None) or ():
            session.opened(item.uri)
        for name in (structure.did_close if structure is not None else None) or ():
            session.forget(name.uri)
        for text in (cells.text_content if cells is not None else None) or ():
            if text.changes:
                session.changed(text.document.uri, text.changes[-1], server.protocol.encoding)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_saved(_: types.DidSaveNotebookDocumentParams) -> None:
        """Nothing is read from the disk, and where the cursor is it does not say."""

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: types.DidCloseNotebookDocumentParams) -> None:
        for name in params.cell_text_documents:
            session.forget(name.uri)

    @server.feature(WHY)
    async def why(params: WhyParams) -> tuple[Outcome, ...]:
        return session.outcomes.of(params.text_document.uri)

    @server.command(DID_ACCEPT)
    def accepted(completion_id: str) -> None:
        session.ledger.taken(completion_id)

    @server.feature(DID_SHOW)
    def displayed(params: Mapping[str, Any]) -> None:
        id_ = _item_id(params)
        if id_ is not None:
            session.ledger.shown(id_)

    @server.feature(DID_PARTIALLY_ACCEPT)
    def partially_accepted(params: Mapping[str, Any]) -> None:
        id_, length = _item_id(params), params.get("acceptedLength")
        if id_ is not None:
            session.ledger.taken(id_, length if isinstance(length, int) else None)

    @server.feature(STATS)
    async def stats(_: Any) -> dict[str, Any]:
        return as_json(session.ledger.stats())

    @server.feature(TRACE)
    async def trace(_: Any) -> dict[str, str | int]:
        return server.write_trace()

    @server.command(WRITE_TRACE)
    def write_trace() -> dict[str, str | int]:
        written = server.write_trace()
        told = f"Truepenny: the last {written['requests']} requests, without code, are in {written['path']}"
        server.window_show_message(types.ShowMessageParams(types.MessageType.Info, told))
        return written

    @server.command(COPY_NOTICE)
    def copy_notice(completion_id: str) -> dict[str, str]:
        """The notices of a suggestion as one text; empty where none is known or needed."""
        return {"notice": session.notice_of(completion_id)}

    @server.feature(types.SHUTDOWN)
    async def shutdown(_: Any) -> None:
        server.index_progress.close()
        await session.close()

    _ = (initialize, initialized, configuration_changed, opened, changed, saved, closed, inline_completion)
    _ = (why, accepted, displayed, partially_accepted, shutdown, stats, trace, write_trace)
    _ = (copy_notice, notebook_opened, notebook_changed, notebook_saved, notebook_closed)


def _item_id(params: Mapping[str, Any]) -> str | None:
    """Of the item in a client's `{item: {command: {arguments: [id]}}}`; None if there is none."""
    try:
        return str(params["item"]["command"]["arguments"][0])
    except (KeyError, IndexError, TypeError) as error:
        logger.info("a notification without a completion id: %r", error)
        return None


def _every_notebook() -> types.NotebookDocumentSyncOptions:
    """All cells of notebooks of any kind; a save changes nothing."""
    selector = types.NotebookDocumentFilterWithNotebook(notebook="*")
    return types.NotebookDocumentSyncOptions(notebook_selector=[selector], save=True)
