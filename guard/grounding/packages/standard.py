"""Modules that come with a language."""

from __future__ import annotations

import sys

_ADDED = {
    "tomllib": (3, 11),
    "zoneinfo": (3, 9),
    "graphlib": (3, 9),
    "contextvars": (3, 7),
    "dataclasses": (3, 7),
    "annotationlib": (3, 14),
    "compression": (3, 14),
    "concurrent": (3, 2),
}
_GONE_IN_313 = (
    "aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd "
    "sunau telnetlib uu xdrlib lib2to3"
)
_REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(_GONE_IN_313.split(), (3, 13)),
    **dict.fromkeys(("binhex", "formatter", "parser", "symbol"), (3, 11)),
}
_NODE_WORDS = (
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns "
    "domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring "
    "readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads "
    "zlib"
)
_NODE = frozenset(_NODE_WORDS.split())
_NODE_ALONE = frozenset({"sea", "sqlite", "test", "test/reporters"})
"""Only after `node:`."""


def is_python_standard(module: str, version: tuple[int, int] | None = None) -> bool:
    """Whether the top-level `module` is in the standard library of `version`; of any, where not given."""
    known = module in sys.stdlib_module_names or module in _ADDED or module in _REMOVED
    if not known or version is None:
        return known
    return _ADDED.get(module, (0, 0)) <= version < _REMOVED.get(module, (99, 0))


def is_node_standard(module: str) -> bool:
    """`fs`, `fs/promises`, `node:fs`, `bun:test`."""
    if module.startswith(("bun:", "cloudflare:")) or module == "bun":
        return True
    bare = module.removeprefix("node:")
    return bare.partition("/")[0] in _NODE or (bare != module and bare in _NODE_ALONE)


def python_modules() -> frozenset[str]:
    """Of our own version; without private ones."""
    return frozenset(name for name in sys.stdlib_module_names if not name.startswith("_"))
