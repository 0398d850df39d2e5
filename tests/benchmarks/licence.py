"""Copies found, under seven disguises; innocent code left alone; what a look-up and a line cost.

    python tests/benchmarks/licence.py --copyleft DIR --permissive DIR [--lines 10e6] [--work DIR]

The directories hold wheels or source archives (zip), e.g. from
`pip download --no-deps -d DIR ansible-core pylint`.  Blocks are taken from inside functions, with
nothing before them.  `--lines` fills the index up to that size with every other permissive project,
under other names and in another order, and innocent blocks then come from the rest of them.  `--work`
keeps the index there and takes it again: filling it takes minutes per 10 million lines.  Times are of the
processor.  The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import io
import json
import keyword
import random
import re
import sys
import tempfile
import time
import tokenize
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.licence.index import LicenceIndex
from truepenny.guard.licence.writer import IndexWriter
from truepenny.guard.verdict import Action, Passage

Source = tuple[str, str, str, str]
"""Project, version, path, text."""

MAX_FILES = 2_000
WORD = re.compile(r"\b[A-Za-z_]\w*\b")
LOOK_ALIKE = str.maketrans("aceopxyi", "асеорхуі")
FREE_HEADER = re.compile(
    r"Simplified BSD|BSD License|MIT License|PSF License|Apache License|Python-2\.0", re.IGNORECASE
)
BARS = {
    "verbatim": {20: 0.99, 12: 0.98},
    "re-indented": {20: 0.99, 12: 0.98},
    "commented": {20: 0.99, 12: 0.98},
    "all renamed": {20: 0.94},
    "inserted": {20: 0.9},
}


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


@dataclass(frozen=True)
class Block:
    text: str
    names: list[tuple[int, int]]
    """Where names stand that a renaming would change: not in comments, not in plain strings."""


def name_spans(text: str) -> dict[int, list[tuple[int, int]]]:
    """By line, from 1."""
    found: dict[int, list[tuple[int, int]]] = {}
    fixed = {*keyword.kwlist, *dir(builtins)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, column = token.start
        if token.type == tokenize.NAME and token.string not in fixed:
            found.setdefault(row, []).append((column, token.end[1]))
        elif token.type == tokenize.STRING and token.string[0] in "fF" and row == token.end[0]:
            words = [one for one in WORD.finditer(token.string) if one.start() and one[0] not in fixed]
            found.setdefault(row, []).extend((column + one.start(), column + one.end()) for one in words)
    return found


def blocks(chosen: list[Source], lines: int, count: int, rng: random.Random) -> list[Block]:
    """`count` blocks of `lines` lines inside functions of different places."""
    places = []
    for source in rng.sample(chosen, min(len(chosen), MAX_FILES)):
        try:
            tree = ast.parse(source[3])
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                places += [(source[3], node.body[0].lineno - 1, node.end_lineno)]
    places = [one for one in places if one[2] - one[1] >= lines]
    taken = []
    for text, first, end in rng.sample(places, min(len(places), count)):
        begin = rng.randrange(first, end - lines + 1)
        rows = text.split("\n")[begin : begin + lines]
        spans = name_spans(text)
        offset, names = 0, []
        for i, row in enumerate(rows):
            names += [(offset + a, offset + b) for a, b in spans.get(begin + i + 1, [])]
            offset += len(row) + 1
        taken.append(Block("\n".join(rows) + "\n", sorted(names)))
    return taken


def reindented(block: Block, rng: random.Random) -> str:
    lines = [line.rstrip() for line in block.text.split("\n")]
    return "\n".join(" " * (len(line) - len(line.lstrip())) * 2 + line.strip() for line in lines if line)


def commented(block: Block, rng: random.Random) -> str:
    lines = []
    for line in block.text.split("\n"):
        if rng.random() < 0.5:
            lines.append(
                f"{' ' * (len(line) - len(line.lstrip()))}# step {rng.randrange(100)}: go on with it"
            )
        lines.append(f"{line}  # as asked for" if line.strip() and rng.random() < 0.3 else line)
    return "\n".join(lines)


def renamed(block: Block, new: dict[str, str]) -> str:
    pieces, done = [], 0
    for begin, end in block.names:
        old = block.text[begin:end]
        pieces += [block.text[done:begin], new.get(old, old)]
        done = end
    return "".join([*pieces, block.text[done:]])


def one_renamed(block: Block, rng: random.Random) -> str:
    counted = Counter(block.text[begin:end] for begin, end in block.names)
    return renamed(block, {name: "thing_of_mine" for name, _ in counted.most_common(1)})


def all_renamed(block: Block, rng: random.Random) -> str:
    old = dict.fromkeys(block.text[begin:end] for begin, end in block.names)
    return renamed(block, {name: f"{name[0]}{rng.randrange(36**5)}_{i}" for i, name in enumerate(old)})


def disguised(block: Block, rng: random.Random) -> str:
    places = [i for i, char in enumerate(block.text) if ord(char) in LOOK_ALIKE]
    chars = list(block.text)
    for place in rng.sample(places, min(5, len(places))):
        chars[place] = chars[place].translate(LOOK_ALIKE)
    return "".join(chars)


def inserted(block: Block, rng: random.Random) -> str:
    lines = []
    for i, line in enumerate(block.text.split("\n")):
        if i and i % 6 == 0:
            lines.append(f"{' ' * (len(line) - len(line.lstrip()))}counter_{i} = measure(counter_{i}, {i})")
        lines.append(line)
    return "\n".join(lines)


ATTACKS = {
    "verbatim": lambda block, rng: block.text,
    "re-indented": reindented,
    "commented": commented,
    "one renamed": one_renamed,
    "all renamed": all_renamed,
    "look-alikes": disguised,
    "inserted": inserted,
}


def judged(check: LicenceCheck, block: str) -> tuple[Action, float]:
    began = time.process_time()
    verdicts = check.judge(Passage("", block, "", "python"))
    ms = (time.process_time() - began) * 1000
    return max((one.action for one in verdicts), default=Action.PASS), ms


def strangers(chosen: list[Source], lines: int, rng: random.Random):
    """More code of the same kind: names exchanged, lines in groups of three in another order."""
    vocabulary = sorted({word for source in chosen for word in WORD.findall(source[3])})
    made = 0
    for turn in range(1_000):
        step = rng.randrange(1, len(vocabulary))
        other = {word: vocabulary[(i + step) % len(vocabulary)] for i, word in enumerate(vocabulary)}
        other |= {word: word for word in keyword.kwlist}
        for project, version, path, text in chosen:
            renamed = WORD.sub(lambda match, other=other: other.get(match[0], match[0]), text).split("\n")
            groups = [renamed[i : i + 3] for i in range(0, len(renamed), 3)]
            rng.shuffle(groups)
            yield f"{project}{turn}", version, path, "\n".join(line for group in groups for line in group)
            made += len(renamed)
            if made >= lines:
                return


def build(
    path: Path, copyleft: list[Source], permissive: list[Source], lines: int, rng: random.Random
) -> dict[str, float]:
    spent = 0.0
    with IndexWriter(path) as writer:

        def add(source: Source, name: str, licence: str) -> None:
            nonlocal spent
            before = time.process_time()
            _, version, place, text = source
            writer.add(name, version, place, licence, f"https://example.org/{place}", text)
            spent += time.process_time() - before

        for source in copyleft:
            add(source, source[0], licence_of(source))
        rest = lines - sum(source[3].count("\n") for source in copyleft)
        for source in strangers(permissive, rest, rng) if rest > 0 else ():
            add(source, source[0], "GPL-2.0-only")
        before = time.process_time()
        stats = writer.finish()
        spent += time.process_time() - before
    return {
        "lines": stats.lines,
        "fingerprints": stats.fingerprints,
        "megabytes": round(stats.size_bytes / 1e6, 2),
        "megabytes_per_million_lines": round(stats.size_bytes / stats.lines, 2),
        "lines_per_cpu_second": round(stats.lines / spent),
    }


def kept_stats(path: Path) -> dict[str, float] | None:
    kept = path.with_suffix(".json")
    return json.loads(kept.read_text()) if path.is_file() and kept.is_file() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--copyleft", type=Path, required=True)
    parser.add_argument("--permissive", type=Path, required=True)
    parser.add_argument("--lines", type=float, default=0)
    parser.add_argument("--blocks", type=int, default=300)
    parser.add_argument("--innocent", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--work", type=Path, help="where the index is kept; default: nowhere")
    parser.add_argument("--only-build", action="store_true", help="fill the index in --work, and no more")
    parser.add_argument("--show", action="store_true", help="the innocent blocks that were found")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    copyleft, permissive = sources(asked.copyleft), sources(asked.permissive)
    projects = sorted({one[0] for one in permissive})
    filling = [one for one in permissive if one[0] in projects[::2]]
    innocent = [one for one in permissive if one[0] in projects[1::2]] if asked.lines else permissive
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.work or Path(folder)) / f"licence.{int(asked.lines)}.{asked.seed}.index"
        built = kept_stats(path)
        if built is None:
            built = build(path, copyleft, filling, int(asked.lines), random.Random(asked.seed))
            path.with_suffix(".json").write_text(json.dumps(built))
        print(json.dumps(built))
        if asked.only_build:
            return
        opened = time.perf_counter()
        index = LicenceIndex.open(path)
        open_ms = (time.perf_counter() - opened) * 1000
        check = LicenceCheck([index])
        judged(check, "x = 1\n")
        report = {
            **built,
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
                row: dict[str, float | None] = {
                    "found": round(sum(one > Action.PASS for one in actions) / len(actions), 4),
                    "withheld_or_cut": round(sum(one >= Action.TRIM for one in actions) / len(actions), 4),
                }
                row["bar"] = BARS.get(attack, {}).get(lines)
                report["found"].setdefault(attack, {})[lines] = row
                print(f"{attack:12} {lines} lines: {row}")
        innocent_times: list[float] = []
        for lines in (20, 12):
            taken = blocks(innocent, lines, asked.innocent, rng)
            actions = []
            for block in taken:
                action, ms = judged(check, block.text)
                actions.append(action)
                innocent_times.append(ms)
                if asked.show and action > Action.PASS:
                    print(
                        check.judge(Passage("", block.text, "", "python"))[0].evidence, block.text, sep="\n"
                    )
            report[f"innocent_{lines}"] = {
                "blocks": len(actions),
                "marked": round(sum(one > Action.PASS for one in actions) / len(actions), 5),
                "withheld_or_cut": round(sum(one >= Action.TRIM for one in actions) / len(actions), 5),
            }
            print(f"innocent     {lines} lines: {report[f'innocent_{lines}']}")
        for name, values in (("copies_cpu_ms", times), ("innocent_cpu_ms", innocent_times)):
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
