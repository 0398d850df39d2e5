"""Names of what our interpreter has no source of: builtins, and the standard library's C modules.

They are asked of our own interpreter, in the process that builds.  That of the workspace is not run;
where it is another version, a few names are too many or too few.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
import sysconfig
import types
from contextlib import suppress
from pathlib import Path

_LEFT_OUT = frozenset({"_tkinter", "readline", "_curses", "_curses_panel", "idlelib", "_testcapi"})
"""They open windows or terminals, or are tests."""


def key() -> str:
    """Changes with the interpreter."""
    return f"{sys.implementation.cache_tag}-{sys.hexversion:x}"


def builtin_names() -> set[bytes]:
    """Members of all types and modules, with the parameters that they tell of."""
    names: set[str] = set(dir(builtins)) | set(sys.stdlib_module_names)
    for module in _modules():
        names.update(dir(module))
        names.update(_parameters(module))
    for one in _types():
        names.update(dir(one))
        names.update(_parameters(one))
    return {one.encode() for one in names if one.isidentifier()}


def _modules() -> list[types.ModuleType]:
    found: list[types.ModuleType] = [builtins]
    folder = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    compiled = {one.name.partition(".")[0] for one in folder.glob("*")} if folder.is_dir() else set[str]()
    for name in sorted({*sys.builtin_module_names, *compiled} & sys.stdlib_module_names - _LEFT_OUT):
        with suppress(ImportError):  # one of another platform
            found.append(importlib.import_module(name))
    return found


def _types() -> list[type]:
    seen: set[type] = set()
    pending: list[type] = [object]
    while pending:
        one = pending.pop()
        if one not in seen:
            seen.add(one)
            pending += type.__subclasses__(one)
    return list(seen)


def _parameters(owner: object) -> set[str]:
    names: set[str] = set()
    for member in list(vars(owner).values()):
        text = getattr(member, "__text_signature__", None)
        if isinstance(text, str):
            with suppress(ValueError, TypeError):  # no signature is told
                names.update(inspect.signature(member).parameters)
    return names
