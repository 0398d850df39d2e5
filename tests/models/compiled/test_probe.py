"""What decides whether the compiled pass is used: that it is right on this processor, and on others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from truepenny.models.architecture import Architecture
from truepenny.models.compiled import probe, room, runner
from truepenny.models.compiled.weights import TiledWeights


@pytest.fixture(autouse=True)
def unasked():
    """Each test asks anew."""
    yield
    probe._why_not_here.cache_clear()


def usable() -> Architecture:
    return probe._TINY


def test_it_is_right_here():
    """Or all other tests of this folder are about something nobody uses."""
    assert probe.check() == ""
    assert probe.why_not(usable()) == ""


def test_it_is_right_without_tiles(monkeypatch):
    """As on a machine that has none of them."""
    monkeypatch.setattr(room, "allow_tiles", lambda: False)
    assert probe.check() == ""


def test_a_model_of_other_widths_is_refused(make_packed):
    """With a reason for a person."""
    assert "whole blocks" in probe.why_not(replace(make_packed().architecture, vocabulary=301))


def test_wrong_numbers_are_found(monkeypatch):
    """A layer that is not what it should be, or a pass over many rows that differs from one over few."""
    usual = probe._reference
    monkeypatch.setattr(probe, "_reference", lambda *args: usual(*args) * 1.05)
    assert "numbers are wrong" in probe.why_not(usable())
    monkeypatch.undo()
    probe._why_not_here.cache_clear()
    embed = runner.TiledWeights.embed

    def worse(weights: TiledWeights, ids: list[int]) -> np.ndarray:
        return embed(weights, ids) * (1.01 if len(ids) > 12 else 1)

    monkeypatch.setattr(runner.TiledWeights, "embed", worse)
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
