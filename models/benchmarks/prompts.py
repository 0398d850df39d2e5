"""Prompts of real code: cut from what a person names, or from Python's own library."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, count, islice
from pathlib import Path

from ..errors import BenchmarkError
from ..tokens import StreamDecoder, TokenBytes, Tokenizer

LIBRARY = ("shlex.py", "textwrap.py", "argparse.py", "tarfile.py", "inspect.py")
"""Files of the standard library: real code that every machine has."""

_CHARACTERS_PER_TOKEN = 6
"""More than in any language of code: how much text is encoded at first."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """All the code there is of one language, one file after the other."""

    language: str
    files: tuple[SourceFile, ...]

    @property
    def text(self) -> str:
        return "".join(file.text for file in self.files)

    def names(self, start: int, end: int) -> str:
        """The files that characters `[start, end)` are of."""
        ends = accumulate(len(file.text) for file in self.files)
        spans = zip(self.files, ends, strict=True)
        return " + ".join(file.name for file, stop in spans if stop > start and stop - len(file.text) < end)


@dataclass(frozen=True, slots=True)
class Prompt:
    """`ids` and the text they stand for."""

    language: str
    text: str
    ids: tuple[int, ...]
    source: str

    @property
    def characters_per_token(self) -> float:
        return len(self.text) / len(self.ids)


def library_code(names: Sequence[str] = LIBRARY, folder: Path | None = None) -> Code:
    """Python's own.  Raises BenchmarkError where its sources are not installed."""
    root = folder or Path(sysconfig.get_path("stdlib"))
    files: list[SourceFile] = []
    for name in names:
        try:
            files.append(SourceFile(name, (root / name).read_text("utf-8")))
        except OSError as error:
            raise BenchmarkError(
                f"{root / name} cannot be read ({error.strerror}): the prompt is code of Python's standard "
                "library; run with a Python that has its sources, or give --code"
            ) from error
    return Code("python", tuple(files))


def prompts_of(tokenizer: Tokenizer, code: Code, num_tokens: int, num_prompts: int = 1) -> list[Prompt]:
    """The first `num_tokens` of `code`, and others that begin at lines spread over the rest of it.

    Fewer prompts where there is no room for more.

    Raises:
        BenchmarkError: there is not enough code for one.
    """
    text = code.text
    first = _prompt(tokenizer, code, text, 0, num_tokens)
    room = len(text) - 2 * len(first.text)  # what the last begins with may have longer tokens
    starts = {0}
    for nth in range(1, num_prompts):
        starts.add(text.rfind("\n", 0, max(0, room) * nth // (num_prompts - 1)) + 1)
    return [first, *(_prompt(tokenizer, code, text, start, num_tokens) for start in sorted(starts - {0}))]


def stretches(tokenizer: Tokenizer, code: Sequence[Code], num_tokens: int) -> Iterator[tuple[int, ...]]:
    """`num_tokens` at a time of all the code, round and round; a number at the beginning tells them apart."""
    ids = tokenizer.encode("".join(one.text for one in code))
    if not ids:
        raise BenchmarkError("the code is empty: give a folder with source files")
    for nth in count():
        body = (ids[(nth * num_tokens + i) % len(ids)] for i in range(num_tokens))
        yield tuple(islice(chain(tokenizer.encode(f"{nth}\n"), body), num_tokens))


def text_of(ids: Sequence[int], vocabulary: TokenBytes) -> str:
    decoder = StreamDecoder(vocabulary)
    return "".join(map(decoder.feed, ids)) + decoder.finish()


def _prompt(tokenizer: Tokenizer, code: Code, text: str, start: int, num_tokens: int) -> Prompt:
    size = _CHARACTERS_PER_TOKEN * num_tokens
    ids = tokenizer.encode(text[start : start + size])
    # One more than is wanted: the last token of a piece of text may be another in the whole.
    while len(ids) <= num_tokens and start + size < len(text):
        size *= 2
        ids = tokenizer.encode(text[start : start + size])
    if len(ids) < num_tokens:
        raise BenchmarkError(
            f"a prompt of {num_tokens} tokens is more than there is to read in {code.language} ({len(ids)}): "
            "ask for less, or give more code"
        )
    chosen = tuple(ids[:num_tokens])
    shown = text_of(chosen, tokenizer.vocabulary)
    return Prompt(code.language, shown, chosen, code.names(start, start + len(shown)))
