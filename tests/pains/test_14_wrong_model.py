"""Pain 14: a model of the wrong kind writes rubbish, and nobody says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from truepenny.models.catalogue import find
from truepenny.models.prompts.families import QWEN_CODER
from truepenny.models.store import ModelFolder, size_and_time

from .editor import editor


def make_ready(folder: Path, cache: Path, special: tuple[str, ...]) -> str:
    """A model of one's own, as `truepenny pull` leaves it, but without weights; its name."""
    folder.mkdir()
    (folder / "config.json").write_text("{}", "utf-8")
    name = find(str(folder)).name
    root = cache / "models" / name
    root.mkdir(parents=True)
    vocabulary = {piece: number for number, piece in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocabulary, []))
    tokenizer.add_special_tokens(list(special))
    tokenizer.save(str(root / "tokenizer.json"))
    size, mtime_ns = size_and_time(folder) or (0, 0)
    record = {
        "name": name,
        "bytes": size,
        "sha256": "0",
        "source": str(folder),
        "mtime_ns": mtime_ns,
        "runs": "transformers",
    }
    ModelFolder(name, root, folder).record.write_text(json.dumps(record), "utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("name", "special", "kind", "words"),
    [
        ("talker-1b-chat", (), "Error", "cannot fill in the middle"),
        ("qwen2.5-7b-instruct", QWEN_CODER.tokens, "Warning", "probably not trained to fill in the middle"),
    ],
)
def test_a_model_of_the_wrong_kind_is_named_once_with_the_fix(
    tmp_path: Path, name: str, special: tuple[str, ...], kind: str, words: str
) -> None:
    """Without the tokens nothing is asked; with tokens it was not trained on, people are warned."""
    model = make_ready(tmp_path / name, tmp_path / "cache", special)
    with editor({"completion": {"model": model}}, engine="local", cache=tmp_path / "cache") as one:
        status = one.client.wait_for("didChangeStatus", lambda told: told["kind"] == kind)

        assert name in status["message"]
        assert words in status["message"]
        assert "completion.model" in status["message"]
        if kind == "Error":
            for marked in ("value = |\n", "value = 1\nother = |\n"):
                assert one.ask(marked) == []
                assert words in one.why()["reason"]
            notes = [told for told in one.client.notifications if told["method"] == "didChangeStatus"]
            assert [told["params"]["kind"] for told in notes].count(kind) == 1
