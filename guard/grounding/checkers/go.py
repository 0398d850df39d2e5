"""Go: `gopls`, where PATH has it outside the workspace, with the `go` command beside it.

Nothing is fetched (`GOPROXY=off`, `GOTOOLCHAIN=local`) or written (`-mod=readonly`), cgo, which would
run a compiler with options of the workspace, is off, and so are package drivers and version stamps.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...errors import CheckerError
from ..finding import Fault
from .checker import ShadowChecker
from .dialect import Dialect
from .programs import on_path
from .sentences import Sentences

SENTENCES = Sentences(
    faults={
        "MissingFieldOrMethod": Fault.MISSING_MEMBER,
        "UndeclaredImportedName": Fault.MISSING_MEMBER,
        "UnexportedName": Fault.POSSIBLY_MISSING,
        "UndeclaredName": Fault.MISSING_NAME,
        "BrokenImport": Fault.MISSING_MODULE,
        "MissingLitField": Fault.UNKNOWN_ARGUMENT,
        "WrongArgCount": Fault.WRONG_CALL,
        "InvalidCall": Fault.WRONG_CALL,
        "NotAFunc": Fault.WRONG_CALL,
    },
    patterns=[
        re.compile(pattern)
        for pattern in (
            r" undefined \(type (?P<receiver>.+) has no field or method (?P<name>\w+)",
            r"^undefined: (?P<receiver>\w+)\.(?P<name>\w+)",
            r"^(?P<name>\w+) not (?:declared by|exported by) package (?P<receiver>\w+)",
            r"^(?:undefined|undeclared name): (?P<name>\w+)",
            r"^name (?P<name>\w+) not exported by package (?P<receiver>\w+)",
            r"could not import (?P<name>\S+)",
            r"package (?P<name>\S+) is not in (?:GOROOT|std)",
            r"no required module provides package (?P<name>[^\s;]+)",
            r"^unknown field (?P<name>\w+) in struct literal(?: of type (?P<receiver>\S+))?",
            r"arguments? in call to (?P<receiver>\S+)",
            r"^invalid operation: cannot call non-function (?P<receiver>\S+)",
        )
    ],
    nearest=re.compile(r"but does have (?:field |method )?(\w+)"),
)

_SETTINGS = {
    "diagnosticsDelay": "0s",
    "diagnosticsTrigger": "Edit",
    "pullDiagnostics": True,
    "staticcheck": False,
    "vulncheck": "Off",
    "analyses": {"unusedparams": False},
    "codelenses": {},
    "completeUnimported": False,
    "usePlaceholders": False,
}


def find(root: str) -> Path:
    """The program, from PATH outside `root`.  Raises CheckerError where there is none."""
    program = next(on_path("gopls", root), None)
    if program is None:
        raise CheckerError("gopls is not on PATH: run `go install golang.org/x/tools/gopls@latest`")
    return program


def go_checker(root: str) -> ShadowChecker:
    """For the module in `root`.  Raises CheckerError where gopls or go is not there."""
    program, go = find(root), next(on_path("go", root), None)
    if go is None:
        raise CheckerError("gopls is on PATH, but go, which it needs, is not: install Go")
    return ShadowChecker(
        Dialect(
            name="gopls",
            argv=(str(program), "serve"),
            root=root,
            language_ids={".go": "go"},
            read=SENTENCES.read,
            options=_SETTINGS,
            settings={"gopls": _SETTINGS},
            environment={
                "PATH": str(go.parent),
                "CGO_ENABLED": "0",
                "GO111MODULE": "on",
                "GOFLAGS": "-mod=readonly -buildvcs=false",
                "GOPACKAGESDRIVER": "off",
                "GOPROXY": "off",
                "GOSUMDB": "off",
                "GOTELEMETRY": "off",
                "GOTOOLCHAIN": "local",
                "GOENV": os.devnull,
                **{
                    name: os.environ[name]
                    for name in ("GOPATH", "GOMODCACHE", "GOCACHE")
                    if name in os.environ
                },
            },
            patience_s=30.0,
            num_open=4,
            max_memory_bytes=1_500_000_000,
        )
    )
