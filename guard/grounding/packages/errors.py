"""What can go wrong with lists of packages.

    GuardError
    └── PackagesError   a list of names cannot be had, read or kept

Messages name the file or the address, and what to do.
"""

from __future__ import annotations

from ...errors import GuardError


class PackagesError(GuardError):
    pass
