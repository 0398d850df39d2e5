"""The shape of a decoder-only model: what the runner, the reader and the packed file agree on.

Knows the families whose arithmetic is ours to run: `qwen2` and `llama` (Mistral is a llama).  Holds
no weights and imports no torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, cast

from .errors import UnsupportedWeightsError

Family = Literal["qwen2", "llama"]
FAMILIES: tuple[Family, ...] = ("qwen2", "llama")

MAX_LAYERS = 256
MAX_WIDTH = 1 << 20
"""Bounds on what a file may claim, so that a hostile one cannot ask for absurd allocations."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """RMS norms, rotary positions (half-split), grouped-query attention, SwiGLU.

    `hidden` and `num_heads * head_dim` may differ.  `tied_embeddings` says that the file has no head
    of its own; `eos_ids` are all the tokens that end a text or a turn, most important first.
    """

    family: Family
    num_layers: int
    hidden: int
    intermediate: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rope_theta: float
    rms_eps: float
    vocabulary: int
    context_length: int
    tied_embeddings: bool
    qkv_bias: bool
    bos_id: int | None
    add_bos: bool
    eos_ids: tuple[int, ...]
    chat_template: str | None

    @property
    def q_width(self) -> int:
        return self.num_heads * self.head_dim

    @property
    def kv_width(self) -> int:
        return self.num_kv_heads * self.head_dim

    @property
    def qkv_width(self) -> int:
        """Rows of the fused projection, in the order q, k, v."""
        return self.q_width + 2 * self.kv_width

    @property
    def parameters(self) -> int:
        """Numbers in the model; a head tied to the embedding counts once."""
        total = 0
        for _, shape in self.tensor_shapes():
            size = 1
            for dim in shape:
                size *= dim
            total += size
        return total

    def tensor_shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every weight under its canonical name with its shape `(out, in)`, in the order of use."""
        yield "embed.weight", (self.vocabulary, self.hidden)
        for index in range(self.num_layers):
            at = f"layers.{index}"
            yield f"{at}.attn_norm.weight", (self.hidden,)
            for part, width in (("q", self.q_width), ("k", self.kv_width), ("v", self.kv_width)):
                yield f"{at}.attn.{part}.weight", (width, self.hidden)
                if self.qkv_bias:
                    yield f"{at}.attn.{part}.bias", (width,)
            yield f"{at}.attn.o.weight", (self.hidden, self.q_width)
            yield f"{at}.ffn_norm.weight", (self.hidden,)
            yield f"{at}.ffn.gate.weight", (self.intermediate, self.hidden)
            yield f"{at}.ffn.up.weight", (self.intermediate, self.hidden)
            yield f"{at}.ffn.down.weight", (self.hidden, self.intermediate)
        yield "norm.weight", (self.hidden,)
        if not self.tied_embeddings:
            yield "lm_head.weight", (self.vocabulary, self.hidden)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """The inverse of `to_json`.  The text may come from an untrusted file: all of it is checked.

        Raises:
            UnsupportedWeightsError: not JSON, a key missing, unknown or of the wrong type, or sizes
                that no model has.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise UnsupportedWeightsError(f"the architecture record is not JSON ({error})") from error
        if not isinstance(raw, dict):
            raise UnsupportedWeightsError("the architecture record is not a JSON object")
        values = cast("dict[str, Any]", raw)
        expected = {field.name for field in fields(cls)}
        if values.keys() != expected:
            odd = ", ".join(sorted(values.keys() ^ expected))
            raise UnsupportedWeightsError(f"the architecture record has missing or unknown keys: {odd}")
        eos = values["eos_ids"]
        values["eos_ids"] = tuple(cast("list[Any]", eos)) if isinstance(eos, list) else eos
        try:
            architecture = cls(**values)
            architecture.check()
        except TypeError as error:
            raise UnsupportedWeightsError(f"the architecture record has a wrong type: {error}") from error
        return architecture

    def check(self) -> None:
        """Refuse what no model of these families looks like.

        Raises:
            UnsupportedWeightsError: names the field and the value found.
        """
        self._check_family_and_sizes()
        if self.num_heads % self.num_kv_heads:
            raise UnsupportedWeightsError(
                f"{self.num_heads} attention heads cannot share {self.num_kv_heads} key/value heads"
            )
        if self.head_dim % 2:
            raise UnsupportedWeightsError(f"head_dim is {self.head_dim}; rotary positions need an even one")
        if not (self.rope_theta > 0 and 0 < self.rms_eps < 1):
            raise UnsupportedWeightsError(
                f"rope_theta is {self.rope_theta} and rms_eps {self.rms_eps}; expected > 0 and in (0, 1)"
            )
        for token in (*self.eos_ids, *(() if self.bos_id is None else (self.bos_id,))):
            if isinstance(token, bool) or not 0 <= token < self.vocabulary:
                raise UnsupportedWeightsError(
                    f"token id {token!r} is outside the vocabulary of {self.vocabulary}"
                )

    def _check_family_and_sizes(self) -> None:
        if self.family not in FAMILIES:
            raise UnsupportedWeightsError(
                f"architecture {self.family!r} is not one we run ({', '.join(FAMILIES)})"
            )
        limits = {
            "num_layers": MAX_LAYERS,
            "hidden": MAX_WIDTH,
            "intermediate": MAX_WIDTH,
            "num_heads": 1 << 12,
            "num_kv_heads": 1 << 12,
            "head_dim": 1 << 12,
            "vocabulary": 1 << 22,
            "context_length": 1 << 26,
        }
        for name, limit in limits.items():
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= limit:
                raise UnsupportedWeightsError(f"{name} is {value!r}; expected 1 to {limit}")
