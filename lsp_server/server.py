"""The language server: pygls' wiring between the protocol and a `Session`, and nothing else.

Every handler that can wait is `async`: pygls cancels those on `$/cancelRequest`, while a thread
handler would run on, and block the reader besides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from .index_progress import IndexProgress
from .inline import DID_ACCEPT, InlineParams, ItemList
from .outcomes import Fate, Outcome
from .protocol import (
    DID_CHANGE_STATUS,
    DID_PARTIALLY_ACCEPT,
    DID_SHOW,
    WHY,
    TruepennyProtocol,
    WhyParams,
    make_converter,
)
from .session import AssistantFactory, AssistantLike, Session
from .settings import Settings, SettingsProblem
from .status import Status

logger = logging.getLogger(__name__)


def make_local_assistant(settings: Settings, on_status: Callable[[Status], None]) -> AssistantLike:
    """The real assistant; imported when first needed, so that `initialize` is answered at once."""
    from .assistant import Assistant

    return Assistant(settings, on_status)


class TruepennyServer(LanguageServer):
    """One connection to one editor."""

    protocol: TruepennyProtocol  # pyright: ignore[reportIncompatibleVariableOverride]  # made of protocol_cls

    def __init__(
        self, make_assistant: AssistantFactory = make_local_assistant, engine: str | None = None
    ) -> None:
        """`engine`, when given, stands above the editor's setting."""
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # pygls passes *args on, untyped
            name="truepenny",
            version=version("truepenny"),
            protocol_cls=TruepennyProtocol,
            converter_factory=make_converter,
        )
        self.session = Session(self.protocol.documents, make_assistant, self._send_status, engine)
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
            session.changed(params.text_document.uri, params.content_changes[-1], server.protocol.encoding)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.settled(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.forget(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(params: InlineParams) -> ItemList:
        return await session.complete(params, server.protocol.encoding)

    @server.feature(WHY)
    async def why(params: WhyParams) -> tuple[Outcome, ...]:
        return session.outcomes.of(params.text_document.uri)

    @server.command(DID_ACCEPT)
    def accepted(completion_id: str) -> None:
        session.mark(completion_id, "accepted")

    @server.feature(DID_SHOW)
    def displayed(params: Mapping[str, Any]) -> None:
        _mark_item(session, params, "displayed")

    @server.feature(DID_PARTIALLY_ACCEPT)
    def partially_accepted(params: Mapping[str, Any]) -> None:
        _mark_item(session, params, "accepted")

    @server.feature(types.SHUTDOWN)
    async def shutdown(_: Any) -> None:
        server.index_progress.close()
        await session.close()

    _ = (initialize, initialized, configuration_changed, opened, changed, saved, closed, inline_completion)
    _ = (why, accepted, displayed, partially_accepted, shutdown)


def _mark_item(session: Session, params: Mapping[str, Any], fate: Fate) -> None:
    """Note the fate of the item in a client's `{item: {command: {arguments: [id]}}}`."""
    try:
        item = params["item"]
        session.mark(str(item["command"]["arguments"][0]), fate)
    except (KeyError, IndexError, TypeError) as error:
        logger.info("a %s notification without a completion id: %r", fate, error)
