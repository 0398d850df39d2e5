"""Names from another language, another version or another library, and what they are called here.

The tables are in `data`: by the kind of receiver, the wrong name and the right ones, the likeliest
first.  Whether one of them is there is for the checker to say.  Where the right way is not another
name but another expression, the table holds a form: `{0}` is the receiver, `{1}`, `{2}` the arguments,
`{*}` all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

Rows: TypeAlias = Mapping[str, tuple[str, ...]]
"""The wrong name, or the wrong callee, and what it is called here."""

_DATA = Path(__file__).with_name("data")
_NONE: Rows = {}
_GENERIC = re.compile(r"[\w.]+")
_KINDS = {
    "LiteralString": "str",
    "defaultdict": "dict",
    "OrderedDict": "dict",
    "frozenset": "set",
    "bytearray": "bytes",
    "PosixPath": "Path",
    "PurePath": "Path",
    "date": "datetime",
    "RLock": "Lock",
    "SimpleQueue": "Queue",
    "LifoQueue": "Queue",
    "Process": "Thread",
    "ThreadPoolExecutor": "Executor",
    "ProcessPoolExecutor": "Executor",
    "Task": "Future",
    "ReadonlyArray": "array",
    "Array": "array",
    "ReadonlyMap": "Map",
    "WeakMap": "Map",
    "ReadonlySet": "Set",
    "HTMLElement": "Element",
    "String": "string",
}
"""Types that share the row of another."""
_TELLING = {
    "model_dump": "BaseModel",
    "iter_content": "Response",
    "itertuples": "DataFrame",
    "value_counts": "Series",
    "fetchall": "Cursor",
    "_member_map_": "Enum",
    "as_posix": "Path",
    "setdefault": "dict",
    "casefold": "str",
}
"""Members by which a type is known that has another name."""


@dataclass(frozen=True, slots=True)
class Slips:
    """Of one language."""

    members: Mapping[str, Rows]
    """By kind of receiver; see `kind_of`."""
    of_modules: Mapping[str, Rows] = field(default_factory=dict[str, Rows])
    names: Rows = field(default_factory=dict[str, tuple[str, ...]])
    calls: Rows = field(default_factory=dict[str, tuple[str, ...]])
    """Calls on an object that is not there at all, by callee: `console.log`."""
    modules: Rows = field(default_factory=dict[str, tuple[str, ...]])
    keywords: Rows = field(default_factory=dict[str, tuple[str, ...]])

    def of_member(self, receiver: str, name: str, members: Collection[str] = ()) -> tuple[str, ...]:
        """What `name` is called in `receiver`, a module or a type as the checker writes it.

        A type that is in no table is told by its `members`: a class of the person's own may be a model
        of pydantic.
        """
        kind = kind_of(receiver)
        if kind not in self.members:
            kind = next((kind for member, kind in _TELLING.items() if member in members), kind)
        of_module = self.of_modules.get(receiver, _NONE).get(name, ())
        rights = (*of_module, *self.members.get(kind, _NONE).get(name, ()))
        return tuple(dict.fromkeys(right.replace("{name}", name) for right in rights))

    def of_any(self, name: str) -> tuple[str, ...]:
        """What a member `name` is called in any receiver: plain names alone."""
        rights = [right for rows in self.members.values() for right in rows.get(name, ())]
        return tuple(dict.fromkeys(right for right in rights if right.isidentifier()))


@cache
def slips_of(language: str) -> Slips:
    """Those of a language id; empty where there is no table."""
    if language == "python":
        return _read("python.slips")
    if language.startswith(("javascript", "typescript")):
        return _read("script.slips")
    return Slips({})


def _read(name: str) -> Slips:
    sections: dict[str, dict[str, tuple[str, ...]]] = {}
    rows: dict[str, tuple[str, ...]] = {}
    for line in (_DATA / name).read_text("utf-8").splitlines():
        if line.startswith("["):
            rows = sections.setdefault(line.strip("[]"), {})
        elif " > " in line and not line.startswith("#"):
            wrongs, _, rights = line.partition(" > ")
            for wrong in wrongs.split():
                rows[wrong] = (*rows.get(wrong, ()), *(right.strip() for right in rights.split(" | ")))
    modules = {
        key.removeprefix("module "): rows for key, rows in sections.items() if key.startswith("module ")
    }
    rest = {key: rows for key, rows in sections.items() if not key.startswith("module ")}
    names, calls = rest.pop("names", {}), rest.pop("calls", {})
    return Slips(rest, modules, names, calls, rest.pop("modules", {}), rest.pop("keywords", {}))


def kind_of(receiver: str) -> str:
    """The row of a table for a type as a checker writes it: `list[int]` is `list`, `number[]` `array`."""
    text = receiver.strip().strip("`")
    if text.endswith("[]") or text.startswith("readonly "):
        return "array"
    if text.startswith(("LiteralString", 'Literal["', "Literal['", '"', "'")):
        return "str"
    if text.startswith("Literal[b"):
        return "bytes"
    if text.startswith("Literal["):
        return "int"
    for prefix in ("<class '", "type[", "<module '", "typeof "):
        text = text.removeprefix(prefix)
    match = _GENERIC.match(text)
    name = match.group().rpartition(".")[2] if match else ""
    return _KINDS.get(name, name)
