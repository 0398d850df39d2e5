"""`truepenny bench engine` on a model of one layer: the real loader, kernels and transformers, at once."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers  # here, not later: it reads the environment, and the command changes that
from filelock import FileLock

from truepenny.lsp_server.commands import bench
from truepenny.models import catalogue
from truepenny.models.benchmarks import precisions
from truepenny.models.catalogue import ModelEntry
from truepenny.models.convert import convert
from truepenny.models.errors import UnsupportedWeightsError
from truepenny.models.store import Pulled, folder_of
from truepenny.models.tokens import load_tokenizer

from ...models.benchmarks.fakes import Llama, serving  # noqa: TID252  (tests are no installed package)

QUICK = ("--model", "tiny", "--prompt-tokens", "40", "--decode-tokens", "3", "--rounds", "1")
LIGHT = (*QUICK, "--no-start", "--no-speculation")
SPEED = {
    "prefill_ms",
    "prefill_tokens_per_s",
    "prefill_characters_per_s",
    "ttft_ms",
    "decode_ms",
    "decode_tokens_per_s",
    "decode_characters_per_s",
    "clock_decode_tokens_per_s",
    "steps",
}


class Silent:
    def start(self, total_bytes: int, what: str) -> None: ...

    def advance(self, done_bytes: int) -> None: ...

    def done(self) -> None: ...


def write_gguf(path: Path) -> None:
    """One layer, bytes for tokens, a context of 128."""
    import gguf

    random = np.random.default_rng(1)
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    tokens = [chr(b) for b in printable] + [chr(256 + rank) for rank in range(256 - len(printable))]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*tokens, "in"])
    writer.add_token_types([1] * 257)
    writer.add_token_merges(["i n"])
    for name, rows, columns in (
        ("attn_q", 64, 64),
        ("attn_k", 32, 64),
        ("attn_v", 32, 64),
        ("attn_output", 64, 64),
        ("ffn_gate", 96, 64),
        ("ffn_up", 96, 64),
        ("ffn_down", 64, 96),
    ):
        weights = random.standard_normal((rows, columns)).astype(np.float32) / 8
        writer.add_tensor(f"blk.0.{name}.weight", weights)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(64, np.float32))
    writer.add_tensor("token_embd.weight", random.standard_normal((257, 64)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> None:
    """A converted model under the name `tiny`, on a machine without a GPU."""
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path))
    monkeypatch.setenv("TRUEPENNY_DEVICE", "cpu")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # so that it is put back
    path = tmp_path / "tiny.gguf"
    write_gguf(path)
    body = path.read_bytes()
    entry = ModelEntry("tiny", (), "o/r", "tiny.gguf", len(body), hashlib.sha256(body).hexdigest(), "", "")
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))
    folder = folder_of("tiny")
    folder.root.mkdir(parents=True)
    path.rename(folder.weights)
    folder.write_record(Pulled("tiny", entry.bytes, entry.sha256, "test", folder.weights.stat().st_mtime_ns))
    convert(entry, folder, Silent())


def invoke(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench", "engine", *words])
    return args.run(args)


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.usefixtures("tiny")
def test_the_last_line_is_everything_that_was_measured(capsys):
    """Ours, the reference, how many times faster, drafts, and what quantisation costs."""
    assert invoke(*QUICK, "--no-start", "--quality", "--json") == 0
    found = last_line(capsys)
    assert (found["model"], found["prompt_tokens"], found["rounds"]) == ("tiny", 40, 1)
    assert (found["ours"]["precision"], found["reference"]["precision"]) == ("int8", "fp32")
    for name in ("ours", "reference"):
        assert found[name]["speed"].keys() == SPEED
        assert [step["tokens"] for step in found[name]["speed"]["steps"]] == [1, 2, 4, 8, 16]
        assert found[name]["load_s"] > 0
    for name in ("ratios", "ratios_best"):
        assert found[name].keys() == {"prefill", "ttft", "decode", "steps"}
    assert found["ratios"]["steps"].keys() == {"1", "2", "4", "8", "16"}
    assert found["machine"]["versions"]["transformers"] == transformers.__version__
    (int8,) = found["quality"]
    quality = int8["quality"]
    assert (int8["precision"], quality["tokens"]) == ("int8", 128), "a short context is read to its end"
    assert 0 < quality["kl_mean_nats"] < 0.05, "int8 differs from float32, and not by much"
    assert quality["perplexity_ratio"] == pytest.approx(1, abs=0.1)
    (python,) = found["languages"]
    assert (python["language"], python["tokens"]) == ("python", 40)
    assert python["ours"].keys() == SPEED
    assert found["start"] is None
    assert (found["peers"], found["best_peer"]) == ([], None)


@pytest.mark.usefixtures("tiny")
def test_every_precision_is_compared_and_what_cannot_run_is_listed(capsys, monkeypatch):
    """One table; the fallback's arithmetic is the engine's own, and speed is that of the first."""
    monkeypatch.setattr(precisions, "load_variant", refusing(precisions.load_variant, "bf16"))
    words = ("--precision", "int8-torch", "--precision", "fp32", "--precision", "bf16")
    assert invoke(*LIGHT, "--quality", *words, "--json") == 0
    output = capsys.readouterr().out
    found = json.loads(output.splitlines()[-1])
    torch_int8, fp32, bf16 = found["quality"]
    assert found["ours"]["precision"] == "int8"
    assert torch_int8["quality"]["kl_mean_nats"] > 10 * abs(fp32["quality"]["kl_mean_nats"])
    assert fp32["quality"]["same_choice"] == 1
    assert (bf16["quality"], bf16["why"], bf16["is_slow"]) == (None, "no room here", True)
    assert "not here: no room here" in output


def refusing(load, name: str):
    def load_or_refuse(folder, variant, device):
        if variant == name:
            raise UnsupportedWeightsError("no room here")
        return load(folder, variant, device)

    return load_or_refuse


@pytest.mark.usefixtures("tiny")
def test_peers_take_turns_and_the_best_is_named(capsys, tmp_path):
    """Two servers: ratios against each, and against the better one for each figure; and a picture."""
    slow, quick = Llama("tiny-Q8_0.gguf", prefill=10.0, decode=9.0), Llama("tiny-Q4_0.gguf")
    slow.encode = quick.encode = load_tokenizer(folder_of("tiny").tokenizer, frozenset()).encode
    plot = tmp_path / "speed.svg"
    with serving(slow) as first, serving(quick) as second:
        words = ("--peer", first, "--peer", second, "--no-reference", "--plot", str(plot), "--json")
        assert invoke(*LIGHT, *words) == 0
    output = capsys.readouterr().out
    found = json.loads(output.splitlines()[-1])
    assert [peer["facts"]["name"] for peer in found["peers"]] == ["tiny-Q8_0", "tiny-Q4_0"]
    assert found["peers"][0]["speed"]["prefill_tokens_per_s"]["median"] == 10
    assert found["peers"][1]["ratios"]["prefill"] < found["peers"][0]["ratios"]["prefill"]
    best = found["best_peer"]
    assert (best["prefill"], best["decode"]) == ("tiny-Q4_0", "tiny-Q4_0")
    assert best["decode_ratio"] == found["peers"][1]["ratios"]["decode"]
    assert found["languages"][0]["peers"].keys() == {"tiny-Q8_0", "tiny-Q4_0"}
    assert any("HTTP on loopback" in note for note in found["notes"])
    assert "HTTP on loopback" in output.splitlines()[-3]
    assert slow.asked[1]["prompt"] == quick.asked[1]["prompt"]
    svg = plot.read_text()
    assert svg.startswith("<svg")
    assert "tiny-Q4_0" in svg


@pytest.mark.usefixtures("tiny")
def test_each_language_has_its_figures(capsys, tmp_path):
    """Prompts are cut from a person's own code."""
    (tmp_path / "code").mkdir()
    for name in ("a.rs", "b.go", "notes.txt"):
        (tmp_path / "code" / name).write_text(f"let {name} = 1;\n" * 20)
    plot = tmp_path / "speed.svg"
    words = ("--no-reference", "--code", str(tmp_path / "code"), "--json", "--plot", str(plot))
    assert invoke(*QUICK, "--no-start", *words) == 0
    found = last_line(capsys)
    assert [(one["language"], one["source"]) for one in found["languages"]] == [
        ("rust", "a.rs"),
        ("go", "b.go"),
    ]
    assert all(0 < one["characters_per_token"] <= 1 for one in found["languages"]), "tokens are bytes here"
    assert ">rust<" in plot.read_text()


@pytest.mark.usefixtures("tiny")
def test_without_the_reference_transformers_is_not_needed(capsys, monkeypatch):
    """On a small machine the comparison does not fit into memory."""
    monkeypatch.setattr("truepenny.models.transformers_backend.reference", None)
    assert invoke(*LIGHT, "--no-reference", "--json") == 0
    found = last_line(capsys)
    assert (found["reference"], found["ratios"], found["quality"]) == (None, None, [])
    assert found["speculation"] is None
    assert found["ours"]["rss_bytes"] >= 0


@pytest.mark.usefixtures("tiny")
def test_people_get_a_table_and_progress_is_not_in_it(capsys):
    """stdout is the result; what happens meanwhile is told on stderr."""
    assert invoke(*LIGHT, "--precision", "fp32") == 0
    output = capsys.readouterr()
    assert "transformers" in output.out
    assert "×" in output.out
    assert "bench:" not in output.out
    assert "round 1 of 1, python: decode" in output.err
    assert "unpacking the fp32 reference" in output.err


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "tinny"), "did you mean tiny"),
        (("--model", "tiny", "--prompt-tokens", "100"), "this model has 128"),
        (("--model", "tiny", "--rounds", "0"), "--rounds 0: give at least 1"),
        (("--model", "tiny", "--no-reference", "--quality"), "leave out --no-reference"),
        ((*QUICK, "--kv-budget", "0"), "--kv-budget 0: give at least 1"),
        ((*QUICK, "--peer", "http://127.0.0.1:9"), "no llama-server is ready there"),
        (
            (*QUICK, "--peer", "http://127.0.0.1:9", "--decode-tokens", "1"),
            "--decode-tokens 1: give at least 2",
        ),
        ((*QUICK, "--code", "nowhere"), "--code nowhere: there is no such file or folder"),
        ((*QUICK, "--plot", "nowhere/speed.svg"), "there is no such folder"),
    ],
    ids=["model", "context", "rounds", "quality", "budget", "peer", "one-token", "code", "plot"],
)
def test_what_cannot_be_measured_is_said_with_the_fix(capsys, words, message):
    """Exit 2, before anything long is begun, and nothing on stdout."""
    assert invoke(*words) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


@pytest.mark.usefixtures("tiny")
def test_a_library_that_is_missing_is_named(capsys, monkeypatch):
    """The base install has no torch."""
    monkeypatch.setitem(__import__("sys").modules, "truepenny.models.benchmarks.run", None)
    assert invoke(*QUICK) == 2
    assert "pip install 'truepenny[local]'" in capsys.readouterr().err


@pytest.mark.usefixtures("tiny")
def test_two_benchmarks_do_not_measure_each_other(capsys, tmp_path):
    """The second waits for the first, and says so."""
    first = FileLock(tmp_path / "bench.lock", thread_local=False)
    first.acquire()
    second = threading.Thread(target=invoke, args=(*LIGHT, "--no-reference"))
    second.start()
    said = ""
    while "waiting for it" not in said:
        assert second.is_alive(), "it must not run beside the first"
        said += capsys.readouterr().err
        time.sleep(0.01)
    assert "loading" not in said
    first.release()
    second.join()
    assert "loading tiny" in capsys.readouterr().err


@pytest.mark.usefixtures("tiny")
def test_the_network_is_left_alone(monkeypatch):
    """Whatever a library thinks it might find there."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert invoke("--model", "tiny", "--rounds", "0") == 2
    assert os.environ["HF_HUB_OFFLINE"] == "1"
