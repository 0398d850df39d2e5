"""A build in a process of its own: `python -I -m truepenny.guard.grounding.vocabulary.process CACHE FAMILY`.

So that the one that talks to the editor stays free.  Its input is `Sources` as JSON; its last line of
output the report.  Exit 0: built; 2: not, and stderr says why.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from .building import Built, build
from .errors import VocabularyError
from .parts import Family, Sources, python_parts, web_parts

_NICE = 10
_MODULE = f"{__package__}.process"


class Building:
    """One build under way."""

    def __init__(self, sources: Sources, family: Family, cache: Path) -> None:
        """Raises VocabularyError where no process can be started."""
        self._cache = cache
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE, str(cache), family],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),  # Windows has no nice
            )
        except OSError as error:
            raise VocabularyError(f"no process to read names with can be started: {error}") from error
        self._told = json.dumps(_as_json(sources)).encode()

    def wait(self) -> Built:
        """Raises VocabularyError with what the process said last."""
        out, err = self._process.communicate(self._told)
        if self._process.returncode:
            said = err.decode("utf-8", "replace").strip().splitlines()
            status = f"exit status {self._process.returncode}"
            raise VocabularyError(f"names were not read: {said[-1] if said else status}")
        report: dict[str, Any] = json.loads(out.splitlines()[-1])
        numbers = {name: int(value) for name, value in report.items() if name != "path"}
        return Built(Path(report["path"]), **numbers)

    def cancel(self) -> None:
        """What has been written stays."""
        self._process.kill()


def _as_json(sources: Sources) -> dict[str, Any]:
    return {
        "python": [str(one) for one in sources.python],
        "python_library": str(sources.python_library) if sources.python_library else None,
        "web": [str(one) for one in sources.web],
        "web_library": str(sources.web_library) if sources.web_library else None,
    }


def _sources(told: dict[str, Any]) -> Sources:
    return Sources(
        tuple(map(Path, told["python"])),
        Path(told["python_library"]) if told["python_library"] else None,
        tuple(map(Path, told["web"])),
        Path(told["web_library"]) if told["web_library"] else None,
    )


def main(arguments: list[str]) -> int:
    cache, family = arguments
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if hasattr(os, "nice"):
        os.nice(_NICE)
    sources = _sources(json.loads(sys.stdin.buffer.read()))
    parts = python_parts(sources) if cast("Family", family) == "python" else web_parts(sources)
    try:
        built = build(parts, Path(cache))
    except VocabularyError as error:
        print(error, file=sys.stderr)
        return 2
    report = {
        "path": str(built.path),
        "num_names": built.num_names,
        "num_parts": built.num_parts,
        "num_read": built.num_read,
        "num_bytes": built.num_bytes,
    }
    print(json.dumps(report), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
