"""When freed memory is given back."""

from __future__ import annotations

import pytest

from truepenny.models.tidying import IDLE_S, WORK_S, Tidying

STEP_S = 0.5


def moments(active: str) -> list[float]:
    """When memory was given back, of half seconds that were spent working (`#`) or idle (`.`)."""
    given: list[float] = []
    last_active_s, now_s = 0.0, 0.0
    tidying = Tidying(0.0, lambda: given.append(now_s))
    for step in active:
        now_s += STEP_S
        if step == "#":
            last_active_s = now_s
        told = tidying.look(now_s, last_active_s, now_s - last_active_s)
        assert told == (given[-1:] == [now_s])
    return given


WORK, REST = int(WORK_S / STEP_S), int(IDLE_S / STEP_S)


@pytest.mark.parametrize(
    ("active", "given"),
    [
        ("", []),
        ("." * 3 * WORK, []),  # nothing was done: nothing was freed
        ("#" * (WORK - 1), []),
        ("#" * WORK, [WORK]),
        ("#" * 3 * WORK, [WORK, 2 * WORK, 3 * WORK]),  # never idle, and yet
        ("#." * 2 * WORK, [WORK, 2 * WORK, 3 * WORK, 4 * WORK]),
        ("#" + "." * (REST - 1), []),
        ("#" + "." * 5 * WORK, [1 + REST]),  # once for each time of work
        ("##" + "." * REST + "#" + "." * REST, [2 + REST, 3 + 2 * REST]),
    ],
)
def test_after_work_and_during_long_work_memory_is_given_back(active, given):
    assert moments(active) == [number * STEP_S for number in given]
