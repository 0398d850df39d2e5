"""The index that ships: is code of its own packages found, in each language, and innocent code left alone?

    python tests/benchmarks/licence_seed.py --fetched DIR --permissive DIR [--index FILE]

`--fetched` holds the packages of the list that ships, as `truepenny licences seed --fetched DIR` leaves
them; `--permissive` wheels or source archives of unrelated projects.  Blocks are 20 lines in a row, most
of them code.  Times are of the processor.  The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath

from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.licence.lexing import FIRST_NUMBER, lex
from truepenny.guard.licence.sources.archives import is_archive
from truepenny.guard.licence.sources.building import open_package
from truepenny.guard.licence.sources.collect import Project
from truepenny.guard.licence.sources.errors import SourceError
from truepenny.guard.licence.sources.locate import open_source
from truepenny.guard.licence.sources.packages import SEED_INDEX, SEED_LIST, load
from truepenny.guard.verdict import Action, Passage

LINES = 20
MIN_CODE_LINES = 14
WORD = re.compile(r"[A-Za-z_]\w*")


def texts_of(project: Project) -> dict[str, list[str]]:
    """By suffix."""
    found: dict[str, list[str]] = {}
    for file in project.files:
        found.setdefault(PurePosixPath(file.path).suffix, []).append(file.text)
    return found


def blocks(texts: list[str], count: int, rng: random.Random) -> list[str]:
    """Of different places; none that is mostly comments."""
    places = [(text, at) for text in texts for at in range(0, text.count("\n") - LINES, LINES)]
    taken: list[str] = []
    for text, at in rng.sample(places, len(places)):
        if len(code_lines(text).intersection(range(at, at + LINES))) >= MIN_CODE_LINES:
            taken.append("".join(text.splitlines(keepends=True)[at : at + LINES]))
        if len(taken) == count:
            break
    return taken


@lru_cache(maxsize=1_000)
def code_lines(text: str) -> frozenset[int]:
    newlines = [one.start() for one in re.finditer("\n", text)]
    return frozenset(bisect_right(newlines, start) for start in lex(text).starts.tolist())


def renamed(block: str) -> str:
    """Every word that is no keyword of a common language."""
    names: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if lex(word).codes[0] < FIRST_NUMBER:
            return word
        return names.setdefault(word, f"{word[0]}{zlib.crc32(word.encode())}")

    return WORD.sub(other, block)


DISGUISES: dict[str, Callable[[str], str]] = {"verbatim": str, "all renamed": renamed}


def share(which: Iterable[bool]) -> float:
    told = list(which)
    return round(sum(told) / len(told), 5)


def judged(check: LicenceCheck, block: str, times: list[float]) -> Action:
    began = time.process_time()
    verdicts = check.judge(Passage("", block, "", ""))
    times.append((time.process_time() - began) * 1000)
    return max((one.action for one in verdicts), default=Action.PASS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fetched", type=Path, required=True)
    parser.add_argument("--permissive", type=Path, required=True)
    parser.add_argument("--index", type=Path, default=SEED_INDEX)
    parser.add_argument("--blocks", type=int, default=150, help="per language")
    parser.add_argument("--innocent", type=int, default=200, help="per project and language")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--show", action="store_true", help="the innocent blocks that were found")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    check = LicenceCheck.open([asked.index])
    times: list[float] = []
    found: dict[str, dict[str, float]] = {}
    report: dict[str, object] = {"bytes": asked.index.stat().st_size, "found": found}
    ours: dict[str, list[str]] = {}
    for package in load(SEED_LIST):
        path = asked.fetched / package.file
        for suffix, texts in texts_of(open_package(package, path)).items():
            ours.setdefault(suffix, []).extend(texts)
    for suffix, texts in sorted(ours.items()):
        taken = blocks(texts, asked.blocks, rng)
        if len(taken) < 20:
            continue
        row = {
            name: share(judged(check, disguise(one), times) > Action.PASS for one in taken)
            for name, disguise in DISGUISES.items()
        }
        found[suffix] = {"blocks": len(taken), **row}
        print(suffix, len(taken), row)
    actions: list[Action] = []
    for path in sorted(one for one in asked.permissive.iterdir() if is_archive(one)):
        try:
            theirs = texts_of(open_source(str(path)))
        except SourceError as error:
            print(error)
            continue
        for suffix, texts in sorted(theirs.items()):
            for block in blocks(texts, asked.innocent, rng):
                actions.append(judged(check, block, times))
                if asked.show and actions[-1] > Action.PASS:
                    told = check.judge(Passage("", block, "", ""))[0].evidence
                    print(f"{path.name} {suffix}: {told}", block, sep="\n")
    report["innocent"] = {
        "blocks": len(actions),
        "marked": share(one > Action.PASS for one in actions),
        "withheld_or_cut": share(one >= Action.TRIM for one in actions),
    }
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
    report["cpu_ms"] = {"p50": round(middle, 2), "p95": round(late, 2)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
