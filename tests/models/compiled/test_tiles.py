"""Weights in the order in which they are multiplied, and which registers multiply them."""

from __future__ import annotations

import numpy as np
import pytest

from truepenny.models.compiled import amx
from truepenny.models.compiled.room import Room
from truepenny.models.compiled.tables import NUM_OWN, NUM_SHARED, Own
from truepenny.models.compiled.team import Team
from truepenny.models.compiled.tile_ir import has_tiles
from truepenny.models.compiled.tiles import tile_rows, untiled_rows
from truepenny.models.compiled.weights import TiledWeights

from .products import at, tiled


def random_weight(num_out: int, width: int) -> np.ndarray:
    weight = np.random.default_rng([num_out, width]).integers(-127, 128, (num_out, width)).astype(np.int8)
    weight[0], weight[1] = 127, -127
    return weight


@pytest.mark.parametrize("width", [64, 128, 1 << 15])
@pytest.mark.parametrize("num_out", [16, 64, 80])
def test_rows_go_to_tiles_and_back(num_out, width):
    """A tile at a time, as threads share them; nothing else is written."""
    weight = random_weight(num_out, width)
    tiles = np.full((num_out // 16 + 1, width // 4, 16, 4), 99, np.int8)
    corrections = np.full(num_out + 1, 99, np.int32)
    for first in range(0, num_out, 16):
        tile_rows(at(weight), width, at(tiles), at(corrections), first, first + 16)
    assert np.array_equal(tiles[:-1], tiled(weight))
    assert np.array_equal(corrections[:-1], 128 * weight.astype(np.int64).sum(axis=1))
    assert (tiles[-1] == 99).all()
    assert corrections[-1] == 99
    index = np.array([0, 1, num_out - 1, 5, 5, 15])
    assert np.array_equal(untiled_rows(tiles, index), weight[index])


def test_none_of_the_rows_are_nothing():
    """With more threads than tiles."""
    weight, tiles, corrections = (
        random_weight(16, 64),
        np.zeros((1, 16, 16, 4), np.int8),
        np.zeros(16, np.int32),
    )
    tile_rows(at(weight), 64, at(tiles), at(corrections), 16, 16)
    assert not tiles.any()
    assert not corrections.any()


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_tables_hold_the_file(make_packed, threads):
    """Every matrix, by its addresses, whoever tiled it; embedded rows are rows of the matrix times scales."""
    packed, team = make_packed(tied_embeddings=True), Team(threads)
    weights = TiledWeights(packed, team)
    team.close()
    matrix = packed.array("embed.weight").astype(np.float32) * packed.array("embed.scale")[:, None]
    assert np.array_equal(weights.embed([3, 319, 3]), matrix[[3, 319, 3]])
    held = {at(array): array for array in weights._held}
    names = {"qkv": 3, "o": 6, "gate_up": 9, "down": 12}
    for layer, row in enumerate(weights.layers):
        for name, field in names.items():
            tiles, scale, corrections = (held[int(address)] for address in row[field : field + 3])
            rows = packed.array(f"layers.{layer}.{name}.weight")
            assert np.array_equal(tiles, tiled(rows))
            assert np.array_equal(scale, packed.array(f"layers.{layer}.{name}.scale"))
            assert np.array_equal(corrections, 128 * rows.astype(np.int64).sum(axis=1))
    assert np.array_equal(held[int(weights.shape[-3])], tiled(packed.array("embed.weight")))


# -- registers -------------------------------------------------------------------------------------------


def test_registers_are_described_as_the_manual_says():
    """Palette 1, eight tiles of 16 rows of 64 bytes; everything else is reserved and must be 0."""
    described = amx.description()
    assert described.shape == (64,)
    assert described[0] == 1
    assert described[16:32].view(np.uint16).tolist() == [64] * 8
    assert described[48:56].tolist() == [16] * 8
    assert not np.delete(described, [0, *range(16, 32), *range(48, 56)]).any()


def test_registers_are_asked_for_where_they_are(monkeypatch):
    """On other processors and systems nobody asks."""
    if has_tiles():
        assert amx.allow_tiles() == amx.allow_tiles()
    monkeypatch.setattr(amx, "has_tiles", lambda: False)
    assert not amx.allow_tiles()
    monkeypatch.setattr(amx, "has_tiles", lambda: True)
    monkeypatch.setattr(amx.sys, "platform", "win32")
    assert not amx.allow_tiles()


@pytest.mark.parametrize("refusal", [-1, 22])
def test_a_kernel_that_does_not_lend_them_is_believed(monkeypatch, refusal):
    """An old one, or a sandbox that forbids the call: using them would end the process."""

    class Library:
        def __init__(self, *_: object, **__: object) -> None:
            self.syscall = lambda *_: refusal

    monkeypatch.setattr(amx, "has_tiles", lambda: True)
    monkeypatch.setattr(amx.sys, "platform", "linux")
    monkeypatch.setattr(amx.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(amx.ctypes, "CDLL", Library)
    assert not amx.allow_tiles()


@pytest.mark.parametrize("wanted", [True, False])
def test_scratch_for_sums_is_what_says_that_there_are_tiles(make_packed, wanted):
    """0 where there are none; each thread has its own."""
    room = Room(make_packed().architecture, 3, uses_tiles=wanted)
    room.prepare(100, 64)
    found = room.addresses(np.empty((1, 320), np.float32))[NUM_SHARED:].reshape(3, NUM_OWN)
    assert len(set(found[:, Own.PAIR])) == 3
    assert len(set(found[:, Own.SUMS])) == (3 if wanted else 1)
    assert bool(found[0, Own.SUMS]) is wanted
    assert len(room.levels) == 128, "tiles read whole"
