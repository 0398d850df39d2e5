"""Prompts are real code: from the standard library, or of each language that a person names."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from truepenny.models.benchmarks.prompts import (
    LIBRARY,
    Code,
    SourceFile,
    library_code,
    prompts_of,
    stretches,
)
from truepenny.models.errors import BenchmarkError
from truepenny.models.testing import ByteTokenizer

TOKENIZER = ByteTokenizer()


def code(*texts: str) -> Code:
    return Code("rust", tuple(SourceFile(f"{nth}.rs", text) for nth, text in enumerate(texts)))


def test_without_other_code_prompts_are_code_that_every_machine_has():
    """As many tokens as asked for, and the text they stand for."""
    (prompt,) = prompts_of(TOKENIZER, library_code(), 3000)
    assert len(prompt.ids) == len(prompt.text.encode()) == 3000
    assert "def " in prompt.text
    assert (prompt.source, prompt.language) == (LIBRARY[0], "python")


def test_a_library_without_sources_is_explained(tmp_path: Path):
    with pytest.raises(BenchmarkError, match=r"gone\.py cannot be read"):
        library_code(("gone.py",), tmp_path)


def test_a_longer_prompt_goes_on_in_the_next_file():
    """And says so."""
    (prompt,) = prompts_of(TOKENIZER, code("a = 1\n", "b = 2\n", "c\n"), 8)
    assert (prompt.text, prompt.source, prompt.language) == ("a = 1\nb ", "0.rs + 1.rs", "rust")


def test_further_prompts_begin_at_lines_spread_over_the_rest():
    """None begins in the middle of a line, none twice, all are whole."""
    lines = [f"let x{nth} = {nth};\n" for nth in range(100)]
    found = prompts_of(TOKENIZER, code(*lines), 60, 4)
    assert [len(prompt.ids) for prompt in found] == [60] * 4
    assert all(prompt.text.startswith("let x") for prompt in found)
    assert len({prompt.text for prompt in found}) == 4
    assert found[-1].source.endswith("95.rs"), "near the end"


def test_of_little_code_there_are_fewer_prompts():
    assert len(prompts_of(TOKENIZER, code("a = 1\nb = 2\n"), 10, 5)) == 1


def test_too_little_code_is_explained():
    with pytest.raises(BenchmarkError, match=r"a prompt of 100 tokens .* in rust \(6\)"):
        prompts_of(TOKENIZER, code("a = 1\n"), 100)


def test_characters_are_counted_not_bytes():
    """Of text that is not ASCII a token is less than a character here."""
    (prompt,) = prompts_of(TOKENIZER, code("// größer\n"), 10)
    assert prompt.characters_per_token == pytest.approx(9 / 10, abs=0.1)


def test_stretches_begin_differently_round_and_round():
    """A cache can keep none of one for another."""
    found = list(islice(stretches(TOKENIZER, [code("abcdefghij")], 4), 5))
    assert ["".join(map(chr, ids)) for ids in found] == ["0\nab", "1\nef", "2\nij", "3\ncd", "4\ngh"]
    with pytest.raises(BenchmarkError, match="the code is empty"):
        next(stretches(TOKENIZER, [code("")], 4))
