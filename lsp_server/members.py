"""What a type checker knows of the values in one document, for grounded decoding; asked on a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from ..guard.errors import CheckError
from ..guard.grounding.finding import Checker, Fault

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

DEADLINE_S = 0.15
"""For one question; then nothing is limited.  The model writes about five tokens in that time."""


class CheckedMembers:
    """Of one document.  A checker that is starting, busy or gone knows nothing."""

    def __init__(self, checker: Checker, path: str, executor: Executor) -> None:
        self._checker = checker
        self._path = path
        self._executor = executor

    async def of(self, text: str, offset: int) -> frozenset[str]:
        """Names that may follow the `.` that ends at `offset` of `text`; empty where that is not known."""

        def ask() -> frozenset[str]:
            return frozenset(self._checker.members(self._path, text, offset, DEADLINE_S))

        return await self._asked(ask)

    async def is_missing(self, text: str, start: int, end: int) -> bool:
        """Is it certain that the name at `[start, end)` of `text` is no member of what stands before it?"""

        def ask() -> frozenset[tuple[int, int]]:
            found = self._checker.findings(self._path, text, DEADLINE_S)
            return frozenset((one.start, one.end) for one in found if one.fault is Fault.MISSING_MEMBER)

        return any(at <= start and end <= until for at, until in await self._asked(ask))

    async def _asked(self, ask: Callable[[], frozenset[_T]]) -> frozenset[_T]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, ask)
        except CheckError as error:
            logger.debug("nothing is limited: %s", error)
            return frozenset()
