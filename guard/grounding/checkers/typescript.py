"""TypeScript and JavaScript: TypeScript's own server, version 7, which is a program and not a script.

It comes from our cache folder (`truepenny checkers add typescript`) or from PATH, never from the
`node_modules` of a workspace.  It runs no plugins and no scripts; that it would fetch types of
JavaScript packages is switched off, and it finds no npm.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ...errors import CheckerError
from .checker import ShadowChecker
from .dialect import Dialect
from .programs import on_path
from .typescript_messages import SCRIPTS, read

PACKAGES = ("typescript@7.0.2", "@types/node@^24")
"""What `truepenny checkers add typescript` installs: the checker, and what it knows of Node."""

PROBE = "truepennyAsksWhetherThisFileIsChecked;\n"
_SILENCED = re.compile(r"@ts-nocheck", re.IGNORECASE)
_NODE_TYPES = Path("@types") / "node" / "index.d.ts"

LANGUAGE_IDS = {
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "typescriptreact",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascriptreact",
}


def folder_of(checkers: Path) -> Path:
    """Where it lies in the folder of checkers, `npm`'s prefix."""
    return checkers / "typescript"


def find(checkers: Path, root: str) -> Path:
    """The program.  Raises CheckerError where there is none."""
    modules = folder_of(checkers) / "node_modules"
    if program := _program_in(modules):
        return program
    for tsc in on_path("tsc", root):
        for parent in tsc.resolve().parents:
            if parent.name == "node_modules" and (program := _program_in(parent)):
                return program
    raise CheckerError("TypeScript 7 is not here: run `truepenny checkers add typescript`")


def library(checkers: Path, root: str) -> Path | None:
    """The folder with its `lib.*.d.ts`; None where it is not there."""
    try:
        return find(checkers, root).parent
    except CheckerError:
        return None


def typescript_checker(root: str, checkers: Path) -> ShadowChecker:
    """For the workspace in `root`; `checkers` is the folder of those that were added."""
    program = find(checkers, root)
    types = _node_types(Path(root), program)
    reference = f'/// <reference path="{types.as_posix()}" />\n' if types else ""
    return ShadowChecker(
        Dialect(
            name="typescript",
            argv=(str(program), "--lsp", "--stdio"),
            root=root,
            language_ids=LANGUAGE_IDS,
            read=read,
            options={"disableAutomaticTypeAcquisition": True, "userPreferences": _PREFERENCES},
            settings=dict.fromkeys(("js/ts", "typescript", "javascript"), _PREFERENCES),
            probe=PROBE,
            prefixes={
                suffix: ("// @ts-check\n" if suffix in SCRIPTS else "") + reference for suffix in LANGUAGE_IDS
            },
            prepare=_unsilenced,
            environment={"GOGC": "50"},  # a fifth less memory for a tenth more time
            patience_s=10.0,  # a project is read as a whole, once
            max_memory_bytes=1_000_000_000,
        )
    )


_PREFERENCES = {
    "disableAutomaticTypeAcquisition": True,
    "tsserver": {"automaticTypeAcquisition": {"enabled": False}},
    "suggest": {"autoImports": False},
    "includeCompletionsForModuleExports": False,
}


def _unsilenced(text: str) -> str:
    """A file that switches its own check off is checked all the same."""
    return _SILENCED.sub("@ts-n0check", text) if "@ts-" in text else text


def _program_in(modules: Path) -> Path | None:
    name = "tsc.exe" if sys.platform == "win32" else "tsc"
    for program in sorted((modules / "@typescript").glob(f"typescript-*/lib/{name}")):
        if program.is_file() and os.access(program, os.X_OK):
            return program
    return None


def _node_types(root: Path, program: Path) -> Path | None:
    """What is known of Node, unless the workspace brings its own."""
    for folder in (root, *root.parents):
        if (folder / "node_modules" / _NODE_TYPES).is_file():
            return None
    for folder in program.parents:
        if folder.name == "node_modules" and (folder / _NODE_TYPES).is_file():
            return folder / _NODE_TYPES
    return None
