"""A model small enough to write in a test: two layers, three hundred byte-level tokens."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.errors import WeightsMissingError
from truepenny.models.store import ModelFolder, require
from truepenny.models.tokens import BpeTokenizer

LAYERS, HIDDEN, FFN, HEADS, KV_HEADS = 2, 64, 96, 4, 2
MERGED = ["de", "def", "Ġx", "in", "re", "ret"]
CONTROL = ["<|endoftext|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
MERGES = ["d e", "de f", "Ġ x", "i n", "r e", "re t"]


def byte_tokens() -> list[str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(b) for b in printable] + [chr(256 + rank) for rank in range(len(others))]


def write_tiny_gguf(path: Path, arch: str = "qwen2", **changes: Any) -> dict[str, np.ndarray]:
    """Write it; the float32 weights by GGUF name.  `changes`: metadata to replace, or `drop`/`reshape`.

    `pieces`, a list of sentencepiece's (token, type, score), makes it a sentencepiece vocabulary.
    """
    import gguf

    tokens = byte_tokens() + MERGED + CONTROL
    types = [1] * (256 + len(MERGED)) + [3] * len(CONTROL)
    pieces = changes.get("pieces")
    if pieces:
        tokens, types = [token for token, _, _ in pieces], [kind for _, kind, _ in pieces]
    while len(tokens) < 300:
        types.append(5)
        tokens.append(f"[PAD{len(tokens)}]")
    writer = gguf.GGUFWriter(path, arch)
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(changes.get("hidden", HIDDEN))
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    if "rope_scaling" in changes:
        writer.add_string(f"{arch}.rope.scaling.type", changes["rope_scaling"])
    writer.add_tokenizer_model("llama" if pieces else "gpt2")
    writer.add_tokenizer_pre(changes.get("pre", "default" if pieces else "qwen2"))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if pieces:
        scores = [score for _, _, score in pieces]
        writer.add_token_scores(scores + [0.0] * (len(tokens) - len(scores)))
        writer.add_add_space_prefix(changes.get("opens", True))
    else:
        writer.add_token_merges(changes.get("merges", MERGES))
    writer.add_eos_token_id(tokens.index("</s>" if pieces else "<|im_end|>"))
    writer.add_chat_template("{{ messages }}")
    weights = tiny_weights(arch)
    for name in changes.get("drop", ()):
        del weights[name]
    for name, values in weights.items():
        kind = gguf.GGMLQuantizationType.Q8_0
        if values.ndim == 2 and name not in changes.get("float", ()):
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
            weights[name] = gguf.quants.dequantize(gguf.quants.quantize(values, kind), kind)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


def tiny_weights(arch: str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    kv = HIDDEN // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (300, HIDDEN), "output_norm.weight": (HIDDEN,)}
    for i in range(LAYERS):
        at = f"blk.{i}"
        shapes |= {f"{at}.attn_norm.weight": (HIDDEN,), f"{at}.ffn_norm.weight": (HIDDEN,)}
        for part, width in (("q", HIDDEN), ("k", kv), ("v", kv)):
            shapes[f"{at}.attn_{part}.weight"] = (width, HIDDEN)
            if arch == "qwen2":
                shapes[f"{at}.attn_{part}.bias"] = (width,)
        shapes[f"{at}.attn_output.weight"] = (HIDDEN, HIDDEN)
        shapes |= {f"{at}.ffn_gate.weight": (FFN, HIDDEN), f"{at}.ffn_up.weight": (FFN, HIDDEN)}
        shapes[f"{at}.ffn_down.weight"] = (HIDDEN, FFN)
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def tiny_gguf() -> Callable[..., dict[str, np.ndarray]]:
    """Called with a path and changes, writes the tiny model there and returns its weights."""
    return write_tiny_gguf


def write_hub_folder(path: Path, model_type: str, max_shard_size: str = "1GB", **changes: Any) -> Any:
    """A small random model of transformers, saved there with a byte-level tokenizer; in float32.

    `changes` are of its configuration; `dtype` is that of what is saved.  No weight is a zero or a one,
    which hide mistakes.
    """
    import torch
    import transformers

    dtype = changes.pop("dtype", "float32")
    sizes = {
        "vocab_size": 300,
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": 4096,
        "bos_token_id": None,
        "eos_token_id": 256 + len(MERGED),
        "pad_token_id": None,
        "tie_word_embeddings": False,
        "initializer_range": 0.2,
    }
    torch.manual_seed(3)
    config = transformers.AutoConfig.for_model(model_type, **{**sizes, **changes})
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
            assert parameter.std() > 0, name
    model = model.to(getattr(torch, dtype)).float()
    model.to(getattr(torch, dtype)).save_pretrained(path, max_shard_size=max_shard_size)
    write_byte_tokenizer(path / "tokenizer.json")
    return model.float()


def write_byte_tokenizer(path: Path) -> None:
    """A byte-level `tokenizer.json` with the tokens of `write_tiny_gguf`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {token: index for index, token in enumerate(byte_tokens() + MERGED)}
    halves = [merge.split(" ") for merge in MERGES]
    merges = [(first, second) for first, second in halves]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in CONTROL])
    tokenizer.save(str(path))


@pytest.fixture
def hub_folder() -> Callable[..., Any]:
    """See `write_hub_folder`."""
    return write_hub_folder


def write_sentencepiece(path: Path, lines: list[str], num_merges: int, **changes: Any) -> None:
    """Train a `tokenizer.model` there, of the kind that code models have, offline."""
    import sentencepiece

    extra = [*changes.get("control_symbols", ()), *changes.get("user_defined_symbols", ())]
    options = {
        "model_type": "bpe",
        "byte_fallback": True,
        "remove_extra_whitespaces": False,
        "normalization_rule_name": "identity",
        "split_digits": True,
        "allow_whitespace_only_pieces": True,
        "character_coverage": 1.0,
        "hard_vocab_limit": False,
        "vocab_size": 3 + 256 + len(set("".join(lines)) - {"\n", " "}) + 1 + len(extra) + num_merges,
        "minloglevel": 2,
    }
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=file, **(options | changes)
        )


@pytest.fixture(scope="session")
def train_sentencepiece() -> Callable[..., None]:
    """See `write_sentencepiece`."""
    return write_sentencepiece


@pytest.fixture(scope="session")
def default_model() -> ModelFolder:
    """The pulled default model.  Missing, it is said loudly; where CI promises it, that is a failure."""
    try:
        return require(DEFAULT_MODEL)
    except WeightsMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"run: truepenny pull ({error})")


@pytest.fixture(scope="session")
def real_tokenizer(default_model: ModelFolder) -> BpeTokenizer:
    return BpeTokenizer(default_model.tokenizer, frozenset())
