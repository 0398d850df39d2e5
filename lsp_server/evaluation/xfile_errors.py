"""What can go wrong while cross-file cases are measured, beside `CasesError`.

XFileError
├── CheckoutError   a workspace that is not there, or cannot be made; the message has the commands
└── JournalError    a file of earlier results that does not fit
"""

from __future__ import annotations


class XFileError(Exception):
    """Root of these exceptions."""


class CheckoutError(XFileError):
    pass


class JournalError(XFileError):
    pass
