"""How the events of a request look in the OpenAI API: as a completion, and as a chat completion."""

from __future__ import annotations

import secrets
import time
from typing import Any

from .wire import FinishReason, Piece, Started, Usage
from .wire_json import started_to_json, usage_to_json


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
        return {**self._head, "object": self.kind, "choices": [choice]}

    def end(self, usage: Usage) -> dict[str, Any]:
        choices = [self._choice(0, "", usage.finish_reason)]
        return {**self._head, "object": self.kind, "choices": choices, **usage_to_json(usage)}

    def whole(self, texts: dict[int, str], reasons: dict[int, FinishReason], usage: Usage) -> dict[str, Any]:
        """Texts by choice; a choice that did not say why it ended ended as the request did."""
        choices = [
            self._whole_choice(index, text, reasons.get(index, usage.finish_reason))
            for index, text in sorted(texts.items())
        ]
        return {**self._head, "object": self.whole_kind, "choices": choices, **usage_to_json(usage)}

    def _choice(self, index: int, text: str, reason: str | None) -> dict[str, Any]:
        return {"index": index, "text": text, "finish_reason": reason}

    def _whole_choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        return self._choice(index, text, reason)


class ChatShape(TextShape):
    """Of `/v1/chat/completions`."""

    kind = "chat.completion.chunk"
    whole_kind = "chat.completion"

    def _choice(self, index: int, text: str, reason: str | None) -> dict[str, Any]:
        return {"index": index, "delta": {"content": text} if text else {}, "finish_reason": reason}

    def _whole_choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {"index": index, "message": message, "finish_reason": reason}
