"""Tokens per second with drafts and without, over completions inside real files; the text is the same.

    python tests/benchmarks/speculation.py [FOLDER …] [--model NAME] [--rounds 3] [--cases 24] [--tokens 48]

Cases are places after a line that opens a block, in the source files of the folders (default: the
fixture project).  For each the prompt is computed once; then both ways take turns.  Nothing written
before is remembered from one case or round to the next, so this is the least that drafts give: in a
session, what was suggested a moment ago is known too.  The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from truepenny.models.benchmarks.machine import others_cores
from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.decode import Generation, run
from truepenny.models.engine import LoadedModel
from truepenny.models.hardware import cpu_seconds
from truepenny.models.language_model import never
from truepenny.models.loading import load
from truepenny.models.prefix_cache import PrefixCache
from truepenny.models.prompts.fim import FimParts, fim_renderer
from truepenny.models.speculation import Speculation, StepCosts
from truepenny.models.wire import CompletionRequest, Piece, Usage

FIXTURES = Path(__file__).parent.parent / "fixtures" / "tidewatch"
SUFFIXES = {".py", ".ts", ".js", ".go", ".rs", ".java", ".cpp", ".c", ".svelte"}
BEFORE_LINES, HIDDEN_LINES, AFTER_LINES = 120, 8, 40


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over the rounds; a ratio above 1 is a gain."""

    name: str
    tokens: int
    drafted: int
    accepted: int
    plain_tokens_per_s: float
    drafted_tokens_per_s: float
    ratio: float


def cases_in(folder: Path) -> list[Case]:
    found: list[Case] = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file()):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        for at, line in enumerate(lines[:-HIDDEN_LINES]):
            if at > 10 and line.rstrip().endswith((":", "{")):
                prefix = "".join(lines[max(0, at + 1 - BEFORE_LINES) : at + 1])
                suffix = "".join(lines[at + 1 + HIDDEN_LINES :][:AFTER_LINES])
                found.append(Case(f"{path.relative_to(folder)}:{at + 1}", prefix, suffix))
    return found


def spread(cases: list[Case], count: int) -> list[Case]:
    return cases if len(cases) <= count else [cases[i * len(cases) // count] for i in range(count)]


def write(
    loaded: LoadedModel, cache: PrefixCache, request: CompletionRequest, costs: StepCosts
) -> tuple[str, Usage, float]:
    events: list = []
    speculation = Speculation()
    speculation.costs = costs  # what a pass costs is known after the first seconds of an engine
    generation = Generation(request, loaded.tokenizer, cache, speculation, events.append, loaded.model.spec)
    began_s = time.perf_counter()
    usage = generation.usage(_run(generation, loaded, costs))
    seconds = time.perf_counter() - began_s
    return "".join(e.text for e in events if isinstance(e, Piece)), usage, seconds


def _run(generation: Generation, loaded: LoadedModel, costs: StepCosts):
    model = loaded.model

    class Watched:
        spec = model.spec
        new_kv = model.new_kv

        def forward(self, spans, is_cancelled=never):
            began_s = time.perf_counter()
            logits = model.forward(spans, is_cancelled)
            if not generation.is_prefilling:
                costs.learn(sum(len(span.ids) for span in spans), time.perf_counter() - began_s)
            return logits

    return run(generation, Watched())


def measure(loaded: LoadedModel, case: Case, rounds: int, tokens: int, costs: StepCosts) -> Result:
    renderer = fim_renderer(loaded.model.spec.name, loaded.tokenizer)
    prompt = renderer.render(FimParts(case.prefix, case.suffix))
    request = CompletionRequest(tuple(prompt.ids), max_tokens=tokens, heal=prompt.heal)
    cache = loaded.new_cache(256 << 20)
    write(loaded, cache, replace(request, max_tokens=0), costs)
    plain_s: list[float] = []
    drafted_s: list[float] = []
    usage = None
    for number in range(rounds):
        texts: dict[bool, str] = {}
        for speculate in (False, True) if number % 2 else (True, False):
            text, used, seconds = write(loaded, cache, replace(request, speculate=speculate), costs)
            (drafted_s if speculate else plain_s).append(seconds)
            usage = used if speculate else usage
            texts[speculate] = text
        assert texts[True] == texts[False], f"{case.name}: the text differs: {texts}"
    assert usage is not None
    plain, drafted = statistics.median(plain_s), statistics.median(drafted_s)
    return Result(
        name=case.name,
        tokens=usage.completion_tokens,
        drafted=usage.drafted_tokens,
        accepted=usage.accepted_tokens,
        plain_tokens_per_s=round(usage.completion_tokens / plain, 2),
        drafted_tokens_per_s=round(usage.completion_tokens / drafted, 2),
        ratio=round(statistics.median(p / d for p, d in zip(plain_s, drafted_s, strict=True)), 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, default=[FIXTURES])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=48)
    args = parser.parse_args()
    loaded = load(args.model)
    costs = StepCosts()
    cases = spread([case for folder in args.folders for case in cases_in(folder)], args.cases)
    assert cases, "no source file has a line that opens a block"
    measure(loaded, cases[0], 1, args.tokens, costs)  # the first calls of a process are slow
    before, began_s = cpu_seconds(), time.perf_counter()
    results: list[Result] = []
    for case in cases:
        results.append(measure(loaded, case, args.rounds, args.tokens, costs))
        print(results[-1], flush=True)
    plain_s = sum(r.tokens / r.plain_tokens_per_s for r in results)
    drafted_s = sum(r.tokens / r.drafted_tokens_per_s for r in results)
    ratios = sorted(r.ratio for r in results)
    report = {
        "model": loaded.model.spec.name,
        "ratio_total": round(plain_s / drafted_s, 3),
        "ratio_median": statistics.median(ratios),
        "ratio_worst": ratios[0],
        "ratio_best": ratios[-1],
        "accepted_share": round(
            sum(r.accepted for r in results) / max(1, sum(r.drafted for r in results)), 3
        ),
        "accepted_per_token": round(sum(r.accepted for r in results) / sum(r.tokens for r in results), 3),
        "pass_cost_by_rows": [round(costs.cost(rows) / costs.cost(1), 2) for rows in range(1, 9)],
        "disturbance": others_cores(before, cpu_seconds(), time.perf_counter() - began_s),
        "cases": [asdict(r) for r in results],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
