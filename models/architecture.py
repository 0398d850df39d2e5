"""The shape of a decoder-only model: what the runner, the reader and the packed file agree on.

Families differ in data, not in code: the kind of norm and of MLP, which projections have a bias, how
far a token looks back, how positions are stretched.  A family name says where a record came from and
what others call its weights.  Holds no weights and imports no torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal, cast, get_args

from .errors import UnsupportedWeightsError
from .rotary import RopeScaling

Family = Literal["qwen2", "llama", "mistral", "starcoder2"]
FAMILIES: tuple[Family, ...] = get_args(Family)

Norm = Literal["rms", "layer"]
"""`layer` has a bias, `rms` has none."""
Mlp = Literal["gated_silu", "gelu_tanh"]
"""`down(silu(gate(x)) · up(x))`, or `down(gelu(up(x)))` with the tanh approximation."""

MAX_LAYERS = 256
MAX_WIDTH = 1 << 20
"""Bounds on what a file may claim, so that a hostile one cannot ask for absurd allocations."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Rotary positions (half-split), grouped-query attention, and what the fields say.

    `hidden` and `num_heads * head_dim` may differ.  `tied_embeddings` says that the file has no head
    of its own; `eos_ids` are all the tokens that end a text or a turn, most important first.
    `rms_eps` belongs to norms of either kind.  A token sees the `sliding_window` tokens that end with
    itself, in every layer; 0: all.
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
    norm: Norm = "rms"
    mlp: Mlp = "gated_silu"
    o_bias: bool = False
    mlp_bias: bool = False
    sliding_window: int = 0
    rope_scaling: RopeScaling | None = None

    @property
    def mlp_inputs(self) -> tuple[str, ...]:
        """The projections that read the MLP's input, in the order in which they are stacked."""
        return ("gate", "up") if self.mlp == "gated_silu" else ("up",)

    @property
    def is_plain(self) -> bool:
        """RMS norms, a gated MLP, biases of q, k and v alone, every token seen, positions not stretched."""
        return (
            (self.norm, self.mlp, self.rope_scaling) == ("rms", "gated_silu", None)
            and not (self.o_bias or self.mlp_bias)
            and not 0 < self.sliding_window < self.context_length
        )

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
            yield from self._norm(f"{at}.attn_norm")
            for part, width in (("q", self.q_width), ("k", self.kv_width), ("v", self.kv_width)):
                yield from _linear(f"{at}.attn.{part}", width, self.hidden, has_bias=self.qkv_bias)
            yield from _linear(f"{at}.attn.o", self.hidden, self.q_width, has_bias=self.o_bias)
            yield from self._norm(f"{at}.ffn_norm")
            for part in self.mlp_inputs:
                yield from _linear(f"{at}.ffn.{part}", self.intermediate, self.hidden, has_bias=self.mlp_bias)
            yield from _linear(f"{at}.ffn.down", self.hidden, self.intermediate, has_bias=self.mlp_bias)
        yield from self._norm("norm")
        if not self.tied_embeddings:
            yield "lm_head.weight", (self.vocabulary, self.hidden)

    def _norm(self, name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.weight", (self.hidden,)
        if self.norm == "layer":
            yield f"{name}.bias", (self.hidden,)

    def to_json(self) -> str:
        """What has its default is left out: a record says only in what its family is special."""
        values = {
            field.name: value
            for field, value in zip(fields(self), asdict(self).values(), strict=True)
            if value != field.default
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

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
        known = {field.name for field in fields(cls)}
        needed = {field.name for field in fields(cls) if field.default is MISSING}
        if odd := ", ".join(sorted((values.keys() - known) | (needed - values.keys()))):
            raise UnsupportedWeightsError(f"the architecture record has missing or unknown keys: {odd}")
        eos = values["eos_ids"]
        values["eos_ids"] = tuple(cast("list[Any]", eos)) if isinstance(eos, list) else eos
        scaling: object = values.get("rope_scaling")
        try:
            if scaling is not None:
                values["rope_scaling"] = RopeScaling(**cast("dict[str, Any]", scaling))
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
        self._check_kinds()
        self._check_sizes()
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

    def _check_kinds(self) -> None:
        kinds = {"family": FAMILIES, "norm": get_args(Norm), "mlp": get_args(Mlp)}
        for name, known in kinds.items():
            if (value := getattr(self, name)) not in known:
                raise UnsupportedWeightsError(f"{name} {value!r} is not one we run ({', '.join(known)})")
        for name in ("tied_embeddings", "qkv_bias", "add_bos", "o_bias", "mlp_bias"):
            if not isinstance(value := getattr(self, name), bool):
                raise UnsupportedWeightsError(f"{name} is {value!r}; expected true or false")
        if self.rope_scaling is not None:
            self.rope_scaling.check()

    def _check_sizes(self) -> None:
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
        window: object = getattr(self, "sliding_window")  # noqa: B009  (its type is not yet known to hold)
        if (
            isinstance(window, bool)
            or not isinstance(window, int)
            or not 0 <= window <= limits["context_length"]
        ):
            raise UnsupportedWeightsError(f"sliding_window is {window!r}; expected 0, for none, or more")


def _linear(name: str, out: int, width: int, *, has_bias: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (out, width)
    if has_bias:
        yield f"{name}.bias", (out,)
