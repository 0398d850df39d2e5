"""transformers under our own loop: tiny random models on the CPU, quantised by the real bitsandbytes.

What needs a GPU is marked `gpu`; everything else about that path (unpacking, quantising, reuse) runs
here, because bitsandbytes and transformers take the same way with the device `cpu`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers  # here, not later: it reads the environment, and tests change that
from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

from truepenny.models import transformers_backend as backend
from truepenny.models.catalogue import ModelEntry
from truepenny.models.convert import convert
from truepenny.models.decode import Generation, run
from truepenny.models.engine import LoadedModel
from truepenny.models.errors import DiskFullError, UnsupportedWeightsError
from truepenny.models.hardware import Device
from truepenny.models.hub_folder import hub_folder
from truepenny.models.language_model import KV, Cancelled, LanguageModel, ModelSpec, Span, feed
from truepenny.models.prefix_cache import Lease
from truepenny.models.speculation import Speculation
from truepenny.models.store import ModelFolder, Pulled
from truepenny.models.testing import ByteTokenizer
from truepenny.models.transformers_backend import TransformersRunner
from truepenny.models.transformers_kv import SlabLayer, TransformersKV
from truepenny.models.transformers_stock import StockModel
from truepenny.models.wire import CompletionRequest, Piece, Precision, Started

LAYERS, VOCABULARY = 2, 264
PROMPT = [int(i) for i in np.random.default_rng(3).integers(0, 256, 150)]

TOLERANCE = {"fp32": 1e-5, "bf16": 0.02, "int8": 0.06, "nf4": 0.4}
"""Root mean square of the error of a logit, in standard deviations of the logits.

fp32 is rounding only; bf16 rounds to 8 bits; int8 to one part in 127 of each row's peak, twice per
product; nf4 has 16 levels.
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2 as a folder that transformers wrote itself."""
    torch.manual_seed(5)
    config = transformers.Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.09,
    )
    path = tmp_path_factory.mktemp("hub")
    transformers.Qwen2ForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Products this small are not worth a second one, and two would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def spec_of(precision: str) -> ModelSpec:
    return ModelSpec(
        name="tiny",
        architecture="qwen2",
        parameters=0,
        weights_bytes=0,
        precision=precision,
        why_precision="a test",
        num_layers=LAYERS,
        vocabulary=VOCABULARY,
        context_length=512,
        kv_bytes_per_token=0,
        rows_independent=False,
    )


@pytest.fixture(scope="module")
def runners(hub: Path) -> dict[str, TransformersRunner]:
    def runner(precision: Precision) -> TransformersRunner:
        return TransformersRunner(backend.build(hub, precision, "cpu", torch.float32), spec_of(precision))

    return {name: runner(name) for name in ("fp32", "int8", "nf4")}


@pytest.fixture(scope="module")
def stock(hub: Path) -> StockModel:
    module = transformers.AutoModelForCausalLM.from_pretrained(hub, dtype=torch.float32)
    return StockModel(module, spec_of("fp32"))


def fed(runner: TransformersRunner, ids: list[int], kv: TransformersKV, chunk: int = 64) -> np.ndarray:
    """Logits after `ids`, appended chunk by chunk."""
    logits = np.empty(0)
    for start in range(0, len(ids), chunk):
        logits = feed(runner, ids[start : start + chunk], kv)
    return logits


def whole(model: LanguageModel, ids: list[int], kv: KV) -> np.ndarray:
    """Append `ids` in one call; logits `(len(ids), vocabulary)` after each of them."""
    return model.forward([Span(ids, kv, len(ids))])[0]


def copied(runner: TransformersRunner, kv: TransformersKV, length: int, capacity: int) -> TransformersKV:
    fork = runner.new_kv(capacity)
    fork.copy_in(kv.copy_out(0, length))
    return fork


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """In the units of `TOLERANCE`."""
    return float(np.sqrt(np.mean((found - expected) ** 2)) / expected.std())


def greedy(runner: TransformersRunner, logits: np.ndarray, kv: TransformersKV, count: int) -> list[int]:
    written: list[int] = []
    for _ in range(count):
        written.append(int(np.argmax(logits)))
        logits = feed(runner, written[-1:], kv)
    return written


# -- the numbers are right ------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "int8", "nf4"])
def test_logits_are_close_to_stock_transformers_in_fp32(runners, stock, precision):
    """Chunked prefill and ten single tokens, against transformers' own cache in one call."""
    expected = whole(stock, PROMPT, stock.new_kv(0))
    runner = runners[precision]
    kv = runner.new_kv(16)
    found = [fed(runner, PROMPT[:140], kv), *(feed(runner, [token], kv) for token in PROMPT[140:])]
    assert error(np.array(found), expected[139:]) < TOLERANCE[precision]
    assert kv.length == 150


def test_quantised_layers_are_the_ones_of_bitsandbytes(runners):
    """Otherwise the tolerances above would prove nothing; the head stays as it is."""
    for precision, kind in (("int8", Linear8bitLt), ("nf4", Linear4bit)):
        module = runners[precision]._module
        assert sum(isinstance(child, kind) for child in module.modules()) == 7 * LAYERS
        assert type(module.lm_head) is torch.nn.Linear


def test_int8_rows_do_not_depend_on_their_neighbours(runners):
    """With bitsandbytes' own threshold an outlier anywhere in the call would change every row's product."""
    (layer, *_) = [m for m in runners["int8"]._module.modules() if isinstance(m, Linear8bitLt)]
    rows = torch.randn(6, layer.in_features, generator=torch.Generator().manual_seed(1))
    rows[5, 7] = 40.0  # an outlier, in a row that is not looked at
    with torch.inference_mode():
        assert torch.equal(layer(rows)[:5], layer(rows[:5]))


def test_a_product_is_not_worth_a_line_in_the_log(runners, caplog):
    """bitsandbytes would write one for each, seven per layer and token."""
    runner = runners["int8"]
    feed(runner, [1, 2], runner.new_kv(8))
    assert not caplog.records


# -- reuse ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "int8", "nf4"])
@pytest.mark.parametrize("keep", [0, 1, 63, 64, 100, 149])
def test_a_reused_beginning_gives_the_text_of_a_cold_start(runners, precision, keep):
    """Another ending is written over, then the prompt is continued from `keep` tokens."""
    runner = runners[precision]
    cold = runner.new_kv(256)
    expected = greedy(runner, fed(runner, PROMPT, cold), cold, 12)
    kv = runner.new_kv(256)
    fed(runner, PROMPT[:keep] + [9] * 70, kv)
    kv.truncate(keep)
    assert greedy(runner, fed(runner, PROMPT[keep:], kv), kv, 12) == expected


@pytest.mark.parametrize("precision", ["fp32", "int8", "nf4"])
def test_undo_gives_the_same_logits_again(runners, precision):
    """Rows beyond a truncation leave no trace: same shapes, same numbers."""
    runner = runners[precision]
    kv = runner.new_kv(256)
    fed(runner, PROMPT[:100], kv)
    first = feed(runner, PROMPT[100:110], kv)
    kv.truncate(100)
    fed(runner, [7] * 33, kv)
    kv.truncate(100)
    assert np.array_equal(feed(runner, PROMPT[100:110], kv), first)


def test_a_sequence_grows_beyond_its_first_allocation(runners):
    """Capacity is a hint; growing keeps what was there."""
    runner = runners["fp32"]
    small, large = runner.new_kv(1), runner.new_kv(512)
    for kv in (small, large):
        fed(runner, PROMPT + PROMPT, kv, 50)
    before = small.nbytes
    assert np.array_equal(feed(runner, [5], small), feed(runner, [5], large))
    assert small.nbytes == before, "growth is by doubling, not by the token"
    assert small.length == 301


def test_a_fork_and_its_origin_go_their_own_ways(runners):
    """Two documents with the same beginning: neither writes into the other's rows."""
    runner = runners["fp32"]
    origin = runner.new_kv(256)
    fed(runner, PROMPT, origin)
    fork = copied(runner, origin, 100, 128)
    assert (fork.length, origin.length) == (100, 150)
    expected = runner.new_kv(256)
    fed(runner, PROMPT[:100], expected)
    for kv in (fork, expected):
        fed(runner, [3] * 60, kv)
    np.testing.assert_allclose(feed(runner, [4], fork), feed(runner, [4], expected), atol=1e-5)
    again = runner.new_kv(256)
    fed(runner, PROMPT, again)
    assert np.array_equal(feed(runner, [4], origin), feed(runner, [4], again))


@pytest.mark.parametrize("length", [-1, 151])
def test_a_length_that_is_not_there_is_refused(runners, length):
    """Rows that were never computed must not be taken for valid."""
    kv = runners["fp32"].new_kv(256)
    fed(runners["fp32"], PROMPT, kv)
    with pytest.raises(AssertionError):
        kv.truncate(length)
    with pytest.raises(AssertionError):
        kv.copy_out(0, length)


# -- several sequences, several logits -----------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
def test_logits_of_several_tokens_and_sequences(hub, exact):
    """Those after each of the last tokens, and what a sequence gets does not depend on its company."""
    runner = TransformersRunner(
        backend.build(hub, "fp32", "cpu", torch.float32), spec_of("fp32"), exact=exact
    )
    one, two, three = (runner.new_kv(256) for _ in range(3))
    feed(runner, PROMPT[:70], two)
    found = runner.forward([Span(PROMPT, one, 0), Span(PROMPT[70:], two, 5), Span(PROMPT[:3], three, 3)])
    assert [logits.shape for logits in found] == [(count, VOCABULARY) for count in (0, 5, 3)]
    assert [kv.length for kv in (one, two, three)] == [150, 150, 3]
    alone = runner.new_kv(256)
    expected = [
        feed(runner, PROMPT[start:end], alone)
        for start, end in ((0, 146), *((i, i + 1) for i in range(146, 150)))
    ]
    np.testing.assert_allclose(found[1], expected, atol=1e-4)
    np.testing.assert_allclose(feed(runner, [9], one), feed(runner, [9], two), atol=1e-4)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("at_check", range(2 * LAYERS + 2))
def test_cancelled_between_sequences_all_are_as_before(hub, exact, at_check):
    """Also those whose turn was over."""
    runner = TransformersRunner(
        backend.build(hub, "fp32", "cpu", torch.float32), spec_of("fp32"), exact=exact
    )
    kvs = [runner.new_kv(256) for _ in range(2)]
    for kv in kvs:
        feed(runner, PROMPT[:60], kv)
    checks = iter([False] * at_check + [True])
    with pytest.raises(Cancelled):
        runner.forward([Span(PROMPT[60:90], kv) for kv in kvs], lambda: next(checks))
    assert [kv.length for kv in kvs] == [60, 60]
    assert {layer.length for kv in kvs for layer in kv._layers} == {60}


@pytest.mark.parametrize("precision", ["fp32", "int8", "nf4", "bf16"])
def test_exact_is_warm_and_cold_the_same_bits(hub, precision):
    """However a prompt was arrived at: typed, deleted, undone, with drafts that were checked."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    runner = TransformersRunner(backend.build(hub, precision, "cpu", dtype), spec_of(precision), exact=True)
    cache = runner.new_cache(2 << 20)
    chance = np.random.default_rng(1)

    def served(prompt: list[int], lease: Lease[TransformersKV]) -> list[np.ndarray]:
        """Prefill in chunks of any size on the grid, then three tokens decoded, or checked at once."""
        ids = prompt[lease.reused_tokens :]
        logits = [feed(runner, ids, lease.kv)]
        lease.ids.extend(ids)
        cache.commit(lease, len(prompt))
        draft = [5, 6, 7]
        if chance.random() < 0.5:
            logits += list(runner.forward([Span(draft, lease.kv, 3)])[0])
        else:
            logits += [feed(runner, [token], lease.kv) for token in draft]
        lease.ids.extend(draft)
        cache.release(lease)
        cache.check_integrity()
        return logits

    reused = 0
    for _ in range(25):
        prompt = PROMPT[: int(chance.integers(1, 150))] + [int(chance.integers(0, 3))] * int(
            chance.integers(0, 90)
        )
        lease = cache.acquire(prompt, len(prompt) + int(chance.integers(0, 60)))
        assert lease.reused_tokens % backend.EXACT_GRID_TOKENS == 0
        reused += lease.reused_tokens
        warm = served(prompt, lease)
        cold_cache, cache = cache, runner.new_cache(1 << 20)
        cold = served(prompt, cache.acquire(prompt, len(prompt)))
        cache = cold_cache
        assert all(np.array_equal(a, b) for a, b in zip(warm, cold, strict=True))
    assert reused > 500


# -- interruptions --------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "int8", "nf4"])
@pytest.mark.parametrize("at_check", range(LAYERS + 1))
def test_cancelled_in_the_middle_the_sequence_is_as_before(runners, precision, at_check):
    """Whichever layer it stops before; the next call gives what it would have given."""
    runner = runners[precision]
    kv, untouched = runner.new_kv(256), runner.new_kv(256)
    for sequence in (kv, untouched):
        fed(runner, PROMPT[:90], sequence)
    checks = iter([False] * at_check + [True])
    with pytest.raises(Cancelled):
        feed(runner, PROMPT[90:], kv, lambda: next(checks))
    assert kv.length == 90
    assert {layer.length for layer in kv._layers} == {90}
    assert np.array_equal(feed(runner, PROMPT[90:], kv), feed(runner, PROMPT[90:], untouched))


def test_an_error_in_a_layer_leaves_the_sequence_sound(runners):
    """Out of memory, say, with one layer written and the next not."""
    runner = runners["fp32"]
    kv, untouched = runner.new_kv(256), runner.new_kv(256)
    for sequence in (kv, untouched):
        fed(runner, PROMPT[:90], sequence)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    handle = runner._module.model.layers[1].mlp.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        feed(runner, PROMPT[90:], kv)
    handle.remove()
    assert {layer.length for layer in kv._layers} == {90}
    assert np.array_equal(feed(runner, [1], kv), feed(runner, [1], untouched))


def test_nobody_cancels_the_next_call(runners):
    """The test of a request that is over must not be asked again."""
    runner = runners["fp32"]
    stop = threading.Event()
    kv = runner.new_kv(64)
    feed(runner, [1], kv, stop.is_set)
    stop.set()
    feed(runner, [2], kv)
    assert kv.length == 2


def test_layers_of_unequal_length_are_never_committed(runners):
    """A model that writes past our cache would corrupt every later request."""
    kv = runners["fp32"].new_kv(64)
    feed(runners["fp32"], [1, 2], kv)
    with torch.inference_mode():
        kv._layers[1].update(torch.zeros(1, 2, 1, 32), torch.zeros(1, 2, 1, 32))
    with pytest.raises(AssertionError, match=r"\[2, 3\]"):
        kv.commit(1)


# -- other architectures --------------------------------------------------------------------------


def test_a_sliding_window_may_be_rewound(stock):
    """Its rows are all kept and hidden by the mask: same logits as transformers' own sliding cache."""
    torch.manual_seed(2)
    config = transformers.MistralConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=16,
    )
    module = transformers.MistralForCausalLM(config)
    ids = [i % 64 for i in PROMPT[:60]]
    with torch.inference_mode():
        expected = module.eval()(torch.tensor([ids])).logits[0].numpy()
    runner = TransformersRunner(module, dataclasses.replace(spec_of("fp32"), vocabulary=64))
    kv = runner.new_kv(8)
    for start in range(0, 60, 20):
        logits = feed(runner, ids[start : start + 20], kv)
        np.testing.assert_allclose(logits, expected[start + 19], atol=1e-5)
    kv.truncate(25)
    np.testing.assert_allclose(feed(runner, ids[25:40], kv), expected[39], atol=1e-5)


def test_a_state_that_cannot_be_rewound_is_refused(hub):
    """Recurrent layers have no rows to forget; better no model than a wrong one."""
    module = transformers.AutoModelForCausalLM.from_pretrained(hub)
    module.config.layer_types = ["linear_attention", "full_attention"]
    with pytest.raises(UnsupportedWeightsError, match="linear_attention"):
        TransformersRunner(module, spec_of("fp32"))


# -- in the engine --------------------------------------------------------------------------------


def test_the_decoding_loop_reuses_a_prompt(runners):
    """The prefix cache forks and continues these sequences as it does ours."""
    runner = runners["nf4"]
    cache = runner.new_cache(4 << 20)

    def ask(prompt: list[int]) -> tuple[str, int]:
        out: list[Started | Piece] = []
        request = CompletionRequest(prompt_ids=tuple(prompt), max_tokens=8)
        generation = Generation(request, ByteTokenizer(), cache, Speculation(), out.append, runner.spec)
        run(generation, runner)
        cache.check_integrity()
        text = "".join(event.text for event in out if isinstance(event, Piece))
        return text, generation.usage("stop").reused_tokens

    cold = ask(PROMPT)
    assert cold[1] == 0
    assert ask(PROMPT) == (cold[0], len(PROMPT) - 1)
    ask([*PROMPT[:120], 1, 2, 3])
    assert ask(PROMPT) == (cold[0], len(PROMPT) - 1)


# -- from our own weights -------------------------------------------------------------------------


@pytest.fixture
def converted(tmp_path, tiny_gguf) -> ModelFolder:
    folder = ModelFolder("tiny", tmp_path)
    tiny_gguf(folder.weights)
    body = folder.weights.read_bytes()
    sha256 = hashlib.sha256(body).hexdigest()
    entry = ModelEntry("tiny", (), "", "", len(body), sha256, "", "")
    folder.write_record(Pulled("tiny", len(body), sha256, "test", folder.weights.stat().st_mtime_ns))
    convert(entry, folder, Silent())
    return folder


class Silent:
    def start(self, total_bytes: int, what: str) -> None: ...

    def advance(self, done_bytes: int) -> None: ...

    def done(self) -> None: ...


def test_weights_are_unpacked_once(converted):
    """The second time nothing is read but a folder's name; no half-made folder stays behind."""
    first = hub_folder(converted)
    stamp = (first / "config.json").stat().st_mtime_ns
    assert hub_folder(converted) == first
    assert (first / "config.json").stat().st_mtime_ns == stamp
    assert not list(converted.root.glob("*.partial"))
    assert {path.suffix for path in first.iterdir()} == {".json", ".safetensors"}


def test_unpacking_that_fails_leaves_nothing(converted, monkeypatch):
    """The next start tries again instead of loading half a model."""
    from truepenny.models import hub_folder as module

    def broken(_: ModelFolder) -> Any:
        yield "model.norm.weight", np.ones(4, np.float32)
        raise UnsupportedWeightsError("damaged")

    monkeypatch.setattr(module, "reference_state_dict", broken)
    with pytest.raises(UnsupportedWeightsError, match="damaged"):
        hub_folder(converted)
    assert not list(converted.root.glob("hub-*"))


def test_a_full_disk_is_named_before_anything_is_written(converted):
    """With how much is needed, and where else it could go."""
    with pytest.raises(DiskFullError, match="TRUEPENNY_CACHE"):
        hub_folder(converted, free=lambda _: 1000)


def load_here(folder: ModelFolder, precision: Precision) -> LoadedModel:
    return backend.load_from(folder, hub_folder(folder), precision, "a test", "cpu")


def test_bf16_from_our_weights_is_the_published_model(converted):
    """Unpacked, rounded to bfloat16 and run by transformers, next to float32 from the same file."""
    reference = backend.reference(converted)
    loaded = load_here(converted, "bf16")
    ids = list(range(40))
    expected = feed(reference, ids, reference.new_kv(40))
    found = feed(loaded.model, ids, loaded.model.new_kv(40))
    assert error(found, expected) < TOLERANCE["bf16"]
    assert loaded.tokenizer.encode("def x")


@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_what_a_person_wants_to_know_is_in_the_spec(converted, precision):
    """Sizes are those of what was built, not of what was asked for."""
    spec = load_here(converted, precision).model.spec
    assert (spec.name, spec.architecture, spec.precision) == ("tiny", "qwen2", precision)
    assert (spec.num_layers, spec.vocabulary, spec.context_length) == (2, 300, 128)
    assert spec.kv_bytes_per_token == 2 * 2 * 2 * 32
    assert 0 < spec.weights_bytes <= 2 * spec.parameters + 4096


def test_the_reference_is_stock_transformers(converted):
    """No module, cache or attention of ours: the comparison is with what people have today."""
    reference = backend.reference(converted)
    assert isinstance(reference, StockModel)
    assert type(reference._module) is transformers.Qwen2ForCausalLM
    assert reference._module.config._attn_implementation == "sdpa"
    assert {parameter.dtype for parameter in reference._module.parameters()} == {torch.float32}
    kv = reference.new_kv(8)
    assert type(kv.cache) is transformers.DynamicCache
    expected = whole(reference, [1, 2, 3, 4, 5], kv)
    kv.truncate(3)
    np.testing.assert_allclose(feed(reference, [4, 5], kv), expected[4], rtol=1e-4, atol=1e-4)
    kv.truncate(0)
    np.testing.assert_allclose(feed(reference, [1], kv), expected[0], rtol=1e-4, atol=1e-4)
    assert kv.nbytes == reference.spec.kv_bytes_per_token


# -- choosing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "memory_gib", "chosen", "why"),
    [
        ("auto", 24, "bf16", "there is room"),
        ("auto", 8, "nf4", "less than three times"),
        ("bf16", 8, "bf16", "asked for"),
        ("int8", 24, "int8", "asked for"),
    ],
)
def test_auto_looks_at_the_memory_of_the_card(asked, memory_gib, chosen, why):
    """1.5 billion parameters are 2.8 GiB in bf16; the reason names the card and the sizes."""
    device = Device("cuda", "Some Card", 2, memory_gib << 30)
    found, reason = backend.choose_precision(asked, 1_540_000_000, device)
    assert found == chosen
    assert why in reason
    assert "Some Card" in reason


def test_fp32_is_not_a_gpu_precision():
    """The unpacked weights are bfloat16: calling them float32 would be a lie."""
    with pytest.raises(UnsupportedWeightsError, match="TRUEPENNY_DEVICE=cpu"):
        backend.choose_precision("fp32", 1, Device("cuda", "Some Card", 2, 1 << 30))


def test_code_from_a_hub_is_never_fetched(monkeypatch):
    """A package that downloads compiled code at import is refused unless the hub is off."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "kernels" else None)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    with pytest.raises(UnsupportedWeightsError, match="kernels"):
        backend.load_on_cuda(ModelFolder("x", Path("x")), "auto", Device("cuda", "Some Card", 2, 1))


def test_a_layer_without_rows_of_its_own_is_copied_as_such():
    """One that reads another layer's (Gemma 3n): of its sequence there are rows all the same."""
    kv, fork = (TransformersKV([SlabLayer(4), SlabLayer(4)]) for _ in range(2))
    states = torch.arange(24.0).view(1, 1, 6, 4)
    with torch.inference_mode():
        kv._layers[0].update(states, -states)
    kv.commit(6)
    rows = kv.copy_out(1, 6)
    assert (rows.num_rows, rows.part(2, 4).num_rows) == (5, 2)
    assert rows.nbytes == 2 * 5 * 4 * 4
    fork.copy_in(rows.part(0, 2))
    fork.copy_in(rows.part(2, 5))
    assert fork.length == 5
    keys, values = fork._layers[0].keys, fork._layers[0].values
    assert keys is not None
    assert values is not None
    assert torch.equal(keys, states[:, :, 1:])
    assert torch.equal(values, -states[:, :, 1:])
    assert not fork._layers[1].is_initialized


# -- on a GPU -------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU that torch can use")
@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_on_a_gpu_reuse_and_cancel_hold(hub, stock, precision):
    """The same claims as on the CPU, within what bfloat16 rounds."""
    runner = TransformersRunner(backend.build(hub, precision, "cuda:0"), spec_of(precision))
    expected = whole(stock, PROMPT, stock.new_kv(0))[-1]
    kv = runner.new_kv(64)
    cold = fed(runner, PROMPT, kv)
    assert error(cold, expected) < TOLERANCE[precision] + TOLERANCE["bf16"]
    checks = iter([False, False, True])
    with pytest.raises(Cancelled):
        feed(runner, [1, 2, 3], kv, lambda: next(checks))
    kv.truncate(100)
    warm = feed(runner, PROMPT[100:], kv)
    assert error(warm, cold) < TOLERANCE["bf16"]
    fork = copied(runner, kv, 100, 60)
    assert error(feed(runner, PROMPT[100:], fork), cold) < TOLERANCE["bf16"]
