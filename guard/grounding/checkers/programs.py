"""Programs of the machine: from PATH, and never from the workspace that is checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def on_path(name: str, root: str) -> Iterator[Path]:
    """Where PATH has it, in order, as it stands there; nothing in the folder `root`, nor linked to there."""
    file_name = f"{name}.exe" if sys.platform == "win32" else name
    inside = Path(root).resolve()
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        program = Path(entry, file_name)
        if not program.is_absolute() or not program.is_file() or not os.access(program, os.X_OK):
            continue
        if not any(path.is_relative_to(inside) for path in (program, program.resolve())):
            yield program
