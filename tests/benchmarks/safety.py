"""What the safety rules find and leave alone, beside bandit and ruff, and what it costs.

    python tests/benchmarks/safety.py [--data FOLDER] [--show SET]

Sets: SVEN (functions before and after a security fix), CWEval (insecure and secure programs), and
functions of the standard library and of popular packages, in which a finding is taken to be false.
A function counts as flagged with any verdict at all, remarks included; `block` counts repairs and
cuts alone.  bandit and ruff judge the same functions, dedented, where they parse.  Last line: JSON.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from truepenny.guard.safety.check import SafetyCheck
from truepenny.guard.safety.trees import parse
from truepenny.guard.safety.window import window_of
from truepenny.guard.verdict import Action, Passage, Verdict

DATA = Path(__file__).resolve().parents[3] / "shared" / "guard-data"
LANGUAGES = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "c": "c",
    "h": "c",
    "go": "go",
    "java": "java",
    "cpp": "cpp",
    "cc": "cpp",
    "C": "cpp",
    "hpp": "cpp",
    "cxx": "cpp",
}
PACKAGES = ("rich", "httpx", "jinja2")
SAMPLE = 1_500
BLOCK_LINES = 20
CHECK = SafetyCheck()


@dataclass(frozen=True, slots=True)
class Case:
    set: str
    language: str
    cwe: str
    text: str
    name: str


def sven(folder: Path):
    with gzip.open(folder / "sven_val.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            language = LANGUAGES.get(row["file_name"].rpartition(".")[2])
            cwe = f"CWE-{int(row['vul_type'].removeprefix('cwe-'))}"
            if language:
                yield Case("sven vulnerable", language, cwe, row["func_src_before"], row["func_name"])
                yield Case("sven fixed", language, cwe, row["func_src_after"], row["func_name"])


def cweval(folder: Path):
    kinds = {"insecure": "cweval insecure", "secure_reference": "cweval secure"}
    with gzip.open(folder / "cweval_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["kind"] in kinds and row["lang"] in LANGUAGES:
                yield Case(kinds[row["kind"]], LANGUAGES[row["lang"]], row["cwe"], row["text"], row["path"])
            elif row["kind"] == "test" and row["lang"] == "py":
                for name, text in unsafe_functions(row["text"]):
                    yield Case("cweval insecure", "python", row["cwe"], text, f"{row['path']}:{name}")


def unsafe_functions(text: str):
    """The Python half keeps its insecure programs inside its tests."""
    tree = ast.parse(text)
    head = "".join(
        f"{ast.unparse(one)}\n" for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)
    )
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and "unsafe" in node.name and "test" not in node.name:
            yield node.name, f"{head}\n{ast.get_source_segment(text, node)}\n"


def benign():
    """Functions of working code: of the standard library, and of three popular packages."""
    import importlib.util
    import sysconfig

    roots = [("benign stdlib", Path(sysconfig.get_path("stdlib")))]
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin:
            roots.append((f"benign {name}", Path(found.origin).parent))
    rng = random.Random(6)
    for label, root in roots:
        cases: list[Case] = []
        for path in sorted(root.rglob("*.py")):
            parts = set(path.relative_to(root).parts)
            if parts & {"site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo"}:
                continue
            try:
                text = path.read_text(encoding="utf-8")
                tree = ast.parse(text)
            except (SyntaxError, UnicodeDecodeError, ValueError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
                    if 4 <= len(lines) <= 80:
                        cases.append(Case(label, "python", "-", "".join(lines), f"{path.name}:{node.name}"))
        yield from cases if len(cases) <= SAMPLE else rng.sample(cases, SAMPLE)


def ours(case: Case) -> tuple[Verdict, ...]:
    return CHECK.judge(Passage("", case.text, "", case.language))


def others(cases: list[Case]) -> dict[str, set[int]]:
    """Which of the cases bandit (≥ medium) and ruff's S rules flag; by number."""
    flagged: dict[str, set[int]] = {"bandit": set(), "ruff S": set()}
    with tempfile.TemporaryDirectory() as folder:
        for at, case in enumerate(cases):
            if case.language == "python":
                Path(folder, f"case_{at}.py").write_text(textwrap.dedent(case.text), encoding="utf-8")
        run = [sys.executable, "-m", "bandit", "-q", "-r", folder, "-f", "json", "-ll"]
        out = subprocess.run(run, capture_output=True, text=True, check=False).stdout
        for row in json.loads(out or "{}").get("results", []):
            flagged["bandit"].add(int(Path(row["filename"]).stem.split("_")[1]))
        run = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "S"]
        run += ["--ignore", "S101,S311", "--output-format", "json", folder]
        out = subprocess.run(run, capture_output=True, text=True, check=False).stdout
        for row in json.loads(out or "[]"):
            if (row["code"] or "").startswith("S"):
                flagged["ruff S"].add(int(Path(row["filename"]).stem.split("_")[1]))
    return flagged


def timings() -> dict[str, float]:
    """CPU milliseconds for a block of 20 lines in the middle of a real file.

    Beside them what parsing the same text costs, so that a busy machine shows.
    """
    import sysconfig

    rng = random.Random(3)
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    spent: list[float] = []
    parsed: list[float] = []
    for path in rng.sample(paths, min(60, len(paths))):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        if len(lines) < 3 * BLOCK_LINES:
            continue
        for _ in range(4):
            at = rng.randrange(len(lines) - BLOCK_LINES)
            before, block = "".join(lines[:at]), "".join(lines[at : at + BLOCK_LINES])
            passage = Passage(before, block, "".join(lines[at + BLOCK_LINES :]), "python")
            started = time.process_time()
            CHECK.judge(passage)
            spent.append((time.process_time() - started) * 1000)
            started = time.process_time()
            parse(window_of(passage, "python").text, "python")
            parsed.append((time.process_time() - started) * 1000)
    spent.sort()
    parsed.sort()
    return {
        "p50_ms": round(spent[len(spent) // 2], 2),
        "p95_ms": round(spent[int(len(spent) * 0.95)], 2),
        "parse_p50_ms": round(parsed[len(parsed) // 2], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--show", default="", help="print the cases of this set that are wrong")
    parser.add_argument("--alone", action="store_true", help="without bandit and ruff")
    asked = parser.parse_args()
    cases: list[Case] = []
    if asked.data.is_dir():
        cases += [*sven(asked.data), *cweval(asked.data)]
    else:
        print(f"{asked.data} is absent: SVEN and CWEval are left out", file=sys.stderr)
    cases += list(benign())
    for language in sorted({case.language for case in cases}):
        CHECK.warm(language)
    verdicts = [ours(case) for case in cases]
    beside = {"bandit": set(), "ruff S": set()} if asked.alone else others(cases)
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, case in enumerate(cases):
        groups[case.set, case.language, "all"].append(at)
        if case.cwe != "-":
            groups[case.set, case.language, case.cwe].append(at)
    print(
        f"{'set':18} {'language':11} {'cwe':9} {'n':>5} {'ours':>7} {'block':>7} {'bandit':>7} {'ruff S':>7}"
    )
    summary: dict[str, dict[str, float]] = {}
    for (name, language, cwe), members in sorted(groups.items()):
        n = len(members)
        flagged = sum(bool(verdicts[at]) for at in members) / n
        block = sum(any(one.action > Action.ANNOTATE for one in verdicts[at]) for at in members) / n
        tools = [len(beside[tool] & set(members)) / n for tool in beside]
        shown = [f"{value:7.3f}" for value in (flagged, block)]
        shown += [f"{value:7.3f}" if language == "python" else "      -" for value in tools]
        print(f"{name:18} {language:11} {cwe:9} {n:5} {' '.join(shown)}")
        if cwe == "all":
            row = {"n": n, "flagged": round(flagged, 4), "block": round(block, 4)}
            if language == "python" and not asked.alone:
                row |= {tool: round(value, 4) for tool, value in zip(beside, tools, strict=True)}
            summary[f"{name} {language}"] = row
    for case, found in zip(cases, verdicts, strict=True):
        wrong = bool(found) == any(word in case.set for word in ("benign", "fixed", " secure"))
        if asked.show and asked.show in case.set and wrong:
            print(f"\n--- {case.set} {case.language} {case.cwe} {case.name}")
            for one in found:
                print(f"    {one.action.name} {one.rule}: {case.text[one.start : one.end][:100]!r}")
            if not found:
                print(textwrap.indent(case.text[:1_500], "    "))
    print(json.dumps({"sets": summary, "timing": timings()}))


if __name__ == "__main__":
    main()
