"""What can go wrong with rules.

GuardError
└── RuleError   a rule file says something that cannot be; names file, line and fix
"""

from __future__ import annotations

from ..errors import GuardError


class RuleError(GuardError):
    """`place` is `file:line`, counted from one."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place
