"""Building: what is stored, shared, forgotten, and what no accident can leave behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from truepenny.context.errors import IndexUnavailableError
from truepenny.context.index import build as building
from truepenny.context.index import process
from truepenny.context.index.build import Progress
from truepenny.context.index.location import SCHEMA_VERSION, Location, fingerprint, locate
from truepenny.context.index.process import run_build
from truepenny.context.index.reader import Reader
from truepenny.context.index.scanner import Scanner, Stamp
from truepenny.context.index.source import settled
from truepenny.context.index.store import Store
from truepenny.context.index.worker import Worker, WorkerLostError

from .conftest import Workspace, eventually

DASHES = "-" * 5


def fill(workspace: Workspace, num_files: int, lines: int = 5) -> set[str]:
    names: set[str] = set()
    for nth in range(num_files):
        made = {f"function_{nth}_{line}" for line in range(lines)}
        workspace.write(f"p{nth % 7}/m{nth}.py", "".join(f"def {one}(): pass\n" for one in sorted(made)))
        names |= made
    return names


def age(workspace: Workspace) -> None:
    """Files of an hour ago, so that their stamps are relied on."""
    hour_ago = time.time_ns() - 3600 * 10**9
    for path in workspace.root.rglob("*.py"):
        os.utime(path, ns=(hour_ago, hour_ago))


def soundness(workspace: Workspace) -> None:
    """Every table agrees with every other."""
    with sqlite3.connect(workspace.location.database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for sql in (
            "SELECT count(*) FROM files WHERE content_id NOT IN (SELECT id FROM contents)",
            "SELECT count(*) FROM definitions WHERE content_id NOT IN (SELECT id FROM contents)",
            "SELECT count(*) FROM definitions WHERE name_id NOT IN (SELECT id FROM names)",
            "SELECT count(*) FROM uses WHERE content_id NOT IN (SELECT id FROM contents)",
            "SELECT count(*) FROM uses WHERE name_id NOT IN (SELECT id FROM names)",
            "SELECT count(*) FROM imports WHERE content_id NOT IN (SELECT id FROM contents)",
            "SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT id FROM contents)",
            "SELECT count(*) FROM contents WHERE id NOT IN (SELECT id FROM words_docsize)",
        ):
            assert connection.execute(sql).fetchone() == (0,), sql
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def test_everything_is_read_once_and_then_nothing(workspace: Workspace) -> None:
    """An unchanged restart opens no file; what changed is read, what vanished is forgotten."""
    names = fill(workspace, 40)
    age(workspace)
    first, second = workspace.build(), workspace.build()
    assert (first.num_files, first.num_read, workspace.names()) == (40, 40, names)
    # The clock of changes (ctime) cannot be set back: so new files are read once more, later.
    assert second.num_read in (0, 40)
    workspace.write("p1/m1.py", "def changed(): pass\n")
    (workspace.root / "p2" / "m2.py").unlink()
    (workspace.root / "p3" / "m3.py").rename(workspace.root / "renamed.py")
    third = workspace.build()
    kept = {one for one in names if not one.startswith(("function_1_", "function_2_"))}
    assert (workspace.names(), third.num_gone) == (kept | {"changed"}, 2)
    reader = Reader(workspace.location)
    assert [one.path for one in reader.definitions("function_3_0")] == ["renamed.py"]
    soundness(workspace)


def test_a_settled_file_is_not_opened_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that has moved on since the files were written."""
    fill(workspace, 3)
    scanner = Scanner(workspace.root)
    real = time.time_ns
    monkeypatch.setattr("truepenny.context.index.source.time.time_ns", lambda: real() + 60 * 10**9)
    location = workspace.location

    def no_worker() -> Worker:
        raise AssertionError("few files are read in this process")

    first, second = (building.build(location, no_worker) for _ in range(2))
    assert (first.num_read, second.num_read) == (3, 0)
    assert len(scanner.scan().found) == 3


@pytest.mark.parametrize(
    ("mtime_s", "ctime_s", "is_relied_on"),
    [(90, 95, True), (99, 90, False), (90, 99, False), (500, 90, False), (90, 500, False)],
)
def test_a_stamp_is_relied_on_once_its_clock_has_moved_on(
    mtime_s: int, ctime_s: int, *, is_relied_on: bool
) -> None:
    """A file changed twice within a tick, or while the clock stood an hour ahead, would look unchanged."""
    stamp = Stamp(10, mtime_s * 10**9, ctime_s * 10**9, 7)
    assert (settled(stamp, 100 * 10**9) == stamp) is is_relied_on


def test_a_clock_that_goes_back_hides_no_change(workspace: Workspace) -> None:
    """Stamps are compared for equality, never for order."""
    path = workspace.write("a.py", "def before(): pass\n")
    workspace.build()
    path.write_text("def behind(): pass\n")
    os.utime(path, (1, 1))
    workspace.build()
    assert workspace.names() == {"behind"}


def test_a_change_of_the_same_size_and_time_is_seen(workspace: Workspace) -> None:
    """Some tools put the old time back."""
    path = workspace.write("a.py", "def before(): pass\n")
    age(workspace)
    status = path.stat()
    workspace.build()
    path.write_text("def behind(): pass\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    workspace.build()
    assert workspace.names() == {"behind"}


def test_branches_and_worktrees_share_what_they_have_in_common(workspace: Workspace, tmp_path: Path) -> None:
    """Facts belong to content: a checkout back and forth reads bytes and extracts nothing."""
    workspace.write("a.py", "def shared(): pass\n")
    workspace.write("b.py", "def on_main(): pass\n")
    workspace.git("add", ".")
    workspace.git("commit", "-qm", "main")
    workspace.build()
    workspace.git("checkout", "-qb", "other")
    workspace.write("b.py", "def on_other(): pass\n")
    workspace.git("commit", "-qam", "other")
    workspace.build()
    assert workspace.names() == {"shared", "on_other"}
    workspace.git("worktree", "add", "-q", str(tmp_path / "tree"), "main")
    tree = Workspace(tmp_path / "tree", workspace.cache)
    assert tree.location.database == workspace.location.database
    tree.build()
    assert (tree.names(), workspace.names()) == ({"shared", "on_main"}, {"shared", "on_other"})
    with sqlite3.connect(workspace.location.database) as connection:
        assert connection.execute("SELECT count(*) FROM contents").fetchone() == (3,)
    soundness(workspace)


def test_two_builds_at_once_agree(workspace: Workspace) -> None:
    """Two windows open at the same moment."""
    names = fill(workspace, 120)
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _nth: workspace.build(), range(3)))
    assert {report.num_files for report in reports} == {120}
    assert workspace.names() == names
    soundness(workspace)


def test_writers_without_the_build_lock_do_not_disturb_one_another(workspace: Workspace) -> None:
    """A save in one window while another builds."""
    names = fill(workspace, 60)
    stores = [Store(workspace.location) for _ in range(3)]
    from truepenny.context.index.indexing import update_files

    paths = [one.path for one in Scanner(workspace.root).scan().found]

    def save(store: Store) -> None:
        for path in paths:
            update_files(store, Scanner(workspace.root), [path])

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(save, store) for store in stores]
        workspace.build()
        for one in waiting:
            one.result()
    for store in stores:
        store.close()
    assert workspace.names() == names
    soundness(workspace)


def start_build(workspace: Workspace) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-m", "truepenny.context.index.process", "build"]
    return subprocess.Popen(
        [*command, str(workspace.root), str(workspace.cache), fingerprint()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("after_lines", [1, 2, 3, 5, 8])
def test_killed_in_the_middle_it_is_sound_and_goes_on(workspace: Workspace, after_lines: int) -> None:
    """kill -9 of the whole group, as a power cut would."""
    names = fill(workspace, 400, lines=20)
    process = start_build(workspace)
    assert process.stdout is not None
    for _ in range(after_lines):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    if workspace.location.database.exists():
        soundness(workspace)
        with Reader(workspace.location)._connection._lock:
            pass
        assert not Reader(workspace.location).counts().complete
    report = workspace.build()
    assert (report.num_files, report.note) == (400, "")
    assert workspace.names() == names
    soundness(workspace)


def test_without_the_one_that_wanted_it_a_build_ends(workspace: Workspace) -> None:
    """An editor that dies leaves nothing running."""
    fill(workspace, 400, lines=20)
    process = start_build(workspace)
    assert process.stdin is not None
    process.stdin.close()
    assert eventually(lambda: process.poll() is not None)
    assert process.stdout is not None
    process.stdout.close()


def test_a_cancelled_build_keeps_what_it_has(workspace: Workspace) -> None:
    """And says that it was."""
    names = fill(workspace, 400, lines=20)
    cancel = threading.Event()

    def stop_soon(progress: Progress) -> None:
        if progress.num_done:
            cancel.set()

    report = run_build(workspace.location, on_progress=stop_soon, cancel=cancel)
    assert report.cancelled
    assert workspace.names() <= names
    assert not Reader(workspace.location).counts().complete
    workspace.build()
    assert workspace.names() == names


def test_progress_counts_up_to_the_total(workspace: Workspace) -> None:
    """What a bar is drawn from."""
    fill(workspace, 100)
    told: list[Progress] = []
    run_build(workspace.location, on_progress=told.append)
    assert [one.phase for one in told][:2] == ["scanning", "reading"]
    assert told[-1] == Progress("done", 100, 100)
    counts = [one.num_done for one in told if one.phase == "reading"]
    assert counts == sorted(counts)


def damage_header(path: Path) -> None:
    path.write_bytes(b"nonsense" * 1000)


def damage_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(8192, len(data), 8192):
        data[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 8192 * 3 + 100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


@pytest.mark.parametrize("damage", [damage_header, damage_middle, cut_off, empty, other_version])
def test_a_damaged_index_is_put_aside_built_anew_and_says_so(workspace: Workspace, damage) -> None:
    """Whoever damaged it, and however."""
    names = fill(workspace, 40)
    workspace.build()
    for companion in ("-wal", "-shm"):
        Path(f"{workspace.location.database}{companion}").unlink(missing_ok=True)
    damage(workspace.location.database)
    workspace.write("new.py", "def brand_new(): pass\n")
    report = workspace.build()
    assert "built anew" in report.note
    assert workspace.names() == names | {"brand_new"}
    assert list(workspace.folder.glob("*.damaged"))
    assert workspace.build().note == ""
    soundness(workspace)


def test_a_program_replaced_meanwhile_is_not_mixed_with_the_old(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade under a running editor: facts of two versions never share a database."""
    workspace.write("a.py", "x = 1\n")
    monkeypatch.setattr("truepenny.context.index.process.fingerprint", lambda: "other")
    with pytest.raises(IndexUnavailableError, match="restart the editor"):
        workspace.build()


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    root = tmp_path / "code"
    root.mkdir()
    (root / "a.py").write_text("x = 1\n")
    (tmp_path / "file").write_text("not a folder")
    location = locate(root, tmp_path / "file")
    with pytest.raises(IndexUnavailableError, match="TRUEPENNY_CACHE"):
        run_build(location)
    with pytest.raises(IndexUnavailableError, match="TRUEPENNY_CACHE"):
        Reader(location).definitions("x")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_folder_is_named(workspace: Workspace) -> None:
    """The same, by permission."""
    workspace.write("a.py", "x = 1\n")
    workspace.cache.mkdir(mode=0o500)
    with pytest.raises(IndexUnavailableError, match="TRUEPENNY_CACHE"):
        workspace.build()


def test_secrets_are_never_stored(workspace: Workspace) -> None:
    """Not in the database, not in its log, under no name: the raw bytes are searched."""
    secret = "hunter2" + "planted"
    planted = {
        ".env": f"TOKEN={secret}\n",
        "deploy/.env.production": f"def {secret}(): pass\n",
        "id_rsa": secret,
        "certs/server.pem": secret,
        ".aws/credentials": secret,
        "secrets.yaml": f"password: {secret}\n",
        "key.py": f"KEY = '''{DASHES}BEGIN PRIVATE KEY{DASHES}\n{secret * 10}\n'''\ndef {secret}(): pass\n",
        "kept_out/.gitignore": "*\n",
        "kept_out/a.py": f"def {secret}(): pass\n",
    }
    for path, text in planted.items():
        workspace.write(path, text)
    (workspace.root / "innocent.py").symlink_to(".env")
    workspace.write("a.py", "def ordinary(): pass\n")
    report = workspace.build()
    stored = workspace.stored_bytes()
    assert (report.num_files, b"ordinary" in stored) == (2, True)
    assert secret.encode() not in stored
    reasons = {one.path: one.reason for one in Reader(workspace.location).refused()}
    assert reasons["key.py"] == reasons[".env"] == reasons["id_rsa"] == "sensitive"
    assert reasons["innocent.py"] == "link"


def test_a_file_that_becomes_a_secret_is_forgotten(workspace: Workspace) -> None:
    """The facts of its former self go too, once nothing has that content."""
    workspace.write("a.py", "def harmless(): pass\n")
    workspace.build()
    workspace.write("a.py", f"{DASHES}BEGIN PRIVATE KEY{DASHES}\n{'QUJD' * 30}\n")
    workspace.build()
    assert workspace.names() == set()
    assert b"QUJDQUJD" not in workspace.stored_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems have names in Unicode alone")
def test_names_that_are_not_utf_8_are_indexed(workspace: Workspace) -> None:
    """Found, read, answered and forgotten under their own name."""
    name = os.fsdecode(b"caf\xe9/\xff.py")
    workspace.write(name, "def found(): pass\n")
    for nth in range(20):
        workspace.write(f"{nth}.py", "x = 1\n")
    workspace.build()
    reader = Reader(workspace.location)
    assert [one.path for one in reader.definitions("found")] == [name]
    assert reader.file(name) is not None
    (workspace.root / name).unlink()
    workspace.build()
    assert reader.definitions("found") == ()


def test_text_of_any_encoding_is_read(workspace: Workspace) -> None:
    """As an editor shows it."""
    workspace.write("a.py", "def größe(): pass\n".encode("latin-1"))
    workspace.write("b.py", "def weite(): pass\n".encode("utf-16"))
    workspace.write("c.py", "\ufeffdef höhe(): pass\r\n".encode())
    workspace.write("d.py", b"\xff\xfe\xfd\x00\x01")
    workspace.write("e.py", b"")
    workspace.build()
    assert workspace.names() == {"größe", "weite", "höhe"}


def test_hostile_sources_do_not_stop_a_build(workspace: Workspace) -> None:
    """Deep nesting, one long line, broken code, half a file."""
    workspace.write("deep.py", "(" * 20_000)
    workspace.write("deep2.py", "if x:\n" + "".join(" " * n + "if x:\n" for n in range(1, 900)))
    workspace.write("long.py", "x = [" + "1, " * 300_000 + "]\n")
    workspace.write("broken.py", "def (:\n class\n\x0c def ok(): pass\n")
    workspace.write("half.py", "def half(a, b")
    for nth in range(12):
        workspace.write(f"m{nth}.py", f"def fine_{nth}(): pass\n")
    report = workspace.build()
    assert report.num_files == 17
    assert {f"fine_{nth}" for nth in range(12)} <= workspace.names()


class Dying(Worker):
    """A worker that a certain file takes down, as a fault in a grammar would."""

    def read(self, files) -> None:
        for one in files:
            if one.path.endswith("bad.py"):
                self.kill()
                raise WorkerLostError(one.path, "killed")
        super().read(files)


def test_a_file_that_takes_a_worker_down_is_left_out(workspace: Workspace) -> None:
    """And nothing else is."""
    names = fill(workspace, 60)
    workspace.write("p3/bad.py", "def bad(): pass\n")
    location = workspace.location
    command = [sys.executable, "-I", "-m", "truepenny.context.index.process", "worker"]

    def start() -> Worker:
        return Dying([*command, str(location.root), str(workspace.cache), fingerprint()], dict(os.environ))

    building.build(location, start, apart=True)
    assert workspace.names() == names
    assert [(one.path, one.reason) for one in Reader(location).refused()] == [("p3/bad.py", "failed")]


def test_a_build_that_a_file_takes_down_begins_again_apart(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that builds reads too; where that ends it, workers read everything.  Once, not for ever."""
    names = fill(workspace, 20)
    real = process._command
    started: list[tuple[str, ...]] = []

    def command(kind: str, location: Location, *extra: str) -> list[str]:
        started.append(extra)
        if "--apart" in extra and is_mended:
            return real(kind, location, *extra)
        return [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"]

    monkeypatch.setattr(process, "_command", command)
    is_mended = True
    assert workspace.build().num_read == 20
    assert workspace.names() == names
    is_mended = False
    with pytest.raises(IndexUnavailableError, match="taken down"):
        workspace.build()
    assert started == [(), ("--apart",)] * 2


def test_few_files_are_read_by_workers_too_where_they_are_read_apart(workspace: Workspace) -> None:
    """Else the file that took the build down would do so again."""
    workspace.write("bad.py", "def bad(): pass\n")
    location = workspace.location
    command = process._command("worker", location)
    report = building.build(location, lambda: Dying(command, dict(os.environ)), apart=True)
    assert report.num_files == 1
    assert [(one.path, one.reason) for one in Reader(location).refused()] == [("bad.py", "failed")]


def test_old_databases_of_other_versions_go(workspace: Workspace) -> None:
    """After a month unused; newer ones stay, for another installation may use them."""
    workspace.write("a.py", "x = 1\n")
    workspace.folder.mkdir(parents=True)
    old, recent = (workspace.folder / f"facts-{name}.sqlite3" for name in ("old", "recent"))
    for path in (old, recent):
        path.write_bytes(b"")
    os.utime(old, (1, 1))
    workspace.build()
    assert (old.exists(), recent.exists()) == (False, True)


def test_nothing_is_written_into_the_workspace(workspace: Workspace) -> None:
    """A repository stays as it is."""
    fill(workspace, 20)
    before = sorted(path for path in workspace.root.rglob("*"))
    workspace.build()
    assert sorted(path for path in workspace.root.rglob("*")) == before
    assert (workspace.folder.stat().st_mode & 0o777) == 0o700
