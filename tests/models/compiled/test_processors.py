"""Every processor of a kind gives the same bits: code is compiled anew for each."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from truepenny.models.compiled import probe
from truepenny.models.compiled.runner import CompiledRunner
from truepenny.models.compiled.vector_ir import target
from truepenny.models.language_model import ModelSpec, Span

PROCESSORS = {
    "any": ("x86-64", "+sse2"),
    "with AVX2": ("haswell", "+sse2,+avx,+avx2,+fma,+f16c,+bmi,+bmi2"),
    "with AVX-512": ("skylake-avx512", "+sse2,+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512dq"),
}


def digest() -> str:
    """Of the logits of a tiny model, for many rows at once and for few."""
    spec = ModelSpec("t", "qwen2", 0, 0, "", "", 2, 64, 128, 1)
    model = CompiledRunner(probe._InMemory(probe._tensors(probe._TINY)), spec, 2)
    ids = [(5 * i) % 64 for i in range(45)]
    kv = model.new_kv(1)
    parts = [model.forward([Span(ids[a:b], kv, b - a)])[0] for a, b in ((0, 40), (40, 44), (44, 45))]
    model.close()
    return hashlib.sha256(np.concatenate(parts).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> dict[str, subprocess.Popen[str]]:
    """A process for each that this machine can imitate, all at once: each compiles for ten seconds."""
    started: dict[str, subprocess.Popen[str]] = {}
    for name, (cpu, features) in PROCESSORS.items():
        if not target()[0].startswith("x86_64") or {f[1:] for f in features.split(",")} - target()[1]:
            continue
        root = tmp_path_factory.mktemp("cache")
        narrowed = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features, "TRUEPENNY_CACHE": str(root)}
        started[name] = subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | narrowed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    return started


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_processor_gives_the_same_bits(name, elsewhere):
    """Other instructions, the same sums in the same order."""
    if name not in elsewhere:
        pytest.skip(f"not a processor {name} of the x86-64 kind")
    out, err = elsewhere[name].communicate(timeout=300)
    assert elsewhere[name].returncode == 0, err
    wrong, found = out.splitlines()[-2:]
    assert wrong == ""
    assert found == digest()


if __name__ == "__main__":
    print(probe.check())
    print(digest())
