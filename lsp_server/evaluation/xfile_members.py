"""Members that a type checker knows to be missing, in what was written for cross-file cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...guard.errors import CheckError
from ...guard.grounding.finding import Checker, Fault, Finding
from ..grounding import Members
from ..members import CheckedMembers
from .xfile_cases import Checkout, XFileCase

DEADLINE_S = 20.0
"""For the first answer in a large repository; a measurement can wait."""

CheckerFor = Callable[[str, str], Checker | None]
"""Language and path to the checker of the file; None where there is none."""


class XFileMembers:
    """What is known of the cases' files, in their checkouts.  Nothing is written there, or executed."""

    def __init__(self, folders: Mapping[Checkout, Path], checker_for: CheckerFor) -> None:
        self._folders = folders
        self._checker_for = checker_for
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="members")

    def of(self, case: XFileCase) -> Members | None:
        """None where no checker reads the language."""
        checker = self._checker(case)
        return None if checker is None else CheckedMembers(checker, self._path(case), self._thread)

    def is_invalid(self, case: XFileCase, text: str) -> bool | None:
        """Does `text`, in its place, name a member that is not there?  None: nobody knows."""
        checker = self._checker(case)
        if checker is None:
            return None
        start, end = len(case.before), len(case.before) + len(text)
        try:
            found = checker.findings(self._path(case), case.before + text + case.after, DEADLINE_S)
        except CheckError:
            return None
        return any(_is_missing(one) and one.start < end and one.end > start for one in found)

    def close(self) -> None:
        self._thread.shutdown()

    def _checker(self, case: XFileCase) -> Checker | None:
        return self._checker_for(case.language, self._path(case))

    def _path(self, case: XFileCase) -> str:
        return str(self._folders[case.checkout] / case.path)


def _is_missing(finding: Finding) -> bool:
    return finding.fault is Fault.MISSING_MEMBER
