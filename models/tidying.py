"""When is memory that was freed given back to the system?

The rows of a prompt are megabytes that come and go, of every size.  An allocator keeps what is freed
between what is still held, and a process that serves a person who types all day would grow by it, though
its cache keeps within its budget.
"""

from __future__ import annotations

from collections.abc import Callable

from .hardware import give_back_memory

IDLE_S = 1.5
"""Idle seconds after which it is given back."""

WORK_S = 10.0
"""Seconds of work after which it is given back all the same: whoever is asked all the time is never idle."""


class Tidying:
    """Belongs to one event loop.  Moments are seconds of any one clock."""

    def __init__(self, now_s: float, give_back: Callable[[], None] = give_back_memory) -> None:
        self._tidied_s = now_s
        self._give_back = give_back

    def look(self, now_s: float, last_active_s: float, idle_s: float) -> bool:
        """Give back what there may be since the last time, if it is time to.  `idle_s` is 0 during work."""
        if last_active_s <= self._tidied_s:
            return False
        if idle_s < IDLE_S and now_s - self._tidied_s < WORK_S:
            return False
        self._tidied_s = now_s
        self._give_back()
        return True
