"""Code that looks like code, made by a seeded generator: nobody's, so it can stand in a repository."""

from __future__ import annotations

import random

NOUNS = (
    "frame",
    "packet",
    "ledger",
    "vertex",
    "column",
    "archive",
    "signal",
    "queue",
    "record",
    "token",
    "branch",
    "cache",
    "page",
    "shard",
)
VERBS = (
    "merge",
    "split",
    "rotate",
    "collect",
    "parse",
    "shift",
    "measure",
    "append",
    "drop",
    "balance",
    "flatten",
    "encode",
    "reduce",
)


def name(rng: random.Random) -> str:
    return f"{rng.choice(VERBS)}_{rng.choice(NOUNS)}_{rng.randrange(1_000)}"


def statement(rng: random.Random, names: list[str]) -> str:
    a, b, c = (rng.choice(names) for _ in range(3))
    number = rng.randrange(1, 5_000)
    return rng.choice(
        [
            f"{a} = {b}.{rng.choice(VERBS)}({c}, {number})",
            f"{a}[{b} + {number}] = {c}({a}) - {b}",
            f"if {a} > {number} and not {b}: {c} += {number}",
            f"for {a} in {b}({c}, '{rng.choice(NOUNS)}'): {rng.choice(names)}.append({a} * {number})",
            f"return [{a} for {a} in {b} if {a}.{rng.choice(NOUNS)} != {number}]",
            f"raise {a}(f'{{{b}}} is no {rng.choice(NOUNS)}') from {c}",
            f"{a}, {b} = {b} // 1, {{'{rng.choice(NOUNS)}': {c}, **{a}}}",
            f"while {a} < len({b}): {a} = {c}({a}, {b}[{a}:{number}])",
        ]
    )


def source(seed: int, lines: int = 120) -> str:
    """A file of functions; another seed, another file."""
    rng = random.Random(seed)
    written: list[str] = []
    while len(written) < lines:
        names = [name(rng) for _ in range(8)]
        written.append(f"def {name(rng)}({', '.join(names[:4])}):")
        written += [f"    {statement(rng, names)}" for _ in range(rng.randrange(8, 20))]
        written.append("")
    return "\n".join(written) + "\n"


def part(text: str, first: int, lines: int) -> str:
    """Lines `first`, … counted from 0."""
    return "".join(text.splitlines(keepends=True)[first : first + lines])
