"""Copies found, under seven disguises; innocent code left alone; what a look-up and a line cost.

    python tests/benchmarks/licence.py --copyleft DIR --permissive DIR [--lines 10e6] [--work DIR]

The directories hold wheels or source archives (zip), e.g. from
`pip download --no-deps -d DIR ansible-core pylint`.  Blocks are taken from inside functions, with
nothing before them.  `--lines` fills the index up to that size with the permissive code under other
names and in another order.  The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import keyword
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.licence.index import LicenceIndex
from truepenny.guard.licence.writer import IndexWriter
from truepenny.guard.verdict import Action, Passage

Source = tuple[str, str, str, str]
"""Project, version, path, text."""

WORD = re.compile(r"\b[A-Za-z_]\w*\b")
LOOK_ALIKE = str.maketrans("aceopxyi", "асеорхуі")
FREE_HEADER = re.compile(
    r"Simplified BSD|BSD License|MIT License|PSF License|Apache License|Python-2\.0", re.IGNORECASE
)
BARS = {"verbatim": (0.99, 0.98), "re-indented": (0.99, 0.98), "commented": (0.99, 0.98)}
BARS_20 = {"all renamed": 0.94, "inserted": 0.9}


def sources(folder: Path) -> list[Source]:
    found = []
    for archive in sorted(folder.glob("*.whl")):
        project, version = archive.name.split("-")[:2]
        with zipfile.ZipFile(archive) as opened:
            found += [
                (project, version, name, opened.read(name).decode("utf-8", "replace"))
                for name in sorted(opened.namelist())
                if name.endswith(".py")
            ]
    if not found:
        sys.exit(f"{folder} holds no wheels: fill it with `pip download --no-deps -d {folder} PACKAGE`")
    return found


def licence_of(source: Source) -> str:
    return "BSD-2-Clause" if FREE_HEADER.search(source[3][:3_000]) else "GPL-3.0-or-later"


def blocks(chosen: list[Source], lines: int, count: int, rng: random.Random) -> list[str]:
    """`count` blocks of `lines` lines inside functions of different places."""
    places = []
    for source in chosen:
        try:
            tree = ast.parse(source[3])
        except (SyntaxError, ValueError):
            continue
        text = source[3].split("\n")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.body[0].lineno >= lines:
                places.append((text, node.body[0].lineno - 1, node.end_lineno))
    taken = []
    for text, first, end in rng.sample(places, min(len(places), count)):
        begin = rng.randrange(first, end - lines + 1)
        taken.append("\n".join(text[begin : begin + lines]) + "\n")
    return taken


def reindented(block: str, rng: random.Random) -> str:
    lines = [line.rstrip() for line in block.split("\n")]
    return "\n".join(" " * (len(line) - len(line.lstrip())) * 2 + line.strip() for line in lines if line)


def commented(block: str, rng: random.Random) -> str:
    lines = []
    for line in block.split("\n"):
        if rng.random() < 0.5:
            lines.append(
                f"{' ' * (len(line) - len(line.lstrip()))}# step {rng.randrange(100)}: go on with it"
            )
        lines.append(f"{line}  # as asked for" if line.strip() and rng.random() < 0.3 else line)
    return "\n".join(lines)


def names(block: str) -> Counter[str]:
    known = {*keyword.kwlist, *dir(builtins)}
    return Counter(word for word in WORD.findall(block) if word not in known)


def one_renamed(block: str, rng: random.Random) -> str:
    name = names(block).most_common(1)[0][0]
    return re.sub(rf"\b{name}\b", "thing_of_mine", block)


def all_renamed(block: str, rng: random.Random) -> str:
    new = {name: f"{name[0]}{rng.randrange(36**5)}_{i}" for i, name in enumerate(names(block))}
    return WORD.sub(lambda match: new.get(match[0], match[0]), block)


def disguised(block: str, rng: random.Random) -> str:
    places = [i for i, char in enumerate(block) if ord(char) in LOOK_ALIKE]
    chars = list(block)
    for place in rng.sample(places, min(5, len(places))):
        chars[place] = chars[place].translate(LOOK_ALIKE)
    return "".join(chars)


def inserted(block: str, rng: random.Random) -> str:
    lines = []
    for i, line in enumerate(block.split("\n")):
        if i and i % 6 == 0:
            lines.append(f"{' ' * (len(line) - len(line.lstrip()))}counter_{i} = measure(counter_{i}, {i})")
        lines.append(line)
    return "\n".join(lines)


ATTACKS = {
    "verbatim": lambda block, rng: block,
    "re-indented": reindented,
    "commented": commented,
    "one renamed": one_renamed,
    "all renamed": all_renamed,
    "look-alikes": disguised,
    "inserted": inserted,
}


def judged(check: LicenceCheck, block: str) -> tuple[Action, float]:
    began = time.perf_counter()
    verdicts = check.judge(Passage("", block, "", "python"))
    ms = (time.perf_counter() - began) * 1000
    return max((one.action for one in verdicts), default=Action.PASS), ms


def strangers(chosen: list[Source], lines: int, rng: random.Random):
    """More code of the same kind: names exchanged, lines in groups of three in another order."""
    vocabulary = sorted({word for source in chosen for word in WORD.findall(source[3])})
    made = 0
    for turn in range(1_000):
        step = rng.randrange(1, len(vocabulary))
        other = {word: vocabulary[(i + step) % len(vocabulary)] for i, word in enumerate(vocabulary)}
        for keyword_ in keyword.kwlist:
            other[keyword_] = keyword_
        for project, version, path, text in chosen:
            renamed = WORD.sub(lambda match, other=other: other.get(match[0], match[0]), text).split("\n")
            groups = [renamed[i : i + 3] for i in range(0, len(renamed), 3)]
            rng.shuffle(groups)
            yield f"{project}{turn}", version, path, "\n".join(line for group in groups for line in group)
            made += len(renamed)
            if made >= lines:
                return


def build(path: Path, copyleft: list[Source], permissive: list[Source], lines: int, rng: random.Random):
    began = time.process_time()
    spent = 0.0
    with IndexWriter(path) as writer:
        count = 0
        for source in copyleft:
            project, version, name, text = source
            writer.add(project, version, name, licence_of(source), f"https://example.org/{name}", text)
            count += text.count("\n")
        if lines > count:
            for project, version, name, text in strangers(permissive, lines - count, rng):
                before = time.process_time()
                writer.add(project, version, name, "GPL-2.0-only", f"https://example.org/{name}", text)
                spent += time.process_time() - before
        before = time.process_time()
        stats = writer.finish()
        spent += time.process_time() - before
    return stats, spent if lines > count else time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--copyleft", type=Path, required=True)
    parser.add_argument("--permissive", type=Path, required=True)
    parser.add_argument("--lines", type=float, default=0)
    parser.add_argument("--blocks", type=int, default=300)
    parser.add_argument("--innocent", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--show", action="store_true", help="the innocent blocks that were found")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    copyleft, permissive = sources(asked.copyleft), sources(asked.permissive)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "licence.index"
        stats, seconds = build(path, copyleft, permissive, int(asked.lines), rng)
        opened = time.perf_counter()
        index = LicenceIndex.open(path)
        open_ms = (time.perf_counter() - opened) * 1000
        check = LicenceCheck([index])
        judged(check, "x = 1\n")
        report = {
            "lines": stats.lines,
            "fingerprints": stats.fingerprints,
            "megabytes": round(stats.size_bytes / 1e6, 2),
            "megabytes_per_million_lines": round(stats.size_bytes / stats.lines, 2),
            "lines_per_cpu_second": round(stats.lines / seconds),
            "open_ms": round(open_ms, 1),
            "found": {},
        }
        guilty = [one for one in copyleft if licence_of(one).startswith("GPL")]
        times: list[float] = []
        for lines in (20, 12):
            taken = blocks(guilty, lines, asked.blocks, rng)
            for attack, disguise in ATTACKS.items():
                actions = []
                for block in taken:
                    action, ms = judged(check, disguise(block, rng))
                    actions.append(action)
                    times.append(ms)
                row = {
                    "found": round(sum(one > Action.PASS for one in actions) / len(actions), 4),
                    "withheld_or_cut": round(sum(one >= Action.TRIM for one in actions) / len(actions), 4),
                }
                report["found"].setdefault(attack, {})[lines] = row
                print(
                    f"{attack:12} {lines} lines: found {row['found']:.3f}, kept away {row['withheld_or_cut']:.3f}"
                )
        innocent_times: list[float] = []
        for lines in (20, 12):
            taken = blocks(permissive, lines, asked.innocent, rng)
            actions = []
            for block in taken:
                action, ms = judged(check, block)
                actions.append(action)
                innocent_times.append(ms)
                if asked.show and action > Action.PASS:
                    print(check.judge(Passage("", block, "", "python"))[0].evidence, block, sep="\n")
            report[f"innocent_{lines}"] = {
                "blocks": len(actions),
                "marked": round(sum(one > Action.PASS for one in actions) / len(actions), 5),
                "withheld_or_cut": round(sum(one >= Action.TRIM for one in actions) / len(actions), 5),
            }
            print(f"innocent     {lines} lines: {report[f'innocent_{lines}']}")
        for name, values in (("copies_ms", times), ("innocent_ms", innocent_times)):
            values.sort()
            report[name] = {
                "p50": round(values[len(values) // 2], 2),
                "p95": round(values[int(len(values) * 0.95)], 2),
                "max": round(values[-1], 2),
            }
            print(name, report[name])
    print(json.dumps(report))


if __name__ == "__main__":
    main()
