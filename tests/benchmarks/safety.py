"""What the safety rules find and leave alone, beside bandit and ruff, and what it costs.

    python tests/benchmarks/safety.py [--data FOLDER] [--code FOLDER] [--show SET] [--each]

Sets: SVEN (functions before and after a security fix), CWEval (insecure and secure programs), samples
of malware and their honest look-alikes, hidden characters, generated secrets, and functions of the
standard library and of packages, in which a finding is taken to be false: three packages that the rules
were tuned beside, three that they were not.  `--code FOLDER` adds blocks of 20 lines of other people's
code below it, by language.  A function counts as flagged with any verdict at all, remarks included;
`changed` counts repairs and cuts alone.  bandit and ruff judge the same texts, dedented, where they
parse; `each` prints a line per weakness.  Processor time, for 20 lines in their file, by language.
Last line: JSON.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import random
import runpy
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from truepenny.guard.hygiene import HygieneCheck
from truepenny.guard.malware import MalwareCheck
from truepenny.guard.safety.check import SafetyCheck, rule_language
from truepenny.guard.safety.trees import parse
from truepenny.guard.safety.window import window_of
from truepenny.guard.secrets import SecretsCheck
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
    "cs": "csharp",
    "php": "php",
    "rb": "ruby",
    "sh": "shellscript",
    "bash": "shellscript",
}
PACKAGES = {"tuned beside": ("rich", "httpx", "jinja2"), "never seen": ("networkx", "click", "hypothesis")}
SAMPLES = {"py": "python", "js": "javascript", "rb": "ruby", "go": "go", "json": "json"}
SAMPLE = 1_000
BLOCK_LINES = 20
TIMED, PER_LANGUAGE = 200, 150
"""Blocks that time is taken of in the standard library, and blocks of each language of `--code`."""
MAX_FILE_BYTES = 300_000
CHECK = SafetyCheck()
CHECKS = {
    "safety": CHECK,
    "malware": MalwareCheck(),
    "hygiene": HygieneCheck(),
    "secrets": SecretsCheck(),
}


@dataclass(frozen=True, slots=True)
class Case:
    set: str
    language: str
    cwe: str
    text: str
    name: str
    check: str = "safety"
    before: str = ""
    after: str = ""


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
    """Functions of working code: of the standard library, and of popular packages."""
    import importlib.util

    roots = [("benign stdlib", Path(sysconfig.get_path("stdlib")))]
    for kind, names in PACKAGES.items():
        for name in names:
            found = importlib.util.find_spec(name)
            if found is not None and found.origin:
                roots.append((f"benign {kind}: {name}", Path(found.origin).parent))
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


def malware(folder: Path):
    with gzip.open(folder / "malware_samples_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            kind = "look-alikes" if row["label"] == "benign" else "samples"
            language = SAMPLES[row["path"].rpartition(".")[2]]
            yield Case(f"malware {kind}", language, "-", row["text"], row["path"], "malware")


def hidden(folder: Path):
    with gzip.open(folder / "trojan_source_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield Case("hidden characters", row["lang"].lower(), "-", row["text"], row["path"], "hygiene")


def secrets():
    """From the generator in the tests: every format five times, and what only looks like one."""
    made = runpy.run_path(str(Path(__file__).resolve().parents[1] / "guard" / "test_secrets.py"))
    rng = random.Random("all")
    for _ in range(5):
        for rule, template, make in made["FORMATS"]:
            yield Case("secrets real", "python", "-", template.replace("{}", make(rng)), rule, "secrets")
    for _ in range(20):
        for line in made["benign"](rng):
            yield Case("secrets look-alikes", "python", "-", line, "look-alike", "secrets")
    for line in made["PLACEHOLDERS"]:
        yield Case("secrets look-alikes", "python", "-", line, "placeholder", "secrets")


def ours(case: Case) -> tuple[Verdict, ...]:
    return CHECKS[case.check].judge(Passage(case.before, case.text, case.after, case.language))


def blocks(root: Path, rng: random.Random, per_language: int):
    """20 lines each in the middle of files below `root`, as many of each language."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(root.rglob("*")):
        language = LANGUAGES.get(path.suffix[1:])
        small = path.is_file() and path.stat().st_size < MAX_FILE_BYTES
        if language and small and not {"test", "tests"} & set(path.parts) and ".min." not in path.name:
            found[language].append(path)
    for language, paths in sorted(found.items()):
        for path in rng.sample(paths, min(per_language, len(paths))):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            if len(lines) < 2 * BLOCK_LINES:
                continue
            at = rng.randrange(len(lines) - BLOCK_LINES)
            end = at + BLOCK_LINES
            text, before, after = "".join(lines[at:end]), "".join(lines[:at]), "".join(lines[end:])
            yield Case("benign blocks", language, "-", text, path.name, "safety", before, after)


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


def timings(cases: list[Case]) -> dict[str, dict[str, float]]:
    """Processor milliseconds for 20 lines in their file, by language.

    Beside them what parsing the same text costs, so that a busy machine shows.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    parsed: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        passage = Passage(case.before, case.text, case.after, case.language)
        name = rule_language(case.language) or case.language
        started = time.process_time()
        CHECK.judge(passage)
        spent[case.language].append((time.process_time() - started) * 1000)
        started = time.process_time()
        parse(window_of(passage, name).text, name)
        parsed[case.language].append((time.process_time() - started) * 1000)
    return {
        language: {
            "n": len(values),
            "p50_ms": round(sorted(values)[len(values) // 2], 2),
            "p95_ms": round(sorted(values)[int(len(values) * 0.95)], 2),
            "parse_p50_ms": round(sorted(parsed[language])[len(values) // 2], 2),
        }
        for language, values in sorted(spent.items())
    }


def shares(members: list[Case], verdicts: list[tuple[Verdict, ...]]) -> tuple[float, float]:
    """Flagged at all, and repaired, cut or withheld."""
    changed = sum(any(one.action > Action.ANNOTATE for one in found) for found in verdicts)
    return sum(map(bool, verdicts)) / len(members), changed / len(members)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--code", type=Path, help="other people's code, to take blocks of 20 lines from")
    parser.add_argument("--show", default="", help="print the cases of this set that are wrong")
    parser.add_argument("--alone", action="store_true", help="without bandit and ruff")
    parser.add_argument("--each", action="store_true", help="a line for each weakness too")
    asked = parser.parse_args()
    cases: list[Case] = []
    if asked.data.is_dir():
        cases += [*sven(asked.data), *cweval(asked.data), *malware(asked.data), *hidden(asked.data)]
    else:
        print(f"{asked.data} is absent: only secrets and honest code are measured", file=sys.stderr)
    cases += [*secrets(), *benign()]
    rng = random.Random(3)
    timed = list(blocks(Path(sysconfig.get_path("stdlib")), rng, TIMED))
    if asked.code is not None:
        found = list(blocks(asked.code, rng, PER_LANGUAGE))
        cases += found
        timed += [case for case in found if case.language != "python"]
    for language in sorted({case.language for case in (*cases, *timed)}):
        CHECK.warm(language)
    spent = timings(timed)
    verdicts = [ours(case) for case in cases]
    beside = {"bandit": set[int](), "ruff S": set[int]()} if asked.alone else others(cases)
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, case in enumerate(cases):
        groups[case.set, case.language, "all"].append(at)
        if case.set.startswith(("sven", "cweval")):
            groups[case.set, "(every)", "all"].append(at)
            if asked.each:
                groups[case.set, case.language, case.cwe].append(at)
    titles = f"{'ours':>7} {'changed':>7} {'bandit':>7} {'ruff S':>7}"
    print(f"{'set':33} {'language':12} {'cwe':8} {'n':>5} {titles}")
    summary: dict[str, dict[str, float]] = {}
    for (name, language, cwe), members in sorted(groups.items()):
        flagged, changed = shares([cases[at] for at in members], [verdicts[at] for at in members])
        tools = [len(beside[tool] & set(members)) / len(members) for tool in beside]
        compared = language == "python" and not asked.alone
        shown = [f"{value:7.3f}" for value in (flagged, changed)]
        shown += [f"{value:7.3f}" if compared else "      -" for value in tools]
        print(f"{name:33} {language:12} {cwe:8} {len(members):5} {' '.join(shown)}")
        if cwe == "all":
            row = {"n": len(members), "flagged": round(flagged, 4), "changed": round(changed, 4)}
            if compared:
                row |= {tool: round(value, 4) for tool, value in zip(beside, tools, strict=True)}
            summary[f"{name} {language}"] = row
    hits = sum(bool(found) for case, found in zip(cases, verdicts, strict=True) if case.set == "secrets real")
    alarms = sum(
        bool(found) for case, found in zip(cases, verdicts, strict=True) if case.set == "secrets look-alikes"
    )
    precision = round(hits / max(hits + alarms, 1), 4)
    print(f"secrets: precision {precision}, recall {summary['secrets real python']['flagged']}")
    for language, row in spent.items():
        print(
            f"time for 20 lines of {language}: p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms (n {row['n']})"
        )
    for case, found in zip(cases, verdicts, strict=True):
        wrong = bool(found) == any(word in case.set for word in ("benign", "fixed", " secure", "look-alikes"))
        if asked.show and asked.show in case.set and wrong:
            print(f"\n--- {case.set} {case.language} {case.cwe} {case.name}")
            for one in found:
                print(f"    {one.action.name} {one.rule}: {case.text[one.start : one.end][:100]!r}")
            if not found:
                print(textwrap.indent(case.text[:1_500], "    "))
    print(json.dumps({"sets": summary, "secrets_precision": precision, "timing": spent}))


if __name__ == "__main__":
    main()
