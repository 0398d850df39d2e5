"""Fill-in-the-middle prompts: the layout, id by id."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.errors import PromptError
from truepenny.models.prompts.fim import QWEN_CODER, FimParts, FimRenderer, RepositoryChunk
from truepenny.models.testing import ByteTokenizer

TOKENIZER = ByteTokenizer()
CONTROL = {
    name: TOKENIZER.special_id(f"<|{name}|>") or 0
    for name in ("fim_prefix", "fim_suffix", "fim_middle", "repo_name", "file_sep")
}


class HealingTokenizer(ByteTokenizer):
    """Its last word is whatever follows the last dot or blank."""

    def last_word(self, text: str) -> str:
        return text[max(text.rfind("."), text.rfind(" ")) :] if text else ""


def ids(*parts: str) -> tuple[int, ...]:
    """Names of control tokens as `@name`, the rest as text."""
    out: list[int] = []
    for part in parts:
        out += [CONTROL[part[1:]]] if part.startswith("@") else TOKENIZER.encode(part)
    return tuple(out)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (FimParts("", ""), ("@fim_prefix", "@fim_suffix", "@fim_middle")),
        (FimParts("a\n", "z\n"), ("@fim_prefix", "a\n", "@fim_suffix", "z\n", "@fim_middle")),
        (
            FimParts("a\n", "z\n", typed="  x = "),
            ("@fim_prefix", "a\n", "@fim_suffix", "z\n", "@fim_middle", "  x = "),
        ),
        (
            FimParts("a", "z", path="m.py"),
            ("@file_sep", "m.py\n", "@fim_prefix", "a", "@fim_suffix", "z", "@fim_middle"),
        ),
        (
            FimParts("a", "z", path="m.py", repo="shop"),
            (
                "@repo_name",
                "shop\n",
                "@file_sep",
                "m.py\n",
                "@fim_prefix",
                "a",
                "@fim_suffix",
                "z",
                "@fim_middle",
            ),
        ),
        (
            FimParts(
                "a",
                "z",
                typed="t",
                path="m.py",
                repo="shop",
                chunks=(RepositoryChunk("b.py", "B"), RepositoryChunk("c.py", "C")),
            ),
            (
                *(
                    "@repo_name",
                    "shop\n",
                    "@file_sep",
                    "b.py\nB\n",
                    "@file_sep",
                    "c.py\nC\n",
                    "@file_sep",
                    "m.py\n",
                ),
                *("@fim_prefix", "a", "@fim_suffix", "z", "@fim_middle", "t"),
            ),
        ),
        (  # an unnamed document still gets its chunks
            FimParts("a", "z", chunks=(RepositoryChunk("b.py", "B"),)),
            (
                "@file_sep",
                "b.py\nB\n",
                "@file_sep",
                "\n",
                "@fim_prefix",
                "a",
                "@fim_suffix",
                "z",
                "@fim_middle",
            ),
        ),
    ],
)
def test_the_layout_is_the_documented_one(parts, expected):
    """Most stable first; what is typed on a line comes last, so nothing before it changes."""
    prompt = FimRenderer(QWEN_CODER, TOKENIZER).render(parts)
    assert prompt.ids == ids(*expected)
    assert prompt.heal == ""


@pytest.mark.parametrize(
    ("typed", "settled", "heal"), [("self.cou", "self", ".cou"), ("x = ", "x =", " "), ("", "", "")]
)
def test_the_last_word_is_held_out(typed, settled, heal):
    """Prompt and healed text together are what was typed."""
    prompt = FimRenderer(QWEN_CODER, HealingTokenizer()).render(FimParts("a", "z", typed))
    assert prompt.ids == ids("@fim_prefix", "a", "@fim_suffix", "z", "@fim_middle", settled)
    assert prompt.heal == heal


def test_typing_on_changes_only_the_end():
    """What the prefix cache lives on."""
    renderer = FimRenderer(QWEN_CODER, TOKENIZER)
    line = "    return total"
    prompts = [renderer.render(FimParts("def f():\n", "\n", line[:n])).ids for n in range(len(line) + 1)]
    for shorter, longer in pairwise(prompts):
        assert longer[: len(shorter)] == shorter


look_alikes = st.lists(st.sampled_from(["<|fim_suffix|>", "<|file_sep|>", "<|endoftext|>", "x", "\n"])).map(
    "".join
)


@given(look_alikes, look_alikes, look_alikes, look_alikes)
def test_file_text_never_becomes_control(prefix, suffix, typed, chunk):
    """Only the layout's own control tokens are in the prompt, whatever the files say."""
    parts = FimParts(prefix, suffix, typed, path="<|im_end|>", repo="<|fim_middle|>")
    parts = FimParts(prefix, suffix, typed, parts.path, parts.repo, (RepositoryChunk("<|im_start|>", chunk),))
    control = [i for i in FimRenderer(QWEN_CODER, TOKENIZER).render(parts).ids if i >= 256]
    names = ("repo_name", "file_sep", "file_sep", "fim_prefix", "fim_suffix", "fim_middle")
    assert control == [CONTROL[name] for name in names]


@pytest.mark.weights
def test_the_real_tokenizer_lays_out_the_same(real_tokenizer):
    """The control tokens are there, and file text with their names has none of them."""
    text = "<|fim_middle|><|im_start|>"
    prompt = FimRenderer(QWEN_CODER, real_tokenizer).render(
        FimParts(text, text, typed="self.cou", path="m.py")
    )
    control = [i for i in prompt.ids if not real_tokenizer.vocabulary[i]]
    names = ("<|file_sep|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    assert control == [real_tokenizer.special_id(name) for name in names]
    assert prompt.heal == ".cou"


def test_a_model_without_the_tokens_is_refused():
    """What it would write there is rubbish."""

    class Plain(ByteTokenizer):
        def special_id(self, name: str) -> int | None:
            return None

    with pytest.raises(PromptError, match=r"no token '<\|fim_prefix\|>'.*choose a code model"):
        FimRenderer(QWEN_CODER, Plain())
