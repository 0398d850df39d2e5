"""Models that have the tokens of infilling in their vocabulary and were not trained on them.

No tokenizer can tell: the tokens are there, prompts are made, and what comes back is rubbish.  Only the
name tells, so this warns and does not refuse.
"""

from __future__ import annotations

import re

_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"qwen(?!.*coder)", "Qwen has the tokens; only Qwen-Coder was trained on them"),
    (
        r"(?:mistral|mixtral|ministral)(?!.*codestral)",
        "of Mistral's only Codestral was trained on them",
    ),
    (r"code-?llama.*(?:python|34b|70b)", "of Code Llama only 7B and 13B were, and not the Python ones"),
    (r"deepseek(?!.*coder)", "of DeepSeek's models only the Coder ones were trained on them"),
    (r"starcoder2-15b", "the 15B model's card advises against it"),
    (r"(?<!code)gemma", "of Gemma only CodeGemma was trained on them"),
    (
        r"(?!.*(?:cod|starcoder|granite)).*[-_.](?:it|instruct|chat)(?:[-_.@]|$)",
        "it is for conversation",
    ),
)
"""Of the name in lower case, and what makes us think so.  The first that matches."""


def why_untrained(model: str) -> str:
    """What to tell the person about a model that probably cannot fill in the middle; empty: nothing."""
    name = model.lower().replace("\\", "/").rstrip("/").rpartition("/")[2]
    for pattern, why in _PATTERNS:
        if re.match(pattern if pattern.startswith("(?!") else f".*?{pattern}", name):
            return (
                f"{model} was probably not trained to fill in the middle ({why}), and what it suggests may "
                "be rubbish; set completion.model to a code model with FIM, such as qwen2.5-coder-0.5b"
            )
    return ""
