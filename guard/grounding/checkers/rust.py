"""Rust: `rust-analyzer`, where PATH has it outside the workspace.

Build scripts and procedural macros are code of the workspace, and `cargo check` would run both: they
are switched off, with the checks that need them.  What macros make is then not known, and
rust-analyzer keeps silent about it.  It still asks `cargo` what the project consists of; a workspace
that says which toolchain, wrapper or compiler cargo has to use would choose what is executed, so
such a workspace is not checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import CheckerError
from ..finding import Fault
from .checker import ShadowChecker
from .dialect import Dialect
from .programs import on_path
from .sentences import Sentences

SENTENCES = Sentences(
    faults={
        "E0425": Fault.MISSING_NAME,
        "E0412": Fault.MISSING_NAME,
        "E0433": Fault.MISSING_NAME,
        "E0432": Fault.MISSING_MODULE,
        "E0583": Fault.MISSING_MODULE,
        "E0599": Fault.MISSING_MEMBER,
        "E0609": Fault.MISSING_MEMBER,
        "E0559": Fault.UNKNOWN_ARGUMENT,
        "E0560": Fault.UNKNOWN_ARGUMENT,
        "E0061": Fault.WRONG_CALL,
        "E0107": Fault.WRONG_CALL,
        "E0618": Fault.WRONG_CALL,
        "unresolved-method": Fault.MISSING_MEMBER,
        "unresolved-field": Fault.MISSING_MEMBER,
        "unresolved-assoc-item": Fault.MISSING_MEMBER,
        "unresolved-ident": Fault.MISSING_NAME,
        "unresolved-import": Fault.MISSING_MODULE,
        "unresolved-extern-crate": Fault.MISSING_MODULE,
        "unresolved-module": Fault.MISSING_MODULE,
        "no-such-field": Fault.UNKNOWN_ARGUMENT,
        "mismatched-arg-count": Fault.WRONG_CALL,
        "expected-function": Fault.WRONG_CALL,
    },
    patterns=[
        re.compile(pattern)
        for pattern in (
            r"^no (?:method|field|associated item) [`'](?P<name>\w+)[`'] on type [`'](?P<receiver>.*?)[`']",
            r"^no such (?:associated item|field)(?:: `?(?P<name>\w+))?",
            r"^unresolved (?:import|module|extern crate)(?:,? .*[`' ](?P<name>[\w:]+)[`']?$)?",
            r"^no such value in this scope|^cannot find (?:value|function|type) [`'](?P<name>\w+)[`']",
            r"^expected \d+ (?:generic )?arguments?, found",
        )
    ],
    nearest=re.compile(r"(?:but a|did you mean) .*?[`'](\w+)[`']"),
)

_CHOOSING = (".cargo/config.toml", ".cargo/config", "rust-toolchain", "rust-toolchain.toml")
_SETTINGS = {
    "cargo": {"buildScripts": {"enable": False}, "autoreload": False},
    "procMacro": {"enable": False, "attributes": {"enable": False}},
    "checkOnSave": False,
    "cachePriming": {"enable": False},
    "diagnostics": {"enable": True, "experimental": {"enable": False}},
    "completion": {"autoimport": {"enable": False}, "postfix": {"enable": False}},
    "files": {"watcher": "client"},
}


def find(root: str) -> Path:
    """The program, from PATH outside `root`.  Raises CheckerError where there is none."""
    program = next(on_path("rust-analyzer", root), None)
    if program is not None and program.resolve().stem == "rustup":
        program = next(_behind_rustup(), None)
    if program is None:
        raise CheckerError("rust-analyzer is not on PATH: run `rustup component add rust-analyzer`")
    return program


def _behind_rustup() -> Iterator[Path]:
    """What rustup's proxy would run, which may be nothing: the proxy is on PATH without the component."""
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    for program in sorted(home.glob("toolchains/*/bin/rust-analyzer*"), reverse=True):  # stable, nightly
        if os.access(program, os.X_OK):
            yield program


def rust_checker(root: str) -> ShadowChecker:
    """For the project in `root`.  Raises CheckerError: not there, or the project chooses a toolchain."""
    program = find(root)
    for folder in (Path(root), *Path(root).parents):
        for name in _CHOOSING:
            if folder != Path.home() and (folder / name).exists():
                raise CheckerError(f"{folder / name} chooses what cargo executes: rust-analyzer is not asked")
    tools = [program.parent, *(cargo.parent for cargo in on_path("cargo", root))]
    return ShadowChecker(
        Dialect(
            name="rust-analyzer",
            argv=(str(program),),
            root=root,
            language_ids={".rs": "rust"},
            read=SENTENCES.read,
            options=_SETTINGS,
            settings={"rust-analyzer": _SETTINGS},
            environment={
                "PATH": os.pathsep.join(dict.fromkeys(map(str, tools))),
                "CARGO_NET_OFFLINE": "true",
                "RUSTC_WRAPPER": "",
                "RUSTC_WORKSPACE_WRAPPER": "",
                "RUSTUP_AUTO_INSTALL": "0",
            },
            patience_s=30.0,
            num_open=4,
            max_memory_bytes=3_000_000_000,
        )
    )
