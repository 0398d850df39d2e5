"""What can go wrong with tables of names.

    GuardError
    └── VocabularyError   a table is not there or damaged, or cannot be made

Messages name the file.
"""

from __future__ import annotations

from ...errors import GuardError


class VocabularyError(GuardError):
    pass
