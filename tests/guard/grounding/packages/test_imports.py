"""Imports come from the tree: what merely looks like one, in a string or a comment, is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.packages.imports import imports_in

PYTHON = [
    ("import os, numpy as np\n", "os numpy"),
    ("from google.cloud import storage\n", "google.cloud"),
    ("from . import near\nfrom .pages import leaf\n", ""),
    ("def f():\n    import lazily\n", "lazily"),
    ("try:\n    import fast_one\nexcept ImportError:\n    import slow_one\n", "fast_one slow_one"),
    ("# import a_comment\nx = 'import a_string'\n", ""),
    ('"""\nimport "docutils\nimport !git\n"""\n', ""),
    ("import !git\n", ""),
    ('import "docutils\n', ""),
    ("from the_future import annotations as a\n", "the_future"),
]
WEB = [
    ("import React, {useState} from 'react';\n", "react"),
    ("import 'side-effect';\nexport * from '@scope/kit/deep';\n", "side-effect @scope/kit/deep"),
    ("const a = require('lodash/fp'); const b = await import('dayjs');\n", "lodash/fp dayjs"),
    ("import x from './near'; import y from '../far';\n", ""),
    ("// import z from 'comment'\nconst s = \"import z from 'string'\";\n", ""),
    ("import fs from 'node:fs';\n", "node:fs"),
    ("import x from '\"docutils';\nimport y from '!git';\nimport z from '';\n", ""),
]


def check(text: str, path: str, expected: str) -> None:
    found = imports_in(text, path)
    assert [one.module for one in found] == expected.split()
    assert [text[one.start : one.end] for one in found] == expected.split()


@pytest.mark.parametrize(("text", "expected"), PYTHON)
def test_imports_of_python(text: str, expected: str):
    check(text, "a.py", expected)


@pytest.mark.parametrize(("text", "expected"), WEB)
def test_imports_of_javascript_and_typescript(text: str, expected: str):
    check(text, "a.ts", expected)
    check(text, "a.js", expected)


def test_other_languages_have_none():
    assert imports_in('import "fmt"\n', "a.go") == ()


@given(st.text(max_size=80))
def test_no_text_is_too_strange(text: str):
    for path in ("a.py", "a.ts"):
        for one in imports_in("import " + text, path):
            assert not set(one.module) & set("\"'!$<>{}` \n()")
