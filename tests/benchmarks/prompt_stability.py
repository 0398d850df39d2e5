"""How much of a prompt is new at each keystroke, without a model: recorded typing and the real tokenizer.

    python tests/benchmarks/prompt_stability.py TRACE.json.gz ... [--policy ours] [--keystrokes 1500]

The prompts are those the language server would send: the same gate, windows, branches and layout.  A
prompt's tokens are new behind the longest beginning it shares with one of the last prompts.  In pauses
the server computes ahead; how far it comes is worked out from a rate of tokens per second, and an answer
is taken to need a fixed time.  `--policy alone` computes nothing ahead, `plain` keeps nothing either.

Asked for: at least 97 % of the tokens reused, at most 10 new ones at the median keystroke.  The last line
is one JSON document; its exit code is 1 when a trace falls short.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from truepenny.lsp_server.asking import parts_of
from truepenny.lsp_server.assistant import Assistant
from truepenny.lsp_server.engine_link import fim_renderer_of
from truepenny.lsp_server.evaluation.replay.session import Pacing, Session, Step, make_session
from truepenny.lsp_server.evaluation.replay.traces import read_trace
from truepenny.lsp_server.pauses import likely_place
from truepenny.lsp_server.place.gate import decide
from truepenny.lsp_server.prompting.anchor import Cut, anchors_for
from truepenny.lsp_server.prompting.prewarm import IDLE_S, SETTLE_S
from truepenny.lsp_server.settings import CompletionSettings, Settings
from truepenny.lsp_server.snapshot import Query, Snapshot
from truepenny.models.catalogue import DEFAULT_MODEL

Ids = NDArray[np.int64]

MIN_REUSED_SHARE = 0.97
MAX_MEDIAN_TOKENS = 10
_CHUNK_TOKENS = 64


@dataclass
class Kept:
    """What the engine has computed: the last prompts, whole or in part."""

    prompts: deque[Ids] = field(default_factory=lambda: deque(maxlen=64))

    def reused(self, ids: Ids) -> int:
        """As in the engine, at least one token is always left to compute."""
        return min(max((_common(ids, old) for old in self.prompts), default=0), len(ids) - 1)

    def add(self, ids: Ids) -> None:
        self.prompts.append(ids)


@dataclass
class Tally:
    prompt_tokens: list[int] = field(default_factory=list)
    new_tokens: list[int] = field(default_factory=list)
    ahead_tokens: int = 0
    num_closed: int = 0
    """Keystrokes at places where nothing is suggested."""

    def figures(self) -> dict[str, float]:
        new, prompt = np.array(self.new_tokens), np.array(self.prompt_tokens)
        return {
            "requests": len(new),
            "no_request": self.num_closed,
            "reused_share": round(float(1 - new.sum() / prompt.sum()), 4),
            "new_tokens_p50": float(np.percentile(new, 50)),
            "new_tokens_p90": round(float(np.percentile(new, 90)), 1),
            "new_tokens_p95": round(float(np.percentile(new, 95)), 1),
            "new_tokens_p99": round(float(np.percentile(new, 99)), 1),
            "prompt_tokens_mean": round(float(prompt.mean()), 1),
            "new_tokens_sum": int(new.sum()),
            "ahead_tokens_sum": self.ahead_tokens,
        }


class Typing:
    """One session, played against what the engine would have kept."""

    def __init__(self, session: Session, args: argparse.Namespace) -> None:
        self._session = session
        self._args = args
        self._settings = Settings(completion=CompletionSettings(model=args.model))
        window_at = Assistant(self._settings)._asking.window
        self._is_ahead = args.policy == "ours"
        layout = "plain" if args.policy == "plain" else "ours"
        self._anchors = anchors_for(layout, window_at, is_prewarmed=self._is_ahead)
        self._kept = Kept()
        self.tally = Tally()

    def play(self) -> None:
        steps = self._session.steps
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            query = self._query(step)
            is_open = decide(query, self._settings.completion).is_open
            free_s = step.at_s + self._args.settle
            if is_open and step.is_keystroke:
                num_new = self._ask(query)
                answered_s = step.at_s + num_new / self._args.rate + self._args.answer_ms / 1000
                free_s = answered_s + self._args.idle
            else:
                self.tally.num_closed += step.is_keystroke
            if self._is_ahead and following is not None and following.at_s > free_s:
                num_tokens = int((following.at_s - free_s) * self._args.rate)
                self._pause(query, num_tokens, is_answered=is_open and step.is_keystroke)

    def _query(self, step: Step) -> Query:
        file = self._session.files[step.document]
        return Query(Snapshot(file.path, file.language, step.text), step.cursor)

    def _ask(self, query: Query) -> int:
        ids = self._ids(self._anchors.cut(query))
        num_new = len(ids) - self._kept.reused(ids)
        self._kept.add(ids)
        self.tally.prompt_tokens.append(len(ids))
        self.tally.new_tokens.append(num_new)
        return num_new

    def _pause(self, query: Query, num_tokens: int, *, is_answered: bool) -> None:
        """As `Pauses._prewarm`."""
        place = likely_place(query, self._settings.completion)
        if place is None:
            return
        if not is_answered:
            num_tokens -= self._compute(self._anchors.cut(place), num_tokens)
        following = self._anchors.next_branch(place) if place is query and num_tokens > 0 else None
        if following is not None and self._compute(following[1], num_tokens) <= num_tokens:
            self._anchors.adopt(query, following[0])

    def _compute(self, cut: Cut, num_tokens: int) -> int:
        """How many tokens it takes; where that is more than there is time for, whole chunks are kept."""
        ids = self._ids(cut)
        reused = self._kept.reused(ids)
        needed = len(ids) - reused
        done = needed if needed <= num_tokens else num_tokens // _CHUNK_TOKENS * _CHUNK_TOKENS
        self._kept.add(ids[: reused + done])
        self.tally.ahead_tokens += done
        return needed

    def _ids(self, cut: Cut) -> Ids:
        return np.array(fim_renderer_of(self._args.model).render(parts_of(cut)).ids)


def _common(a: Ids, b: Ids) -> int:
    length = min(len(a), len(b))
    different = np.flatnonzero(a[:length] != b[:length])
    return int(different[0]) if len(different) else length


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--policy", choices=["ours", "alone", "plain"], default="ours")
    parser.add_argument("--keystrokes", type=int, default=1500, metavar="N", help="per trace (%(default)s)")
    parser.add_argument("--start", type=int, metavar="K", help="the keystroke to begin with")
    parser.add_argument("--max-gap", type=float, default=2.0, metavar="S", help="pauses are cut to this")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="whose tokenizer")
    parser.add_argument("--rate", type=float, default=400.0, help="prompt tokens per second (%(default)s)")
    parser.add_argument("--answer-ms", type=float, default=400.0, help="decoding and all else (%(default)s)")
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds after an answer (%(default)s)")
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="seconds after an edit (%(default)s)")
    args = parser.parse_args()
    report: dict[str, dict[str, float]] = {}
    for path in args.traces:
        session = make_session(read_trace(path), args.keystrokes, args.start, Pacing(args.max_gap))
        typing = Typing(session, args)
        typing.play()
        report[session.name] = typing.tally.figures()
    print(json.dumps({"policy": args.policy, "model": args.model, "rate": args.rate, "traces": report}))
    is_met = all(
        figures["reused_share"] >= MIN_REUSED_SHARE and figures["new_tokens_p50"] <= MAX_MEDIAN_TOKENS
        for figures in report.values()
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
