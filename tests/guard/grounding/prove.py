"""Runs every snippet: what is called right has to run, and what is called wrong must not.

    python -m tests.guard.grounding.prove [holdout]

Needs the libraries of the snippets in the interpreter that runs it, and a system that forks.  The
snippets are our own; nothing of them reaches the network.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import tempfile
from pathlib import Path

from . import cases_python, holdout_python, workspace
from .snippets import Snippet

LIBRARIES = ("numpy", "pandas", "requests", "pydantic", "sqlalchemy.orm", "httpx", "rich.console", "jinja2")
NO_SUCH_THING = [
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "TypeError",
    "NameError",
    "AssertionError",
    "UnboundLocalError",
    "ValidationError",
    "ArgumentError",
    "ValueError",
    "ExceptionGroup",
    "PydanticSerializationError",
]


def run(snippet: Snippet, at: int = -1, wrong: str = "") -> str:
    """The name of the exception, in a process and a workspace of its own; empty if there is none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with tempfile.TemporaryDirectory() as folder:
            os.write(writing, _raised(Path(folder), snippet, at, wrong).encode())
            os.chdir("/")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def _raised(root: Path, snippet: Snippet, at: int, wrong: str) -> str:
    os.chdir(root)
    sys.path.insert(0, str(root))
    workspace.write_python(root)
    path = root / snippet.path
    path.write_text(snippet.program(at, wrong), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            importlib.import_module(snippet.path.removesuffix(".py").replace("/", "."))
    except SystemExit:
        return ""
    except BaseException as error:  # noqa: BLE001  # whatever it is, its name is the answer
        return type(error).__name__
    return ""


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    snippets = holdout_python.snippets() if "holdout" in sys.argv[1:] else cases_python.snippets()
    count = 0
    for snippet in snippets:
        if said := run(snippet):
            print(f"{snippet.library}, {snippet.name}: {said} where all is right")
        for at, slot in enumerate(snippet.slots):
            for wrong, _ in slot.wrong:
                count += 1
                if (said := run(snippet, at, wrong)) not in NO_SUCH_THING:
                    print(f"{snippet.library}, {snippet.name}: {said or 'nothing'} with {wrong}")
    print(f"{len(snippets)} snippets, {count} wrong names")


if __name__ == "__main__":
    main()
