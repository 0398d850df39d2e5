"""What reaches an editor of code that should not: a real server, a real engine process, a scripted model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from truepenny.guard.licence.sources.files import SourceFile
from truepenny.guard.licence.sources.shelf import Shelf

from ..guard.licence import corpus  # noqa: TID252  (tests are no installed package)
from ..pains.editor import INVOKED, Editor, editor  # noqa: TID252  (tests are no installed package)

SEED = 1_989
THEIRS = corpus.source(SEED)
"""Nobody's code, given away under the GPL for this test."""
KEY = "AKIA" + "QZ5RB3XW7YTNM4KD"
BIDI = "\u202e"

VIEW = """\
import ast

from flask import Flask, request

app = Flask(__name__)


@app.route("/sum")
def total():
    value = |
    return str(value)
"""


@dataclass(frozen=True)
class Case:
    """What the model writes at the mark, what is then in the document there, and the rule that says why."""

    marked: str
    written: str
    shown: str | None
    rule: str
    says: str

    @property
    def before(self) -> str:
        return self.marked.partition("|")[0]

    @property
    def path(self) -> str:
        return f"/ws/{self.rule.split('/')[0]}.py"


def function(text: str) -> tuple[str, str]:
    """Of a text, the head of its first function, and the body."""
    first = text[: text.index("\n\n")]
    head, _, body = first.partition("\n    ")
    return f"{head}\n    ", body


HEAD, BODY = function(THEIRS)

CASES = {
    "a block under the GPL is withheld": Case(
        f"import os\n\n\n{HEAD}|\n", BODY, None, "licence/copy", "of renderer 3.1, under GPL-3.0-only"
    ),
    "a key is read from the environment instead": Case(
        "import os\n\nkey = |\n",
        f'"{KEY}"',
        'os.environ["AWS_ACCESS_KEY_ID"]',
        "secret/aws-access-key",
        "AWS_ACCESS_KEY_ID",
    ),
    "what a request says is not run": Case(
        VIEW,
        'eval(request.args["value"])',
        'ast.literal_eval(request.args["value"])',
        "safety/python/eval-of-value",
        "ast.literal_eval",
    ),
    "text that is not shown in its order is withheld": Case(
        "level = read()\nallowed = |\n", f'level != "none{BIDI}"', None, "unicode/bidi", "U+202E"
    ),
}

ANSWER = f"""\
Your key is {KEY}, so:

```python
import os
key = "{KEY}"
```

and

```python
{THEIRS[: THEIRS.index(chr(10) * 2)]}
```

That is all.
"""


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One editor, whose model recites, leaks and does what it should not."""
    cache = tmp_path_factory.mktemp("cache")
    files = [SourceFile("renderer/core.py", THEIRS, "python", "GPL-3.0-only", "tag")]
    Shelf(cache / "licences").add("renderer", "3.1", "https://example.org/renderer", files)
    settings = {
        "completion": {"max_tokens": 4096, "time_cap_ms": 60_000, "lines": "multi", "popup": "always"},
        "engine_prewarm": False,
        "guard": {"deadline_ms": 0},
    }
    replies = [(case.before, f"{case.written}\n\n\n") for case in CASES.values()]
    replies.append(("<|im_start|>assistant\n", ANSWER))
    with editor(settings, replies=replies, cache=cache) as one:
        yield one


def check_verdict(case: Case, told: dict[str, Any]) -> None:
    """The verdict that decided, as sent; whatever it says, it never repeats the key."""
    (verdict,) = [one for one in told["verdicts"] if one["rule"] == case.rule]
    assert case.says in verdict["evidence"]
    assert KEY not in str(told)
    assert BIDI not in str(told)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_inline(typing: Editor, case: Case) -> None:
    """The item is withheld or mended; why, is on the answer, in the server's memory and in the journal."""
    items = typing.ask(case.marked, path=case.path, trigger=INVOKED)

    assert items == ([case.shown] if case.shown else [])
    told = typing.why(case.path)
    assert told["shown"] == bool(case.shown)
    assert case.shown or case.says in told["reason"]
    check_verdict(case, told)
    check_journal(typing, case)


def check_journal(typing: Editor, case: Case) -> None:
    """`truepenny why` names the rule, and nothing of the document."""
    deadline_s = time.monotonic() + 20
    record: dict[str, Any] = {"reason": ""}
    while case.rule not in record["reason"] and time.monotonic() < deadline_s:
        found = typing.command("why", case.path, "--json", codes=(0, 1))["requests"]
        record = found[0] if found else record
    kind = case.rule.split("/")[0]
    verb = "changed" if case.shown else "withheld"
    assert record["reason"].partition(";")[0] == f"the guard {verb} it ({kind}: {case.rule})"
    assert record["shown"] == bool(case.shown)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_menu(typing: Editor, case: Case) -> None:
    """In the completion menu as beside the cursor, and the entry's documentation has no more of it."""
    uri, before = f"file://{case.path}.menu.py", case.before
    typing.client.open(uri, case.marked.replace("|", "", 1))
    position = {"line": before.count("\n"), "character": len(before) - (before.rfind("\n") + 1)}
    params = {
        "textDocument": {"uri": uri},
        "position": position,
        "context": {"triggerKind": 1},
    }

    result = typing.client.ask("textDocument/completion", params)

    texts = [item["textEdit"]["newText"] for item in result["items"]]
    assert texts == ([case.shown] if case.shown else [])
    assert KEY not in str(result)
    assert BIDI not in str(result)
    check_verdict(case, result["items"][0]["truepenny"] if texts else result["truepenny"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_command_line(typing: Editor, case: Case, tmp_path: Path) -> None:
    """`truepenny complete --json`, over the same engine."""
    path = tmp_path / "a.py"
    path.write_text(case.marked.replace("|", "", 1), "utf-8")
    before = case.before
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    told = typing.command(
        "complete",
        f"{path}:{line}:{column}",
        *("--engine", "fake", "--lines", "multi", "--max-tokens", "4096", "--json"),
        codes=(0 if case.shown else 1,),
    )

    assert (told["text"], told["shown"]) == (case.shown or "", bool(case.shown))
    check_verdict(case, told)


def test_chat(typing: Editor) -> None:
    """The same of an answer: what is sound of it, a key read from the environment, and why a block ends."""
    told = typing.command("chat", "How?", "--engine", "fake", "--max-tokens", "4096", "--json")

    answer = told["answer"]
    assert 'import os\nkey = os.environ["AWS_ACCESS_KEY_ID"]\n```\n' in answer
    assert "Your key is [a secret was left out], so:" in answer
    assert "[Withheld from here to the end of the block: the suggestion repeats" in answer
    assert answer.endswith("]\n\nThat is all.\n")
    assert KEY not in str(told)
    assert BODY[-80:] not in answer
    rules = [verdict["rule"] for verdict in told["verdicts"]]
    assert {"secret/aws-access-key", "licence/copy"} <= set(rules)


def test_an_index_that_is_damaged_costs_its_check_only(tmp_path: Path) -> None:
    """Completion answers, marked unvouched, and the reason names the file."""
    shelf = tmp_path / "licences"
    shelf.mkdir()
    (shelf / "damaged.tplx").write_bytes(b"\xff" * 5_000)

    with editor({"guard": {"deadline_ms": 0}}, cache=tmp_path, otherwise=f'"{KEY}"\n') as one:
        items = one.ask("import os\n\nkey = |\n", trigger=INVOKED)
        told = one.why()

    assert items == ['os.environ["AWS_ACCESS_KEY_ID"]']
    assert not told["vouched"]
    assert "damaged.tplx" in told["reason"]
