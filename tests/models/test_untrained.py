"""A model of the wrong kind is told by its name, and none of the right kind is."""

from __future__ import annotations

import pytest

from truepenny.models.catalogue import CATALOGUE
from truepenny.models.prompts.untrained import why_untrained


@pytest.mark.parametrize(
    "model",
    [
        "qwen2.5-0.5b-instruct",
        "Qwen/Qwen3-8B",
        "./models/Qwen2.5-7B-Instruct",
        "mistral-7b-instruct-v0.3",
        "codellama-7b-python",
        "codellama-34b",
        "deepseek-llm-7b-chat",
        "starcoder2-15b@1a2b3c4d",
        "gemma-2-2b-it",
        "phi-3-mini-4k-instruct",
        "llama-3.2-1b-chat@1a2b3c4d",
    ],
)
def test_a_model_that_was_not_trained_to_infill_is_named_with_the_fix(model: str) -> None:
    """Rubbish without a warning is what people find when they try their own model."""
    told = why_untrained(model)

    assert told.startswith(model)
    assert "completion.model" in told


@pytest.mark.parametrize(
    "model",
    [
        *(name for entry in CATALOGUE for name in (entry.name, *entry.aliases)),
        "fake",
        "Qwen/Qwen2.5-Coder-7B-Instruct",
        "qwen3-coder-30b",
        "starcoder2-3b@1a2b3c4d",
        "deepseek-coder-1.3b-instruct",
        "codellama-7b-instruct",
        "codegemma-7b-it",
        "codestral-22b",
        "mistralai/Codestral-22B",
        "granite-3b-code-instruct",
        "/home/mistral/models/stable-code-3b",
    ],
)
def test_a_model_that_was_is_not_warned_of(model: str) -> None:
    """A warning that is wrong teaches people to ignore warnings."""
    assert why_untrained(model) == ""
