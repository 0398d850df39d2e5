"""File name patterns of REUSE and of Debian's copyright files.

`*` stands for anything, slashes too, in Debian's; in REUSE only `**` crosses a slash.
"""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def compiled(pattern: str, *, slashes: bool) -> re.Pattern[str]:
    """`slashes`: `*` and `?` match a slash (Debian)."""
    out: list[str] = []
    nth = 0
    pattern = pattern.removeprefix("./")
    while nth < len(pattern):
        letter = pattern[nth]
        if pattern.startswith("**", nth):
            out.append(".*")
            nth += 2
            continue
        if letter == "*":
            out.append(".*" if slashes else "[^/]*")
        elif letter == "?":
            out.append("." if slashes else "[^/]")
        elif letter == "\\" and nth + 1 < len(pattern):
            nth += 1
            out.append(re.escape(pattern[nth]))
        else:
            out.append(re.escape(letter))
        nth += 1
    return re.compile("".join(out), re.DOTALL)


def matches(pattern: str, path: str, *, slashes: bool) -> bool:
    return compiled(pattern, slashes=slashes).fullmatch(path) is not None
