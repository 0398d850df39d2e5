"""Commands that install name packages wherever they stand; words, options and paths are no packages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.grounding.packages.mentions import mentions

ROWS = [
    ("pip install requests", "requests"),
    ("$ pip3 install -U requests[socks]>=2.0 'urllib3<3'", "requests urllib3"),
    ("# python -m pip install numpy==1.2 pandas", "numpy pandas"),
    ("!pip install -q transformers", "transformers"),
    ("%pip install polars", "polars"),
    (
        "RUN pip install --no-cache-dir -r requirements.txt flask \\\n    gunicorn && rm -rf /x",
        "flask gunicorn",
    ),
    ("RUN pip install --index-url https://x.test/simple Ledger_Kit", "ledger-kit"),
    ("Run `pip install reqeusts` first.", "reqeusts"),
    ('"""Needs pip install pyyaml."""', "pyyaml"),
    ("pip install requests, then go on", "requests"),
    ("pip install requests to get going", "requests"),
    ("pip install git+https://x.test/a/b.git", ""),
    ("pip install -e .", ""),
    ("pip install -e .[dev] pytest", "pytest"),
    ("pip install ./dist/a-1.0.whl", ""),
    ("pip install the package", ""),
    ("you can pip install it", ""),
    ("pip install $PACKAGE", ""),
    ("pip install <package>", ""),
    ("pip install {name}", ""),
    ('pip install "docutils', ""),
    ("pip install !git", ""),
    ("pip uninstall requests", ""),
    ("uv add httpx rich", "httpx rich"),
    ("uv pip install -p 3.12 httpx", "httpx"),
    ("uvx ruff check", "ruff"),
    ("poetry add --group dev pytest@^8", "pytest"),
    ("conda install -c conda-forge numpy scipy=1.11", "numpy scipy"),
    ("npm i react react-dom@18", "react react-dom"),
    ("npm install --save-dev @types/node typescript@latest", "@types/node typescript"),
    ("npm install -g pnpm", "pnpm"),
    ("npm install", ""),
    ("npm ci", ""),
    ("yarn add lodash && yarn build", "lodash"),
    ("pnpm add -D vitest; echo x", "vitest"),
    ("npx create-react-app my-app", "create-react-app"),
    ("npm i github:a/b ./local", ""),
    ("RUN npm install express | tee log", "express"),
    ("pip install a.b; pip install c", "a-b c"),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_names_in_commands(text: str, expected: str):
    assert [one.name for one in mentions(text)] == expected.split()


def test_spans_are_those_of_the_names():
    text = "# pip install 'Ledger_Kit[all]>=2'\n# npm i @types/node@20\n"
    assert [(text[one.start : one.end], one.registry) for one in mentions(text)] == [
        ("Ledger_Kit", "pypi"),
        ("@types/node", "npm"),
    ]


@given(st.text(max_size=80))
def test_no_text_is_too_strange(text: str):
    for one in mentions("pip install " + text) + mentions("npm i " + text):
        assert one.name
        assert not set(one.name) & set("\"'!$<>{}` \n()")
