"""How the events of a request look in the OpenAI API: as a completion, and as a chat completion."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

from .wire import Piece, Started, Usage
from .wire_json import logprobs_to_json, started_to_json, usage_to_json


class TextShape:
    """Of `/v1/completions`, in pieces or whole."""

    kind = "text_completion"
    whole_kind = "text_completion"

    def __init__(self, model: str) -> None:
        self._head = {"id": f"cmpl-{secrets.token_hex(8)}", "created": int(time.time()), "model": model}

    def started(self, started: Started) -> dict[str, Any]:
        return {**self._head, "object": self.kind, "choices": [], **started_to_json(started)}

    def piece(self, piece: Piece) -> dict[str, Any]:
        choice = self._choice(piece.choice, piece.text, piece.finish_reason)
        return {**self._head, "object": self.kind, "choices": [choice | self._logprobs([piece])]}

    def end(self, usage: Usage) -> dict[str, Any]:
        choices = [self._choice(0, "", usage.finish_reason)]
        return {**self._head, "object": self.kind, "choices": choices, **usage_to_json(usage)}

    def whole(self, pieces: Sequence[Piece], usage: Usage) -> dict[str, Any]:
        """Of all choices; one that did not say why it ended ended as the request did."""
        by_choice: dict[int, list[Piece]] = {0: []}
        for piece in pieces:
            by_choice.setdefault(piece.choice, []).append(piece)
        choices: list[dict[str, Any]] = []
        for index, own in sorted(by_choice.items()):
            text = "".join(piece.text for piece in own)
            reason = next((piece.finish_reason for piece in own if piece.finish_reason), usage.finish_reason)
            choices.append(self._whole_choice(index, text, reason) | self._logprobs(own))
        return {**self._head, "object": self.whole_kind, "choices": choices, **usage_to_json(usage)}

    def _choice(self, index: int, text: str, reason: str | None) -> dict[str, Any]:
        return {"index": index, "text": text, "finish_reason": reason}

    def _whole_choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        return self._choice(index, text, reason)

    def _logprobs(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """Nothing where none were asked for."""
        told = [(piece.text, piece.logprob) for piece in pieces if piece.logprob is not None]
        return {"logprobs": self._told(told)} if told else {}

    def _told(self, told: Sequence[tuple[str, float]]) -> dict[str, Any]:
        return logprobs_to_json(told)


class ChatShape(TextShape):
    """Of `/v1/chat/completions`."""

    kind = "chat.completion.chunk"
    whole_kind = "chat.completion"

    def _choice(self, index: int, text: str, reason: str | None) -> dict[str, Any]:
        return {"index": index, "delta": {"content": text} if text else {}, "finish_reason": reason}

    def _whole_choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {"index": index, "message": message, "finish_reason": reason}

    def _told(self, told: Sequence[tuple[str, float]]) -> dict[str, Any]:
        return {"content": [{"token": text, "logprob": round(logprob, 6)} for text, logprob in told]}
