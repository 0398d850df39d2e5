"""How far reading the workspace has come, shown by the editor: `$/progress`, where it has that."""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from ..status import Indexing

logger = logging.getLogger(__name__)

_numbers = count(1)


class IndexProgress:
    """One bar at a time; belongs to the server's event loop.  Where there is nothing to read, none."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._latest: Indexing | None = None
        self._news = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    def tell(self, indexing: Indexing) -> None:
        if not self._is_wanted():
            return
        self._latest = indexing
        self._news.set()
        is_shown = self._showing is not None and not self._showing.done()
        if not is_shown and indexing.num_total > 0 and not indexing.is_over:
            self._showing = asyncio.ensure_future(self._show())

    def close(self) -> None:
        if self._showing is not None:
            self._showing.cancel()

    def _is_wanted(self) -> bool:
        try:
            window = self._server.client_capabilities.window
        except RuntimeError:  # the editor has not said yet what it has
            return False
        return window is not None and bool(window.work_done_progress)

    async def _show(self) -> None:
        progress, token = self._server.work_done_progress, f"truepenny-index-{next(_numbers)}"
        try:
            await progress.create_async(token)  # pyright: ignore[reportUnknownMemberType]  # a bare Future in pygls
        except JsonRpcException as error:
            logger.info("the editor shows no progress: %s", error)
            return
        progress.begin(token, types.WorkDoneProgressBegin("Reading the workspace", percentage=0))
        try:
            while (latest := self._latest) is not None and not latest.is_over:
                share = 100 * latest.num_done // max(1, latest.num_total)
                message = f"{latest.num_done:,} of {latest.num_total:,} files"
                progress.report(token, types.WorkDoneProgressReport(message=message, percentage=share))
                self._news.clear()
                await self._news.wait()
        finally:
            progress.end(token, types.WorkDoneProgressEnd())
