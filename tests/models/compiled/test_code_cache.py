"""Where compiled code is kept: shared by processes, tidied, trusted only when it is ours, and dispensable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pytest

from truepenny.models.compiled import cache
from truepenny.models.compiled.cache import KEPT_VERSIONS, CodeFolder

WHOLE = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
from truepenny.models.compiled import probe, compiling
print(probe.prepare())
print(compiling.CODE.path)
modules = [sys.modules[f"truepenny.models.compiled.{name}"] for name in ("passes", "tiles")]
print({name: len(f.stats.cache_hits) for module in modules for name, f in vars(module).items()
       if hasattr(f, "stats") and f.signatures and f.__module__ == module.__name__})
assert probe.check() == ""
assert "torch" not in sys.modules
"""
"""Compiles or loads everything, and checks it."""

PART = """
import logging, sys
import numpy as np
logging.basicConfig(level=logging.INFO, format="%(message)s")
from truepenny.models.compiled import compiling, tiles
print(not compiling.CODE.is_whole)
print(compiling.CODE.path)
print(len(tiles.tile_rows.stats.cache_hits))
rows = np.arange(1024, dtype=np.int8).reshape(16, 64)
found, sums = np.zeros((1, 16, 16, 4), np.int8), np.zeros(16, np.int32)
tiles.tile_rows(rows.ctypes.data, 64, found.ctypes.data, sums.ctypes.data, 0, 16)
assert np.array_equal(tiles.untiled_rows(found, np.arange(16)), rows)
compiling.CODE.finish()
"""
"""The same with the smallest of the modules, which takes a second instead of ten."""

ENTRY_POINTS = {"run_layers", "read_logits", "hear", "say", "tile_rows"}


def start(code: str, root: Path, temporary: Path) -> subprocess.Popen[str]:
    """A process of its own.

    What it takes for everybody's folder of temporary files is one of the test's own.
    """
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"TRUEPENNY_CACHE": str(root), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """Lines of its output: whether it had to compile, where to, and what it found compiled."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.splitlines(), err


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    """A cache with a part of the code in it, made by three processes at once."""
    root, temporary = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("temporary")
    for process in [start(PART, root, temporary) for _ in range(3)]:
        (_, path, _), err = told(process)
        assert Path(path).parent == root / "kernels"
        assert err == ""
    return root


def test_the_second_start_loads_what_the_first_compiled(tmp_path):
    """Everything, says so the first time and nothing the second; and does without torch."""
    root, temporary = tmp_path / "cache", tmp_path / "temporary"
    (did, path, _), err = told(start(WHOLE, root, temporary))
    assert did == "True"
    assert Path(path).parent == root / "kernels"
    assert "compiling the engine's code" in err
    assert "compiled in" in err
    (did, _, loaded), err = told(start(WHOLE, root, temporary))
    assert (did, literal_eval(loaded)) == ("False", dict.fromkeys(ENTRY_POINTS, 1))
    assert err == ""
    assert not list(temporary.iterdir())


def test_what_several_compiled_at_once_is_loaded(compiled, tmp_path):
    """Whoever wrote last."""
    (did, _, num_loaded), err = told(start(PART, compiled, tmp_path / "temporary"))
    assert (did, num_loaded, err) == ("False", "1", "")


def test_damaged_code_is_compiled_anew(compiled, tmp_path):
    """A file cut short by a crash costs time, nothing else."""
    for pattern in ("*.nbi", "*.nbc"):
        root = tmp_path / pattern[2:]
        shutil.copytree(compiled, root)
        damaged = list(root.rglob(pattern))
        assert damaged
        for path in damaged:
            path.write_bytes(path.read_bytes()[:20])
        (_, _, num_loaded), err = told(start(PART, root, tmp_path / "temporary"))
        assert num_loaded == "0"
        assert "not kept" in err


def as_another_user() -> None:
    """Root may write anywhere, which is not what is to be tested."""
    if os.name != "posix":
        pytest.skip("folders have no owner here")


def test_code_that_others_may_write_is_not_loaded(compiled, tmp_path):
    """It would be executed."""
    as_another_user()
    root = tmp_path / "cache"
    shutil.copytree(compiled, root)
    (folder,) = (root / "kernels").iterdir()
    folder.chmod(0o777)
    (did, path, num_loaded), err = told(start(PART, root, tmp_path / "temporary"))
    assert (did, num_loaded) == ("True", "0")
    assert not Path(path).is_relative_to(root)
    assert not Path(path).exists(), "a temporary folder goes with its process"
    assert "may be written to by others" in err


def test_a_cache_that_cannot_be_written_is_read(compiled, tmp_path, monkeypatch):
    """Prepared when an image was built, and read-only when it runs."""
    as_another_user()
    root = tmp_path / "kernels" / "v"
    root.mkdir(parents=True, mode=0o700)
    (root / "code").write_bytes(b"code")
    (root / "whole").touch()

    def refuse(folder: Path) -> None:
        raise OSError(f"{folder} is read-only")

    monkeypatch.setattr(cache, "_check", refuse)
    folder = CodeFolder(root)
    assert folder.path is not None
    assert folder.path != root
    assert (folder.path / "code").read_bytes() == b"code"
    assert folder.is_whole


def test_without_a_cache_everything_works(tmp_path):
    """A folder that cannot be made: code is compiled for this process alone, and nothing else is touched."""
    nowhere, temporary = tmp_path / "file", tmp_path / "temporary"
    nowhere.write_text("a file where a folder should be")
    others = [temporary / name / "inside" for name in ("a", "b", "c", "0123456789abcdef", "pytest-of-me")]
    for folder in others:
        folder.mkdir(parents=True)
        (folder / "work").write_text("somebody's")
        (folder.parent / "whole").touch()
    (did, path, _), err = told(start(PART, nowhere, temporary))
    assert did == "True"
    assert Path(path).parent == temporary
    assert not Path(path).exists()
    assert "made anew at every start" in err
    assert sorted(temporary.iterdir()) == sorted(folder.parent for folder in others)
    assert all((folder / "work").read_text() == "somebody's" for folder in others)


@pytest.mark.parametrize("parent", ["kernels", "tmp"])
def test_a_temporary_folder_tidies_nothing(tmp_path, monkeypatch, parent):
    """What lies beside it is everybody's, whatever it is called."""
    place = tmp_path / parent
    others = [place / f"{index:016x}" for index in range(8)]
    for folder in others:
        folder.mkdir(parents=True)
        (folder / "whole").touch()
    monkeypatch.setattr(cache.tempfile, "mkdtemp", lambda prefix: str(_made(place / (prefix + "x"))))
    (tmp_path / "file").write_text("")
    folder = CodeFolder(tmp_path / "file" / "kernels" / "v")
    folder.finish()
    assert folder.path is not None
    assert folder.path.parent == place
    assert all(path.is_dir() for path in others)


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def test_without_any_folder_everything_works(tmp_path, monkeypatch):
    """No temporary one either."""
    nowhere = tmp_path / "file"
    nowhere.write_text("")

    def refuse(**_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(cache.tempfile, "mkdtemp", refuse)
    folder = CodeFolder(nowhere / "kernels" / "v")
    assert folder.path is None
    assert not folder.is_whole
    folder.finish()


def test_code_of_old_versions_goes(tmp_path):
    """Some stay: another installation may take turns with this one."""
    root = tmp_path / "kernels"
    folders = [root / f"{index:016x}" for index in range(6)]
    for index, path in enumerate(folders):
        assert not CodeFolder(path).is_whole
        (path / "whole").touch()
        os.utime(path / "whole", (index, index))
    CodeFolder(folders[1]).finish()
    kept = set(root.iterdir())
    assert kept == {folders[1], folders[5], folders[4]}
    assert len(kept) == KEPT_VERSIONS


def test_only_what_is_certainly_ours_goes(tmp_path):
    """Not what is named otherwise, is not finished, is a link, or lies in a folder of another name."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "whole").touch()
    for parent in (tmp_path / "kernels", tmp_path / "tmp"):
        parent.mkdir()
        unfinished = [parent / f"{index:016x}" for index in range(10, 20)]
        named = [parent / name for name in ("ve", "work", "0123", "0123456789abcdef0", "0123456789ABCDEF")]
        for path in (*unfinished, *named):
            path.mkdir()
        for path in named:
            (path / "whole").touch()
        (parent / f"{99:016x}").symlink_to(elsewhere)
        (parent / f"{98:016x}").write_text("a file")
        before = set(parent.iterdir())
        ours = parent / f"{1:016x}"
        CodeFolder(ours).finish()
        assert set(parent.iterdir()) == before | {ours}
    assert (elsewhere / "whole").exists()
    finished = [tmp_path / "tmp" / f"{index:016x}" for index in range(30, 40)]
    for path in finished:
        path.mkdir()
        (path / "whole").touch()
    CodeFolder(tmp_path / "tmp" / f"{1:016x}").finish()
    assert all(path.exists() for path in finished)


def test_a_version_is_that_of_every_file(tmp_path, monkeypatch):
    """numba looks at one file only; these depend on each other."""
    before = cache.version()
    copy = tmp_path / "compiled"
    shutil.copytree(Path(cache.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "__file__", str(copy / "cache.py"))
    assert cache.version() == before
    with (copy / "float_ir.py").open("a") as file:
        file.write("# changed\n")
    assert cache.version() != before
