"""What the person here accepts: four sums for each group of languages, and the shift that follows from them.

Kept in the cache folder, never sent anywhere.  There is no text in it and no name, and it does not grow.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from .facts import Group, group_of

logger = logging.getLogger(__name__)

HALF_LIFE = 100
"""Suggestions after which one counts half."""
HALF_LIFE_DAYS = 30.0
MAX_SHIFT = 1.5
"""Of the log-odds.  What the model is surest of is shown even to a person who accepts nothing, so that there
is always something to learn from."""
MIN_SHOWN = 8.0
"""Before so many have been shown nothing is said about a habit."""
_LOCK_TIMEOUT_S = 0.1
_DAY_S = 86_400.0
_GROUPS: tuple[Group, ...] = ("python", "braces", "others")


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over suggestions that were displayed, older ones counting less."""

    shown: float = 0.0
    accepted: float = 0.0
    expected: float = 0.0
    """Of the probabilities they were shown with, before any shift."""
    spread: float = 0.0
    """Of `p (1 - p)`: how much of an intercept they tell."""
    day: float = 0.0
    """Since 1970, when this was last added to."""

    def after(self, probability: float, *, accepted: bool, day: float) -> Tally:
        """With one more, shown with this probability."""
        faded = self.faded(day, num_later=1)
        return Tally(
            faded.shown + 1.0,
            faded.accepted + accepted,
            faded.expected + probability,
            faded.spread + probability * (1.0 - probability),
            faded.day,
        )

    def faded(self, day: float, num_later: int = 0) -> Tally:
        """As it counts on that day, when `num_later` came after it.  A clock set back fades nothing."""
        share = 0.5 ** (num_later / HALF_LIFE + max(0.0, day - self.day) / HALF_LIFE_DAYS)
        sums = {name: getattr(self, name) * share for name in ("shown", "accepted", "expected", "spread")}
        return Tally(**sums, day=max(day, self.day))

    @property
    def shift(self) -> float:
        """One Newton step from no shift at all, as if one accepted and one rejected had come before."""
        step = (self.accepted - self.expected) / (self.spread + 0.5)
        return max(-MAX_SHIFT, min(MAX_SHIFT, step))


class History:
    """Of one person.  Several servers may share the file: each adds to what is there."""

    def __init__(self, file: Path | None, clock: Callable[[], float] = time.time) -> None:
        """`file` None: nothing is kept beyond this object."""
        self._file = file
        self._clock = clock
        self._tallies: dict[str, Tally] | None = None
        self._pending: list[tuple[Group, float, bool]] = []

    def learn(self, language: str, probability: float, *, accepted: bool) -> None:
        """A suggestion was on the screen, with that probability before any shift.

        What cannot be written now is written with the next.
        """
        self._pending.append((group_of(language), probability, accepted))
        if self._file is None:
            self._add_to(self._known())
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._file}.lock", timeout=_LOCK_TIMEOUT_S):
                self._tallies = self._read()
                self._add_to(self._tallies)
                self._write(self._tallies)
        except Timeout:
            logger.info("%s is in use: one suggestion is added later", self._file)
        except OSError as error:
            logger.warning("what was accepted cannot be kept in %s: %s", self._file, error)

    def shift(self, language: str) -> float:
        """Of the log-odds of suggestions in that language."""
        return self._now(language).shift

    def told(self, language: str) -> str:
        """In words; empty while there is too little to go by."""
        tally = self._now(language)
        if tally.shown < MIN_SHOWN:
            return ""
        return f"you accept {tally.accepted / tally.shown:.0%} of the last {tally.shown:.0f} like it"

    def _now(self, language: str) -> Tally:
        tally = self._known().get(group_of(language), Tally())
        return tally.faded(self._clock() / _DAY_S)

    def _known(self) -> dict[str, Tally]:
        if self._tallies is None:
            self._tallies = self._read()
        return self._tallies

    def _add_to(self, tallies: dict[str, Tally]) -> None:
        day = self._clock() / _DAY_S
        for group, probability, accepted in self._pending:
            tallies[group] = tallies.get(group, Tally()).after(probability, accepted=accepted, day=day)
        self._pending.clear()

    def _read(self) -> dict[str, Tally]:
        """What is damaged counts for nothing, and is written anew with the next suggestion."""
        if self._file is None:
            return {}
        try:
            raw: Any = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read (%s): learning begins anew", self._file, error)
            return {}
        groups: Any = cast("dict[str, Any]", raw).get("groups") if isinstance(raw, dict) else None
        found = cast("dict[str, Any]", groups) if isinstance(groups, dict) else {}
        tallies = {group: _tally_of(found.get(group)) for group in _GROUPS}
        return {group: tally for group, tally in tallies.items() if tally is not None}

    def _write(self, tallies: dict[str, Tally]) -> None:
        """All of it or nothing."""
        assert self._file is not None, "there is somewhere to write"
        record = {"groups": {group: asdict(tally) for group, tally in tallies.items()}}
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        partial.write_text(json.dumps(record), encoding="utf-8")
        partial.replace(self._file)


def _tally_of(raw: Any) -> Tally | None:
    """None for what no tally can be."""
    if not isinstance(raw, dict):
        return None
    found = cast("dict[str, Any]", raw)
    numbers: dict[str, float] = {}
    for field in fields(Tally):
        value = found.get(field.name)
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            return None
        numbers[field.name] = float(value)
    tally = Tally(**numbers)
    most = 2.0 * HALF_LIFE  # more no sum can be, with what fades
    is_sound = max(tally.accepted, tally.expected, tally.spread) <= tally.shown + 1e-6 <= most
    return tally if is_sound else None
