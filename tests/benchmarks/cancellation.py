"""From cancelling a request to an idle engine: in the middle of a prompt, and of an answer.

    python tests/benchmarks/cancellation.py [--model NAME] [--times 40] [--seed 1]

Asked for: at most one decode step, or 80 ms in a prompt.  Also, memory before and after 500 rapid
cancels.  The last line is one JSON document.
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
from truepenny.models.hardware import cpu_seconds, resident_bytes
from truepenny.models.loading import load
from truepenny.models.wire import CompletionRequest, Piece, Started, Usage

WAIT_S = 120.0


def submit(engine: Engine, request: CompletionRequest):
    events: queue.SimpleQueue = queue.SimpleQueue()
    return events, engine.submit(request, events.put)


def until(events: queue.SimpleQueue, *kinds: type):
    while not isinstance(event := events.get(timeout=WAIT_S), kinds):
        assert not isinstance(event, Failure), event
    return event


def cancel_ms(engine: Engine, request: CompletionRequest, delay_s: float, after: type | None) -> float:
    """Milliseconds from `cancel` to the last event, which comes when nothing of it is left."""
    events, ticket = submit(engine, request)
    if after is not None:
        until(events, after)
    time.sleep(delay_s)
    began_s = time.perf_counter()
    ticket.cancel()
    usage = until(events, Usage)
    assert usage.finish_reason == "cancelled", "it was over before it was cancelled: ask for more tokens"
    return (time.perf_counter() - began_s) * 1000


def step_ms(engine: Engine, prompt: tuple[int, ...]) -> float:
    events, _ = submit(engine, CompletionRequest(prompt, max_tokens=33, speculate=False))
    usage = until(events, Usage)
    return usage.decode_ms / max(1, usage.completion_tokens - 1)


def shape(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        "max": round(ordered[-1], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    loaded = load(args.model)
    engine = Engine(loaded.model, loaded.tokenizer, loaded.new_cache(128 << 20))
    chance = random.Random(args.seed)
    source = Path(random.__file__).read_text(encoding="utf-8")
    ids = loaded.tokenizer.encode(source)[:3000]
    short = tuple(ids[:100])
    step = step_ms(engine, short)
    before, began_s = cpu_seconds(), time.perf_counter()
    in_prompt = [
        # Another workspace each time: nothing of the prompt is known.
        cancel_ms(
            engine, CompletionRequest(tuple(ids), workspace=str(i)), 0.05 + 0.5 * chance.random(), after=None
        )
        for i in range(args.times)
    ]
    talk = CompletionRequest(short, max_tokens=1000, stop=("\x00",))
    in_answer = [
        cancel_ms(engine, talk, step / 1000 * 4 * chance.random(), after=chance.choice([Started, Piece]))
        for _ in range(args.times)
    ]
    disturbance = others_cores(before, cpu_seconds(), time.perf_counter() - began_s)
    rss = [resident_bytes()]
    for number in range(500):
        request = CompletionRequest(tuple(ids[: chance.randrange(1, 600)]), document=f"d{number % 3}")
        events, ticket = submit(engine, request)
        time.sleep(0.03 * chance.random())
        ticket.cancel()
        until(events, Usage)
        if number % 100 == 99:
            rss.append(resident_bytes())
    engine.close()
    engine.cache.check_integrity()
    report = {
        "model": loaded.model.spec.name,
        "step_ms": round(step, 2),
        "in_prompt_ms": shape(in_prompt),
        "in_answer_ms": shape(in_answer),
        "in_answer_steps": {key: round(ms / step, 2) for key, ms in shape(in_answer).items()},
        "rss_mib_every_100_cancels": [value >> 20 for value in rss],
        "leased_after": engine.cache.stats.num_leased,
        "kv_mib_after": engine.cache.nbytes >> 20,
        "disturbance": disturbance,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
