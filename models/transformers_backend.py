"""Any decoder of transformers as a `LanguageModel`, and what runs on an NVIDIA GPU.

The loop is ours: `generate()` corrupts a reused cache in silence.  One `forward` of the module per
call, on a cache of ours (`transformers_kv`); after an exception in the middle of one, every layer
goes back to the last committed row.

What quantisation does to reuse.  A warm cache holds rows computed beside other neighbours than a
cold one would have.  LLM.int8() with a threshold (bitsandbytes' default, 6.0) takes the columns in
which *any* row of the call has an outlier out of the int8 product: a token's result then depends on
who shares its chunk, by far more than rounding.  We set the threshold to 0: one scale per row, the
arithmetic of our own CPU kernels (`linear`) and, as measured with the 0.5B model on 240 positions of
code, their quality: divergence from float32 0.008 nats, 0.003 with the threshold (NF4: 0.064).  NF4
multiplies in bfloat16: rows are independent up to the order of sums, which the GPU's library chooses
by the shape of a call.  So on this backend warm equals cold within rounding, not bit for bit, and a
tie may fall the other way.

Unless it is asked to be *exact*.  Then a prompt is computed in calls that end at multiples of
`EXACT_GRID_TOKENS`, the tokens of a draft one by one, and the prefix cache resumes only where such a
call begins: every call has the shape a cold one has, hence the same bits.  It costs up to 63 tokens a
request, so it is what the other mode is tested against.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from .convert import reference_state_dict
from .engine import LoadedModel
from .errors import UnsupportedWeightsError
from .hardware import Device
from .hub_folder import config_of, hub_folder
from .language_model import Cancelled, ModelSpec, Span, never
from .packed import read_header
from .prefix_cache import PrefixCache
from .prompts.chat import ChatTemplate
from .store import ModelFolder
from .tokens import load_tokenizer
from .transformers_kv import SlabLayer, TransformersKV
from .transformers_stock import StockModel
from .wire import Precision

INT8_THRESHOLD = 0.0
"""See above: with another one, a token's keys and values depend on its neighbours in the chunk."""

EXACT_GRID_TOKENS = 64

_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}
"""Layer types whose past can be cut at any row; a recurrent state cannot."""


class TransformersRunner:
    """A `LanguageModel` over a causal language model of transformers, on whatever device it is."""

    def __init__(self, module: Any, spec: ModelSpec, *, exact: bool = False) -> None:
        """`module` is a `PreTrainedModel` with a head; it is put into evaluation mode.

        `exact`: see above; slower, and warm is cold bit for bit where a call's bits depend on its shape.

        Raises:
            UnsupportedWeightsError: it keeps a state that cannot be taken back (Mamba and the like).
        """
        config = _text_config(module)
        kinds = set(cast("list[str]", getattr(config, "layer_types", None) or []))
        if odd := sorted(kinds - _ATTENTION):
            raise UnsupportedWeightsError(
                f"{spec.name}: layers of type {', '.join(odd)} keep a state that cannot be rewound, which "
                "reuse of earlier work needs; choose a model with attention only"
            )
        self._module = module.eval()
        self._spec = spec
        self._exact = exact
        self._num_layers = int(config.num_hidden_layers)
        self._is_cancelled: Callable[[], bool] = never
        for layer in _decoder_layers(module, self._num_layers):
            layer.register_forward_pre_hook(self._check)

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    def new_kv(self, capacity_tokens: int) -> TransformersKV:
        return TransformersKV([SlabLayer(capacity_tokens) for _ in range(self._num_layers)])

    def new_cache(self, budget_bytes: int) -> PrefixCache[TransformersKV]:
        return PrefixCache(budget_bytes, self.new_kv, grid_tokens=EXACT_GRID_TOKENS if self._exact else 1)

    def forward(
        self, spans: Sequence[Span], is_cancelled: Callable[[], bool] = never
    ) -> list[NDArray[np.float32]]:
        """One call of the module for each sequence: what one gets cannot depend on the others."""
        before = [(_ours(span), span.kv.length) for span in spans]
        self._is_cancelled = is_cancelled
        try:
            with torch.inference_mode():
                return [self._span(span) for span in spans]
        except BaseException:
            for kv, length in before:
                kv.roll_back()
                kv.truncate(length)
            raise
        finally:
            self._is_cancelled = never

    def _span(self, span: Span) -> NDArray[np.float32]:
        assert 0 <= span.num_logits <= len(span.ids) > 0, (
            f"{span.num_logits} logits of {len(span.ids)} tokens"
        )
        kv, end = _ours(span), len(span.ids)
        logits = [
            self._call(
                span.ids[start:stop], kv, num_logits=min(stop - start, max(0, stop - (end - span.num_logits)))
            )
            for start, stop in (self._exact_cuts(span) if self._exact else [(0, end)])
        ]
        return np.concatenate(logits)

    def _exact_cuts(self, span: Span) -> Iterator[tuple[int, int]]:
        """What is one call: up to a multiple of the grid; a draft token by token, as it would be decoded."""
        start, end = 0, len(span.ids)
        one_by_one = end - span.num_logits if span.num_logits > 1 else end
        while start < one_by_one:
            position = span.kv.length  # the calls before have been made: this is a generator
            stop = min(one_by_one, start + EXACT_GRID_TOKENS - position % EXACT_GRID_TOKENS)
            yield start, stop
            start = stop
        yield from ((i, i + 1) for i in range(one_by_one, end))

    def _call(self, ids: Sequence[int], kv: TransformersKV, num_logits: int) -> NDArray[np.float32]:
        """Append `ids`; logits `(num_logits, vocabulary)`."""
        self._check()
        device = self._module.device
        input_ids = torch.tensor([list(ids)], dtype=torch.long, device=device)
        positions = torch.arange(kv.length, kv.length + len(ids), device=device)[None]
        output = self._module(
            input_ids=input_ids,
            position_ids=positions,
            past_key_values=kv.cache,
            use_cache=True,
            logits_to_keep=max(1, num_logits),  # 0 would be all
        )
        logits: torch.Tensor = output.logits[0, output.logits.shape[1] - num_logits :].float().cpu()
        kv.commit(len(ids))
        return cast("NDArray[np.float32]", logits.numpy())

    def _check(self, *_: object) -> None:
        """Called before every layer."""
        if self._is_cancelled():
            raise Cancelled


def _ours(span: Span) -> TransformersKV:
    assert isinstance(span.kv, TransformersKV), f"a {type(span.kv).__name__} is another backend's"
    return span.kv


def load_on_cuda(
    folder: ModelFolder, precision: Precision, device: Device, *, exact: bool = False
) -> LoadedModel:
    """The model on the first GPU: bf16 as it is, nf4 and int8 through bitsandbytes.

    Raises:
        UnsupportedWeightsError: fp32 (the reference is a CPU affair), a library missing, not enough
            memory on the card, or a library present that would fetch native code.
        DiskFullError: no room to unpack the weights.
    """
    _refuse_downloaded_kernels()
    parameters = read_header(folder.packed).architecture.parameters
    chosen, why = choose_precision(precision, parameters, device)
    return load_from(folder, hub_folder(folder), chosen, why, "cuda:0", exact=exact)


def _refuse_downloaded_kernels() -> None:
    """With the package `kernels` installed, bitsandbytes and transformers fetch compiled code."""
    from huggingface_hub import constants

    if importlib.util.find_spec("kernels") is not None and not constants.is_offline_mode():
        raise UnsupportedWeightsError(
            "the package kernels is installed and would download native code: "
            "uninstall it, or set HF_HUB_OFFLINE=1"
        )


def choose_precision(precision: Precision, parameters: int, device: Device) -> tuple[Precision, str]:
    """What `auto` means on this card, and why.  Raises UnsupportedWeightsError for fp32."""
    if precision == "fp32":
        raise UnsupportedWeightsError(
            "precision 'fp32' on a GPU is not offered: use bf16, or TRUEPENNY_DEVICE=cpu for the reference"
        )
    if precision != "auto":
        return precision, f"asked for; {device.description}"
    needed, room = 2 * parameters / 2**30, device.memory_bytes / 2**30
    fits = f"{device.description} has {room:.1f} GiB and the weights take {needed:.1f} GiB in bf16"
    # A third for the weights; the rest is for keys and values, activations, and the person's other programs.
    if device.memory_bytes < 3 * 2 * parameters:
        return "nf4", f"{fits}: less than three times as much"
    return "bf16", f"{fits}: there is room"


def load_from(
    folder: ModelFolder, hub: Path, precision: Precision, why: str, where: str, *, exact: bool = False
) -> LoadedModel:
    """Build `precision` from an unpacked folder on the torch device `where`, which may be `cpu`."""
    architecture = read_header(folder.packed).architecture
    module = build(hub, precision, where)
    spec = ModelSpec(
        name=folder.name,
        architecture=architecture.family,
        parameters=architecture.parameters,
        weights_bytes=int(module.get_memory_footprint()),
        precision=precision,
        why_precision=why,
        num_layers=architecture.num_layers,
        vocabulary=architecture.vocabulary,
        context_length=architecture.context_length,
        kv_bytes_per_token=2 * module.dtype.itemsize * architecture.num_layers * architecture.kv_width,
        chunk_tokens=EXACT_GRID_TOKENS,
        rows_independent=False,
    )
    runner = TransformersRunner(module, spec, exact=exact)
    return LoadedModel(
        runner,
        load_tokenizer(folder.tokenizer, frozenset(architecture.eos_ids)),
        ChatTemplate(architecture.chat_template) if architecture.chat_template else None,
        runner.new_cache,
    )


def build(
    hub: Path,
    precision: Precision,
    where: str,
    dtype: torch.dtype = torch.bfloat16,
    attention: Literal["sdpa", "eager"] = "sdpa",
) -> Any:
    """A `PreTrainedModel` from a local folder.  `dtype` is that of what is not quantised, and of products.

    Only safetensors are read, no code that came with weights is run, nothing is asked of a network.

    Raises:
        UnsupportedWeightsError: a library is missing, or the card's memory is too small.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()
    options: dict[str, Any] = {}
    if precision in ("nf4", "int8"):
        options["quantization_config"] = quantisation(precision, dtype)
        # It says for every product of every layer that bfloat16 is cast to float16.
        logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(  # pyright: ignore[reportUnknownMemberType]  # untyped
            hub,
            dtype=dtype,
            device_map={"": where},
            attn_implementation=attention,  # else config.json may name one, to be downloaded
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            **options,
        )
    except torch.cuda.OutOfMemoryError as error:
        raise UnsupportedWeightsError(
            f"precision {precision!r} does not fit into the memory of {where}: use nf4, a smaller model, or "
            "TRUEPENNY_DEVICE=cpu"
        ) from error
    except ImportError as error:
        raise UnsupportedWeightsError(
            f"precision {precision!r} needs a library that is not here ({error}); run: "
            "pip install 'truepenny[local]'"
        ) from error


def quantisation(precision: Precision, dtype: torch.dtype) -> Any:
    """What transformers is told about bitsandbytes: NF4 with its scales quantised too, or LLM.int8().

    NF4: Dettmers et al. 2023, arXiv:2305.14314.  LLM.int8(): Dettmers et al. 2022, arXiv:2208.07339,
    from which we depart by having no outlier columns.
    """
    from transformers import BitsAndBytesConfig

    if precision == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=INT8_THRESHOLD)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def reference(
    folder: ModelFolder, device: str = "cpu", advance: Callable[[int], None] = lambda _: None
) -> StockModel:
    """The model as transformers alone would run it in float32: the yardstick of `benchmark`.

    Unpacking takes tens of seconds; `advance` is told the bytes done after each tensor.
    """
    return StockModel.from_weights(
        folder.name,
        config_of(read_header(folder.packed).architecture),
        reference_state_dict(folder),
        device,
        advance,
    )


def _text_config(module: Any) -> Any:
    """The configuration of the decoder, also of a model that sees pictures as well."""
    return module.config.get_text_config(decoder=True)


def _decoder_layers(module: Any, num_layers: int) -> list[torch.nn.Module]:
    """The decoder's blocks; none where a model keeps them otherwise: then only whole calls are cancelled."""
    for child in cast("torch.nn.Module", module.get_decoder()).modules():
        if isinstance(child, torch.nn.ModuleList) and len(child) == num_layers:
            return list(child)
    return []
