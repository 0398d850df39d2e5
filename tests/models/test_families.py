"""The families of FIM models: what each prompt is, token by token, on vocabularies trained here."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.errors import PromptError
from truepenny.models.healing import Healer
from truepenny.models.prompts.families import FAMILIES, FimFamily, family_of
from truepenny.models.prompts.fim import FimParts, FimRenderer, RepositoryChunk, fim_renderer
from truepenny.models.tokens import Tokenizer, load_tokenizer

LINES = [
    line
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    for line in path.read_text(encoding="utf-8").splitlines()
]

ALSO = {
    "granite-code": ("<fim_pad>", "<filename>", "<gh_stars>", "<reponame>"),
    "starcoder2": ("<fim_pad>", "<issue_start>"),
    "qwen2.5-coder": ("<|fim_pad|>", "<|im_start|>", "<|im_end|>"),
    "deepseek-coder": ("<|EOT|>", "<｜User｜>"),
    "codestral": ("[INST]", "[/INST]", "[MIDDLE]"),
}
"""Control tokens that the family's vocabulary has besides, among them those of its relatives."""

SENTENCEPIECE = {
    # As published: whether a space opens a text, and whether control tokens are marked as such.
    "codellama": {"add_dummy_prefix": True, "mark": "user_defined_symbols"},
    "codestral": {"add_dummy_prefix": True, "mark": "control_symbols"},
    "codegemma": {"add_dummy_prefix": False, "mark": "user_defined_symbols", "bos": "<bos>", "eos": "<eos>"},
}


def train_byte_level(path: Path, control: tuple[str, ...]) -> None:
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

    hub = Tokenizer(models.BPE())
    hub.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    hub.train_from_iterator(LINES, trainer)
    # Published files do forget to mark some of them (DeepSeek-Coder's).
    hub.add_special_tokens([AddedToken(name, special=True) for name in control[::2]])
    hub.add_tokens([AddedToken(name, special=False) for name in control[1::2]])
    hub.save(str(path))


@pytest.fixture(scope="session")
def tokenizers(tmp_path_factory, train_sentencepiece) -> dict[str, Tokenizer]:
    """A small vocabulary for each family, of the kind it is published with."""
    folder = tmp_path_factory.mktemp("families")
    made = {}
    for name, family in FAMILIES.items():
        control = (*family.tokens, *ALSO.get(name, ()))
        kind = SENTENCEPIECE.get(name)
        if kind is None:
            path = folder / f"{name}.json"
            train_byte_level(path, control)
        else:
            path = folder / f"{name}.model"
            bos, eos = str(kind.get("bos", "<s>")), str(kind.get("eos", "</s>"))
            symbols = {kind["mark"]: [one for one in control if one not in (bos, eos)]}
            train_sentencepiece(
                path,
                LINES,
                300,
                add_dummy_prefix=kind["add_dummy_prefix"],
                bos_piece=bos,
                eos_piece=eos,
                **symbols,
            )
        made[name] = load_tokenizer(path, frozenset())
    return made


each_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)


def shown(tokenizer: Tokenizer, ids: tuple[int, ...] | list[int], names: tuple[str, ...]) -> list[str]:
    """Control tokens by name as `@name`, the text between them joined."""
    by_id = {tokenizer.special_id(name): f"@{name}" for name in names}
    out: list[bytes] = []
    for token_id in ids:
        if token_id in by_id:
            out += [by_id[token_id].encode(), b""]
        else:
            assert tokenizer.vocabulary[token_id], f"{token_id} is a control token of no part"
            out = out or [b""]
            out[-1] += tokenizer.vocabulary[token_id]
    return [piece.decode() for piece in out if piece]


ALONE = FimParts("a\n", "\nz\n", typed="  x = ")
PATH = replace(ALONE, path="m.py")
OTHERS = replace(PATH, repo="shop", chunks=(RepositoryChunk("b.py", "B\n"), RepositoryChunk("c.py", "C")))


@pytest.mark.parametrize(
    ("name", "parts", "expected"),
    [
        (
            "qwen2.5-coder",
            ALONE,
            ["@<|fim_prefix|>", "a\n", "@<|fim_suffix|>", "\nz\n", "@<|fim_middle|>", "  x ="],
        ),
        (
            "qwen2.5-coder",
            OTHERS,
            [
                *("@<|repo_name|>", "shop\n", "@<|file_sep|>", "b.py\nB\n\n", "@<|file_sep|>", "c.py\nC\n"),
                *("@<|file_sep|>", "m.py\n", "@<|fim_prefix|>", "a\n", "@<|fim_suffix|>", "\nz\n"),
                *("@<|fim_middle|>", "  x ="),
            ],
        ),
        (
            "starcoder2",
            ALONE,
            ["@<fim_prefix>", "a\n", "@<fim_suffix>", "\nz\n", "@<fim_middle>", "  x ="],
        ),
        (
            "starcoder2",
            PATH,
            ["@<file_sep>", "@<fim_prefix>", "m.py\na\n", "@<fim_suffix>", "\nz\n", "@<fim_middle>", "  x ="],
        ),
        (
            "starcoder2",
            OTHERS,
            [
                *("@<repo_name>", "shop", "@<file_sep>", "b.py\nB\n", "@<file_sep>", "c.py\nC"),
                *("@<file_sep>", "@<fim_prefix>", "m.py\na\n", "@<fim_suffix>", "\nz\n"),
                *("@<fim_middle>", "  x ="),
            ],
        ),
        (
            "deepseek-coder",
            ALONE,
            [
                *("@<｜begin▁of▁sentence｜>", "@<｜fim▁begin｜>", "a\n"),
                *("@<｜fim▁hole｜>", "\nz\n", "@<｜fim▁end｜>", "  x ="),
            ],
        ),
        (
            "deepseek-coder",
            OTHERS,
            [
                *("@<｜begin▁of▁sentence｜>", "@<｜fim▁begin｜>", "#b.py\nB\n\n#c.py\nC\n#m.py\na\n"),
                *("@<｜fim▁hole｜>", "\nz\n", "@<｜fim▁end｜>", "  x ="),
            ],
        ),
        (  # a space before the prefix, none before suffix and middle
            "codellama",
            ALONE,
            ["@<s>", "@▁<PRE>", " a\n", "@▁<SUF>", "\nz\n", "@▁<MID>", "  x ="],
        ),
        (  # no layout for other files: they are left out
            "codellama",
            OTHERS,
            ["@<s>", "@▁<PRE>", " a\n", "@▁<SUF>", "\nz\n", "@▁<MID>", "  x ="],
        ),
        (
            "codegemma",
            ALONE,
            ["@<bos>", "@<|fim_prefix|>", "a\n", "@<|fim_suffix|>", "\nz\n", "@<|fim_middle|>", "  x ="],
        ),
        (
            "codegemma",
            PATH,
            [
                *("@<bos>", "m.py\n", "@<|fim_prefix|>", "a\n"),
                *("@<|fim_suffix|>", "\nz\n", "@<|fim_middle|>", "  x ="),
            ],
        ),
        (
            "codegemma",
            OTHERS,
            [
                *("@<bos>", "b.py\nB\n", "@<|file_separator|>", "c.py\nC", "@<|file_separator|>", "m.py\n"),
                *("@<|fim_prefix|>", "a\n", "@<|fim_suffix|>", "\nz\n", "@<|fim_middle|>", "  x ="),
            ],
        ),
        (  # the suffix first, and no token before what was typed
            "codestral",
            OTHERS,
            ["@<s>", "@[SUFFIX]", "\nz\n", "@[PREFIX]", " a\n  x ="],
        ),
        (
            "granite-code",
            OTHERS,
            ["@<fim_prefix>", "a\n", "@<fim_suffix>", "\nz\n", "@<fim_middle>", "  x ="],
        ),
    ],
)
def test_each_layout_is_the_documented_one(name, parts, expected, tokenizers):
    """Control tokens and text, in the order each family was trained on; the last blank is healed."""
    tokenizer = tokenizers[name]
    prompt = FimRenderer(FAMILIES[name], tokenizer).render(parts)
    assert shown(tokenizer, prompt.ids, FAMILIES[name].tokens) == expected
    assert prompt.heal == " "


@each_family
def test_a_family_is_told_by_its_tokens(family, tokenizers):
    """Its relatives' tokens do not mislead: StarCoder2's vocabulary has all of Granite's."""
    assert family_of(tokenizers[family.name]) is family
    renderer = fim_renderer("some-model", tokenizers[family.name])
    assert renderer.family is family
    assert renderer.tells_other_files == (family.repository is not None)
    assert renderer.end_ids


def test_no_two_families_have_the_same_tokens():
    """Else which one is detected would depend on the order of a dictionary."""
    for one, other in combinations(FAMILIES.values(), 2):
        assert set(one.tokens) != set(other.tokens), (one.name, other.name)


class Without:
    """A tokenizer that lacks some control tokens."""

    def __init__(self, tokenizer: Tokenizer, *names: str) -> None:
        self._tokenizer, self._names = tokenizer, names

    def __getattr__(self, name: str):
        return getattr(self._tokenizer, name)

    def special_id(self, name: str) -> int | None:
        return None if name in self._names else self._tokenizer.special_id(name)


def lacking(tokenizer: Tokenizer, *names: str) -> Tokenizer:
    return cast("Tokenizer", Without(tokenizer, *names))  # what is not said here it passes on


@each_family
def test_a_missing_token_is_named(family: FimFamily, tokenizers):
    """Whichever it is; what the model would write without it is rubbish."""
    for name in family.tokens:
        with pytest.raises(PromptError) as raised:
            fim_renderer("m", lacking(tokenizers[family.name], name), family.name)
        assert f"no token {name!r}: it cannot fill in the middle as {family.name}" in str(raised.value)


def test_a_model_without_fim_is_told_from_one_with(tokenizers):
    """What it is, what still works, and what to choose; no family is guessed."""
    plain = lacking(tokenizers["qwen2.5-coder"], "<|fim_middle|>")
    assert family_of(plain) is None
    with pytest.raises(
        PromptError, match=r"tiny-chat cannot fill in the middle.*chats but.*completion\.model"
    ):
        fim_renderer("tiny-chat", plain)


def test_a_family_nobody_knows_is_refused(tokenizers):
    """A typo in the catalogue, for example."""
    with pytest.raises(PromptError, match=r"'qwen9'; known: qwen2\.5-coder, "):
        fim_renderer("m", tokenizers["qwen2.5-coder"], "qwen9")


names = [name for family in FAMILIES.values() for name in family.tokens]
# No surrogates: half a pair is not text.
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["▁", " ", "  ", "\t", "\n", "\r\n", "self.count", "🙂", "é", "\0", " <PRE>", "<0x0A>"]),
    st.sampled_from(names),
    st.sampled_from(names).map(lambda name: name[1:] + name),
)
texts = st.lists(words, max_size=6).map("".join)


@each_family
def test_text_comes_back_as_it_went_in(family: FimFamily, tokenizers):
    """Blanks, line ends, unknown characters and the names of control tokens included."""
    tokenizer = tokenizers[family.name]

    @given(texts)
    @settings(max_examples=150, deadline=None)
    def check(text: str) -> None:
        ids = tokenizer.encode(text)
        assert all(tokenizer.vocabulary[token_id] for token_id in ids), "text became control"
        assert b"".join(tokenizer.vocabulary[token_id] for token_id in ids) == text.encode()

    check()


@each_family
def test_files_never_become_control(family: FimFamily, tokenizers):
    """The control tokens of a prompt are those of its layout, whatever the files say."""
    tokenizer = tokenizers[family.name]
    renderer = FimRenderer(family, tokenizer)

    def control(parts: FimParts) -> list[int]:
        return [i for i in renderer.render(parts).ids if not tokenizer.vocabulary[i]]

    layout = control(FimParts("", "", "", "p", "r", (RepositoryChunk("p", ""),)))

    @given(texts, texts, texts)
    @settings(max_examples=50, deadline=None)
    def check(one: str, two: str, three: str) -> None:
        parts = FimParts(one, two, three, two or "p", one or "r", (RepositoryChunk(three, one),))
        assert control(parts) == layout

    check()


@each_family
def test_any_word_held_out_can_be_spelled(family: FimFamily, tokenizers):
    """Prompt and healed text are what was typed, and every allowed token leads on to all of it."""
    tokenizer = tokenizers[family.name]
    renderer = FimRenderer(family, tokenizer)

    @given(texts, st.data())
    @settings(max_examples=60, deadline=None)
    def check(typed: str, data: st.DataObject) -> None:
        prompt = renderer.render(FimParts("", "", typed))
        assert typed.endswith(prompt.heal)
        settled = tokenizer.encode(typed[: len(typed) - len(prompt.heal)])
        assert list(prompt.ids[len(prompt.ids) - len(settled) :]) == settled
        healer, out = Healer(prompt.heal, tokenizer.vocabulary), b""
        while (allowed := healer.allowed()) is not None:
            token_id = data.draw(st.sampled_from(allowed))
            out += tokenizer.vocabulary[token_id]
            healer.advance(token_id)
        assert out.startswith(prompt.heal.encode())

    check()


@each_family
def test_typing_on_keeps_all_but_the_end(family: FimFamily, tokenizers):
    """What the prefix cache lives on, in every order of parts."""
    renderer = FimRenderer(family, tokenizers[family.name])
    line = "    return self.total"
    prompts = [renderer.render(FimParts("def f():\n", "\n", line[:n])) for n in range(len(line) + 1)]
    stem = prompts[0].ids
    for prompt in prompts:
        assert prompt.ids[: len(stem)] == stem
    assert prompts[-1].heal in (".total", "total")
