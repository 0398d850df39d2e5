"""What patterns cannot say of C and C++: that a check is missing before a use.

`facts.Facts` lists what one function does, in the order of the text; an analysis is a pure function of
it that yields the nodes it finds fault with.  A rule names it with `native: <name>` and gives the rest.
Order in the text stands for order in time: loops are not unrolled, calls are not followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arithmetic import ARITHMETIC
from .bounds import BOUNDS
from .lengths import LENGTHS
from .lifetimes import LIFETIMES
from .memory import MEMORY
from .messages import MESSAGES
from .pointers import POINTERS
from .reads import READS
from .sizes import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ast_grep_py import SgNode

    from .facts import Facts

    Analysis = Callable[[Facts], Iterable[SgNode]]

ANALYSES: Mapping[str, Analysis] = {
    **ARITHMETIC,
    **BOUNDS,
    **LENGTHS,
    **LIFETIMES,
    **MEMORY,
    **MESSAGES,
    **POINTERS,
    **READS,
    **SIZES,
}
"""By the name that rules call them by."""
