"""What this machine permits."""

from __future__ import annotations

import os
import subprocess
import sys

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


# -- torch, which takes a second to import ---------------------------------------------------------------


class Card:
    name, total_memory = "H1", 1 << 36


@pytest.fixture
def card(monkeypatch) -> None:
    """A driver, and a GPU that torch can use."""
    import torch

    monkeypatch.delenv("TRUEPENNY_DEVICE", raising=False)
    monkeypatch.setattr(hardware, "_has_nvidia_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Card)


@pytest.mark.usefixtures("card")
def test_a_gpu_is_used_and_can_be_left_alone(monkeypatch):
    """By one variable, for whoever needs it otherwise."""
    device = hardware.probe()
    assert (device.kind, device.description, device.memory_bytes) == ("cuda", "H1", 1 << 36)
    monkeypatch.setenv("TRUEPENNY_DEVICE", "cpu")
    assert hardware.probe().kind == "cpu"


@pytest.mark.usefixtures("card")
def test_torch_is_asked_only_where_there_is_a_driver(monkeypatch):
    """Not at all without one, or where the GPU is to be left alone."""
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails
    with pytest.raises(ImportError):
        hardware.probe()
    monkeypatch.setattr(hardware, "_has_nvidia_driver", lambda: False)
    assert hardware.probe().kind == "cpu"
    monkeypatch.setattr(hardware, "_has_nvidia_driver", lambda: True)
    monkeypatch.setenv("TRUEPENNY_DEVICE", "cpu")
    assert hardware.probe().kind == "cpu"


@pytest.mark.usefixtures("card")
def test_a_driver_without_a_card_is_no_gpu(monkeypatch):
    """Installed, and nothing to drive."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert hardware.probe().kind == "cpu"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_driver_is_there_when_its_library_can_be_loaded(monkeypatch, is_there):
    """Every program for such a GPU begins with it."""

    def load(_name: str) -> None:
        if not is_there:
            raise OSError("no such library")

    monkeypatch.setattr(hardware.ctypes, "CDLL", load)
    assert hardware._has_nvidia_driver() is is_there


def without_torch(code: str) -> None:
    """Run it in a process of its own, without a GPU: afterwards torch has not been imported."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nassert 'torch' not in sys.modules"],
        env=os.environ | {"TRUEPENNY_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_looking_at_the_machine_does_without_torch():
    """And so does everything that loading imports before it knows what it loads."""
    without_torch("from truepenny.models import hardware, loading; hardware.probe()")


@pytest.mark.weights
def test_the_default_model_does_without_torch(default_model):
    """It takes a second to import, and two hundred megabytes."""
    without_torch(
        "from truepenny.models.loading import load\n"
        "from truepenny.models.compiled.runner import CompiledRunner\n"
        f"loaded = load({default_model.name!r})\n"
        "assert isinstance(loaded.model, CompiledRunner), loaded.model.spec.why_precision\n"
        "from truepenny.models.language_model import feed\n"
        "feed(loaded.model, loaded.tokenizer.encode('def f'), loaded.model.new_kv(16))"
    )
