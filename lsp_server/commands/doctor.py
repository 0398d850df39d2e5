"""`truepenny doctor`: is this machine set up, and what to do if it is not."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec

from ...models.catalogue import CATALOGUE, DEFAULT_MODEL
from ...models.endpoint import engine_files, runtime_folder
from ...models.errors import ModelsError
from ...models.launch import EngineChoice, running
from ...models.store import cache_root, folder_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.  `fix` is empty when it is well."""

    what: str
    is_well: bool
    found: str
    fix: str = ""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]  # argparse has no public name for it
    parser = subparsers.add_parser(
        "doctor",
        help="is this machine set up, and what to do if not",
        description="Look at everything completion needs, and say what to do about what is missing.",
        epilog="example: truepenny doctor --json",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document as the last line of stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: all is well; 1: something is missing; each says what to do."""
    findings = [_version(), _torch(), *_models(), _runtime(), asyncio.run(_engine())]
    if args.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            mark = "ok " if finding.is_well else "FIX"
            print(f"{mark}  {finding.what:<10} {finding.found}")
            if finding.fix:
                print(f"     {'':<10} → {finding.fix}")
    return 0 if all(finding.is_well for finding in findings) else 1


def _version() -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("version", is_well=True, found=f"truepenny {version('truepenny')} on Python {python}")


def _torch() -> Finding:
    if find_spec("torch") is None:
        fix = 'pip install "truepenny[local]", or set "engine" to the URL of a remote one'
        return Finding("engine", is_well=False, found="no local engine (torch is not installed)", fix=fix)
    return Finding("engine", is_well=True, found=f"torch {version('torch')}")


def _models() -> list[Finding]:
    findings: list[Finding] = []
    for entry in CATALOGUE:
        folder = folder_of(entry.name)
        if folder.is_converted(entry.sha256):
            findings.append(Finding("model", is_well=True, found=f"{entry.name} is ready in {folder.root}"))
        elif entry.name == DEFAULT_MODEL:
            found = f"{entry.name}, the default model, is not ready in {cache_root()}"
            findings.append(Finding("model", is_well=False, found=found, fix=f"truepenny pull {entry.name}"))
    return findings


def _runtime() -> Finding:
    try:
        return Finding("sockets", is_well=True, found=f"{runtime_folder()}, for this user alone")
    except (ModelsError, OSError) as error:
        fix = "set TRUEPENNY_RUNTIME to a folder of your own with a short path"
        return Finding("sockets", is_well=False, found=str(error), fix=fix)


async def _engine() -> Finding:
    """An engine that is not running is no fault: the first request starts it."""
    choice = EngineChoice(DEFAULT_MODEL)
    try:
        endpoint = await running(choice)
        log = engine_files(choice.model, choice.precision).log
    except ModelsError as error:
        return Finding("process", is_well=False, found=str(error), fix="see the line above")
    state = "running" if endpoint else "not running; the first request starts it"
    return Finding("process", is_well=True, found=f"{state} (log: {log})")
