"""The messages: decoding them once, refusing what cannot be decoded, and the document notifications.

pygls decodes inside the JSON reader, where a request that cannot be decoded is never answered, a
nested key `jsonrpc` is taken for a message, and positions are changed in place by its codec.  So
messages stay plain until `handle_message`, every request has an answer, and text is kept by
`Documents` with the arithmetic of `convert`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from lsprotocol import converters, types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    lsp_method,
)

from ...guard.verdict import Action
from ..snapshot import Trigger
from .convert import Encoding
from .documents import Documents
from .inline import InlineParams, Item, Reference
from .notebooks import Cell
from .popup import PopupItem, PopupList, TextEdit

logger = logging.getLogger(__name__)

WHY = "truepenny/why"
STATS = "truepenny/stats"
TRACE = "truepenny/trace"
DID_CHANGE_STATUS = "didChangeStatus"
DID_SHOW = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT = "textDocument/didPartiallyAcceptCompletion"

MessageId = int | str
Steps = Generator[Any, Any, None]
"""How a pygls built-in runs the user's handler: it yields the call."""


@dataclass(frozen=True, slots=True)
class InlineRequest:
    id: MessageId
    params: InlineParams
    method: Literal["textDocument/inlineCompletion"] = "textDocument/inlineCompletion"
    jsonrpc: str = "2.0"


@dataclass(frozen=True, slots=True)
class PopupRequest:
    id: MessageId
    params: InlineParams
    method: Literal["textDocument/completion"] = "textDocument/completion"
    jsonrpc: str = "2.0"


@dataclass(frozen=True, slots=True)
class WhyParams:
    text_document: types.TextDocumentIdentifier


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """`truepenny/why {textDocument: {uri}}`: the last outcomes of a document, newest first."""

    id: MessageId
    params: WhyParams
    method: Literal["truepenny/why"] = WHY
    jsonrpc: str = "2.0"


_OWN_TYPES: dict[str, type[Any]] = {
    types.TEXT_DOCUMENT_INLINE_COMPLETION: InlineRequest,
    types.TEXT_DOCUMENT_COMPLETION: PopupRequest,
    WHY: WhyRequest,
}


class TruepennyProtocol(LanguageServerProtocol):
    """pygls' protocol with our decoding and our documents."""

    def __init__(self, server: Any, converter: cattrs.Converter) -> None:
        self.documents = Documents()
        self._register_requests(converter)
        super().__init__(server, converter)

    @property
    def encoding(self) -> Encoding:
        """What columns count, as negotiated in `initialize`; until then LSP's default."""
        if self._workspace is None:
            return "utf-16"
        return types.PositionEncodingKind(self._workspace.position_encoding).value

    def get_message_type(  # pyright: ignore[reportIncompatibleVariableOverride]  # cached in pygls; ours is a look-up
        self, method: str
    ) -> type[Any] | None:
        return _OWN_TYPES.get(method) or super().get_message_type(method)

    def structure_message(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing yet: the JSON reader calls this for every nested object too."""
        return data

    def handle_message(self, message: Any) -> None:
        """Decode one whole message and dispatch it.  A request is answered whatever happens."""
        refusal = self._refusal(message)
        if refusal is None:
            try:
                decoded: Any = super().structure_message(message)
            except JsonRpcException as error:
                refusal = JsonRpcInvalidParams(f"{message.get('method')}: {_complaint(error)}")
            else:
                super().handle_message(decoded)
                return
        logger.warning("refused: %s", refusal.message)
        if not isinstance(message, Mapping):
            self._refuse(None, refusal)
        elif "id" in message and "method" in message:
            self._refuse(cast("Any", message["id"]), refusal)

    def _execute_handler(
        self,
        msg_id: MessageId,
        handler: Any,
        callback: Any,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """What is over is forgotten: pygls would keep the future of every notification for ever."""
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
        elif future is not None:
            future.add_done_callback(lambda done: self._forget(msg_id, done))

    def _forget(self, msg_id: MessageId, done: Any) -> None:
        if not done.cancelled():  # `shutdown` cancels all there are, one after another
            self._request_futures.pop(msg_id, None)

    def plain(self, record: object) -> Any:
        """A record of ours as the JSON values that go over the wire."""
        return self._converter.unstructure(record)

    def refuse_unreadable(self, error: Exception) -> None:
        """Answer a message that is not even JSON; whose it was cannot be known."""
        self._refuse(None, JsonRpcParseError(f"not JSON: {error}"))

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Steps:
        item = params.text_document
        self.documents.open(item.uri, item.language_id, item.version, item.text)
        yield from self._then(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Steps:
        name = params.text_document
        self.documents.change(name.uri, name.version, params.content_changes, self.encoding)
        yield from self._then(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Steps:
        self.documents.close(params.text_document.uri)
        yield from self._then(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> Steps:
        for item in params.cell_text_documents:
            self.documents.open(item.uri, item.language_id, item.version, item.text)
        notebook = params.notebook_document
        self.documents.notebooks.open(notebook.uri, [_cell(cell) for cell in notebook.cells])
        yield from self._then(types.NOTEBOOK_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> Steps:
        uri, cells = params.notebook_document.uri, params.change.cells
        if cells is not None:
            self._change_cells(uri, cells)
        yield from self._then(types.NOTEBOOK_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> Steps:
        self.documents.notebooks.close(params.notebook_document.uri)
        for name in params.cell_text_documents:
            self.documents.close(name.uri)
        yield from self._then(types.NOTEBOOK_DOCUMENT_DID_CLOSE, params)

    def _change_cells(self, uri: str, cells: types.NotebookDocumentCellChanges) -> None:
        """In the order of the protocol: which cells there are, what they are, what they say."""
        structure = cells.structure
        if structure is not None:
            for item in structure.did_open or ():
                self.documents.open(item.uri, item.language_id, item.version, item.text)
            change = structure.array
            added = [_cell(cell) for cell in change.cells or ()]
            self.documents.notebooks.splice(uri, change.start, change.delete_count, added)
            for name in structure.did_close or ():
                self.documents.close(name.uri)
        for cell in cells.data or ():
            self.documents.notebooks.set_kind(uri, _cell(cell))
        for text in cells.text_content or ():
            name = text.document
            self.documents.change(name.uri, name.version, text.changes, self.encoding)

    def _then(self, method: str, params: object) -> Steps:
        """Pass on to the handler registered for `method`, if any, as pygls' own methods do."""
        features = cast("dict[str, Any]", self.fm.features)  # pyright: ignore[reportUnknownMemberType]  # a bare Dict
        handler = features.get(method)
        if handler is not None:
            yield handler, (params,), None

    def _refusal(self, message: Any) -> JsonRpcException | None:
        """Why a message cannot be served at all, before looking at its parameters."""
        if not isinstance(message, Mapping):
            return JsonRpcInvalidRequest("a message is one JSON object")
        given = cast("Mapping[str, Any]", message)
        method = given.get("method")
        if given.get("jsonrpc") != self.VERSION:
            return JsonRpcInvalidRequest(f"'jsonrpc' is {given.get('jsonrpc')!r}; use {self.VERSION!r}")
        if method is None or method == types.EXIT:
            return None
        if not isinstance(method, str):
            return JsonRpcInvalidRequest(f"'method' is {method!r}; use a text")
        if self._shutdown:
            return JsonRpcInvalidRequest(f"{method} after 'shutdown'")
        is_first = self._workspace is None
        if is_first and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized(f"{method} before 'initialize'")
        if not is_first and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("'initialize' was sent twice")
        return None

    def _refuse(self, id_: MessageId | None, refusal: JsonRpcException) -> None:
        error = {"code": refusal.code, "message": refusal.message}
        self._send_data({"jsonrpc": self.VERSION, "id": id_, "error": error})

    def _register_requests(self, converter: cattrs.Converter) -> None:
        """How our own requests are read.  What is missing raises, and becomes a refusal."""

        def inline(raw: dict[str, Any], _: object) -> InlineRequest:
            standard = converter.structure(raw["params"], types.InlineCompletionParams)
            uri = standard.text_document.uri
            version = raw["params"]["textDocument"].get("version")
            params = InlineParams(
                uri=uri,
                position=standard.position,
                trigger=Trigger(standard.context.trigger_kind.value),
                selected=standard.context.selected_completion_info,
                version=version if isinstance(version, int) else None,
                document=self.documents.get(uri),
                frame=self.documents.frame(uri),
            )
            return InlineRequest(raw["id"], params)

        def popup(raw: dict[str, Any], _: object) -> PopupRequest:
            standard = converter.structure(raw["params"], types.CompletionParams)
            uri = standard.text_document.uri
            params = InlineParams(
                uri=uri,
                position=standard.position,
                trigger=Trigger.AUTOMATIC,  # a menu opens by typing; that a key asked is not told apart
                selected=None,
                version=None,
                document=self.documents.get(uri),
                frame=self.documents.frame(uri),
                way="popup",
            )
            return PopupRequest(raw["id"], params)

        def why(raw: dict[str, Any], _: object) -> WhyRequest:
            return WhyRequest(raw["id"], converter.structure(raw["params"], WhyParams))

        params = make_dict_structure_fn(WhyParams, converter, text_document=override(rename="textDocument"))
        converter.register_structure_hook(WhyParams, params)
        converter.register_structure_hook(InlineRequest, inline)
        converter.register_structure_hook(PopupRequest, popup)
        converter.register_structure_hook(WhyRequest, why)


def make_converter() -> cattrs.Converter:
    """lsprotocol's converter, plus our records; unknown messages keep their JSON as it came."""
    converter = converters.get_converter()
    for message in (JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage):
        converter.register_structure_hook(message, _plain)
    converter.register_unstructure_hook(Action, lambda action: action.name.lower())
    for record, names in _NAMES_ON_THE_WIRE.items():
        renamed = {name: override(rename=theirs) for name, theirs in names.items()}
        write = make_dict_unstructure_fn(record, converter, **renamed)  # pyright: ignore[reportArgumentType]  # its keywords are fields
        converter.register_unstructure_hook(record, write)
    return converter


_NAMES_ON_THE_WIRE: dict[type[Any], dict[str, str]] = {
    TextEdit: {"new_text": "newText"},
    Reference: {
        "license_name": "licenseName",
        "reference_name": "referenceName",
        "reference_url": "referenceUrl",
    },
    Item: {"insert_text": "insertText"},
    PopupItem: {
        "sort_text": "sortText",
        "filter_text": "filterText",
        "insert_text_format": "insertTextFormat",
        "insert_text_mode": "insertTextMode",
        "text_edit": "textEdit",
    },
    PopupList: {"is_incomplete": "isIncomplete"},
}
"""Records of the protocol, whose names are the protocol's; a record stands after those it holds."""


def _cell(cell: types.NotebookCell) -> Cell:
    return Cell(cell.document, is_code=cell.kind is types.NotebookCellKind.Code)


def _plain(raw: dict[str, Any], message: Any) -> Any:
    field = "params" if "method" in raw else "result"
    given = {key: raw[key] for key in ("id", "method", "jsonrpc") if key in raw}
    return message(**given | {field: raw.get(field)})


def _complaint(error: JsonRpcException) -> str:
    """What was wrong with the parameters, with the path to it."""
    cause = error.__cause__
    if cause is None:
        return error.message
    return "; ".join(cattrs.transform_error(cause)) or repr(cause)
