"""Where compiled code is kept: shared by processes, tidied, trusted only when it is ours, and dispensable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from truepenny.models.compiled import cache
from truepenny.models.compiled.cache import KEPT_VERSIONS, CodeFolder

CODE = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
from truepenny.models.compiled import probe, compiling
print(probe.prepare())
print(compiling.CODE.path)
print(sum(len(f.stats.cache_hits) for f in vars(sys.modules["truepenny.models.compiled.parts"]).values()
          if hasattr(f, "stats") and f.signatures))
assert probe.check() == ""
"""


def start(root: Path, temporary: Path) -> subprocess.Popen[str]:
    """A process that compiles or loads everything, and checks it.

    What it takes for everybody's folder of temporary files is one of the test's own.
    """
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", CODE],
        env=os.environ | {"TRUEPENNY_CACHE": str(root), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """Lines of its output: whether it compiled, where to, and how much it found compiled."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.splitlines(), err


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    """A cache with everything in it, made by two processes at once."""
    root = tmp_path_factory.mktemp("cache")
    temporary = tmp_path_factory.mktemp("temporary")
    both = [start(root, temporary), start(root, temporary)]
    for process in both:
        (did, path, _), err = told(process)
        assert did == "True"
        assert Path(path).parent == root / "kernels"
        assert "compiling the engine's code" in err
        assert "compiled in" in err
    return root


def test_the_second_start_loads_what_the_first_compiled(compiled, tmp_path):
    """Also when the first were two at once; and says nothing."""
    (did, _, num_loaded), err = told(start(compiled, tmp_path / "temporary"))
    assert (did, int(num_loaded)) == ("False", 5)
    assert "compil" not in err


def test_damaged_code_is_compiled_anew(compiled, tmp_path):
    """A file cut short by a crash costs time, nothing else."""
    root = tmp_path / "cache"
    shutil.copytree(compiled, root)
    for path in root.rglob("*.nb[ci]"):
        path.write_bytes(path.read_bytes()[:20])
    _, err = told(start(root, tmp_path / "temporary"))
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
    (did, path, num_loaded), err = told(start(root, tmp_path / "temporary"))
    assert (did, int(num_loaded)) == ("True", 0)
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
    (did, path, _), err = told(start(nowhere, temporary))
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
