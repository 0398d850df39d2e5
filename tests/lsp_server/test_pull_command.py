"""`truepenny pull` as a person or a script meets it."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from truepenny.lsp_server.commands import pull
from truepenny.lsp_server.progress import BarMeter, LineMeter, meter
from truepenny.models import catalogue
from truepenny.models.catalogue import ModelEntry
from truepenny.models.compiled import probe
from truepenny.models.store import folder_of


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    pull.add_parser(parser.add_subparsers())
    args = parser.parse_args(["pull", *words])
    return args.run(args)


def write_gguf(path: Path) -> None:
    """One layer, 256 byte tokens: enough to be converted."""
    import gguf

    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    tokens = [chr(b) for b in printable] + [chr(256 + rank) for rank in range(256 - len(printable))]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*tokens, "ab"])
    writer.add_token_types([1] * 257)
    writer.add_token_merges(["a b"])
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones((32, 32), np.float32))
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(32, np.float32))
    writer.add_tensor("token_embd.weight", np.ones((257, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def published(tmp_path, monkeypatch) -> Path:
    """A file in the catalogue under the name `tiny`, and an empty cache."""
    path = tmp_path / "tiny.gguf"
    write_gguf(path)
    body = path.read_bytes()
    sha256 = hashlib.sha256(body).hexdigest()
    entry = ModelEntry("tiny", (), "a/b", "tiny.gguf", len(body), sha256, "Apache-2.0", "qwen2.5-coder")
    monkeypatch.setattr(catalogue, "CATALOGUE", (entry,))
    monkeypatch.setenv("TRUEPENNY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(probe, "prepare", lambda announce: announce())  # seconds, and tested elsewhere
    return path


def test_a_pulled_model_is_ready_and_told_as_json(published, capsys):
    """The last line of stdout is one document; everything else is on stderr."""
    assert command("tiny", "--source", str(published), "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out.splitlines()[-1])
    assert set(told) == {"name", "path", "bytes", "sha256", "source"}
    assert (told["name"], told["source"]) == ("tiny", "file")
    assert Path(told["path"]).read_bytes() == published.read_bytes()
    assert folder_of("tiny").is_converted(told["sha256"])
    assert "converting" in err
    assert "compiling the engine's code" in err


def test_a_second_pull_says_the_same_at_once(published, capsys, monkeypatch):
    """Nothing is fetched, hashed, converted or compiled again."""
    command("tiny", "--source", str(published))
    capsys.readouterr()
    monkeypatch.setattr(probe, "prepare", lambda announce: False)
    assert command("tiny") == 0
    out, err = capsys.readouterr()
    assert out.startswith("tiny is ready (0 MB, Apache-2.0, from file)")
    assert err == ""


def test_a_deleted_packed_file_is_made_again(published, capsys):
    """Derived data; `pull` is the fix every message names."""
    command("tiny", "--source", str(published))
    folder_of("tiny").packed.unlink()
    assert command("tiny") == 0
    assert folder_of("tiny").packed.exists()


def test_without_compiled_code_a_model_is_ready_too(published, capsys, monkeypatch):
    """The engine has another way, and says so."""

    def fail(announce) -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr(probe, "prepare", fail)
    assert command("tiny", "--source", str(published)) == 0
    assert "is not compiled here: no such processor" in capsys.readouterr().err


def test_wrong_content_is_a_negative_result(published, capsys):
    """Exit 1: it was checked and it is not the model."""
    wrong = published.with_name("wrong.gguf")
    wrong.write_bytes(bytes(published.stat().st_size))
    assert command("tiny", "--source", str(wrong)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "is not the published file" in err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["tinny"], "did you mean tiny"),
        (["tiny", "--source", "nowhere.gguf"], "no such file"),
        (["tiny", "--source", "index"], "does not carry"),
        (["./nowhere"], "give the path of a model"),
        (["./nowhere", "--source", "hub"], "leave out --source"),
    ],
    ids=["name", "file", "source", "path", "path-and-source"],
)
def test_a_failure_tells_the_fix(published, capsys, words, found):
    """Exit 2, the reason on stderr, and nothing on stdout that a script could take for a result."""
    assert command(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert found in err


@pytest.mark.parametrize("told", ["path", "short name"])
def test_a_model_of_ones_own_is_named_by_its_path(published, capsys, told):
    """Its weights stay where they are; what is made of them is in the cache, under a short name."""
    assert command(str(published), "--json") == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["path"], report["source"]) == (str(published), "local")
    assert report["sha256"] == hashlib.sha256(published.read_bytes()).hexdigest()
    name = str(published) if told == "path" else report["name"]
    assert folder_of(name).is_converted(report["sha256"])
    assert command(name) == 0
    assert capsys.readouterr().out.startswith(f"{published} is ready (0 MB, sha256 ")
    assert published.exists()


def test_without_a_terminal_progress_is_a_line_each_tenth():
    """A log in CI stays short."""
    out = io.StringIO()
    lines = meter(out)
    assert isinstance(lines, LineMeter)
    lines.start(1_000_000, "downloading")
    for _ in range(1000):
        lines.advance(1000)
    lines.done()
    assert out.getvalue().splitlines() == [
        "downloading 1 MB",
        *(f"downloading {tenth}0 %" for tenth in range(1, 11)),
    ]


def test_on_a_terminal_progress_is_a_bar():
    """One bar per phase, also when a phase is counted anew or its size is unknown."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    bar = meter(out)
    assert isinstance(bar, BarMeter)
    bar.start(100, "downloading")
    bar.advance(60)
    bar.start(100, "downloading")
    bar.advance(100)
    bar.start(0, "reading")
    bar.done()
    bar.done()
    assert "downloading" in out.getvalue()
    assert "reading" in out.getvalue()
