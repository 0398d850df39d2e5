"""Pain 13: special tokens, fences and talk leak into code."""

from __future__ import annotations

import pytest

from .desk import ask


@pytest.mark.parametrize(
    ("writes", "after"),
    [
        ("1<|endoftext|>import os", "x = 1\n"),
        ("1<|fim_suffix|>\ny = 2", "x = 1\n"),
        ("1<fim_middle>", "x = 1\n"),
        ("1</s>", "x = 1\n"),
        ("1\n```\nThis sets x to one.", "x = 1\n"),
        ("1\n# Path: b.py\ny = 2\n", "x = 1\n"),
        ("1[/INST] Here you are", "x = 1\n"),
    ],
)
def test_only_code_reaches_the_document(writes: str, after: str) -> None:
    """Engines that are not ours let them through."""
    assert ask("x = ¦\n", writes).after == after


def test_a_fence_round_the_code_goes() -> None:
    """Chat models answer so."""
    answer = ask("def f():\n    return 1\n\n\n¦\n", "```python\ndef g():\n    return 2\n```\nIt returns 2.")

    assert answer.after.strip().endswith("def g():\n    return 2")
    assert "```" not in answer.after


def test_a_token_alone_is_silence_with_a_reason() -> None:
    answer = ask("x = ¦\n", "<|im_end|>")

    assert not answer.suggestion.shown
    assert "special token" in answer.suggestion.reason


def test_a_file_that_speaks_of_tokens_may_go_on_so() -> None:
    """People write such programs too."""
    marked = 'ENDS = ["<|endoftext|>", ¦]\n'

    assert '"<|endoftext|>"]' in ask(marked, '"<|endoftext|>"').after
