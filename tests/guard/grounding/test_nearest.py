"""The name that was meant is the nearest; what has nothing to do with it is not near."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.nearest import BY_RARE_WORD, LIMIT, distance, edits, nearest, parts_of
from truepenny.guard.grounding.words import SAID, SPELT, between

ROWS = [
    (str, "start_with", "startswith"),
    (str, "capitalise", "capitalize"),
    (str, "isDigit", "isdigit"),
    (str, "splits", "split"),
    (str, "to_upper", "upper"),
    (list, "apend", "append"),
    (list, "sort_in_place", "sort"),
    (dict, "key", "keys"),
    (dict, "setDefault", "setdefault"),
    (json, "loadz", "loads"),
    (os, "make_dirs", "makedirs"),
    (os, "list_dir", "listdir"),
    (os, "getEnv", "getenv"),
    (os.path, "exist", "exists"),
    (os.path, "get_size", "getsize"),
    (pathlib.Path, "readText", "read_text"),
    (pathlib.Path, "text_read", "read_text"),
    (pathlib.Path, "is_directory", "is_dir"),
    (pathlib.Path, "delete", "unlink"),
    (collections, "DefaultDict", "defaultdict"),
    (collections, "ordereddict", "OrderedDict"),
]


@pytest.mark.parametrize(("owner", "wrong", "right"), ROWS)
def test_the_name_that_was_meant_is_first(owner: object, wrong: str, right: str):
    assert next(iter(nearest(wrong, dir(owner)))).name == right


@pytest.mark.parametrize("wrong", ["frobnicate", "zzz", "x", "quux_of_things"])
def test_nothing_is_near_what_means_nothing(wrong: str):
    assert nearest(wrong, dir(str)) == ()


def test_hidden_names_are_only_for_hidden_ones():
    assert nearest("private", ["_private", "prevate"])[0].name == "prevate"
    assert nearest("_privat", ["_private", "private"])[0].name == "_private"


def test_words_of_the_receiver_say_nothing():
    assert nearest("random_seed", ["Random", "seed", "random"], owner="random")[0].name == "seed"


@pytest.mark.parametrize(
    ("wrong", "names", "right"),
    [
        ("factory", ["fact", "default", "default_factory"], "default_factory"),
        ("get_pop", ["get", "pop"], "pop"),
        ("empty_zeros", ["empty", "zeros"], "zeros"),
        ("concat_arrays", ["concat", "concat_array"], "concat_array"),
        ("ThreadExecutor", ["Executor", "Thread", "ThreadPoolExecutor"], "ThreadPoolExecutor"),
        ("ShipNotFoundError", ["Ship", "UnknownShipError"], "UnknownShipError"),
        ("ArgumentError", ["error", "ArgumentFault", "ArgumentTypeError"], "ArgumentTypeError"),
        ("ASession", ["session", "AsyncSession"], "AsyncSession"),
        ("list_names", ["list", "names", "namelist"], "namelist"),
        ("line_number", ["line", "linear", "lineno"], "lineno"),
        ("background_color", ["color", "bgcolor"], "bgcolor"),
        ("replaceEvery", ["replace", "replaceAll"], "replaceAll"),
        ("vals", ["vars", "values"], "values"),
        ("has_moored", ["moor", "is_moored"], "is_moored"),
        ("fetch_port", ["url", "port", "host_name", "path"], "port"),
        ("feed_uri_text", ["feed_url", "kind", "size"], "feed_url"),
    ],
)
def test_the_whole_name_counts_for_more_than_a_part(wrong: str, names: list[str], right: str):
    assert nearest(wrong, names)[0].name == right


def test_one_name_that_shares_a_rare_word_is_far_but_there():
    (only,) = nearest("SingularMatrixError", ["solve", "norm", "LinAlgError", "det", "inv"])
    assert only == ("LinAlgError", BY_RARE_WORD)
    assert nearest("SingularMatrixError", ["norm", "LinAlgError", "OtherFault", "RangeError"]) == ()


@pytest.mark.parametrize(
    ("one", "other", "most"),
    [
        ("value", "values", 0.05),
        ("colour", "color", 0.05),
        ("normalise", "normalize", 0.05),
        ("metre", "meter", 0.05),
        ("number", "no", SPELT),
        ("text", "txt", SPELT),
        ("sorted", "sort", 0.12),
        ("remove", "delete", SAID),
        ("cat", "dog", 1.0),
    ],
)
def test_words_are_as_far_apart_as_they_differ(one: str, other: str, most: float):
    assert between(one, other) == between(other, one) == most


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("to_JSONString", ("to", "json", "string")),
        ("getHTTPResponse", ("get", "http", "response")),
        ("b64encode", ("b", "64", "encode")),
        ("__init__", ("init",)),
        ("", ()),
    ],
)
def test_a_name_has_words(name: str, parts: tuple[str, ...]):
    assert parts_of(name) == parts


NAMES = st.text(string.ascii_letters + "_", min_size=2, max_size=14)


@given(NAMES, NAMES, st.integers(1, 4))
def test_edits_are_those_of_a_table_written_out(one: str, other: str, most: int):
    assert edits(one, other, most) == min(_slowly(one, other), most + 1)


def _slowly(one: str, other: str) -> int:
    table = [
        [max(row, column) if not row * column else 0 for column in range(len(other) + 1)]
        for row in range(len(one) + 1)
    ]
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            value = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (one[row - 1] != other[column - 1]),
            )
            if (
                row > 1
                and column > 1
                and one[row - 1] == other[column - 2]
                and one[row - 2] == other[column - 1]
            ):
                value = min(value, table[row - 2][column - 2] + 1)
            table[row][column] = value
    return table[-1][-1]


@given(NAMES)
def test_a_name_is_nearest_itself_written_otherwise(name: str):
    assert distance(name, name) == 0.0
    assert distance(name, f"{name[:1]}_{name[1:]}") <= LIMIT
