"""Chat prompts: the model's own template, in a sandbox; what people write never becomes control.

A template is code that came with the weights, so it runs in Jinja's immutable sandbox.  It renders
with a stand-in for every message; the pieces between the stand-ins are the template's own and may
hold control tokens, the messages are encoded as plain text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NoReturn, cast

from ..errors import PromptError
from ..tokens import Tokenizer
from ..wire import Message

_CONTROL = re.compile(r"<\|[^|<>]+\|>|<｜[^｜<>]+｜>|</?[a-z_]+>|\[/?[A-Z_]+\]")
"""What names of control tokens look like; whether one is, the tokenizer says."""

_BEGINNINGS = ("<s>", "<bos>", "<｜begin▁of▁sentence｜>", "<|begin_of_text|>")
_ENDS = ("</s>", "<eos>", "<｜end▁of▁sentence｜>", "<|eot_id|>", "<|im_end|>", "<|endoftext|>")
"""Templates ask for `bos_token` and `eos_token`: the first of these that the tokenizer has."""


class ChatTemplate:
    """Renders conversations for one model."""

    def __init__(self, source: str) -> None:
        self._source = source

    def render(self, messages: Sequence[Message], tokenizer: Tokenizer) -> tuple[int, ...]:
        """Token ids of the conversation, ending where the assistant's answer begins.

        Raises:
            PromptError: no messages, or a template that cannot render them.
        """
        if not messages:
            raise PromptError("a conversation needs at least one message")
        nonce = secrets.token_hex(8)
        marks = [f"\u2063{nonce}:{index}\u2063" for index in range(len(messages))]
        turns = [{"role": m.role, "content": mark} for m, mark in zip(messages, marks, strict=True)]
        rendered = self._text(turns, _first(_BEGINNINGS, tokenizer), _first(_ENDS, tokenizer))
        for mark, message in zip(marks, messages, strict=True):
            if mark not in rendered:  # left out or changed: either way not what was said
                raise PromptError(
                    f"this model's chat template does not pass on the {message.role} message "
                    f"{message.content[:40]!r} as it is: it cannot be used for chat"
                )
        ids: list[int] = []
        for piece in re.split(f"(\u2063{nonce}:[0-9]+\u2063)", rendered):
            if piece in marks:
                ids += tokenizer.encode(messages[marks.index(piece)].content)
            else:
                ids += _encode_template(piece, tokenizer)
        return tuple(ids)

    def _text(self, turns: list[dict[str, str]], bos: str, eos: str) -> str:
        asked = {"add_generation_prompt": True, "tools": None, "bos_token": bos, "eos_token": eos}
        try:
            return self._template.render(messages=turns, **asked)
        except PromptError:
            raise
        except Exception as error:  # a template is a program: it can fail in any way
            raise PromptError(f"this model's chat template failed: {error}") from error

    @cached_property
    def _template(self):  # noqa: ANN202  (a jinja2 Template, imported only when chat is used)
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        untyped = cast("Any", environment)  # jinja leaves the type of its globals open
        untyped.globals.update(raise_exception=_refuse, strftime_now=_strftime_now)
        return environment.from_string(self._source)


def _encode_template(text: str, tokenizer: Tokenizer) -> list[int]:
    """The template's own text: names of control tokens become control tokens here, and only here."""
    ids: list[int] = []
    at = 0
    for match in _CONTROL.finditer(text):
        token_id = tokenizer.special_id(match[0])
        if token_id is None:
            continue
        ids += tokenizer.encode(text[at : match.start()])
        ids.append(token_id)
        at = match.end()
    return ids + tokenizer.encode(text[at:])


def _first(names: tuple[str, ...], tokenizer: Tokenizer) -> str:
    return next((name for name in names if tokenizer.special_id(name) is not None), "")


def _refuse(message: str) -> NoReturn:
    raise PromptError(f"this model's chat template refuses the conversation: {message}")


def _strftime_now(layout: str) -> str:
    return datetime.now(UTC).astimezone().strftime(layout)
