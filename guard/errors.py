"""What can go wrong while judging.

    GuardError
    ├── CheckError          one check could not reach a verdict; the text is then unvouched
    │   └── CheckerError    a type checker is starting, late, gone or not there
    └── LicenceIndexError   a licence index cannot be read or written; the message names the file

A finding is not an error: it is a `Verdict`.
"""

from __future__ import annotations


class GuardError(Exception):
    """Root of this package's exceptions."""


class CheckError(GuardError):
    pass


class CheckerError(CheckError):
    pass


class LicenceIndexError(GuardError):
    pass
