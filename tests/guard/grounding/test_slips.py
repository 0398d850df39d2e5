"""The tables of slips are sound: each right name exists where it is said to."""

from __future__ import annotations

import builtins
import collections
import datetime as dt
import importlib
import pathlib

import pytest

from truepenny.guard.grounding.slips import kind_of, slips_of

TYPES = {
    **{
        name: getattr(builtins, name)
        for name in ("list", "str", "bytes", "dict", "set", "tuple", "int", "float")
    },
    "deque": collections.deque,
    "Counter": collections.Counter,
    "Path": pathlib.Path,
    "datetime": dt.datetime,
}
NEWER = {"batched", "timeout", "StrEnum", "Self"}
"""Not in every version of Python we run on, or only in some."""


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_members_of_a_type_exist(kind: str):
    rows = slips_of("python").members[kind]
    members = set(dir(TYPES[kind]))
    for wrong, rights in rows.items():
        assert wrong not in rights
        plain = [right.partition("(")[0].partition(".")[0] for right in rights if "{0}" not in right]
        assert {one for one in plain if one.isidentifier()} <= members | NEWER | {"list", "re"}, wrong


STANDARD = """
    json os os.path datetime time random math re sys shutil subprocess itertools functools collections
    logging threading asyncio hashlib base64 csv copy uuid string statistics heapq bisect glob tempfile
    pickle urllib.parse socket enum dataclasses typing contextlib textwrap secrets inspect operator
    pathlib decimal fractions zoneinfo struct sqlite3 concurrent.futures multiprocessing collections.abc
"""


@pytest.mark.parametrize("module", STANDARD.split())
def test_members_of_a_module_exist(module: str):
    rows = slips_of("python").of_modules[module]
    members = set(dir(importlib.import_module(module)))
    for wrong, rights in rows.items():
        for right in rights:
            name = right.partition("(")[0].partition(".")[0]
            assert name in members | NEWER | set(dir(builtins)), f"{module}.{wrong} is not {right}"


def test_wrong_names_of_the_language_do_not_exist():
    for wrong in slips_of("python").names:
        assert not hasattr(builtins, wrong), wrong


@pytest.mark.parametrize(
    ("receiver", "kind"),
    [
        ("list[int]", "list"),
        ('Literal["a"]', "str"),
        ("Literal[3]", "int"),
        ("number[]", "array"),
        ("readonly string[]", "array"),
        ("Map<string, number>", "Map"),
        ("defaultdict[str, int]", "dict"),
        ("collections.deque[int]", "deque"),
        ("type[datetime]", "datetime"),
        ("", ""),
    ],
)
def test_a_type_has_a_row(receiver: str, kind: str):
    assert kind_of(receiver) == kind


def test_a_type_of_the_persons_own_is_told_by_its_members():
    slips = slips_of("python")
    assert slips.of_member("Note", "to_dict") == ()
    assert slips.of_member("Note", "to_dict", ("model_dump", "title"))[0] == "model_dump"


def test_a_language_without_a_table_has_no_slips():
    assert slips_of("go").members == {}
