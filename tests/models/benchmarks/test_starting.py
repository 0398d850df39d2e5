"""A real engine process, started twice and filled; its model has no weights."""

from __future__ import annotations

import os
from itertools import count, islice
from pathlib import Path

import pytest

from truepenny.models.benchmarks.starting import measure_start
from truepenny.models.endpoint import FAKE_MODEL, RUNTIME_VARIABLE
from truepenny.models.errors import EngineUnavailableError
from truepenny.models.hardware import resident_bytes


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("r")
    monkeypatch.setenv(RUNTIME_VARIABLE, str(folder))
    return folder


def prompts(num_tokens: int):
    return (tuple((nth * 7 + i) % 250 for i in range(num_tokens)) for nth in count())


def test_an_engine_is_started_twice_and_filled(runtime: Path):
    """1 MiB of 16 bytes a token: 65,536 tokens; nothing is left afterwards."""
    told: list[str] = []
    found = measure_start(FAKE_MODEL, "auto", 1, prompts(6000), tell=told.append)
    for start in (found.first, found.warm):
        assert 0 < start.ready_s < start.first_token_s
    memory = found.memory
    assert memory.kv_budget_bytes == 1 << 20
    assert 0.5 * memory.kv_budget_bytes < memory.kv_bytes <= memory.kv_budget_bytes
    assert memory.prompts >= 5
    if resident_bytes():
        assert 0 < memory.fresh_bytes <= memory.peak_bytes
        assert 0 < memory.used_bytes <= memory.peak_bytes
    assert told == [
        "starting an engine process",
        "starting it again, with a warm file cache",
        "filling its cache",
    ]
    assert list(runtime.iterdir()) == []
    assert os.environ[RUNTIME_VARIABLE] == str(runtime)


def test_an_engine_that_does_not_come_up_is_explained(runtime: Path):
    """With its own last words."""
    with pytest.raises(EngineUnavailableError, match=r"exit code 2 while starting: .*nobody"):
        measure_start("nobody", "auto", 1, islice(prompts(10), 1))
    assert list(runtime.iterdir()) == []
    assert os.environ[RUNTIME_VARIABLE] == str(runtime)
