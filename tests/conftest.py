"""What every test run shares: a runtime folder of its own, and no deadlines."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import settings

# The projects under fixtures/ have tests of their own, which run inside them.
collect_ignore_glob = ["fixtures/*"]

# How long an example takes on a busy machine says nothing; timings are what tests/benchmarks/ is for.
settings.register_profile("truepenny", deadline=None)
settings.load_profile("truepenny")

_RUNTIME = "TRUEPENNY_RUNTIME"
_folder = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Engines, their sockets and the journal are this run's, unless somebody names a folder.

    Else a server that a test starts would write into the person's own journal.  Weights are found
    where they are: that is the cache.
    """
    if not os.environ.get(_RUNTIME):
        config.stash[_folder] = os.environ[_RUNTIME] = tempfile.mkdtemp(prefix="tp")


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(_folder, ""):
        del os.environ[_RUNTIME]
        shutil.rmtree(folder, ignore_errors=True)  # an engine may still be writing its log
