"""What a benchmark says of the machine, and of who else was using it."""

from __future__ import annotations

import pytest

from truepenny.models.benchmarks import machine as machine_module
from truepenny.models.benchmarks.machine import Watch, describe, others_cores
from truepenny.models.hardware import Device, cpu_seconds, processor_name, resident_bytes


@pytest.mark.parametrize(
    ("before", "after", "cores"),
    [
        ((100.0, 10.0), (130.0, 30.0), 1.0),
        ((100.0, 10.0), (119.5, 30.0), 0.0),
        (None, (1.0, 1.0), None),
        ((1.0, 1.0), None, None),
    ],
    ids=["others", "rounding", "unknown-before", "unknown-after"],
)
def test_what_other_programs_used_is_told(before, after, cores):
    """Core seconds of all but this process, per second of ten."""
    assert others_cores(before, after, 10.0) == cores


def test_our_own_work_is_no_disturbance():
    """The process's own time is a part of everybody's; the counters tick in hundredths of a second."""
    seconds = cpu_seconds()
    assert seconds is None or 0 < seconds[1] <= seconds[0] + 0.1


def test_the_machine_is_described():
    """Figures without it mean nothing."""
    machine = describe(Device("cpu", "2 cores, AVX512", 2, 8 << 30))
    assert machine.processor == processor_name()
    assert machine.processor
    assert {"python", "torch", "transformers", "truepenny"} <= machine.versions.keys()
    assert resident_bytes() >= 0


def test_a_watch_looks_only_at_its_own_turns(monkeypatch):
    """What others did between two turns is not counted: that may be a server that had its own."""
    looks = iter([(10.0, 1.0), (12.0, 2.0), (50.0, 2.0), (53.0, 4.0)])
    now = iter([0.0, 2.0, 30.0, 32.0])
    monkeypatch.setattr(machine_module, "cpu_seconds", lambda: next(looks))
    monkeypatch.setattr(machine_module.time, "perf_counter", lambda: next(now))
    watch = Watch()
    assert watch.disturbance is None, "nothing was watched"
    for _ in range(2):
        with watch:
            pass
    assert watch.disturbance == (2.0 + 3.0 - 1.0 - 2.0) / 4.0


def test_a_watch_on_a_system_that_does_not_count_says_so(monkeypatch):
    monkeypatch.setattr(machine_module, "cpu_seconds", lambda: None)
    watch = Watch()
    with watch:
        pass
    assert watch.disturbance is None
