"""Fill the hole of each case through `complete`, run the programs that result, and count.

Two rounds: first every question is asked, one at a time, as one person would; then the programs are
run in the sandbox.  Running them does not disturb the times that are measured.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from ..snapshot import Cost, Lines, Query, Snapshot, Suggestion, Trigger
from .cases import AssertTests, InfillCase, ScriptTests
from .metrics import edit_similarity, identifiers, is_exact, percentile
from .sandbox import Outcome, Pool

Complete = Callable[[Query], Awaitable[Suggestion]]
CompleteRaw = Callable[[str, str, int], Awaitable[str]]
"""`(before, after, max_tokens)`: what the bare model puts between them."""

Placement = Literal["typed", "cut"]
"""`typed`: whole lines are asked for on a blank line, as a person would; `cut`: exactly the hole."""

OnProgress = Callable[[Literal["asked", "run"], int], None]

_SUFFIXES = {"python": ".py", "java": ".java", "cpp": ".cpp", "csharp": ".cs"}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case."""

    case: InfillCase
    suggestion: Suggestion
    inserted: str
    """What accepting put at the cursor, without what only replaced itself."""
    program: str
    """The document once the suggestion is accepted, without tests."""
    seconds: float
    outcome: Outcome | None = None
    """None where nothing can be run."""

    @property
    def is_exact(self) -> bool:
        return self.suggestion.shown and is_exact(self.inserted, self.case.expected)

    @property
    def has_expected_names(self) -> bool:
        return self.suggestion.shown and identifiers(self.inserted) == identifiers(self.case.expected)

    @property
    def is_right(self) -> bool:
        """By its tests where there are any, else by comparison."""
        return self.is_exact if self.outcome is None else self.outcome.passed


@dataclass(frozen=True, slots=True)
class InfillReport:
    """Shares are of all `n` cases, and 0…1; a case where nothing was shown counts as empty text."""

    n: int
    runnable: int
    """Cases with tests that could be run."""
    pass_at_1: float | None
    """Share of `runnable` whose tests passed; None when there is none."""
    exact_match: float
    """Share equal to the expected text, white space at line ends aside."""
    edit_similarity: float
    """Mean of 1 − Levenshtein / length of the longer."""
    identifier_match: float
    """Share whose names, over all lines and in order, are the expected ones."""
    withheld: int
    """Cases where nothing was shown."""
    reasons: dict[str, int]
    """Why not, most frequent first."""
    seconds: float
    """Time spent asking; running the programs is not in it."""
    characters_shown: int
    characters_accepted: int
    """Of those shown, the characters of suggestions that were right."""
    characters_generated: int
    """All that the engine wrote, shown or not."""
    characters_generated_per_accepted: float | None
    """What has to be written for one character that is right; None when none was."""
    characters_per_s: float
    """Shown, per second of asking."""
    latency_ms_p50: float
    latency_ms_p95: float
    reused_share: float
    """Mean share of prompt tokens that came from the prefix cache."""
    unlimited: tuple[str, ...]
    """Limits the sandbox could not set on this machine."""
    results: tuple[CaseResult, ...]


async def evaluate(
    cases: Sequence[InfillCase],
    complete: Complete,
    *,
    lines: Lines = "auto",
    placement: Placement = "typed",
    timeout_s: float = 10.0,
    memory_bytes: int = 512 << 20,
    on_progress: OnProgress = lambda _stage, _done: None,
) -> InfillReport:
    """Ask for every case in order, then run what can be run, two programs at once.

    What `complete` raises ends the evaluation: a figure over a broken engine would mislead.
    """
    answered: list[CaseResult] = []
    for case in cases:
        answered.append(await _ask(case, complete, lines, placement))
        on_progress("asked", len(answered))

    pool = Pool()
    done = 0

    async def judge(result: CaseResult) -> CaseResult:
        nonlocal done
        outcome = await _run(result, pool, timeout_s, memory_bytes)
        done += 1
        on_progress("run", done)
        return replace(result, outcome=outcome)

    try:
        results = await asyncio.gather(*map(judge, answered))
    finally:
        pool.close()
    return summarise(results)


def raw_completer(complete_raw: CompleteRaw, *, single_line: bool, max_tokens: int) -> Complete:
    """The bare model as a `Complete`: its text as it came, cut to one line for single-line sets."""

    async def complete(query: Query) -> Suggestion:
        text = query.snapshot.text
        generated = await complete_raw(text[: query.offset], text[query.offset :], max_tokens)
        cost = Cost(generated_chars=len(generated))
        if single_line:
            generated = generated.partition("\n")[0]
        reason = "" if generated else "the model generated nothing"
        return Suggestion(
            generated, query.offset, query.offset, shown=bool(generated), reason=reason, cost=cost
        )

    return complete


def question(case: InfillCase, lines: Lines = "auto", placement: Placement = "typed") -> Query:
    """The document and the cursor with which a person would ask for this case."""
    gap = _line_end(case) if placement == "typed" and case.is_whole_lines else ""
    # A path of its own for each case: nothing may be remembered from one to the next.
    name = re.sub(r"[^\w.-]+", "_", case.id) + _SUFFIXES.get(case.language, "")
    snapshot = Snapshot(path=f"untitled:{name}", language=case.language, text=case.before + gap + case.after)
    return Query(snapshot, len(case.before), Trigger.INVOKED, lines)


def before_typing(query: Query, num_chars: int) -> Query:
    """The question as it was when the last `num_chars` before the cursor had not been typed yet."""
    text, start = query.snapshot.text, max(0, query.offset - num_chars)
    if text[start - 1 : start + 1] == "\r\n":
        start -= 1  # nobody begins inside a line end
    snapshot = replace(query.snapshot, text=text[:start] + text[query.offset :])
    return replace(query, snapshot=snapshot, offset=start)


def accept(case: InfillCase, query: Query, suggestion: Suggestion) -> str:
    """The document after accepting; as it was when nothing is shown."""
    document = query.snapshot.text
    if not suggestion.shown:
        return document
    text, rest = suggestion.text, document[suggestion.end :]
    if case.is_whole_lines:
        # A whole line may come with or without its line end; it shall have one, and only one.
        text = text.removesuffix("\n").removesuffix("\r")
        stands_on_blank_line = len(document) > len(case.before) + len(case.after)
        if not stands_on_blank_line:
            rest = _line_end(case) + rest
    return document[: suggestion.start] + text + rest


def inserted_text(query: Query, suggestion: Suggestion) -> str:
    """What the suggestion adds at the cursor: its text, less what it repeats of the range it replaces."""
    if not suggestion.shown:
        return ""
    document = query.snapshot.text
    text = suggestion.text.removeprefix(document[suggestion.start : query.offset])
    return text.removesuffix(document[query.offset : suggestion.end])


def summarise(results: Sequence[CaseResult]) -> InfillReport:
    n = len(results)
    judged = [result.outcome for result in results if result.outcome is not None]
    shown = [result for result in results if result.suggestion.shown]
    silent = [result.suggestion.reason for result in results if not result.suggestion.shown]
    costs = [result.suggestion.cost for result in results]
    seconds = sum(result.seconds for result in results)
    characters = sum(len(result.inserted) for result in shown)
    accepted = sum(len(result.inserted) for result in shown if result.is_right)
    generated = sum(cost.generated_chars for cost in costs)
    return InfillReport(
        n=n,
        runnable=len(judged),
        pass_at_1=fmean(outcome.passed for outcome in judged) if judged else None,
        exact_match=_mean(float(result.is_exact) for result in results),
        edit_similarity=_mean(edit_similarity(result.inserted, result.case.expected) for result in results),
        identifier_match=_mean(float(result.has_expected_names) for result in results),
        withheld=len(silent),
        reasons=dict(Counter(silent).most_common()),
        seconds=seconds,
        characters_shown=characters,
        characters_accepted=accepted,
        characters_generated=generated,
        characters_generated_per_accepted=generated / accepted if accepted else None,
        characters_per_s=characters / seconds if seconds else 0.0,
        latency_ms_p50=percentile([result.seconds * 1000 for result in results], 0.5),
        latency_ms_p95=percentile([result.seconds * 1000 for result in results], 0.95),
        reused_share=_mean(cost.reused_tokens / cost.prompt_tokens for cost in costs if cost.prompt_tokens),
        unlimited=tuple(dict.fromkeys(name for outcome in judged for name in outcome.unlimited)),
        results=tuple(results),
    )


async def _ask(case: InfillCase, complete: Complete, lines: Lines, placement: Placement) -> CaseResult:
    query = question(case, lines, placement)
    started = time.perf_counter()
    suggestion = await complete(query)
    seconds = time.perf_counter() - started
    return CaseResult(
        case, suggestion, inserted_text(query, suggestion), accept(case, query, suggestion), seconds
    )


async def _run(result: CaseResult, pool: Pool, timeout_s: float, memory_bytes: int) -> Outcome | None:
    """The outcome of the first test that does not pass, else of the last."""
    match result.case.runnable:
        case AssertTests(code):
            program = result.program + code
            return await pool.run_python(program, timeout_s=timeout_s, memory_bytes=memory_bytes)
        case ScriptTests(tests):
            outcome: Outcome | None = None
            for test in tests:
                outcome = await pool.run_script(
                    result.program, test.stdin, test.outputs, timeout_s=timeout_s, memory_bytes=memory_bytes
                )
                if not outcome.passed:
                    break
            return outcome
        case None:
            return None


def _mean(values: Iterable[float]) -> float:
    """0 of none."""
    listed = list(values)
    return fmean(listed) if listed else 0.0


def _line_end(case: InfillCase) -> str:
    return "\r\n" if "\r\n" in case.before + case.after else "\n"
