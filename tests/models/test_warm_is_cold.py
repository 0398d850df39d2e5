"""Typing, deleting, undoing, changing files: every token is what it would be without a cache.

One sequence of edits is served with a cache and, prompt by prompt, without: the logits after the
prompt and after every token written must be equal, bit for bit.  `Digest` shows any wrong id in any
row; the tiny real model shows wrong positions, stale rows and sums in another order as well.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from truepenny.models.architecture import Architecture
from truepenny.models.language_model import KV, LanguageModel, ModelSpec, Span
from truepenny.models.linear import Linear, int8_linear
from truepenny.models.packed import quantise_rows
from truepenny.models.prefix_cache import Lease, PrefixCache
from truepenny.models.runner import Layer, LeanRunner, Weights
from truepenny.models.testing import FakeModel

Op = tuple[str, int, int]
"""What is done, and two numbers: where, how much."""

KINDS = ["insert", "delete", "undo", "retype", "document", "context", "workspace", "cancel", "draft", "open"]
BUDGET_ROWS = [0, 100, 700, 1500, 10_000]

ops = st.lists(
    st.tuples(st.sampled_from([*KINDS, "insert", "insert"]), st.integers(0, 250), st.integers(0, 90)),
    min_size=3,
    max_size=7,
)


class Digest(FakeModel):
    """The next token is a checksum of everything before it."""

    def _next(self, ids: list[int]) -> int:
        return zlib.crc32(bytes(id_ % 251 for id_ in ids)) % 256


@dataclass
class Editor:
    """Two documents in one workspace, two context files before both; makes the prompts."""

    documents: list[list[int]] = field(default_factory=lambda: [[1, 2] * 50, [1, 2] * 20 + [3] * 60])
    context: list[list[int]] = field(default_factory=lambda: [[7] * 40, [8] * 30])
    history: list[tuple[int, list[int]]] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    current: int = 0
    workspace: str = "a"

    @property
    def prompt(self) -> list[int]:
        return [i for part in self.context for i in part] + self.documents[self.current] + [4]

    def do(self, op: Op) -> None:
        kind, where, count = op
        text = self.documents[self.current]
        where = len(text) - where if where < len(text) else 0  # most edits are near the end
        if kind == "document":
            self.current = 1 - self.current
        elif kind == "context":
            self.context.reverse()
        elif kind == "workspace":
            self.workspace = "b" if self.workspace == "a" else "a"
        elif kind == "undo":
            if self.history:
                self.current, self.documents[self.current] = self.history.pop()
        elif kind in ("insert", "delete", "retype"):
            self.history.append((self.current, text))
            new = {"insert": [5 + count % 2] * (1 + count % 12), "retype": self.deleted}.get(kind, [])
            end = where if kind != "delete" else where + count
            self.deleted = text[where:end] if kind == "delete" else self.deleted
            self.documents[self.current] = text[:where] + new + text[end:]


def served(model: LanguageModel, cache: PrefixCache[Any], editor: Editor, op: Op) -> list[np.ndarray]:
    """One request, by way of the cache; the logits after the prompt and after each token written."""
    kind, where, count = op
    prompt = editor.prompt
    lease = cache.acquire(
        prompt, len(prompt) + count, namespace=editor.workspace, document=f"{editor.current}"
    )
    try:
        return decoded(model, cache, lease, prompt, kind, where)
    finally:
        cache.release(lease)
        cache.check_integrity()


def decoded(
    model: LanguageModel, cache: PrefixCache[Any], lease: Lease[Any], prompt: list[int], kind: str, where: int
) -> list[np.ndarray]:
    chunk = 1 + where if kind != "insert" else 64
    if kind == "cancel":
        chunk = 20
    logits: list[np.ndarray] = []
    while (start := lease.kv.length) < len(prompt):
        ids = prompt[start : start + chunk]
        (rows,) = model.forward([Span(ids, lease.kv)])
        lease.ids.extend(ids)
        logits = list(rows)
        if kind == "cancel" and start + chunk > where:
            return []
    cache.commit(lease, len(prompt))
    while len(logits) <= WRITTEN:
        draft = [int(np.argmax(logits[-1]))]
        if kind == "draft":
            draft += [where % 9, 1, 2]  # checked, and mostly taken back
        (rows,) = model.forward([Span(draft, lease.kv, len(draft))])
        lease.ids.extend(draft)
        logits.append(rows[0])
        lease.kv.truncate(lease.kv.length - len(draft) + 1)
        del lease.ids[lease.kv.length :]
    return logits


WRITTEN = 2


def cold(model: LanguageModel, prompt: list[int]) -> list[np.ndarray]:
    kv: KV = model.new_kv(len(prompt))
    (rows,) = model.forward([Span(prompt, kv)])
    logits = list(rows)
    while len(logits) <= WRITTEN:
        (rows,) = model.forward([Span([int(np.argmax(logits[-1]))], kv)])
        logits.extend(rows)
    return logits


def check(model: LanguageModel, script: list[Op], budget_rows: int, known: dict[Any, Any]) -> None:
    """`known`: what cold prompts gave so far, so that none is computed twice."""
    cache: PrefixCache[Any] = PrefixCache(budget_rows * model.spec.kv_bytes_per_token, model.new_kv)
    editor = Editor()
    for op in script:
        editor.do(op)
        if op[0] == "open":
            cache.pin([f"{i}" for i in range(op[2] % 3)], editor.workspace)
        warm = served(model, cache, editor, op)
        key = tuple(editor.prompt)
        if warm and key not in known:
            known[key] = cold(model, editor.prompt)
        for found, expected in zip(warm, known.get(key, []), strict=bool(warm)):
            assert np.array_equal(found, expected)


NAMED: dict[str, list[Op]] = {
    "delete, retype": [("insert", 0, 0), ("delete", 90, 60), ("retype", 30, 0)],
    "undo": [("insert", 0, 0), ("delete", 90, 90), ("undo", 0, 0), ("undo", 0, 0)],
    "documents": [("insert", 0, 0), ("document", 0, 0)] * 4,
    "context": [("insert", 0, 0), ("context", 0, 0), ("context", 0, 0), ("insert", 0, 1)],
    "workspaces": [("insert", 0, 0), ("workspace", 0, 0), ("insert", 0, 1), ("workspace", 0, 0)],
    "cancelled": [("cancel", 0, 0), ("cancel", 60, 0), ("insert", 0, 0), ("cancel", 200, 0), ("draft", 0, 0)],
}


def named(test: Callable[..., None]) -> Callable[..., None]:
    for script in NAMED.values():
        for rows in BUDGET_ROWS:
            test = example(script, rows)(test)
    return test


@named
@given(ops, st.sampled_from(BUDGET_ROWS))
@settings(max_examples=1000, deadline=None)
def test_of_every_id(script, budget_rows):
    """A thousand sequences of edits, every row under its id."""
    check(Digest(), script, budget_rows, {})


# -- with weights ---------------------------------------------------------------------------------


def tiny_model() -> LeanRunner:
    """Two layers of int8 with random weights."""
    hidden, ffn, layers, vocabulary = 32, 48, 2, 64
    arch = Architecture(
        family="qwen2",
        num_layers=layers,
        hidden=hidden,
        intermediate=ffn,
        num_heads=2,
        num_kv_heads=1,
        head_dim=16,
        rope_theta=1e4,
        rms_eps=1e-6,
        vocabulary=vocabulary,
        context_length=4096,
        tied_embeddings=False,
        qkv_bias=True,
        bos_id=None,
        add_bos=False,
        eos_ids=(0,),
        chat_template=None,
    )
    generator = torch.Generator().manual_seed(4)

    def linear(num_out: int, num_in: int, *, has_bias: bool = False) -> Linear:
        weight = torch.randn(num_out, num_in, generator=generator) * 2 / num_in**0.5
        rows, scale = quantise_rows(weight.numpy())
        bias = torch.randn(num_out, generator=generator) if has_bias else None
        return int8_linear(torch.from_numpy(rows), torch.from_numpy(scale), bias, "int_mm")

    made = tuple(
        Layer(
            torch.ones(hidden),
            linear(arch.qkv_width, hidden, has_bias=True),
            linear(hidden, arch.q_width),
            torch.ones(hidden),
            linear(2 * ffn, hidden),
            linear(hidden, ffn),
        )
        for _ in range(layers)
    )
    table = torch.randn(vocabulary, hidden, generator=generator)
    weights = Weights(lambda ids: table[ids], made, torch.ones(hidden), linear(vocabulary, hidden))
    row_bytes = 2 * 4 * layers * arch.kv_width
    spec = ModelSpec("tiny", arch.family, 0, 0, "int8", "", layers, vocabulary, 4096, row_bytes)
    return LeanRunner(arch, weights, spec)


@pytest.fixture
def one_thread():
    """Products this small are not worth a second one, and two would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


TINY = tiny_model()


@pytest.mark.usefixtures("one_thread")
def test_of_every_bit():
    """Another thousand, with attention, positions and int8 rounding."""

    known: dict[Any, Any] = {}

    @named
    @given(ops, st.sampled_from(BUDGET_ROWS))
    @settings(max_examples=1000, deadline=None)
    def run(script, budget_rows):
        check(TINY, script, budget_rows, known)

    run()


@pytest.mark.weights
def test_of_the_default_model(default_model):
    """Some edits with real weights, as they are served."""
    from truepenny.models.loading import load

    loaded = load(default_model.name)
    chance = random.Random(3)
    script = [(kind, chance.randrange(40), chance.randrange(40)) for kind in KINDS]
    chance.shuffle(script)
    check(loaded.model, script, 1500, {})
