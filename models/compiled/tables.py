"""How a model and a pass are described to compiled code: tables of whole numbers, mostly addresses.

One compiled function serves every model, so nothing about a model is a constant of it.
"""

from __future__ import annotations

from enum import IntEnum

FEW_ROWS = 32
"""Rows that a thread has room of its own for; up to here `passes.small_pass` is faster, too."""


class Field(IntEnum):
    """Columns of the table of layers: addresses, 0 where there is nothing."""

    ATTN_NORM = 0
    QKV = 1
    QKV_SCALE = 2
    QKV_BIAS = 3
    O = 4  # noqa: E741  (the usual name of this projection)
    O_SCALE = 5
    FFN_NORM = 6
    GATE_UP = 7
    GATE_UP_SCALE = 8
    DOWN = 9
    DOWN_SCALE = 10


class Shape(IntEnum):
    """Entries of the description of a model: counts and widths, then three addresses."""

    LAYERS = 0
    HIDDEN = 1
    HEADS = 2
    KV_HEADS = 3
    HEAD_DIM = 4
    INTERMEDIATE = 5
    VOCABULARY = 6
    NORM = 7
    HEAD = 8
    HEAD_SCALE = 9


class Row(IntEnum):
    """Columns of the table of rows, the tokens of a pass; those of one sequence are in order."""

    KEYS = 0
    """Address of the keys of the sequence's first layer."""
    VALUES = 1
    CAPACITY = 2
    POSITION = 3


class Buffer(IntEnum):
    """Addresses of a pass: what the threads share."""

    X = 0
    """`(rows, hidden)`, in and out."""
    QKV = 1
    ATTENDED = 2
    GATE_UP = 3
    ACTIVE = 4
    COS = 5
    SIN = 6
    COUNTER = 7
    LOGITS = 8
    """`(wanted rows, vocabulary)`."""


class Own(IntEnum):
    """Addresses that follow, for one thread after the other: what each has of its own."""

    NORMED = 0
    LEVELS = 1
    SCALES = 2
    SCORES = 3


NUM_SHARED, NUM_OWN = len(Buffer), len(Own)
