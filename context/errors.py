"""What can go wrong while reading a workspace.

    ContextError
    ├── GrammarError             a grammar wheel is missing or does not fit the tree-sitter installed
    ├── FileError                one file, named in the message
    │   ├── UnreadableFileError  it is not there, not a regular file, or we may not open it
    │   ├── FileTooLargeError    more bytes than the limit
    │   ├── BinaryFileError      not text
    │   └── SensitiveFileError   keys and credentials are never read
    └── IndexUnavailableError    the index cannot be opened, written or built
        └── IndexDamagedError    its file is not sound; it can be built anew

Every message names the thing, the value and the fix.  Broken code is not an error: it parses.
"""

from __future__ import annotations


class ContextError(Exception):
    """Root of this package's exceptions."""


class GrammarError(ContextError):
    pass


class FileError(ContextError):
    pass


class UnreadableFileError(FileError):
    pass


class FileTooLargeError(FileError):
    pass


class BinaryFileError(FileError):
    pass


class SensitiveFileError(FileError):
    pass


class IndexUnavailableError(ContextError):
    pass


class IndexDamagedError(IndexUnavailableError):
    pass
