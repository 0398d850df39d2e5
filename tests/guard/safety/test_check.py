"""What the check says of a suggestion in its place: what is new, whose it is, and how it is mended."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.guard.errors import CheckError
from truepenny.guard.pipeline import Guard
from truepenny.guard.safety.check import SafetyCheck
from truepenny.guard.verdict import Action, Passage

CHECK = SafetyCheck()
CURSOR = "‸"
ALPHABET = "\udc80osytem(){}[]'\"` \n\t=+%.:,;é😀\\fxa0$#/*<>&|"


def check(fixture: str, expected: list[str], language: str = "python"):
    """`fixture` is `before‸suggestion‸after`; `expected` names rules without `safety/LANGUAGE/`."""
    before, suggestion, after = fixture.split(CURSOR)
    found = CHECK.judge(Passage(before, suggestion, after, language))
    assert sorted({one.rule.rpartition("/")[2] for one in found}) == expected
    assert all(0 <= one.start <= one.end <= len(suggestion) for one in found)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.system('ls ' + name)\n",
        "from os import system\nsystem('ls ' + name)\n",
        "from os import system as s\ns('ls ' + name)\n",
        "import os as o\no.system('ls ' + name)\n",
        "import os\nrun = os.system\nrun('ls ' + name)\n",
        "import os\ngetattr(os, 'system')('ls ' + name)\n",
        "import os\ngetattr(os, 'sys' + 'tem')('ls ' + name)\n",
        "__import__('os').system('ls ' + name)\n",
        "import importlib\nimportlib.import_module('os').system('ls ' + name)\n",
        "import os\nos.system(f'ls {name}')\n",
        "import os\nos.system('ls %s' % name)\n",
        "import os\nos.system('ls {}'.format(name))\n",
        "import os\nos.system('ls ' 'x ' + name)\n",
        "import os\ncmd = 'ls '\ncmd += name\nos.system(cmd)\n",
        "import os\ndef f(a):\n    c = 'ls ' + a\n    if a:\n        c = c + ' x'\n    os.system(c)\n",
        "async def f(name):\n    cmd = f'ls {name}'\n    await asyncio.create_subprocess_shell(cmd)\n",
    ],
)
def test_however_it_is_written(text):
    check(f"{CURSOR}{text}{CURSOR}", ["command-from-text"])


@pytest.mark.parametrize(
    "text",
    [
        "const cp = require('child_process');\ncp.exec('ls ' + name);\n",
        "const { exec } = require('node:child_process');\nexec(`ls ${name}`);\n",
        "const { exec: run } = require('child_process');\nrun('ls ' + name);\n",
        "import { exec as run } from 'child_process';\nrun('ls ' + name);\n",
        "import * as cp from 'child_process';\ncp.exec('ls ' + name);\n",
        "require('child_process').exec('ls ' + name);\n",
        "const cp = require('child_process');\ncp['ex' + 'ec']('ls ' + name);\n",
        "const run = util.promisify(require('child_process').exec);\nawait run('ls ' + name);\n",
    ],
)
@pytest.mark.parametrize("language", ["javascript", "typescript", "typescriptreact"])
def test_however_it_is_imported(text, language):
    check(f"{CURSOR}{text}{CURSOR}", ["command-from-text"], language)


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        ("import os\ndef f(n):\n    os.system('ls ' + n)\n    ‸print(n)\n‸", []),
        ("import os\ndef f(n):\n    os.system(‸'ls ' + n‸)\n", ["command-from-text"]),
        ("import os\ndef f(n):\n    os.system('ls ' + n‸.strip()‸)\n", []),
        ("import os\ndef f(n):\n    ‸c = 'ls ' + n\n‸    os.system(c)\n", ["command-from-text"]),
        ("import os\ndef f(n):\n    c = 'ls ' + n\n    ‸os.system(c)\n‸", ["command-from-text"]),
        ("import os\ndef g(n):\n    os.system('ls ' + n)\n\ndef f(n):\n    ‸return n\n‸", []),
        (
            "class A:\n    def f(self, n):\n        ‸os.system('ls ' + n)\n‸\n    x = 1\n",
            ["command-from-text"],
        ),
        ("‸# os.system('ls ' + n)\n‸", []),
        ("‸x = \"os.system('ls ' + n)\"\n‸", []),
        ("‸def f(‸", []),
    ],
)
def test_only_what_is_new_and_the_suggestion_s(fixture, expected):
    check(fixture, expected)


def test_imports_far_above_count():
    filler = "".join(f"x{at} = {at}\n" for at in range(2_000))
    check(
        f"from os import system as s\n{filler}def f(n):\n    {CURSOR}s('ls ' + n)\n{CURSOR}",
        ["command-from-text"],
    )


@pytest.mark.parametrize(
    ("before", "suggestion", "shown"),
    [
        ("import yaml\nx = ", "yaml.load(f)\n", "yaml.safe_load(f)\n"),
        ("import yaml\nx = yaml.", "load(f)\n", "safe_load(f)\n"),
        (
            "import requests\n",
            "requests.get(u, verify=False, timeout=3)\n",
            "requests.get(u, verify=True, timeout=3)\n",
        ),
        (
            "import sqlite3\ndef f(cur, n):\n    ",
            "cur.execute(\"SELECT a FROM t WHERE n = '%s'\" % n)\n",
            'cur.execute("SELECT a FROM t WHERE n = ?", (n,))\n',
        ),
        (
            "import psycopg2\ndef f(cur, n, m):\n    ",
            'cur.execute(f"SELECT a FROM t WHERE n = {n} AND m = {m}")\n',
            'cur.execute("SELECT a FROM t WHERE n = %s AND m = %s", (n, m))\n',
        ),
        (
            "import sqlite3\ndef f(cur, n):\n    ",
            "cur.execute('DELETE FROM t WHERE n = ' + str(n))\n",
            'cur.execute("DELETE FROM t WHERE n = ?", (n,))\n',
        ),
        (
            "import subprocess\ndef f(n):\n    ",
            "subprocess.run(f'git show :{n}', shell=True, check=True)\n",
            'subprocess.run(["git", "show", f":{n}"], check=True)\n',
        ),
        (
            "from flask import request\n@app.route('/')\ndef f():\n    ",
            "return str(eval(request.args['x']))\n",
            "import ast\n    return str(ast.literal_eval(request.args['x']))\n",
        ),
        ("app = Flask(__name__)\n", "app.run(debug=True)\n", "app.run(debug=False)\n"),
    ],
)
def test_repairs(before, suggestion, shown):
    judged = Guard((CHECK,)).judge(Passage(before, suggestion, "", "python"))
    assert judged.text == shown
    assert judged.vouched
    assert max(one.action for one in judged.verdicts) == Action.REPAIR


@pytest.mark.parametrize(
    ("suggestion", "kept"),
    [
        (
            "def f(c, n):\n    n = n.strip()\n    c.execute('DELETE FROM t WHERE n = ' + n)\n    return\n",
            "def f(c, n):\n    n = n.strip()",
        ),
        ("exec(input())\n", ""),
    ],
)
def test_what_cannot_be_mended_is_cut_before_its_statement(suggestion, kept):
    judged = Guard((CHECK,)).judge(Passage("", suggestion, "", "python"))
    assert judged.text == kept
    assert "CWE" not in judged.reason
    assert judged.reason


@pytest.mark.parametrize(
    "text",
    [
        "def f(c, n):\n    c.execute('SELECT a FROM t WHERE n = ' + str(int(n)))\n",
        "def f(c, n: int):\n    c.execute('SELECT a FROM t WHERE n = %d' % n)\n",
        "def f(c, n):\n    if n.isdigit():\n        c.execute('DELETE FROM t WHERE n = ' + n)\n",
        "def f(c, n):\n    if n not in ALLOWED:\n        return\n    c.execute('SELECT a FROM ' + n)\n",
        "def f(c, n):\n    validate_name(n)\n    c.execute('SELECT a FROM t WHERE n = ' + n)\n",
        "def f(c):\n    q = 'SELECT a ' + 'FROM t WHERE 1'\n    c.execute(q)\n",
        "COLUMNS = 'a, b'\ndef f(c):\n    c.execute('SELECT ' + COLUMNS + ' FROM t')\n",
    ],
)
def test_values_that_cannot_do_harm(text):
    check(f"{CURSOR}{text}{CURSOR}", [])


@pytest.mark.parametrize("language", ["plaintext", "lua", "markdown", ""])
def test_languages_without_rules(language):
    assert CHECK.judge(Passage("", "os.system('ls ' + x)", "", language)) == ()


def test_too_much_text_is_said_and_not_passed():
    with pytest.raises(CheckError, match="1000000 characters"):
        CHECK.judge(Passage("", "x" * 1_000_000, "", "python"))
    judged = Guard((CHECK,)).judge(Passage("", "x" * 1_000_000, "", "python"))
    assert not judged.vouched


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=ALPHABET, max_size=120),
    st.sampled_from(["python", "javascript", "java", "php"]),
)
def test_any_text_can_be_judged(text, language):
    for one in CHECK.judge(Passage("import os\n", text, "\nx = 1\n", language)):
        assert 0 <= one.start <= one.end <= len(text)


@pytest.mark.parametrize("language", ["python", "javascript", "c", "java", "ruby", "shellscript"])
def test_half_characters_are_no_matter(language):
    """A file that is no UTF-8 is read with halves of characters in it."""
    assert CHECK.judge(Passage("\udc80", "x = '\ud800'\n", "\udcff", language)) == ()
    found = CHECK.judge(Passage("# \udcff\n", "import os\nos.system('\ud800 ' + x)\n", "\udc80", "python"))
    assert [one.rule for one in found] == ["safety/python/command-from-text"]


def test_deep_nesting_is_no_matter():
    text = "os.system('a' + " + "(" * 3_000 + "n" + ")" * 3_000 + ")\n"
    CHECK.judge(Passage("import os\n", text, "", "python"))
