"""What a running chat costs whoever types: requests alone, beside an answer, beside a long prompt.

    python tests/benchmarks/chat_running.py [--model NAME] [--rounds 10] [--keys 6]

A typing session asks for a few tokens after every key.  The three situations take turns.  Asked for:
the 95th percentile of an interactive request rises by at most one decode step and one chunk.  The last
line is one JSON document.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import statistics
import time
from pathlib import Path

from truepenny.models.benchmarks.machine import others_cores
from truepenny.models.catalogue import DEFAULT_MODEL
from truepenny.models.engine import Engine, Failure
from truepenny.models.hardware import cpu_seconds
from truepenny.models.loading import load
from truepenny.models.wire import CompletionRequest, Piece, Priority, Usage

WAIT_S = 300.0
KEY_TOKENS = 2
ASKED_TOKENS = 6


def submit(engine: Engine, request: CompletionRequest):
    events: queue.SimpleQueue = queue.SimpleQueue()
    return events, engine.submit(request, events.put)


def until(events: queue.SimpleQueue, *kinds: type):
    while not isinstance(event := events.get(timeout=WAIT_S), kinds):
        assert not isinstance(event, Failure), event
    return event


def key_ms(engine: Engine, prompt: list[int]) -> float:
    """One interactive request, from asking to its last token."""
    request = CompletionRequest(tuple(prompt), max_tokens=ASKED_TOKENS, document="typed", speculate=False)
    began_s = time.perf_counter()
    until(submit(engine, request)[0], Usage)
    return (time.perf_counter() - began_s) * 1000


def shape(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(p95, 2),
        "max": round(ordered[-1], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--keys", type=int, default=6)
    args = parser.parse_args()
    loaded = load(args.model)
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(256 << 20))
    ids = loaded.tokenizer.encode(Path(random.__file__).read_text(encoding="utf-8"))
    typed = ids[:400]
    chance = random.Random(2)
    key_ms(engine, typed)

    # One token and one chunk by themselves, in the prompt that is typed in.
    events, _ = submit(engine, CompletionRequest(tuple(typed), max_tokens=33, speculate=False))
    usage = until(events, Usage)
    step = usage.decode_ms / max(1, usage.completion_tokens - 1)
    chunk_tokens = loaded.model.spec.chunk_tokens
    events, _ = submit(engine, CompletionRequest(tuple(ids[: 4 * chunk_tokens]), max_tokens=1, workspace="c"))
    chunk = until(events, Usage).prefill_ms / 4

    alone: list[float] = []
    beside_answer: list[float] = []
    beside_prompt: list[float] = []
    before, began_s = cpu_seconds(), time.perf_counter()
    for number in range(args.rounds):
        for kind in ("alone", "answer", "prompt"):
            ticket = None
            if kind == "answer":
                talk = CompletionRequest(
                    tuple(ids[1000:1200]), max_tokens=2000, stop=("\x00",), priority=Priority.CHAT
                )
                events, ticket = submit(engine, talk)
                until(events, Piece)
            elif kind == "prompt":
                cold = CompletionRequest(
                    tuple(ids[:3000]), max_tokens=1, priority=Priority.CHAT, workspace=str(number)
                )
                events, ticket = submit(engine, cold)
            found = {"alone": alone, "answer": beside_answer, "prompt": beside_prompt}[kind]
            for _ in range(args.keys):
                time.sleep(0.1 + 0.1 * chance.random())
                typed += ids[len(typed) : len(typed) + KEY_TOKENS]
                found.append(key_ms(engine, typed))
            if ticket is not None:
                ticket.cancel()
                until(events, Usage)
    engine.close()
    alone_ms, allowed = shape(alone), step + chunk
    rises = {
        "answer": round(shape(beside_answer)["p95"] - alone_ms["p95"], 2),
        "prompt": round(shape(beside_prompt)["p95"] - alone_ms["p95"], 2),
    }
    report = {
        "model": loaded.model.spec.name,
        "step_ms": round(step, 2),
        "chunk_ms": round(chunk, 2),
        "chunk_tokens": chunk_tokens,
        "alone_ms": alone_ms,
        "beside_answer_ms": shape(beside_answer),
        "beside_prompt_ms": shape(beside_prompt),
        "p95_rise_ms": rises,
        "allowed_rise_ms": round(allowed, 2),
        "is_within": max(rises.values()) <= allowed,
        "disturbance": others_cores(before, cpu_seconds(), time.perf_counter() - began_s),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
