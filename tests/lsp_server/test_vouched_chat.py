"""An answer as it comes in: prose at once, code line by line, and nothing that is withheld gets out early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.verdict import Action, Judgement, Passage, Verdict
from truepenny.lsp_server.settings import GuardSettings
from truepenny.lsp_server.vouched_chat import LEFT_OUT, MAX_BLOCK_CHARS, NOT_IN_ANSWERS, VouchedChat
from truepenny.lsp_server.vouching import Vouching
from truepenny.models.client import Reply
from truepenny.models.wire import Piece, Usage

KEY = "AKIA" + "QZ5RB3XW7YTNM4KD"
USAGE = Usage(1, 0, 1, 1, 0.0, 0.0, 0.0, "stop")
HELD = "[Withheld from here to the end of the block: {}]\n"


@dataclass
class Judges:
    """`steal` is withheld, `leak` mended, `late` changes what stands above, `slow` is not finished."""

    asked: list[Passage] = field(default_factory=list[Passage])

    async def __call__(self, passage: Passage) -> Judgement:
        self.asked.append(passage)
        text, verdicts = passage.suggestion, list[Verdict]()
        if (at := text.find("steal")) >= 0:
            verdicts.append(Verdict("licence", Action.TRIM, "copy", at, len(text), "it is\nsomebody's"))
            text = text[: text.rfind("\n", 0, at) + 1].rstrip()
        if (at := text.find("leak")) >= 0:
            verdicts.append(Verdict("secret", Action.REPAIR, "key", at, at + 4, "a key", "mended"))
            text = text.replace("leak", "mended")
        if "late" in text:
            text = "import this\n" + text
        unfinished = ("safety",) if "slow" in text else ()
        whys = ("no time",) * len(unfinished)
        action = max((one.action for one in verdicts), default=Action.PASS)
        return Judgement(text, action, tuple(verdicts), not unfinished, 0.0, unfinished, whys)


async def streamed(chat: VouchedChat, pieces: Sequence[str]) -> list[str]:
    """What was passed on after each piece; last, after the end."""

    async def events() -> AsyncGenerator[Reply]:
        for piece in pieces:
            yield Piece(piece)
        yield USAGE

    shown, seen = "", list[str]()

    async def noted() -> AsyncGenerator[Reply]:
        async for event in events():
            seen.append(shown)
            yield event

    async for event in chat.stream(noted()):
        if isinstance(event, Piece):
            shown += event.text
        else:
            assert event == USAGE
    return [*seen[1:], shown]


def answer(*pieces: str, unvouched: str = "show") -> list[str]:
    return asyncio.run(streamed(VouchedChat(Judges(), unvouched=unvouched), pieces))  # pyright: ignore[reportArgumentType]  # a row's text


ANSWERS = {
    "prose": ("Use `sorted`.\n\n  It is stable. ", "Use `sorted`.\n\n  It is stable. "),
    "no end of line": ("Yes", "Yes"),
    "sound code": (
        "So:\n```python\nx = 1\n\ny = 2\n```\nDone.",
        "So:\n```python\nx = 1\n\ny = 2\n```\nDone.",
    ),
    "a block that is not closed": ("```\nx = 1\ny", "```\nx = 1\ny"),
    "in a list, quoted": ("> - a\n>   ~~~py\n>   x\n>   ~~~\n", "> - a\n>   ~~~py\n>   x\n>   ~~~\n"),
    "a longer fence": ("````md\n```\nsteal\n```\n````\nb\n", "````md\n```\n````\n" + HELD + "b\n"),
    "withheld": (
        "```python\na = 1\nsteal()\nb = 2\n```\nThat is all.\n",
        "```python\na = 1\n```\n" + HELD + "That is all.\n",
    ),
    "withheld at once": ("```c\nsteal();\nx\n```\nbye", "```c\n```\n" + HELD + "bye"),
    "withheld, and the end is missing": ("```c\nok;\nsteal();\nmore", "```c\nok;\n```\n" + HELD),
    "withheld once, then sound": (
        "```c\nsteal();\n```\n```c\nok;\n```\n",
        "```c\n```\n" + HELD + "```c\nok;\n```\n",
    ),
    "mended": ("```py\na\nkey = leak\nb\n```\n", "```py\na\nkey = mended\nb\n```\n"),
    "what is shown would change": (
        "```py\na\nlate()\nb\n```\n.",
        "```py\na\n```\n"
        + HELD.format("what was shown of it would have to be changed").replace("{}", "")
        + ".",
    ),
    "a secret in prose": (f"Take {KEY}, then\n", f"Take {LEFT_OUT}, then\n"),
    "a secret twice": (f"{KEY}\n{KEY}", f"{LEFT_OUT}\n{LEFT_OUT}"),
    "a secret in quotes": (f'as in `key = "{KEY}"`.\n', f'as in `key = "{LEFT_OUT}"`.\n'),
    "no fence": ("``` is `a` fence\nsteal\n", "``` is `a` fence\nsteal\n"),
    "Windows": ("a\r\n```py\r\nsteal\r\n```\r\nb\r\n", "a\r\n```py\r\n```\n" + HELD + "b\r\n"),
    "not finished": ("```py\nslow\n```\n", "```py\nslow\n```\n"),
}


def expected(name: str) -> str:
    return ANSWERS[name][1].replace("{}", "it is somebody's")


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_shown(name: str) -> None:
    """The answer in one piece, and character by character."""
    written = ANSWERS[name][0]

    assert answer(written)[-1] == expected(name)
    assert answer(*written)[-1] == expected(name)


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
def test_pieces_make_no_difference_and_nothing_gets_out_early(name: str, data: st.DataObject) -> None:
    """However the stream is cut: what was shown at any moment is a beginning of what is shown in the end."""
    written, final = ANSWERS[name][0], expected(name)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)))))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]

    steps = answer(*pieces)

    assert steps[-1] == final
    assert [step for step in steps if not final.startswith(step)] == []


def test_prose_is_not_held() -> None:
    """A word is shown when the next begins; a line of code when it is whole."""
    assert answer("One", " two", " th", "ree\n")[:4] == ["", "One ", "One two ", "One two three\n"]
    head = "```py\n"
    assert answer(head, "a", " b", "\nc")[:4] == [head, head, head, f"{head}a b\n"]


def test_what_could_not_be_checked_is_withheld_where_that_is_the_setting() -> None:
    """With the check that did not finish, and the setting."""
    told = answer("```py\nslow\n```\n", unvouched="withhold")[-1]
    assert told.startswith("```py\n```\n[Withheld")
    assert "the safety check did not finish: no time (setting guard.unvouched)" in told


def test_every_line_is_judged_with_the_lines_above_it() -> None:
    """In the language of the fence, which may be a file's suffix."""
    judges = Judges()
    asyncio.run(streamed(VouchedChat(judges), ["```py title=x\na\n", "b\n```\n\n```\nc\n```\n"]))

    assert [(one.suggestion, one.language, one.path) for one in judges.asked] == [
        ("a\n", "py", "answer.py"),
        ("a\nb\n", "py", "answer.py"),
        ("c\n", "plaintext", None),
    ]


@pytest.mark.parametrize("word", ["x", "steal"])
def test_a_long_block_is_judged_in_parts(word: str) -> None:
    """Each line costs the same, and the part above stands before it."""
    judges = Judges()
    long = "".join(f"line {number}\n" for number in range(5_000))
    steps = asyncio.run(streamed(VouchedChat(judges), [f"```\n{long}", f"{word}\n```\n"]))

    assert max(len(one.suggestion) for one in judges.asked) < MAX_BLOCK_CHARS + 100
    assert judges.asked[-1].before + judges.asked[-1].suggestion == f"{long}{word}\n"
    end = "```\n" if word == "x" else "```\n" + HELD.format("it is somebody's")
    assert steps[-1] == f"```\n{long}{'' if word == 'steal' else 'x' + chr(10)}{end}"


def test_verdicts_are_told_once() -> None:
    """A mended line is judged again with each line below it."""
    verdicts: list[Verdict] = []
    asyncio.run(streamed(VouchedChat(Judges(), verdicts.append), [f"{KEY} \n```py\nleak\na\nb\n```\n"]))

    assert [one.rule for one in verdicts] == ["secret/aws-access-key", "key"]
    assert KEY not in str(verdicts)


REAL = {
    "a key": (f'```python\nimport os\n\nkey = "{KEY}"\n```\n', 'key = os.environ["AWS_ACCESS_KEY_ID"]', KEY),
    "a bidi control": ('```js\nlet a = 1;\nlet b = "x\u202e";\n```\n', "U+202E", "\u202e"),
    "a request that is run": (
        "```py\nimport ast\nfrom flask import request\n\ndef f():\n    return eval(request.args['x'])\n```\n",
        "ast.literal_eval(request.args['x'])",
        " eval(",
    ),
    "a fragment": (
        "```python\n    def f(self):\n        ...\n```\n",
        "    def f(self):\n        ...\n",
        "held",
    ),
}


@pytest.mark.parametrize(("written", "shown", "absent"), REAL.values(), ids=REAL)
def test_the_guard_that_ships(written: str, shown: str, absent: str) -> None:
    """With the checks of every suggestion but for syntax."""

    async def told() -> list[str]:
        vouching = Vouching(GuardSettings(deadline_ms=0))
        try:
            judge = partial(vouching.judged, without=NOT_IN_ANSWERS)
            return await streamed(VouchedChat(judge), list(written))
        finally:
            await vouching.aclose()

    steps = asyncio.run(told())

    assert shown in steps[-1]
    assert [step for step in steps if absent in step] == []
