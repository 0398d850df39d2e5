"""How transformers writes down an architecture, there and back: `config.json`, and names of weights.

A configuration is read by transformers, which knows what each version left out or called otherwise,
and judged here: `why_foreign` says what of it the lean runner does not do.
"""

from __future__ import annotations

import re
from typing import Any, cast

from .architecture import FAMILIES, Architecture, Family
from .rotary import RopeScaling

_CLASSES: dict[Family, str] = {
    "qwen2": "Qwen2ForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "starcoder2": "Starcoder2ForCausalLM",
}

_TOP = {"embed": "model.embed_tokens", "norm": "model.norm", "lm_head": "lm_head"}
_IN_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn.q": "self_attn.q_proj",
    "attn.k": "self_attn.k_proj",
    "attn.v": "self_attn.v_proj",
    "attn.o": "self_attn.o_proj",
    "ffn.gate": "mlp.gate_proj",
    "ffn.up": "mlp.up_proj",
    "ffn.down": "mlp.down_proj",
}
_STARCODER2 = _IN_LAYER | {"ffn.up": "mlp.c_fc", "ffn.down": "mlp.c_proj"}


def hub_name(name: str, family: Family) -> str:
    """The name that transformers gives to one of our canonical names."""
    part, kind = name.rsplit(".", 1)
    if part in _TOP:
        return f"{_TOP[part]}.{kind}"
    match = re.fullmatch(r"layers\.(\d+)\.(.+)", part)
    assert match is not None, name
    in_layer = _STARCODER2 if family == "starcoder2" else _IN_LAYER
    return f"model.layers.{match[1]}.{in_layer[match[2]]}.{kind}"


def config_of(architecture: Architecture) -> dict[str, Any]:
    """The `config.json` of this architecture, without a data type."""
    a = architecture
    config: dict[str, Any] = {
        "model_type": a.family,
        "architectures": [_CLASSES[a.family]],
        "vocab_size": a.vocabulary,
        "hidden_size": a.hidden,
        "intermediate_size": a.intermediate,
        "num_hidden_layers": a.num_layers,
        "num_attention_heads": a.num_heads,
        "num_key_value_heads": a.num_kv_heads,
        "head_dim": a.head_dim,
        "hidden_act": "silu" if a.mlp == "gated_silu" else "gelu_pytorch_tanh",
        "max_position_embeddings": a.context_length,
        "norm_epsilon" if a.norm == "layer" else "rms_norm_eps": a.rms_eps,
        "rope_parameters": _rope_parameters(a),
        "tie_word_embeddings": a.tied_embeddings,
        "bos_token_id": a.bos_id,
        "eos_token_id": list(a.eos_ids),
    }
    match a.family:
        case "llama":
            config |= {"attention_bias": a.qkv_bias, "mlp_bias": a.mlp_bias}
        case "mistral":
            config["sliding_window"] = a.sliding_window or None
        case "starcoder2":
            config |= {"sliding_window": a.sliding_window or None, "use_bias": a.mlp_bias}
        case "qwen2" if a.sliding_window:
            config |= {"use_sliding_window": True, "sliding_window": a.sliding_window, "max_window_layers": 0}
        case _:
            pass
    return config


def _rope_parameters(architecture: Architecture) -> dict[str, Any]:
    scaling, theta = architecture.rope_scaling, architecture.rope_theta
    if scaling is None:
        return {"rope_type": "default", "rope_theta": theta}
    if scaling.kind == "linear":
        return {"rope_type": "linear", "rope_theta": theta, "factor": scaling.factor}
    return {
        "rope_type": scaling.kind,
        "rope_theta": theta,
        "factor": scaling.factor,
        "low_freq_factor": scaling.low_freq_factor,
        "high_freq_factor": scaling.high_freq_factor,
        "original_max_position_embeddings": scaling.original_context,
    }


def why_foreign(config: Any) -> str:
    """What the lean runner does not do, of a configuration read by transformers; empty: nothing."""
    if config.model_type not in FAMILIES:
        return f"model type {config.model_type!r}"
    expected = "gelu_pytorch_tanh" if config.model_type == "starcoder2" else "silu"
    if config.hidden_act != expected:
        return f"activation {config.hidden_act!r}"
    rope = cast("dict[str, Any]", config.rope_parameters)
    if rope["rope_type"] not in ("default", "linear", "llama3"):
        return f"{rope['rope_type']} scaling of rotary positions"
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        return "rotary positions on a part of each head"
    if len(set(getattr(config, "layer_types", None) or ())) > 1:
        return "layers of different kinds"
    return ""


def architecture_from(
    config: Any, *, eos_ids: tuple[int, ...], add_bos: bool, chat_template: str | None
) -> Architecture:
    """The architecture of a configuration that is not foreign.

    Raises:
        UnsupportedWeightsError: numbers that no model of the family has.
    """
    family = cast("Family", config.model_type)
    is_starcoder2 = family == "starcoder2"
    biased = {"starcoder2": "use_bias", "llama": "attention_bias"}.get(family)
    attention_bias = bool(getattr(config, biased)) if biased else False
    mlp_biased = {"starcoder2": "use_bias", "llama": "mlp_bias"}.get(family)
    bos = config.bos_token_id
    architecture = Architecture(
        family=family,
        num_layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        num_heads=config.num_attention_heads,
        num_kv_heads=config.num_key_value_heads,
        head_dim=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        rope_theta=float(config.rope_parameters["rope_theta"]),
        rms_eps=config.norm_epsilon if is_starcoder2 else config.rms_norm_eps,
        vocabulary=config.vocab_size,
        context_length=config.max_position_embeddings,
        tied_embeddings=config.tie_word_embeddings,
        qkv_bias=attention_bias or family == "qwen2",
        bos_id=bos if isinstance(bos, int) and 0 <= bos < config.vocab_size else None,
        add_bos=add_bos,
        eos_ids=eos_ids,
        chat_template=chat_template,
        norm="layer" if is_starcoder2 else "rms",
        mlp="gelu_tanh" if is_starcoder2 else "gated_silu",
        o_bias=attention_bias,
        mlp_bias=bool(getattr(config, mlp_biased)) if mlp_biased else False,
        sliding_window=_window(config),
        rope_scaling=_scaling(config.rope_parameters),
    )
    architecture.check()
    return architecture


def _window(config: Any) -> int:
    if config.model_type == "llama":  # its modules know none, whatever the file says
        return 0
    if config.model_type == "qwen2" and "sliding_attention" not in config.layer_types:
        return 0
    return config.sliding_window or 0


def _scaling(rope: dict[str, Any]) -> RopeScaling | None:
    if rope["rope_type"] == "default":
        return None
    if rope["rope_type"] == "linear":
        return RopeScaling("linear", float(rope["factor"]))
    return RopeScaling(
        "llama3",
        float(rope["factor"]),
        float(rope["low_freq_factor"]),
        float(rope["high_freq_factor"]),
        int(rope["original_max_position_embeddings"]),
    )
