"""The index file: same content, same bytes; found where it stands; and no file takes anything down."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.guard.errors import LicenceIndexError
from truepenny.guard.licence import writer as writing
from truepenny.guard.licence.index import LicenceIndex
from truepenny.guard.licence.lexing import lex
from truepenny.guard.licence.records import BLOCK_LEXEMES, COMMON_PROJECTS
from truepenny.guard.licence.winnowing import CHANNELS, EXACT
from truepenny.guard.licence.writer import IndexStats, IndexWriter

from .corpus import part, source

FILES = [(f"project{i % 3}", "1.0", f"src/part{i}.py", "GPL-3.0-only", source(i)) for i in range(9)]


def make(path: Path, files=FILES) -> IndexStats:
    with IndexWriter(path) as writer:
        for project, version, name, licence, text in files:
            writer.add(project, version, name, licence, f"https://example.org/{project}/{name}", text)
        return writer.finish()


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "some.index"
    make(path)
    opened = LicenceIndex.open(path)
    yield opened
    opened.close()


def test_same_content_same_bytes(tmp_path, monkeypatch):
    """In whatever order it was added, and however many segments it took."""
    one, other = tmp_path / "one", tmp_path / "other"
    make(one)
    monkeypatch.setattr(writing, "SEGMENT_POSTINGS", 100)
    make(other, FILES[::-1])
    assert one.read_bytes() == other.read_bytes()


def test_what_went_in_is_told(index, tmp_path):
    """Files with their licence, version, url and lines; too short and twice the same are left out."""
    kept = [(one.project, one.version, one.path, one.licence) for one in index.files()]
    assert kept == sorted(file[:4] for file in FILES)
    assert index.files()[0].url == "https://example.org/project0/src/part0.py"
    assert index.files()[0].lines == FILES[0][4].count("\n")
    again = [*FILES, FILES[0], ("p", "", "short.py", "", "x = 1\n")]
    stats = make(tmp_path / "more", again)
    assert (stats.files, stats.projects, stats.skipped) == (9, 3, 2)
    assert stats.size_bytes == (tmp_path / "more").stat().st_size


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.name)
def test_a_part_of_a_file_is_found_where_it_stands(index, channel):
    """Every seed is really there: file, place and nearly the line."""
    for number, (_, _, path, _, text) in enumerate(FILES):
        first = 10 + number
        lexemes = lex(part(text, first, 20))
        seeds = index.seeds(lexemes, channel)
        places = [
            place for place in seeds.places.tolist() if index.files()[index.file_at(place)].path == path
        ]
        assert len(places) >= 2
        assert any(0 <= first + 21 - index.line_at(place) < 40 for place in places)
        if not channel.renamed:
            for query, place in zip(seeds.query.tolist(), seeds.places.tolist(), strict=True):
                assert np.array_equal(
                    index.codes(place, place + channel.k), lexemes.codes[query : query + channel.k]
                )


def test_places_across_blocks(tmp_path):
    """Codes are compressed in blocks; what lies across two is whole."""
    text = source(50, 4_000)
    make(tmp_path / "large", [("large", "", "a.py", "MIT", text)])
    index = LicenceIndex.open(tmp_path / "large")
    codes = lex(text).codes
    assert len(codes) > BLOCK_LEXEMES
    middle = BLOCK_LEXEMES
    assert index.codes(middle - 50, middle + 50).tolist() == codes[middle - 50 : middle + 50].tolist()


def test_a_large_index_says_the_same_as_a_small_one(tmp_path, monkeypatch):
    """Of many granules a byte more is kept; what is found, and what is common, does not change."""
    files = [*FILES, *((f"p{i}", "", "a.py", "MIT", source(7)) for i in range(COMMON_PROJECTS))]
    sizes = [make(tmp_path / "small", files).size_bytes]
    monkeypatch.setattr(writing, "is_small", lambda lexemes: False)
    sizes.append(make(tmp_path / "large", files).size_bytes)
    assert sizes[0] < sizes[1]
    asked = lex(part(source(7), 20, 20) + part(source(3), 20, 20))
    for channel in CHANNELS:
        one, other = (LicenceIndex.open(tmp_path / name).seeds(asked, channel) for name in ("small", "large"))
        assert len(one.common)
        assert len(one.places)
        for field in ("query", "places", "common"):
            assert getattr(one, field).tolist() == getattr(other, field).tolist()


def test_what_ten_projects_share_is_common(tmp_path):
    """Nine leave it somebody's, the tenth makes it nobody's."""
    for count in (COMMON_PROJECTS - 1, COMMON_PROJECTS):
        make(tmp_path / "common", [(f"p{i}", "", "a.py", "MIT", source(7)) for i in range(count)])
        index = LicenceIndex.open(tmp_path / "common")
        seeds = index.seeds(lex(part(source(7), 20, 20)), EXACT)
        assert (len(seeds.common) > 0) == (count == COMMON_PROJECTS)
        assert (len(seeds.places) > 0) == (count < COMMON_PROJECTS)


def test_versions_of_one_project_are_one_project(tmp_path):
    """A project that was released often is not common code."""
    make(tmp_path / "v", [("p", f"{i}.0", "a.py", "MIT", f"v{i} = {i}\n" + source(7)) for i in range(12)])
    assert len(LicenceIndex.open(tmp_path / "v").seeds(lex(source(7)), EXACT).common) == 0


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda data: b"", "empty"),
        (lambda data: b"PK\x03\x04" + data, "not a licence index"),
        (lambda data: data[:5], "ends after"),
        (lambda data: data[:60], "header"),
        (lambda data: data[:-9], "promised"),
        (lambda data: data + b"x", "promised"),
        (lambda data: data[:20] + b"!" + data[21:], "header"),
        (lambda data: data[:-3000] + bytes([data[-3000] ^ 1]) + data[-2999:], "checksum"),
    ],
    ids=["empty", "foreign", "five bytes", "short", "cut", "longer", "header", "flipped"],
)
def test_an_unsound_file_is_named_with_the_fix(tmp_path, spoil, word):
    """What is wrong, with which file, and what to do."""
    path = tmp_path / "spoilt.index"
    make(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(LicenceIndexError, match=word) as caught:
        LicenceIndex.open(path)
    assert str(path) in str(caught.value)
    assert "truepenny licences" in str(caught.value)


def header_of(data: bytes) -> tuple[dict, int]:
    """The header and where the sections begin."""
    length = struct.unpack("<8sII", data[:16])[1]
    return json.loads(data[16 : 16 + length]), 16 + length


def with_header(data: bytes, **changed: object) -> bytes:
    """The same file, soundly sealed, with another header."""
    header, body = header_of(data)
    raw = json.dumps({**header, **changed}).encode()
    return struct.pack("<8sII", data[:8], len(raw), zlib.crc32(raw)) + raw + data[body:]


def test_a_flipped_bit_in_any_part_is_found(tmp_path):
    """The error names the file and the part."""
    path = tmp_path / "flipped.index"
    make(path)
    sound = path.read_bytes()
    header, body = header_of(sound)
    assert len(header["sections"]) >= 11
    for name, (offset, size, _, _) in header["sections"].items():
        at = body + offset + size // 2
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 4]) + sound[at + 1 :])
        with pytest.raises(LicenceIndexError, match=re.escape(f"{path}: its part {name!r}")):
            LicenceIndex.open(path)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"version": 99}, r"it has format 99, and this version reads \d+"),
        ({"version": None}, "it has format None"),
        ({"facts": {}}, "its contents make no sense"),
        ({"facts": []}, "its contents make no sense"),
        ({"sections": {}}, "its contents make no sense"),
        ({"sections": {"files": [0, -8, "|O", 0]}}, "does not match|makes no sense"),
        ({"sections": {"files": [0, 0, "|O8", 0]}}, "make"),
        ({"sections": []}, "its header makes no sense"),
    ],
    ids=lambda one: json.dumps(one) if isinstance(one, dict) else "",
)
def test_an_index_of_another_make_is_refused(tmp_path, changed, complaint):
    """One of a version to come, or sealed by somebody else: named, with the fix."""
    path = tmp_path / "other.index"
    make(path, FILES[:2])
    path.write_bytes(with_header(path.read_bytes(), **changed))
    with pytest.raises(LicenceIndexError, match=complaint) as caught:
        LicenceIndex.open(path)
    assert str(path) in str(caught.value)
    assert "make it anew with `truepenny licences`" in str(caught.value)


def test_no_file_and_a_folder(tmp_path):
    """Neither is an index, and both are said plainly."""
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(LicenceIndexError, match="cannot be read"):
            LicenceIndex.open(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_random_bytes_never_crash(tmp_path, data):
    """Random files, and sound ones with random bytes in them: an error, never anything else."""
    path = tmp_path / "random.index"
    make(path, FILES[:1])
    sound = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(sound[:8] * data.draw(st.integers(0, 1)) + data.draw(st.binary(max_size=400)))
    else:
        at = data.draw(st.integers(0, len(sound) - 1))
        new = data.draw(st.binary(min_size=1, max_size=8))
        spoilt = sound[:at] + new + sound[at + len(new) :]
        path.write_bytes(spoilt)
        if spoilt == sound:
            return
    message = ""
    try:
        index = LicenceIndex.open(path)
    except LicenceIndexError as error:
        message = str(error)
    else:  # only what fills the gap between two parts may differ
        assert [one.path for one in index.files()] == [FILES[0][2]]
    assert not message or str(path) in message


def test_an_unfinished_index_leaves_nothing(tmp_path):
    """What was there stays there, until the new one is whole."""
    path = tmp_path / "kept.index"
    make(path)
    old = path.read_bytes()
    with IndexWriter(path) as writer:
        writer.add("p", "", "a.py", "MIT", "", source(99))
    assert path.read_bytes() == old
    assert [one.name for one in tmp_path.iterdir()] == ["kept.index"]


def test_where_nothing_can_be_written(tmp_path, monkeypatch):
    """A file in the place of the folder, and a disk that is full: the path and what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(LicenceIndexError, match=r"file/some.index cannot be written: .*; check"):
        make(tmp_path / "file" / "some.index")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write", full)
    with pytest.raises(LicenceIndexError, match="No space left on device; check that there is space"):
        make(tmp_path / "some.index")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_an_empty_index_finds_nothing(tmp_path):
    """No file is a sound number of files."""
    assert make(tmp_path / "none", []).files == 0
    index = LicenceIndex.open(tmp_path / "none")
    assert index.files() == ()
    assert len(index.seeds(lex(source(1)), EXACT).places) == 0


def test_no_text_is_kept(tmp_path):
    """An index of somebody's code is not a copy of it: no word of it stands there, packed or not."""
    make(tmp_path / "i", [("p", "1", "a.py", "GPL-2.0-only", source(3))])
    index = LicenceIndex.open(tmp_path / "i")
    held = b"".join(index._block(number) for number in range(len(index._arrays["blocks"]) - 1))
    assert len(held) == len(lex(source(3)))  # one byte each
