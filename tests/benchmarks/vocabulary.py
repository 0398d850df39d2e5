"""How often real names are not in the vocabulary, how often invented ones are, and what it costs.

    python tests/benchmarks/vocabulary.py [PACKAGE…]

Reads what is installed beside this interpreter, as a workspace that uses it would.  The attributes of a
package's own sources stand for a person's working code; invented names are made of them: one letter
changed, or the words of a name in another order.  Both counts are of uses, not of different names.
"""

from __future__ import annotations

import ast
import json
import random
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from truepenny.guard.grounding.vocabulary.building import build
from truepenny.guard.grounding.vocabulary.parts import Sources, python_parts
from truepenny.guard.grounding.vocabulary.table import Table

SITE = Path(sysconfig.get_path("purelib"))
PACKAGES = (
    "rich requests click jinja2 httpx starlette _pytest bandit uvicorn sympy networkx numpy urllib3 "
    "stevedore huggingface_hub setuptools"
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUM_FAKES = 4_000


def attributes(package: str) -> list[str]:
    found: list[str] = []
    for path in sorted((SITE / package).rglob("*.py")):
        if "tests" in path.parts or "_vendor" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        found += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return found


def fakes(names: list[str], chance: random.Random) -> tuple[list[str], list[str]]:
    letters, words = [], []
    for name in chance.choices(names, k=NUM_FAKES):
        at = chance.randrange(len(name))
        letters.append(name[:at] + chance.choice(LETTERS.replace(name[at].lower(), "")) + name[at + 1 :])
        parts = name.split("_")
        chance.shuffle(parts)
        if "_".join(parts) != name and all(parts):
            words.append("_".join(parts))
    return letters, words


def share(names: list[str], table: Table, *, known: bool) -> float:
    return round(sum((name in table) == known for name in names) / max(1, len(names)), 5)


def main(packages: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = python_parts(Sources(python=(SITE,)))
        began = time.process_time()
        built = build(parts, Path(folder))
        build_s = time.process_time() - began
        began = time.perf_counter()
        build(parts, Path(folder))
        again_s = time.perf_counter() - began
        table = Table.open(built.path)
        chance = random.Random(7)
        rows = {}
        every: list[str] = []
        for package in packages:
            names = attributes(package)
            every += names
            rows[package] = {"uses": len(names), "real_unknown": share(names, table, known=False)}
            print(package, rows[package], file=sys.stderr)
        letters, words = fakes(every, chance)
        began = time.perf_counter()
        for name in letters:
            _ = name in table
        lookup_us = (time.perf_counter() - began) / len(letters) * 1e6
        document = {
            "names": built.num_names,
            "parts": built.num_parts,
            "read_mb": round(built.num_bytes / 1e6, 1),
            "build_cpu_s": round(build_s, 1),
            "build_cpu_s_per_100_mb": round(build_s / built.num_bytes * 1e8, 1),
            "again_s": round(again_s, 3),
            "lookup_us": round(lookup_us, 1),
            "real_unknown": share(every, table, known=False),
            "fake_letter_known": share(letters, table, known=True),
            "fake_order_known": share(words, table, known=True),
            "packages": rows,
        }
    print(json.dumps(document))


if __name__ == "__main__":
    main(sys.argv[1:] or [*PACKAGES.split()])
