"""transformers as it comes, in float32: the yardstick for speed and for quality.

Nothing of ours is in it: its own modules, its own `DynamicCache`, its own attention (`sdpa`).  Kept
apart from `transformers_backend`, so that no improvement there can flatter or spoil the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .language_model import KV, Cancelled, ModelSpec, never


class StockKV:
    """A `DynamicCache`."""

    def __init__(self) -> None:
        from transformers import DynamicCache

        self.cache: Any = DynamicCache()

    @property
    def length(self) -> int:
        return int(self.cache.get_seq_length())

    @property
    def nbytes(self) -> int:
        return sum(
            layer.keys.nbytes + layer.values.nbytes for layer in self.cache.layers if layer.is_initialized
        )

    def truncate(self, length: int) -> None:
        assert 0 <= length <= self.length, f"cannot truncate {self.length} rows to {length}"
        if length < self.length:
            self.cache.crop(length - self.length)  # a positive number means something else in each version


class StockModel:
    """A `LanguageModel` that cannot be interrupted between layers."""

    def __init__(self, module: Any, spec: ModelSpec) -> None:
        self._module = module.eval()
        self.spec = spec

    @classmethod
    def from_weights(
        cls,
        name: str,
        config: dict[str, Any],
        tensors: Iterable[tuple[str, NDArray[np.float32]]],
        device: str = "cpu",
        advance: Callable[[int], None] = lambda _: None,
    ) -> StockModel:
        """Build from a configuration (`hub_folder.config_of`) and weights under transformers' names."""
        state: dict[str, Tensor] = {}
        for key, values in tensors:
            state[key] = torch.tensor(values)
            advance(values.nbytes)
        module = _module(config, state).to(device)
        return cls(module, _spec(name, config, sum(tensor.numel() for tensor in state.values())))

    def new_kv(self, capacity_tokens: int) -> StockKV:  # noqa: ARG002  (a dynamic cache takes no hint)
        return StockKV()

    def forward(
        self, ids: Sequence[int], kv: KV, is_cancelled: Callable[[], bool] = never
    ) -> NDArray[np.float32]:
        if is_cancelled():
            raise Cancelled
        return self._logits(ids, kv, 1)[-1]

    def forward_all(self, ids: Sequence[int], kv: KV) -> NDArray[np.float32]:
        """Append `ids`; logits `(len(ids), vocabulary)` after each of them."""
        return self._logits(ids, kv, 0)

    def _logits(self, ids: Sequence[int], kv: KV, keep: int) -> NDArray[np.float32]:
        """`keep` 0 keeps the logits of all positions."""
        with torch.inference_mode():
            output = self._module(
                input_ids=torch.tensor([ids], dtype=torch.long, device=self._module.device),
                past_key_values=cast("StockKV", kv).cache,
                use_cache=True,
                logits_to_keep=keep,
            )
            return cast("NDArray[np.float32]", output.logits[0].float().cpu().numpy())


def _module(config: dict[str, Any], state: dict[str, Tensor]) -> Any:
    """A module that holds the very tensors of `state`."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    settings = dict(config)
    (class_name,) = settings.pop("architectures")
    model_config: Any = transformers.AutoConfig.for_model(settings.pop("model_type"), **settings)  # pyright: ignore[reportUnknownMemberType]  # untyped
    model_class: Any = getattr(transformers, class_name)
    return model_class.from_pretrained(
        None, config=model_config, state_dict=state, dtype=torch.float32, attn_implementation="sdpa"
    )


def _spec(name: str, config: dict[str, Any], parameters: int) -> ModelSpec:
    kv_width = config["num_key_value_heads"] * config["head_dim"]
    return ModelSpec(
        name=name,
        architecture=config["model_type"],
        parameters=parameters,
        weights_bytes=4 * parameters,
        precision="fp32",
        why_precision="the reference: transformers as it comes",
        num_layers=config["num_hidden_layers"],
        vocabulary=config["vocab_size"],
        context_length=config["max_position_embeddings"],
        kv_bytes_per_token=2 * 4 * config["num_hidden_layers"] * kv_width,
    )
