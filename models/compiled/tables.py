"""How a model and a pass are described to compiled code: tables of whole numbers, mostly addresses.

One compiled function serves every model, so nothing about a model is a constant of it.
"""

from __future__ import annotations

from enum import IntEnum


class Field(IntEnum):
    """Columns of the table of layers: addresses, 0 where there is nothing.

    A matrix takes three: tiles, scales, corrections (`dot_ir`).
    """

    ATTN_NORM = 0
    FFN_NORM = 1
    QKV_BIAS = 2
    QKV = 3
    O = 6  # noqa: E741  (the usual name of this projection)
    GATE_UP = 9
    DOWN = 12


FIELDS = Field.DOWN + 3
"""Columns of the table of layers."""


class Shape(IntEnum):
    """Entries of the description of a model: counts and widths, then addresses."""

    LAYERS = 0
    HIDDEN = 1
    HEADS = 2
    KV_HEADS = 3
    HEAD_DIM = 4
    INTERMEDIATE = 5
    VOCABULARY = 6
    NORM = 7
    HEAD = 8
    """Tiles, scales, corrections."""


ENTRIES = Shape.HEAD + 3
"""Entries of the description of a model."""


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
    NORMED = 1
    QKV = 2
    ATTENDED = 3
    GATE_UP = 4
    ACTIVE = 5
    LEVELS = 6
    """Activations as bytes; room goes on to a multiple of 32 rows."""
    SCALES = 7
    COS = 8
    SIN = 9
    COUNTER = 10
    LOGITS = 11
    """`(wanted rows, vocabulary)`."""
    REGISTERS = 12
    """What AMX's registers are described by."""


class Own(IntEnum):
    """Addresses that follow, for one thread after the other: what each has of its own."""

    SCORES = 0
    SUMS = 1
    """Of tiles; 0 where there is no AMX."""
    PAIR = 2


NUM_SHARED, NUM_OWN = len(Buffer), len(Own)
STEPS = 10
"""How often threads meet in a layer."""
