"""What the checks of text cost: secrets, personal data, hidden characters, malware, commands.

    python tests/benchmarks/guard_text.py [DIRECTORY ...] [--blocks 1500] [--lines 20] [--seed 5]

Blocks of code in their place, from the standard library and the installed packages or from the
directories given.  Times are CPU time of this process; the ratio is to parsing the same block with
Python's own compiler, which moves with the machine as the checks do.  Also counts what is flagged:
this code is honest, so every finding is an alarm to look at.

Asked for: p95 of all checks together at most 2 ms; at most 0.5 % of blocks withheld.  The last line is
one JSON document; the exit code is 1 where that fails.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import random
import sys
import sysconfig
import textwrap
import time
from collections import Counter
from pathlib import Path

from truepenny.guard.hygiene import HygieneCheck
from truepenny.guard.malware import MalwareCheck
from truepenny.guard.personal import PersonalCheck
from truepenny.guard.secrets import SecretsCheck
from truepenny.guard.shell import ShellCheck
from truepenny.guard.verdict import Action, Passage

MAX_P95_MS = 2.0
MAX_WITHHELD = 0.005
LANGUAGES = {
    ".py": "python",
    ".js": "javascript",
    ".ts": "typescript",
    ".c": "c",
    ".h": "c",
    ".sh": "shellscript",
}


def blocks(roots: list[Path], count: int, lines: int, rng: random.Random) -> list[tuple[str, Passage]]:
    """Passages of `lines` lines with what stands before them, and the file each is from."""
    files = sorted(path for root in roots for path in root.rglob("*") if path.suffix in LANGUAGES)
    rng.shuffle(files)
    found: list[tuple[str, Passage]] = []
    for path in files:
        if len(found) >= count:
            break
        if path.stat().st_size > 400_000:
            continue
        text = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        if len(text) <= lines:
            continue
        at = rng.randrange(len(text) - lines)
        block = "".join(text[at : at + lines])
        found.append((path.name, Passage("".join(text[:at]), block, "", LANGUAGES[path.suffix])))
    return found


def compile_s(text: str) -> float:
    began_s = time.process_time()
    with contextlib.suppress(SyntaxError, ValueError):  # cut from the middle: most of it was read
        ast.parse(textwrap.dedent(text))
    return time.process_time() - began_s


def shape(values_s: list[float]) -> dict[str, float]:
    ordered = sorted(values_s)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 3),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))] * 1000, 3),
        "max_ms": round(ordered[-1] * 1000, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directories", nargs="*", type=Path)
    parser.add_argument("--blocks", type=int, default=1_500)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    paths = sysconfig.get_paths()
    roots = options.directories or [Path(paths["stdlib"]), Path(paths["purelib"])]
    checks = [HygieneCheck(), SecretsCheck(), PersonalCheck(), MalwareCheck(), ShellCheck()]
    spent: dict[str, list[float]] = {check.name: [] for check in checks}
    together: list[float] = []
    compiled: list[float] = []
    flagged: Counter[str] = Counter()
    withheld = 0
    passages = blocks(roots, options.blocks, options.lines, random.Random(options.seed))
    if not passages:
        sys.exit(f"no source files below {', '.join(map(str, roots))}: name a directory with code in it")
    for name, passage in passages:
        verdicts = []
        total_s = 0.0
        for check in checks:
            began_s = time.process_time()
            verdicts += check.judge(passage)
            took_s = time.process_time() - began_s
            spent[check.name].append(took_s)
            total_s += took_s
        together.append(total_s)
        compiled.append(compile_s(passage.suggestion))
        withheld += any(one.action >= Action.REPAIR for one in verdicts)
        for one in verdicts:
            flagged[f"{one.rule} {one.action.name.lower()}"] += 1
            print(f"{name}: {one.rule} ({one.action.name.lower()})")
    total = shape(together)
    report = {
        "blocks": len(passages),
        "checks": {name: shape(values) for name, values in spent.items()},
        "together": total,
        "ratio_to_compiling": round(sum(together) / max(sum(compiled), 1e-9), 2),
        "flagged": dict(flagged),
        "changed_share": round(withheld / len(passages), 5),
    }
    print(json.dumps(report))
    sys.exit(0 if total["p95_ms"] <= MAX_P95_MS and withheld / len(passages) <= MAX_WITHHELD else 1)


if __name__ == "__main__":
    main()
