"""Reading GGUF: a tiny file written here, hostile variations of it, and the real model."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.models import store
from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.gguf_file import GgufFile, gguf_name
from truepenny.models.gguf_tokenizer import build

FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")

CORPUS = (
    "def f(x):\n\treturn x + 1\n",
    "fn main() { println!(\"{}\", 'a'); }\r\n",
    "SELECT * FROM t WHERE a <> b; -- 1234567890123",
    "日本語 और हिंदी 🙂👨‍👩‍👧 naïve",
    "it's we'LL they'RE\r\n\r\n\t\t  x\u00a0y\u2003z",
    " " * 37 + "x" + "\t" * 9 + "\x00\ufeff",
    "",
)


@pytest.fixture
def tiny(tmp_path, tiny_gguf) -> GgufFile:
    tiny_gguf(tmp_path / "tiny.gguf")
    return GgufFile(tmp_path / "tiny.gguf")


@pytest.fixture
def tiny_tokenizer(tiny):
    return build(tiny)


def test_the_architecture_is_read_from_the_metadata(tiny):
    """Everything the runner needs, with single-precision numbers as the decimals they stand for."""
    a = tiny.architecture
    assert (a.family, a.num_layers, a.hidden, a.intermediate) == ("qwen2", 2, 64, 96)
    assert (a.num_heads, a.num_kv_heads, a.head_dim, a.vocabulary) == (4, 2, 16, 300)
    assert (a.rope_theta, a.rms_eps, a.context_length) == (1e6, 1e-6, 128)
    assert (a.tied_embeddings, a.qkv_bias, a.add_bos, a.bos_id) == (True, True, False, None)
    tokens = tiny.tokens()
    assert a.eos_ids == (tokens.index("<|im_end|>"), tokens.index("<|endoftext|>"))
    assert a.chat_template == "{{ messages }}"


def test_tensors_come_dequantised_under_our_names(tmp_path, tiny_gguf):
    """Every name of the architecture is in the file, with the values the library would give."""
    weights = tiny_gguf(tmp_path / "tiny.gguf")
    file = GgufFile(tmp_path / "tiny.gguf")
    names = dict(file.architecture.tensor_shapes())
    assert len(names) == len(weights)
    for name, shape in names.items():
        values = file.tensor(name)
        assert values.shape == shape
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, weights[gguf_name(name)])


def test_llama_rows_are_put_back_for_half_split_rotation(tmp_path, tiny_gguf):
    """llama.cpp stores rotary pairs side by side for this family; ours are first half, second half."""
    weights = tiny_gguf(tmp_path / "tiny.gguf", arch="llama")
    file = GgufFile(tmp_path / "tiny.gguf")
    assert not file.architecture.qkv_bias
    for part, heads in (("q", 4), ("k", 2)):
        stored = weights[f"blk.1.attn_{part}.weight"]
        ours = file.tensor(f"layers.1.attn.{part}.weight")
        for head in range(heads):
            for row in range(16):
                half, pair = divmod(row, 8)
                np.testing.assert_array_equal(ours[head * 16 + row], stored[head * 16 + 2 * pair + half])
    np.testing.assert_array_equal(file.tensor("layers.1.attn.v.weight"), weights["blk.1.attn_v.weight"])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"hidden": 128}, "metadata wants"),
        ({"drop": ["blk.1.ffn_up.weight"]}, r"1 tensors missing or unknown .*blk\.1\.ffn_up\.weight"),
        ({"drop": ["token_embd.weight"]}, "no token_embd"),
        ({"rope_scaling": "yarn"}, "yarn"),
        ({"arch": "gemma3"}, "'gemma3' is not one we run"),
    ],
    ids=["wrong-width", "missing-tensor", "no-embedding", "scaled-rope", "family"],
)
def test_a_file_that_does_not_fit_itself_is_refused(tmp_path, tiny_gguf, changes, found):
    """Before anything is computed with it, and with what was found."""
    tiny_gguf(tmp_path / "tiny.gguf", **changes)
    with pytest.raises(UnsupportedWeightsError, match=found):
        GgufFile(tmp_path / "tiny.gguf")


@pytest.mark.parametrize("keep", [0, 3, 100, 5000, 0.9, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, tiny_gguf, keep):
    """Wherever it was cut."""
    path: Path = tmp_path / "tiny.gguf"
    tiny_gguf(path)
    body = path.read_bytes()
    path.write_bytes(body[: keep if isinstance(keep, int) else int(keep * len(body))])
    with pytest.raises(UnsupportedWeightsError, match=r"tiny\.gguf"):
        GgufFile(path)


def test_text_that_is_not_gguf_is_refused(tmp_path):
    """A web page saved under the name of a model, for example."""
    (tmp_path / "page.gguf").write_text("<!doctype html>" * 100)
    with pytest.raises(UnsupportedWeightsError, match="not a whole GGUF file"):
        GgufFile(tmp_path / "page.gguf")


# -- the tokenizer --------------------------------------------------------------------------------


def test_control_tokens_are_single_ids_and_text_can_stay_text(tiny):
    """The prompt is built from ids; a file that contains `<|fim_middle|>` must not become control."""
    tokenizer = build(tiny)
    for token in FIM:
        assert tokenizer.encode(token).ids == [tiny.tokens().index(token)]
    tokenizer.encode_special_tokens = True
    assert len(tokenizer.encode("<|fim_middle|>").ids) > 1


def test_ids_are_those_of_the_file(tiny):
    """Merged tokens, and no token for padding ids."""
    tokenizer, tokens = build(tiny), tiny.tokens()
    assert tokenizer.encode("def x").tokens == ["def", "Ġx"]
    assert tokenizer.encode("def x").ids == [tokens.index("def"), tokens.index("Ġx")]
    assert tokenizer.get_vocab_size() == len([token for token in tokens if not token.startswith("[PAD")])


@given(text=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the tokenizer has no state
def test_text_survives_up_to_normalisation(tiny_tokenizer, text):
    """NFC is what the publisher trained with; everything else comes back as it went in."""
    ids = tiny_tokenizer.encode(text).ids
    assert tiny_tokenizer.decode(ids, skip_special_tokens=False) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("changes", "found"),
    [({"pre": "gpt-4o"}, "'gpt-4o'"), ({"merges": ["d e", "de g"]}, "a merge makes a token")],
    ids=["pre-tokenizer", "merges"],
)
def test_a_tokenizer_we_cannot_build_is_refused(tmp_path, tiny_gguf, changes, found):
    """A wrong tokenizer would give plausible nonsense; better none."""
    tiny_gguf(tmp_path / "tiny.gguf", **changes)
    with pytest.raises(UnsupportedWeightsError, match=found):
        build(GgufFile(tmp_path / "tiny.gguf"))


# -- the real model -------------------------------------------------------------------------------


@pytest.mark.weights
def test_the_default_model_is_what_its_publisher_says():
    """Facts from its model card, from our packed file and tokenizer."""
    from tokenizers import Tokenizer

    from truepenny.models.packed import open_packed

    folder = store.require(DEFAULT_MODEL)
    a = open_packed(folder.packed).architecture
    assert (a.num_layers, a.hidden, a.num_heads, a.num_kv_heads) == (24, 896, 14, 2)
    assert (a.vocabulary, a.context_length, a.rope_theta, a.rms_eps) == (151936, 32768, 1e6, 1e-6)
    tokenizer = Tokenizer.from_file(str(folder.tokenizer))
    names = (*FIM, "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>")
    assert [tokenizer.token_to_id(name) for name in names] == [151659, 151661, 151660, 151662, 151663, 151664]
    assert a.eos_ids == (tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>"))


@pytest.mark.weights
def test_the_default_tokenizer_agrees_with_transformers():
    """Same ids as their conversion of the same file, on our own sources and on difficult text.

    Composed text only: their conversion leaves out the NFC step that the publisher's tokenizer has.
    """
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    folder = store.require(DEFAULT_MODEL)
    ours = Tokenizer.from_file(str(folder.tokenizer))
    theirs = AutoTokenizer.from_pretrained(str(folder.root), gguf_file=folder.weights.name)
    here = Path(__file__).resolve().parents[2]
    sources = [path.read_text("utf-8") for path in sorted(here.glob("models/*.py"))]
    for text in (*CORPUS, *sources, "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|><tool_call>c"):
        ids = ours.encode(text, add_special_tokens=False).ids
        assert ids == theirs(text, add_special_tokens=False)["input_ids"]
        assert ours.decode(ids, skip_special_tokens=False) == text
