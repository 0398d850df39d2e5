"""Names in an extension module that has no stub: its strings that look like identifiers.

Far too many of them (symbols, words of messages), so that no real method is called invented; of a
package with stubs the binary is not read at all.
"""

from __future__ import annotations

import re

MAX_BINARY_BYTES = 48_000_000
"""What lies beyond is not read: a library of that size is linked in, not exposed."""
MAX_NAMES = 60_000
_STRING = re.compile(rb"(?<![ -~])([A-Za-z_][A-Za-z0-9_]{1,60})\x00")
_MANGLED = (b"_Z", b"_R", b"__", b"_Py", b"Py")


def names_in(binary: bytes) -> set[bytes]:
    found = set(_STRING.findall(binary[:MAX_BINARY_BYTES]))
    kept = {one for one in found if not one.startswith(_MANGLED) or one.endswith(b"__")}
    return kept if len(kept) <= MAX_NAMES else set(sorted(kept, key=lambda one: (len(one), one))[:MAX_NAMES])
