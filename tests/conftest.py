"""What every test run shares."""

from __future__ import annotations

# The projects under fixtures/ have tests of their own, which run inside them.
collect_ignore_glob = ["fixtures/*"]
