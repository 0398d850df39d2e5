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

from .language_model import Cancelled, ModelSpec, Rows, Span, never


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

    def copy_out(self, start: int, end: int) -> Rows:
        raise NotImplementedError("the reference starts cold: nothing of it is kept")

    def copy_in(self, rows: Rows) -> None:
        raise NotImplementedError("the reference starts cold: nothing of it is kept")


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
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        """One call for each sequence."""
        if is_cancelled():
            raise Cancelled
        return [self._logits(span) for span in spans]

    def _logits(self, span: Span) -> NDArray[np.float32]:
        with torch.inference_mode():
            output = self._module(
                input_ids=torch.tensor([list(span.ids)], dtype=torch.long, device=self._module.device),
                past_key_values=cast("StockKV", span.kv).cache,
                use_cache=True,
                logits_to_keep=max(1, span.num_logits),  # 0 would be all
            )
            logits = output.logits[0, output.logits.shape[1] - span.num_logits :]
            return cast("NDArray[np.float32]", logits.float().cpu().numpy())


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
