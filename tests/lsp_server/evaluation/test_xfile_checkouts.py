"""Checkouts are found, or made from repositories that are here; what is missing is said."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from truepenny.lsp_server.evaluation.xfile_cases import Checkout
from truepenny.lsp_server.evaluation.xfile_checkouts import find_checkouts
from truepenny.lsp_server.evaluation.xfile_errors import CheckoutError

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@dataclass
class Origin:
    """A clone with two commits, of which the first is asked for."""

    folder: Path
    checkout: Checkout
    later: Checkout


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    folder = tmp_path / "clones" / "thing"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commits: list[str] = []
    for text in ("first\n", "second\n"):
        (folder / "pkg").mkdir(exist_ok=True)
        (folder / "pkg" / "a.py").write_text(text, encoding="utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", text)
        commits.append(git(folder, "rev-parse", "HEAD"))
    return Origin(folder, Checkout("some/thing", commits[0]), Checkout("some/thing", commits[1]))


def text_of(folder: Path) -> str:
    return (folder / "pkg" / "a.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["clone", "bare", "folder of clones", "folder of folders"])
def test_made_from_what_is_here(kind: str, origin: Origin, tmp_path: Path) -> None:
    """From a clone or a bare repository, wherever it stands now; made once."""
    git_folder = {"clone": origin.folder, "folder of clones": origin.folder.parent}.get(
        kind, tmp_path / "bare"
    )
    if kind in ("bare", "folder of folders"):
        below = "." if kind == "bare" else "deep/er"
        git(tmp_path, "clone", "-q", "--bare", str(origin.folder), str(git_folder / below))
    folder, told = tmp_path / "workspaces", list[str]()

    found = find_checkouts([origin.checkout, origin.checkout], folder, [git_folder], told.append)

    assert found == {origin.checkout: folder / origin.checkout.folder_name}
    assert text_of(found[origin.checkout]) == "first\n"
    assert len(told) == 1
    assert [path.name for path in folder.iterdir()] == [origin.checkout.folder_name], (
        "nothing half made stays"
    )
    assert find_checkouts([origin.checkout], folder) == found


def test_a_clone_at_the_commit_serves(origin: Origin) -> None:
    """Whatever its folder is called; git is asked where it stands."""
    folder = origin.folder.parent
    assert find_checkouts([origin.later], folder) == {origin.later: origin.folder}
    assert find_checkouts([origin.later], origin.folder) == {origin.later: origin.folder}
    with pytest.raises(CheckoutError):
        find_checkouts([origin.checkout], folder)


def test_what_is_missing_is_said_with_the_commands(origin: Origin, tmp_path: Path) -> None:
    """All of it at once; nothing is fetched."""
    other = Checkout("an/other", "f" * 40)
    with pytest.raises(CheckoutError) as caught:
        find_checkouts([origin.checkout, other], tmp_path / "my folder", [tmp_path])
    message = str(caught.value)
    assert "1 of the repositories" in message
    path = f"'{tmp_path / 'my folder' / other.folder_name}'"
    assert f"git clone https://github.com/an/other {path}" in message
    assert f"git -C {path} checkout --detach {'f' * 40}" in message
    assert "some/thing" not in message


def test_a_checkout_that_stands_elsewhere_is_refused(origin: Origin, tmp_path: Path) -> None:
    """Its name promises another commit."""
    git(tmp_path, "clone", "-q", str(origin.folder), origin.checkout.folder_name)
    with pytest.raises(CheckoutError, match=f"checkout --detach {origin.checkout.commit}"):
        find_checkouts([origin.checkout], tmp_path)


def test_a_git_folder_that_is_not_there(origin: Origin, tmp_path: Path) -> None:
    """A mistyped name is not taken for a folder without repositories."""
    with pytest.raises(CheckoutError, match=r"--git .*absent: no such folder"):
        find_checkouts([origin.checkout], tmp_path, [tmp_path / "absent"])


def test_a_link_out_of_the_checkout_is_not_followed(origin: Origin, tmp_path: Path) -> None:
    """Such a repository is refused, and nothing of it is left behind."""
    (origin.folder / "out").symlink_to("../../../outside")
    git(origin.folder, "add", ".")
    git(origin.folder, "commit", "-q", "-m", "link")
    bad = Checkout("some/thing", git(origin.folder, "rev-parse", "HEAD"))
    (origin.folder / "out").unlink()
    git(origin.folder, "commit", "-q", "-am", "none")
    with pytest.raises(CheckoutError, match="cannot be read"):
        find_checkouts([bad], tmp_path / "workspaces", [origin.folder])
    assert list((tmp_path / "workspaces").iterdir()) == []
