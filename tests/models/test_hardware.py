"""What this machine permits."""

from __future__ import annotations

import os

import pytest

from truepenny.models import hardware


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("max 100000\n", 1 << 16),
        ("", 1 << 16),
    ],
)
def test_a_container_is_believed_about_its_time(quota, cores, tmp_path):
    """Sixty-four threads on the time of two cores wait for each other."""
    (tmp_path / "cpu.max").write_text(quota)
    assert hardware._granted_cores(tmp_path / "cpu.max") == cores
    assert hardware._granted_cores(tmp_path / "nonesuch") == 1 << 16


def test_threads_are_cores_this_process_may_use(monkeypatch, tmp_path):
    """Never none, never more than there are."""
    device = hardware.probe()
    assert 1 <= device.threads <= (os.cpu_count() or 1)
    assert device.memory_bytes > 1 << 28
    (tmp_path / "cpu.max").write_text("100000 100000")
    monkeypatch.setattr(hardware, "_QUOTA", tmp_path / "cpu.max")
    assert hardware.probe().threads == 1


def test_a_gpu_can_be_left_alone(monkeypatch):
    """By one variable, for whoever needs it otherwise."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("TRUEPENNY_DEVICE", "cpu")
    assert hardware.probe().kind == "cpu"
