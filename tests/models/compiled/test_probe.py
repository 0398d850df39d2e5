"""What decides whether the compiled pass is used: that it is right on this processor, and on others."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from truepenny.models.architecture import Architecture
from truepenny.models.compiled import large, probe, runner
from truepenny.models.compiled.vector_ir import target


@pytest.fixture(autouse=True)
def unasked():
    """Each test asks anew."""
    yield
    for function in (probe._why_not_here, large.why_not_int_mm):
        function.cache_clear()


def usable() -> Architecture:
    return probe._TINY


def test_it_is_right_here():
    """Or all other tests of this folder are about something nobody uses."""
    assert probe.check() == ""
    assert probe.why_not(usable()) == ""


def test_a_model_of_other_widths_is_refused(make_packed):
    """With a reason for a person."""
    from dataclasses import replace

    assert "whole vectors" in probe.why_not(replace(make_packed().architecture, vocabulary=301))


def test_wrong_numbers_are_found(monkeypatch):
    """A layer that is not what it should be, or a pass over many rows that differs from one over few."""
    usual = probe._reference
    monkeypatch.setattr(probe, "_reference", lambda *args: usual(*args) * 1.05)
    assert "numbers are wrong" in probe.why_not(usable())
    monkeypatch.undo()
    probe._why_not_here.cache_clear()
    monkeypatch.setattr(large.parts, "add_rows", lambda *_: None)
    assert "other numbers" in probe.why_not(usable())


@pytest.mark.parametrize("error", [RuntimeError("cannot select"), ImportError("no numba"), OSError("full")])
def test_whatever_fails_is_a_reason(monkeypatch, error):
    """The engine starts all the same."""

    def fail() -> bool:
        raise error

    monkeypatch.setattr(probe, "prepare", fail)
    assert str(error) in probe.why_not(usable())


def test_the_reason_is_one_line(monkeypatch):
    """numba's messages are long; the log has them whole."""

    def fail() -> bool:
        raise TypeError("first\nsecond")

    monkeypatch.setattr(probe, "prepare", fail)
    assert probe.why_not(usable()) == "not compiled, TypeError: first"


def test_a_processor_without_fused_products_is_refused(monkeypatch):
    """It would be right, and too slow for anybody."""
    monkeypatch.setattr("truepenny.models.compiled.vector_ir.target", lambda: ("x86_64-linux", frozenset()))
    assert "no FMA" in probe.why_not(usable())


# -- torch's product -----------------------------------------------------------------------------------


def saturating(levels: torch.Tensor, weight_t: torch.Tensor, out: torch.Tensor) -> None:
    """As processors do that multiply by unsigned levels and add two products in 16 bits."""
    lifted = (levels.int() + 128)[:, :, None] * weight_t.int()
    pairs = (lifted[:, 0::2] + lifted[:, 1::2]).clamp(-(1 << 15), (1 << 15) - 1)
    out.copy_(pairs.sum(dim=1) - 128 * weight_t.int().sum(dim=0))


def missing(*_: torch.Tensor) -> None:
    raise NotImplementedError("_int_mm is not for this device")


@pytest.mark.parametrize(("product", "reason"), [(saturating, "not exact"), (missing, "not for this device")])
def test_a_product_that_cannot_be_used_is_not(monkeypatch, make_packed, product, reason):
    """Ours takes its place: same numbers."""
    monkeypatch.setattr(large, "int_mm", product)
    large.why_not_int_mm.cache_clear()
    assert reason in large.why_not_int_mm()
    assert probe.check() == ""


def test_a_slow_product_is_not_used(monkeypatch):
    """Where torch multiplies one number at a time."""
    times = iter([1.0, 0.1])

    def measure(work) -> float:
        work()
        return next(times)

    monkeypatch.setattr(large, "_fastest", measure)
    large.why_not_int_mm.cache_clear()
    assert "slow" in large.why_not_int_mm()


# -- other processors ----------------------------------------------------------------------------------

PROCESSORS = {
    "any": ("x86-64", "+sse2"),
    "with AVX2": ("haswell", "+sse2,+avx,+avx2,+fma,+f16c,+bmi,+bmi2"),
    "with AVX-512": ("skylake-avx512", "+sse2,+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512dq"),
}


def digest() -> str:
    """Of the logits of a tiny model, for many rows at once and for few."""
    from truepenny.models.language_model import ModelSpec, Span

    spec = ModelSpec("t", "qwen2", 0, 0, "", "", 2, 64, 128, 1)
    model = runner.CompiledRunner(probe._InMemory(probe._tensors(probe._TINY)), spec, 2)
    ids = [(5 * i) % 64 for i in range(45)]
    kv = model.new_kv(1)
    parts = [model.forward([Span(ids[a:b], kv, b - a)])[0] for a, b in ((0, 40), (40, 44), (44, 45))]
    model.close()
    return hashlib.sha256(np.concatenate(parts).tobytes()).hexdigest()


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_processor_gives_the_same_bits(name, tmp_path):
    """Other instructions, the same sums in the same order: code is compiled anew for each."""
    if not target()[0].startswith("x86_64"):
        pytest.skip("other processors of this kind are not known")
    cpu, features = PROCESSORS[name]
    if lacking := {f[1:] for f in features.split(",")} - target()[1]:
        pytest.skip(f"this processor has no {', '.join(sorted(lacking))}")
    ran = subprocess.run(
        [sys.executable, __file__],
        env=os.environ
        | {
            "NUMBA_CPU_NAME": cpu,
            "NUMBA_CPU_FEATURES": features,
            "TRUEPENNY_CACHE": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    wrong, found = ran.stdout.splitlines()[-2:]
    assert wrong == ""
    assert found == digest()


if __name__ == "__main__":
    print(probe.check())
    print(digest())
