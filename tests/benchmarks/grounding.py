"""Names that do not exist: found, repaired, and left alone where they do; and what it costs.

    python tests/benchmarks/grounding.py [--set SET] [--site-packages DIR] [--checkers DIR] [--show]

Sets: `python`, `holdout` and `typescript` (snippets, half of them with one planted name), `mutation`
(calls in installed packages, renamed), `working` (blocks of installed packages as they are), `cost`.
`--site-packages` holds numpy, pandas, requests, pydantic, sqlalchemy and what else is to be read;
without it the running environment's is taken.  What is not there is left out, which is said.
`--checkers` is where TypeScript was added.  `--raw` measures what ty says without us.  A case counts as found
when something of it is repaired, cut or withheld; remarks are counted apart.  Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.progress import track

from truepenny.guard.errors import CheckError
from truepenny.models.store import cache_root

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.guard.grounding import (  # the tests are no package that is installed
    cases_python,
    cases_typescript,
    holdout_python,
    installed,
    judges,
    mutation,
    working,
    workspace,
)
from tests.guard.grounding.snippets import Case
from tests.guard.grounding.tally import Outcome, Tally, judged, passage_of, tally, wrong

SETS = ("python", "holdout", "typescript", "mutation", "working", "cost")
COST_LINES = (50, 200, 500, 1_000)
NOISY = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Asked:
    site_packages: Path
    place: judges.Place
    seed: int
    limit: int | None
    show: bool
    raw: bool

    def check(self, root: Path) -> judges.Judge:
        return judges.RawTy(root) if self.raw else judges.Grounded(root, self.place)


def run(check: judges.Judge, cases: Sequence[Case], label: str) -> list[Outcome]:
    return [judged(check, case) for case in track(cases, label, console=NOISY, transient=True)]


def snippet_set(name: str, asked: Asked, folder: Path) -> dict[str, object]:
    root = folder / name
    if name == "typescript":
        workspace.write_typescript(root)
        cases = cases_typescript.cases(asked.seed)
    else:
        workspace.write_python(root, asked.site_packages)
        module = cases_python if name == "python" else holdout_python
        cases, gone = cases_python.present(module.cases(asked.seed), asked.site_packages)
        if gone:
            NOISY.print(f"{', '.join(gone)} not in {asked.site_packages}: their cases are left out")
    random.Random(asked.seed).shuffle(cases)
    check = asked.check(root)
    check.wait(cases[0].path)
    try:
        outcomes = run(check, cases[: asked.limit], name)
    finally:
        check.close()
    report(outcomes, name, lambda one: (one.case.library, one.case.kind), asked)
    return figures(tally(outcomes), outcomes)


def package_sets(name: str, asked: Asked, folder: Path) -> dict[str, object]:
    """`mutation` or `working`: each package in a workspace of its own."""
    groups = (
        {"typed": mutation.TYPED, "untyped": mutation.UNTYPED}
        if name == "mutation"
        else {"working": working.PACKAGES}
    )
    result: dict[str, object] = {}
    for group, packages in groups.items():
        there = [one for one in packages if installed.find(asked.site_packages, one)]
        if len(there) < len(packages):
            gone = sorted(set(packages) - set(there))
            NOISY.print(f"{name}: {', '.join(gone)} not in {asked.site_packages}")
        share = -(-(asked.limit or (400 if name == "mutation" else 1_500)) // max(len(there), 1))
        outcomes: list[Outcome] = []
        for package in there:
            outcomes += package_outcomes(name, package, share, asked, folder / group)
        label = f"{name} {group}".removesuffix(" working")
        report(outcomes, label, lambda one: (one.case.library, one.case.kind), asked)
        result[label] = figures(tally(outcomes), outcomes)
    return result


def package_outcomes(name: str, package: str, count: int, asked: Asked, folder: Path) -> list[Outcome]:
    root = folder / package
    found = asked.site_packages / package
    installed.make_workspace(root, found)
    sources = installed.sources(found)
    make = mutation.cases if name == "mutation" else working.cases
    cases = make(sources, count, asked.seed)
    check = asked.check(root)
    try:
        check.wait(cases[0].path)
        return run(check, cases, f"{name} {package}")
    finally:
        check.close()


def figures(one: Tally, outcomes: Sequence[Outcome]) -> dict[str, object]:
    ms = sorted(outcome.ms for outcome in outcomes)
    return {
        "planted": one.planted,
        "right": one.right,
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "marked": round(one.marked / one.planted, 4) if one.planted else None,
        "repaired": round(one.repair_rate, 4),
        "repaired_of_all": round(one.repaired / one.planted, 4) if one.planted else None,
        "false": one.false,
        "false_rate": round(one.false_rate, 5),
        "remarks": one.remarks,
        "unvouched": one.unvouched,
        "p50_ms": round(ms[len(ms) // 2], 1),
        "p95_ms": round(ms[int(len(ms) * 0.95)], 1),
    }


def report(
    outcomes: Sequence[Outcome], label: str, key: Callable[[Outcome], tuple[str, str]], asked: Asked
) -> None:
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups["all", ""].append(one)
        library, kind = key(one)
        groups[library, ""].append(one)
        if kind:
            groups["all", kind].append(one)
    print(
        f"\n{label:18} {'kind':18} {'right':>6} {'false':>6} {'planted':>8} {'recall':>7} {'marked':>7}"
        " repaired"
    )
    for (library, kind), members in sorted(groups.items()):
        one = tally(members)
        print(
            f"{library:18} {kind or 'all':18} {one.right:6} {one.false:6} {one.planted:8}"
            f" {one.recall:7.3f} {one.marked:7} {one.repaired:4}/{one.expected}"
        )
    if asked.show:
        print("\n".join(wrong(outcomes)))


def cost(asked: Asked, folder: Path) -> dict[str, object]:
    """Latency by length of the file, memory, and how long after opening the first verdict comes.

    A document that is open has been checked before anybody asks for a suggestion in it; that is not timed.
    """
    root = folder / "cost"
    package = next(one for one in ("rich", "pydantic", "jinja2") if installed.find(asked.site_packages, one))
    installed.make_workspace(root, asked.site_packages / package)
    sources = installed.sources(asked.site_packages / package)
    opened = time.perf_counter()
    check = asked.check(root)
    result: dict[str, object] = {}
    everything: list[float] = []
    try:
        result["first_verdict_s"] = round(first_verdict(check, working.cases(sources, 1, 1)[0], opened), 2)
        check.wait(sources[0].path)
        for low, high in pairwise((0, *COST_LINES)):
            group = [one for one in sources if low < one.text.count("\n") <= high]
            cases = working.cases(group, asked.limit or 60, asked.seed)
            times = [timed(check, case) for case in track(cases, "cost", console=NOISY, transient=True)]
            everything += times
            result[f"to_{high}_lines"] = spread(times)
            print(f"files to {high} lines: {result[f'to_{high}_lines']}")
        result["all"] = spread(everything)
        result["checker_memory_mb"] = round(check.memory_bytes / 1e6, 1)
    finally:
        check.close()
    return result


def first_verdict(check: judges.Judge, case: Case, opened: float) -> float:
    """Seconds until the first suggestion is vouched for; nobody waits for names here."""
    while time.perf_counter() - opened < judges.DEADLINE_S:
        try:
            check.judge(passage_of(case))
        except CheckError:
            time.sleep(0.02)
        else:
            break
    return time.perf_counter() - opened


def timed(check: judges.Judge, case: Case) -> float:
    check.prepare(passage_of(case))
    started = time.perf_counter()
    check.judge(passage_of(case))
    return (time.perf_counter() - started) * 1000


def spread(times: list[float]) -> dict[str, float]:
    times = sorted(times) or [0.0]
    return {
        "n": len(times),
        "p50_ms": round(times[len(times) // 2], 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
        "max_ms": round(times[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=[*SETS, "all"], default="all")
    parser.add_argument("--site-packages", type=Path, default=Path(sysconfig.get_path("purelib")))
    parser.add_argument("--checkers", type=Path, default=cache_root() / "checkers")
    parser.add_argument("--cache", type=Path, help="keeps what the vocabulary read; else it is read anew")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=int, help="how many cases of each set")
    parser.add_argument("--show", action="store_true", help="print the cases that went wrong")
    parser.add_argument("--raw", action="store_true", help="what ty says, without us")
    given = parser.parse_args()
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        site_packages = given.site_packages.resolve()
        place = judges.Place(site_packages, given.cache or folder / "cache", given.checkers)
        asked = Asked(site_packages, place, given.seed, given.limit, given.show, given.raw)
        for name in SETS if given.set == "all" else (given.set,):
            if name in {"mutation", "working"}:
                result |= package_sets(name, asked, folder / name)
            elif name == "cost":
                result[name] = cost(asked, folder)
            else:
                result[name] = snippet_set(name, asked, folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
