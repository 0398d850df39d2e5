"""Sentencepiece vocabularies: exact bytes, no invented spaces, the same ids from GGUF's metadata."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.gguf_file import GgufFile
from truepenny.models.gguf_tokenizer import GgufVocabulary, assemble, write_tokenizer
from truepenny.models.tokens import BpeTokenizer, SentencePieceTokenizer, load_tokenizer

CODE = [
    line
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    for line in path.read_text(encoding="utf-8").splitlines()
]
NONE: frozenset[int] = frozenset()


def published(path: Path) -> Any:
    """The library's own encoder: the reference."""
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=str(path))


def pieces(path: Path, plain: tuple[str, ...] = ()) -> list[tuple[str, int, float]]:
    """(token, GGUF type, score) in id order, as a converter writes them; `plain` are user-defined."""
    model = published(path)
    out = []
    for i in range(model.get_piece_size()):
        piece = model.id_to_piece(i)
        kind = 3 if model.is_control(i) else 2 if model.is_unknown(i) else 6 if model.is_byte(i) else 1
        out.append((piece, 4 if piece in plain else kind, model.get_score(i)))
    return out


def vocabulary(of: list[tuple[str, int, float]], *, opens: bool = True) -> GgufVocabulary:
    tokens, types, scores = ([*column] for column in zip(*of, strict=True))
    return GgufVocabulary("v.gguf", "llama", "default", tokens, types, [], scores, opens)


def from_pieces(
    of: list[tuple[str, int, float]], path: Path, *, opens: bool = True
) -> SentencePieceTokenizer:
    assemble(vocabulary(of, opens=opens)).save(str(path))
    made = SentencePieceTokenizer.from_json(path, NONE)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory, train_sentencepiece) -> Path:
    path = tmp_path_factory.mktemp("trained") / "tokenizer.model"
    train_sentencepiece(path, CODE, 400)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ", [b" "]),
        ("\n", [b"\n"]),
        ("\t\x00", [b"\t", b"\x00"]),
        ("🙂", [b"\xf0", b"\x9f", b"\x99", b"\x82"]),
        ("▁", [b"\xe2", b"\x96", b"\x81"]),  # stands for itself here, not for a space
        ("return", [b"return"]),  # in the middle of a prompt: no space before it
        (" return", [b" return"]),
        ("</s>", [b"<", b"/", b"s", b">"]),
    ],
)
def test_pieces_stand_for_exact_bytes(text, expected, tmp_path, train_sentencepiece):
    """`▁` for a space, `<0x0A>` for a byte; nothing for control tokens."""
    path = tmp_path / "tokenizer.model"
    train_sentencepiece(path, ["return x", "(return)"] * 20, 12)
    tokenizer = load_tokenizer(path, NONE)
    assert [tokenizer.vocabulary[i] for i in tokenizer.encode(text)] == expected
    end = tokenizer.special_id("</s>")
    assert end is not None
    assert tokenizer.vocabulary[end] == b""


@pytest.mark.parametrize("opens", [True, False])
def test_a_text_that_begins_is_encoded_as_the_publisher_does(opens, tmp_path, train_sentencepiece):
    """`opening` is what was left out: put before a text, it gives the library's ids."""
    path = tmp_path / "tokenizer.model"
    train_sentencepiece(path, CODE, 300, add_dummy_prefix=opens)
    tokenizer, reference = load_tokenizer(path, NONE), published(path)
    assert tokenizer.opening == (" " if opens else "")
    for text in ("def f():", " x", "\n\nx  = 1", *CODE[:200]):
        if text and "▁" not in text and not any(name in text for name in ("<s>", "</s>", "<unk>")):
            assert tokenizer.encode(tokenizer.opening + text) == reference.encode(text), text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("self.cou", ".cou"),
        ("x = ", " "),
        ("x =    ", "    "),
        ("    retu", " retu"),
        ("foo_ba", "_ba"),
        ("f(", "("),
        ("x12", "2"),
        ("\n\n", "\n\n"),
        ("é = ñandú", " ñandú"),
    ],
)
def test_the_last_word_is_what_the_next_character_may_join(text, word, trained):
    """The same words as with a byte-level vocabulary, blanks before them included."""
    assert load_tokenizer(trained, NONE).last_word(text) == word


# -- the same vocabulary from a GGUF file ----------------------------------------------------------


def test_scores_give_the_librarys_ids(trained, tmp_path):
    """The merges of a GGUF file's scores, on code and on everything else."""
    ours = load_tokenizer(trained, NONE)
    rebuilt = from_pieces(pieces(trained), tmp_path / "tokenizer.json")
    assert rebuilt.opening == ours.opening == " "
    assert [rebuilt.vocabulary[i] for i in range(len(ours.vocabulary))] == [
        ours.vocabulary[i] for i in range(len(ours.vocabulary))
    ]
    for line in CODE:
        assert rebuilt.encode(line) == ours.encode(line)

    @given(st.lists(st.one_of(st.text(max_size=9), st.sampled_from(CODE)), max_size=4).map("\n".join))
    @settings(max_examples=300, deadline=None)
    def check(text: str) -> None:
        assert rebuilt.encode(text) == ours.encode(text)

    check()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("letters", ["ab", "abc", "ab ", "aab  "])
def test_text_that_overlaps_itself_merges_as_the_library_does(letters, seed, tmp_path, train_sentencepiece):
    """Few letters make pieces that can be split in several ways: what a list of merges might get wrong."""
    drawn = random.Random(seed)

    def line(longest: int) -> str:
        return "".join(drawn.choice(letters) for _ in range(drawn.randint(5, longest)))

    path = tmp_path / "tokenizer.model"
    train_sentencepiece(path, [line(60) for _ in range(40)], drawn.choice([10, 40, 150]))
    ours = load_tokenizer(path, NONE)
    rebuilt = from_pieces(pieces(path), tmp_path / "tokenizer.json")
    short = ("".join(one) for length in range(9) for one in product(sorted(set(letters)), repeat=length))
    for text in [*short][:2000] + [line(80) for _ in range(100)]:
        assert rebuilt.encode(text) == ours.encode(text), text


def test_plain_added_pieces_are_found_after_spaces_are_marked(tmp_path, train_sentencepiece):
    """As in CodeGemma: runs of blanks are pieces of their own, and come before any merging."""
    plain = ("▁▁", "▁▁▁▁", "\t\t", "<html>")
    path = tmp_path / "tokenizer.model"
    train_sentencepiece(path, CODE, 300, add_dummy_prefix=False, user_defined_symbols=list(plain))
    ours = load_tokenizer(path, NONE)
    rebuilt = from_pieces(pieces(path, plain), tmp_path / "tokenizer.json", opens=False)
    assert rebuilt.opening == ""
    assert [rebuilt.vocabulary[i] for i in rebuilt.encode("      x\t\t\t<html>")][:2] == [b"    ", b"  "]
    for text in ("      x\t\t\t<html>", "   <html>  ", *CODE):
        assert rebuilt.encode(text) == ours.encode(text), text


def test_a_gguf_file_makes_a_tokenizer_json(tmp_path, tiny_gguf, train_sentencepiece):
    """From the file to the ids, padding left out; careless types do not make control tokens text."""
    path = tmp_path / "tokenizer.model"
    fim = ["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"]
    train_sentencepiece(path, ["def f(x): return x"] * 30, 9, user_defined_symbols=fim)
    careless = [(piece, 1 if piece in fim else kind, score) for piece, kind, score in pieces(path)]
    tiny_gguf(tmp_path / "tiny.gguf", arch="llama", pieces=careless)
    write_tokenizer(GgufFile(tmp_path / "tiny.gguf"), tmp_path / "tokenizer.json")
    tokenizer, ours = load_tokenizer(tmp_path / "tokenizer.json", NONE), load_tokenizer(path, NONE)
    assert isinstance(tokenizer, SentencePieceTokenizer)
    assert len(tokenizer.vocabulary) == len(careless)
    assert tokenizer.opening == " "
    for text in ("def f(x): return x\n", " <PRE>x <EOT>", "▁<MID>"):
        assert tokenizer.encode(text) == ours.encode(text)
        assert all(tokenizer.vocabulary[i] for i in tokenizer.encode(text))
    for name in fim:
        assert tokenizer.special_id(name) == ours.special_id(name) is not None


# -- files of others -------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["prepend", "metaspace", "gemma"])
def test_published_json_files_are_read_too(style, trained, tmp_path):
    """What transformers writes for the same model, in its older and newer ways."""
    from tokenizers import normalizers, pre_tokenizers

    hub = assemble(vocabulary(pieces(trained), opens=style != "gemma"))
    mark = normalizers.Replace(" ", "▁")
    if style == "prepend":
        hub.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), mark])
    elif style == "metaspace":
        hub.normalizer = None
        hub.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        hub.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    hub.save(str(tmp_path / "tokenizer.json"))
    tokenizer, ours = load_tokenizer(tmp_path / "tokenizer.json", NONE), load_tokenizer(trained, NONE)
    assert tokenizer.opening == ("" if style == "gemma" else " ")
    for line in CODE[:300]:
        assert tokenizer.encode(line) == ours.encode(line)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"byte_fallback": False}, r"0 of 256 bytes"),
        ({"normalization_rule_name": "nmt_nfkc"}, "normalises text"),
    ],
)
def test_a_vocabulary_that_cannot_keep_text_is_refused(changes, found, tmp_path, train_sentencepiece):
    """Code that comes back changed, or not at all, is worse than no model."""
    path = tmp_path / "tokenizer.model"
    train_sentencepiece(path, CODE, 300, **changes)
    with pytest.raises(UnsupportedWeightsError, match=found):
        load_tokenizer(path, NONE)


def test_a_json_file_that_changes_text_is_refused(trained, tmp_path):
    """For example one that composes it."""
    from tokenizers import normalizers

    hub = assemble(vocabulary(pieces(trained)))
    hub.normalizer = normalizers.NFKC()
    hub.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UnsupportedWeightsError, match=r"normalises text \(NFKC\)"):
        load_tokenizer(tmp_path / "tokenizer.json", NONE)


def test_what_is_no_sentencepiece_model_is_refused(tmp_path):
    """A page saved under its name, for example."""
    (tmp_path / "tokenizer.model").write_text("<!doctype html>")
    with pytest.raises(UnsupportedWeightsError, match="not a sentencepiece model"):
        load_tokenizer(tmp_path / "tokenizer.model", NONE)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda of: [one for one in of if one[0] != "<0x0A>"], "no tokens for single bytes"),
        (lambda of: [(piece, kind, 0.0) for piece, kind, _ in of], "share a score"),
    ],
    ids=["bytes", "scores"],
)
def test_a_vocabulary_without_order_or_bytes_is_refused(change, found, trained):
    """A wrong tokenizer would give plausible nonsense."""
    with pytest.raises(UnsupportedWeightsError, match=found):
        assemble(vocabulary(change(pieces(trained))))


def test_a_byte_level_file_is_not_taken_for_one(tmp_path, tiny_gguf):
    """The kind is in the file, not in its name."""
    tiny_gguf(tmp_path / "tiny.gguf")
    write_tokenizer(GgufFile(tmp_path / "tiny.gguf"), tmp_path / "tokenizer.json")
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json", NONE)
    assert isinstance(tokenizer, BpeTokenizer)
    assert tokenizer.opening == ""
