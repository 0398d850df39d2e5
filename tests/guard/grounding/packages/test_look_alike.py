"""Slips of well-known names are told from well-known names that are near one another."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truepenny.guard.grounding.packages.known import DISTRIBUTIONS, ranks
from truepenny.guard.grounding.packages.look_alike import distance, look_alike_of
from truepenny.guard.grounding.packages.naming import is_python_name, is_web_name, normalized

SLIPS = [
    ("reqeusts", "requests"),
    ("requets", "requests"),
    ("requestss", "requests"),
    ("request", "requests"),
    ("python-requests", "requests"),
    ("requests-python", "requests"),
    ("requests3", "requests"),
    ("urlib3", "urllib3"),
    ("djnago", "django"),
    ("djаngo", "django"),
    ("colourama", "colorama"),
    ("nunpy", "numpy"),
    ("pandass", "pandas"),
    ("panda", "pandas"),
    ("matplotllib", "matplotlib"),
    ("tensorflw", "tensorflow"),
    ("beautifulsop4", "beautifulsoup4"),
    ("scikitlearn", "scikit-learn"),
    ("Sci_Kit.Learn", "scikit-learn"),
    ("cryptograhpy", "cryptography"),
    ("sqlalchmey", "sqlalchemy"),
    ("opencv-pyhton", "opencv-python"),
    ("setup-tools", "setuptools"),
    ("jeIlyfish", "jellyfish"),
    ("python-flask", "flask"),
    ("pyjtw2", ""),
    ("a-name-of-our-own", ""),
    ("ledger-kit", ""),
    ("numerics", ""),
]
WEB_SLIPS = [
    ("lodahs", "lodash"),
    ("expres", "express"),
    ("axois", "axios"),
    ("reactt", "react"),
    ("crossenv", "cross-env"),
    ("mongose", "mongoose"),
    ("electorn", "electron"),
    ("type-script", "typescript"),
    ("@types/nodee", "@types/node"),
    ("ledger-kit-of-ours", ""),
]
NEIGHBOURS = (
    "requests responses urllib3 httpx aiohttp pandas pandera jsonschema json5 tomli tomlkit toml "
    "pyyaml pypdf pypdf2 pypdf3 psycopg psycopg2 redis aioredis redis-om opencv-python "
    "opencv-python-headless pytest pytest-asyncio ujson orjson ijson hjson python-jose josepy pygame "
    "pygame-ce pymysql pymssql flask-cors flask-admin cattrs attrs polars ruff black blake3 h2 h3 "
    "h11 "
)


@pytest.mark.parametrize(("name", "expected"), SLIPS)
def test_slips_of_python_names(name: str, expected: str):
    assert look_alike_of(name, "pypi") == expected


@pytest.mark.parametrize(("name", "expected"), WEB_SLIPS)
def test_slips_of_npm_names(name: str, expected: str):
    assert look_alike_of(name, "npm") == expected


@pytest.mark.parametrize("name", NEIGHBOURS.split())
def test_well_known_names_near_one_another_are_none(name: str):
    assert name in ranks("pypi")
    assert look_alike_of(name, "pypi") == ""


@pytest.mark.parametrize("registry", ["pypi", "npm"])
def test_no_well_known_name_is_a_look_alike(registry):
    assert [name for name in ranks(registry) if look_alike_of(name, registry)] == []


def test_the_lists_are_names_in_order_without_repeats():
    for registry, is_name, least in (("pypi", is_python_name, 1_200), ("npm", is_web_name, 800)):
        names = list(ranks(registry))
        assert len(names) >= least
        assert [name for name in names if not is_name(name)] == []
    assert all(name == normalized(name) for name in (*ranks("pypi"), *DISTRIBUTIONS.values()))
    assert ranks("pypi")["requests"] < ranks("pypi")["responses"]


def slow(one: str, other: str) -> int:
    """The recurrence itself, as it is defined."""
    table = {(-1, -1): 0}
    for i in range(-1, len(one)):
        table[i, -1] = i + 1
    for j in range(-1, len(other)):
        table[-1, j] = j + 1
    for i, j in itertools.product(range(len(one)), range(len(other))):
        cost = int(one[i] != other[j])
        table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
        if i and j and one[i] == other[j - 1] and one[i - 1] == other[j]:
            table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one) - 1, len(other) - 1]


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 4))
@example("aaba", "bbbaaa", 2)
@example("ab", "ba", 1)
def test_distance_is_the_definition_up_to_its_limit(one: str, other: str, limit: int):
    assert distance(one, other, limit) == min(slow(one, other), limit + 1)


@given(st.text(max_size=40))
def test_any_text_may_be_asked(name: str):
    for registry in ("pypi", "npm"):
        assert look_alike_of(name, registry) in {"", *ranks(registry)}
