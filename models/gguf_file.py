"""Read a GGUF file: its architecture, and its tensors one at a time as float32, under our names.

Used once per model, when it is converted: opening takes seconds, because the vocabulary is parsed in
Python.  The file is not trusted: nothing is allocated before its sizes were checked against each
other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture, Family
from .errors import UnsupportedWeightsError
from .rotary import RopeScaling, frequencies

FAMILIES: tuple[Family, ...] = ("qwen2", "llama", "starcoder2")
"""By `general.architecture`.  Mistral is published as `llama`."""

TEXT_ENDERS = frozenset(("<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>", "<|end_of_text|>"))
"""Control tokens that end a text or a turn wherever a vocabulary has them."""

_STARCODER2_WINDOW = 4096
"""Of all three sizes published; their GGUF files do not tell."""

_TOP = {"embed": "token_embd", "norm": "output_norm", "lm_head": "output"}
_IN_LAYER = {
    "attn_norm": "attn_norm",
    "ffn_norm": "ffn_norm",
    "attn.q": "attn_q",
    "attn.k": "attn_k",
    "attn.v": "attn_v",
    "attn.o": "attn_output",
    "ffn.gate": "ffn_gate",
    "ffn.up": "ffn_up",
    "ffn.down": "ffn_down",
}


class TokenType:
    """`tokenizer.ggml.token_type`, the values that matter here."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5


class GgufFile:
    """An open GGUF file of a family we run."""

    def __init__(self, path: Path) -> None:
        """Parse and check; no tensor is read.

        Raises:
            UnsupportedWeightsError: not a GGUF file, cut short, of a family we do not run, or its
                tensors do not fit its own metadata; the message says what was found.
        """
        self.path = path
        self._fields, self._tensors = _open(path)
        self._kind: Any = self.field("general.architecture")
        self.architecture = self._read_architecture()
        self._check_tensors()

    def field(self, key: str, default: Any = None) -> Any:
        """A metadata value: str, int, float, bool or a list of one of these."""
        found = self._fields.get(key)
        if found is None:
            return default
        try:
            return found.contents()
        except (ValueError, IndexError) as error:
            raise UnsupportedWeightsError(f"{self.path}: {key} cannot be read ({error})") from error

    def number(self, key: str, default: float | None = None) -> float:
        value = self.field(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UnsupportedWeightsError(f"{self.path}: {key} is {value!r}, expected a number")
        return value

    def tokens(self) -> list[str]:
        """The vocabulary in id order."""
        return self._list("tokenizer.ggml.tokens", str)

    def token_types(self) -> list[int]:
        return self._list("tokenizer.ggml.token_type", int)

    def merges(self) -> list[str]:
        """Byte-pair merges, most frequent first, as `left right`."""
        return self._list("tokenizer.ggml.merges", str)

    def _list(self, key: str, of: type) -> list[Any]:
        value = self.field(key)
        items = cast("list[Any]", value) if isinstance(value, list) else []
        if not items or not all(isinstance(item, of) for item in items):
            raise UnsupportedWeightsError(f"{self.path}: {key} is missing or not a list of {of.__name__}")
        return items

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The values of one tensor by canonical name, in the orientation of `Architecture`."""
        found = self._tensors[gguf_name(name)]
        values = _dequantise(found)
        shape = _shape(found)
        if values.shape != shape:
            raise UnsupportedWeightsError(f"{self.path}: {name} unpacks to {values.shape}, expected {shape}")
        heads = {"q": self.architecture.num_heads, "k": self.architecture.num_kv_heads}
        turned = re.fullmatch(r"layers\.\d+\.attn\.([qk])\.(?:weight|bias)", name)
        if turned and self._kind == "llama":
            return _half_split(values, heads[turned[1]])
        return values

    def _read_architecture(self) -> Architecture:
        kind = self._kind
        if kind not in FAMILIES:
            raise UnsupportedWeightsError(
                f"{self.path}: architecture {kind!r} is not one we run ({', '.join(FAMILIES)})"
            )
        if "token_embd.weight" not in self._tensors:
            raise UnsupportedWeightsError(f"{self.path}: it has no token_embd.weight")
        vocabulary, *_ = (*_shape(self._tensors["token_embd.weight"]), 0)
        num_heads = self._size(f"{kind}.attention.head_count")
        hidden = self._size(f"{kind}.embedding_length")
        head_dim = self._size(f"{kind}.attention.key_length", hidden // max(1, num_heads))
        self._check_heads(kind, head_dim)
        # Metadata is single precision; what was published is the short decimal.
        theta = _decimal(self.number(f"{kind}.rope.freq_base", 10_000.0))
        eps = "layer_norm_epsilon" if kind == "starcoder2" else "layer_norm_rms_epsilon"
        window = self._size(
            f"{kind}.attention.sliding_window", _STARCODER2_WINDOW if kind == "starcoder2" else 0
        )
        tokens = self.tokens()
        bos = self.field("tokenizer.ggml.bos_token_id")
        template = self.field("tokenizer.chat_template")
        architecture = Architecture(
            family="mistral" if kind == "llama" and window else kind,
            num_layers=self._size(f"{kind}.block_count"),
            hidden=hidden,
            intermediate=self._size(f"{kind}.feed_forward_length"),
            num_heads=num_heads,
            num_kv_heads=self._size(f"{kind}.attention.head_count_kv", num_heads),
            head_dim=head_dim,
            rope_theta=theta,
            rms_eps=_decimal(self.number(f"{kind}.attention.{eps}")),
            vocabulary=vocabulary,
            context_length=self._size(f"{kind}.context_length"),
            tied_embeddings="output.weight" not in self._tensors,
            qkv_bias="blk.0.attn_q.bias" in self._tensors,
            bos_id=bos if isinstance(bos, int) else None,
            add_bos=self.field("tokenizer.ggml.add_bos_token", False) is True,  # noqa: FBT003  (a default)
            eos_ids=self._enders(tokens),
            chat_template=template if isinstance(template, str) else None,
            norm="layer" if kind == "starcoder2" else "rms",
            mlp="gelu_tanh" if kind == "starcoder2" else "gated_silu",
            o_bias="blk.0.attn_output.bias" in self._tensors,
            mlp_bias="blk.0.ffn_down.bias" in self._tensors,
            sliding_window=window,
            rope_scaling=self._read_scaling(kind, head_dim, theta),
        )
        architecture.check()
        if len(tokens) > architecture.vocabulary:
            raise UnsupportedWeightsError(
                f"{self.path}: {len(tokens)} tokens, but only {architecture.vocabulary} embedding rows"
            )
        return architecture

    def _check_heads(self, kind: str, head_dim: int) -> None:
        """Refuse heads that are turned in part, or whose values have another width."""
        for key in ("rope.dimension_count", "attention.value_length"):
            if (found := self._size(f"{kind}.{key}", head_dim)) != head_dim:
                raise UnsupportedWeightsError(f"{self.path}: {key} is {found}, only {head_dim} is supported")

    def _read_scaling(self, kind: str, head_dim: int, theta: float) -> RopeScaling | None:
        scaling = self.field(f"{kind}.rope.scaling.type", "none")
        if (found := self._tensors.get("rope_freqs.weight")) is not None:
            return self._llama3(_dequantise(found).reshape(-1), head_dim, theta)
        if scaling == "none":
            return None
        if scaling != "linear":
            raise UnsupportedWeightsError(
                f"{self.path}: scaled rotary positions ({scaling}) are not supported"
            )
        return RopeScaling("linear", self.number(f"{kind}.rope.scaling.factor"))

    def _llama3(self, divisors: NDArray[np.float32], head_dim: int, theta: float) -> RopeScaling:
        """The file has what each frequency is divided by, not the numbers it was made from: those
        that Llama was published with are tried.
        """
        scaling = RopeScaling("llama3", round(float(divisors.max()), 3))
        scaling.check()
        expected = frequencies(head_dim, theta) / frequencies(head_dim, theta, scaling)
        if divisors.shape != expected.shape or not np.allclose(divisors, expected, rtol=1e-4):
            raise UnsupportedWeightsError(
                f"{self.path}: its rotary positions are scaled as in no Llama we know (rope_freqs)"
            )
        return scaling

    def _size(self, key: str, default: int | None = None) -> int:
        value = self.number(key, default)
        if not isinstance(value, int):
            raise UnsupportedWeightsError(f"{self.path}: {key} is {value!r}, expected a whole number")
        return value

    def _enders(self, tokens: list[str]) -> tuple[int, ...]:
        named = [self.field(f"tokenizer.ggml.{key}_token_id") for key in ("eos", "eot", "eom")]
        types = self.token_types()
        known = [
            index
            for index, token in enumerate(tokens[: len(types)])
            if token in TEXT_ENDERS and types[index] == TokenType.CONTROL
        ]
        return tuple(dict.fromkeys([*(i for i in named if isinstance(i, int)), *known]))

    def _check_tensors(self) -> None:
        expected = {gguf_name(name): shape for name, shape in self.architecture.tensor_shapes()}
        if odd := sorted(expected.keys() ^ (self._tensors.keys() - {"rope_freqs.weight"})):
            raise UnsupportedWeightsError(
                f"{self.path}: {len(odd)} tensors missing or unknown for a {self.architecture.family} model "
                f"({', '.join(odd[:3])})"
            )
        for name, shape in expected.items():
            if (found := _shape(self._tensors[name])) != shape:
                raise UnsupportedWeightsError(f"{self.path}: {name} is {found}, its metadata wants {shape}")


def gguf_name(name: str) -> str:
    """The name that llama.cpp gives to one of our canonical names."""
    part, kind = name.rsplit(".", 1)
    if part in _TOP:
        return f"{_TOP[part]}.{kind}"
    _, index, rest = part.split(".", 2)
    return f"blk.{index}.{_IN_LAYER[rest]}.{kind}"


def _half_split(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Undo llama.cpp's reordering of rotary rows: from pairs side by side to first half, second half."""
    paired = values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:])
    return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(values.shape)


def _decimal(value: float) -> float:
    """The shortest decimal that is this single-precision number: 1e-06, not 9.999999974752427e-07."""
    return float(str(np.float32(value)))


def _open(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        from gguf import GGUFReader
    except ModuleNotFoundError as error:
        raise UnsupportedWeightsError(
            "reading a GGUF file needs the package gguf; run: pip install 'truepenny[local]'"
        ) from error
    try:
        reader: Any = GGUFReader(path)
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, OSError) as error:
        raise UnsupportedWeightsError(f"{path}: not a whole GGUF file ({error})") from error
    return dict(reader.fields), {tensor.name: tensor for tensor in reader.tensors}


def _shape(tensor: Any) -> tuple[int, ...]:
    """GGUF counts dimensions from the innermost."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _dequantise(tensor: Any) -> NDArray[np.float32]:
    from gguf import quants

    try:
        values: NDArray[np.float32] = quants.dequantize(tensor.data, tensor.tensor_type)
    except NotImplementedError as error:
        raise UnsupportedWeightsError(f"{tensor.name}: {tensor.tensor_type.name} is not supported") from error
    return np.asarray(values, dtype=np.float32)
