"""What can go wrong while collecting.

    GuardError
    └── SourceError           a source cannot be used; says which, why, and what to do
        ├── ArchiveError      not an archive we read, damaged, or made to exhaust memory
        ├── ListError         a package list says something that cannot be
        └── FetchError        a package could not be had from its index

A single file that is left out is no error: it is counted, with its reason.
"""

from __future__ import annotations

from ...errors import GuardError


class SourceError(GuardError):
    pass


class ArchiveError(SourceError):
    pass


class ListError(SourceError):
    pass


class FetchError(SourceError):
    pass
