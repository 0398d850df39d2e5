"""The repositories of cross-file cases as folders: found, or made from repositories that are here.

Nothing is fetched: what is missing is said, with the commands that get it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .xfile_cases import Checkout
from .xfile_errors import CheckoutError

_NO_NETWORK = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
"""A partial clone would fetch what it lacks."""


def find_checkouts(
    checkouts: Iterable[Checkout],
    folder: Path,
    git_folders: Sequence[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> dict[Checkout, Path]:
    """Where each of `checkouts` lies.

    Looked for below `folder`: by name (`Checkout.folder_name`), else a clone whose HEAD is the commit.
    What is not there is written into `folder` from a repository that has the commit: one of
    `git_folders`, or up to two levels below one.  Raises CheckoutError, which says what to do about all
    that are missing.
    """
    found: dict[Checkout, Path] = {}
    missing: list[Checkout] = []
    heads = _heads(folder)
    for checkout in sorted(set(checkouts)):
        path = _named(checkout, folder) or heads.get(checkout.commit)
        if path is None and (repository := _repository_with(checkout, git_folders)) is not None:
            tell(f"writing {checkout.folder_name} into {folder}")
            path = _export(checkout, repository, folder)
        if path is None:
            missing.append(checkout)
        else:
            found[checkout] = path
    if missing:
        raise CheckoutError(_advice(missing, folder))
    return found


def _named(checkout: Checkout, folder: Path) -> Path | None:
    path = folder / checkout.folder_name
    if not path.is_dir() or not any(path.iterdir()):
        return None
    if (path / ".git").exists() and (head := _git(path / ".git", "rev-parse", "HEAD")) != checkout.commit:
        raise CheckoutError(
            f"{path} is at {head or 'no commit'}: git -C {shlex.quote(str(path))} "
            f"checkout --detach {checkout.commit}"
        )
    return path


def _heads(folder: Path) -> dict[str, Path]:
    """Clones by the commit they stand at."""
    if not folder.is_dir():
        return {}
    clones = [path for path in (folder, *sorted(folder.iterdir())) if (path / ".git").exists()]
    return {head: path for path in reversed(clones) if (head := _git(path / ".git", "rev-parse", "HEAD"))}


def _repository_with(checkout: Checkout, folders: Sequence[Path]) -> Path | None:
    """A repository that has the commit; those with the name in their path are asked first."""
    for folder in folders:
        if not folder.is_dir():
            raise CheckoutError(f"--git {folder}: no such folder; give one that has repositories in it")
    name = checkout.repository.partition("/")[2]
    repositories = [path for folder in folders for path in _repositories(folder, depth=2)]
    repositories.sort(key=lambda path: name not in str(path))
    return next(
        (path for path in repositories if _git(path, "cat-file", "-t", checkout.commit) == "commit"), None
    )


def _repositories(folder: Path, depth: int) -> Iterator[Path]:
    """The git folders at `folder` and at most `depth` levels below."""
    if (folder / ".git").exists():
        yield folder / ".git"
    elif (folder / "HEAD").is_file() and (folder / "objects").is_dir():
        yield folder
    elif depth > 0:
        try:
            below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
        except PermissionError:
            return  # not ours to look into
        for path in below:
            yield from _repositories(path, depth - 1)


def _export(checkout: Checkout, repository: Path, folder: Path) -> Path:
    """All files of the commit, there at once or not at all."""
    target = folder / checkout.folder_name
    folder.mkdir(parents=True, exist_ok=True)
    growing = Path(tempfile.mkdtemp(prefix=f".{checkout.folder_name}-", dir=folder))
    try:
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                ["git", f"--git-dir={repository}", "archive", "--format=tar", checkout.commit],
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, **_NO_NETWORK},
            )
            with process:
                assert process.stdout is not None
                try:
                    with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                        archive.extractall(growing, filter="data")
                except tarfile.TarError as error:
                    process.kill()
                    complaints.seek(0)
                    said = complaints.read().decode(errors="replace").strip()
                    raise CheckoutError(
                        f"{repository}: {checkout.commit} cannot be read: {said or error}"
                    ) from error
        growing.chmod(0o755)
        try:
            growing.rename(target)
        except OSError:
            if _named(checkout, folder) is None:  # else another process was faster
                raise
    finally:
        shutil.rmtree(growing, ignore_errors=True)  # not there any more, when all went well
    return target


def _git(git_dir: Path, *arguments: str) -> str:
    """What git prints, without the line end; empty where it fails."""
    try:
        ran = subprocess.run(
            ["git", f"--git-dir={git_dir}", *arguments],
            env={**os.environ, **_NO_NETWORK},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CheckoutError(
            "git is not installed, or not in PATH: workspaces are found by asking it"
        ) from error
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _advice(missing: Sequence[Checkout], folder: Path) -> str:
    lines = [f"{len(missing)} of the repositories are not below {folder}.  To get them:"]
    for one in missing:
        path = shlex.quote(str(folder / one.folder_name))
        lines.append(f"  git clone https://github.com/{one.repository} {path}")
        lines.append(f"  git -C {path} checkout --detach {one.commit}")
    lines.append("Or name a folder in which clones or bare repositories of them are: --git DIR")
    return "\n".join(lines)
