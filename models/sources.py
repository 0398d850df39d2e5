"""Where published bytes come from: the publisher's hub, or a file (`index_source` has the package index).

None is trusted: `pull` hashes what they bring.  No host name stands here; the hub's is
huggingface_hub's business.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from .catalogue import ModelEntry
from .errors import PullError

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 30.0
BLOCK_BYTES = 1 << 20
FRUITLESS_ATTEMPTS = 3
"""A download that breaks is resumed; after this many attempts in a row without a byte it is given up."""

NO_ANSWER = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Progress(Protocol):
    """Told how far something long has come.  `start` may be called again: what was counted is void."""

    def start(self, total_bytes: int, what: str) -> None: ...

    def advance(self, done_bytes: int) -> None: ...

    def done(self) -> None: ...


class Source(Protocol):
    """Somewhere a model's file may be had."""

    @property
    def name(self) -> str: ...

    def room_bytes(self, entry: ModelEntry) -> int:
        """Disk it needs beside the file itself, while it works."""
        ...

    def fetch(self, entry: ModelEntry, target: Path, progress: Progress) -> None:
        """Make `target` hold `entry.bytes` unverified bytes, going on from what is there already.

        Raises:
            PullError: cannot be had from here; what did arrive stays in `target` for the next time.
            OSError: the disk; `ENOSPC` when full.
        """
        ...


@dataclass(frozen=True, slots=True)
class HubSource:
    """The publisher's repository on the model hub, over HTTP, resumed at the byte where it stopped."""

    url: str | None = None
    """Instead of the hub's own, as in tests."""
    pause_s: float = 1.0

    @property
    def name(self) -> str:
        return "hub"

    def room_bytes(self, entry: ModelEntry) -> int:  # noqa: ARG002  (the same for every entry)
        return 0

    def fetch(self, entry: ModelEntry, target: Path, progress: Progress) -> None:
        url = self.url or _hub_url(entry)
        download(url, target, entry.bytes, progress, pause_s=self.pause_s)


def _hub_url(entry: ModelEntry) -> str:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise PullError("huggingface-hub is not installed; run: pip install 'truepenny[local]'")
    from huggingface_hub import constants, hf_hub_url

    if constants.is_offline_mode():
        raise PullError("HF_HUB_OFFLINE is set")
    return hf_hub_url(entry.repository, entry.file)


def download(url: str, target: Path, expected_bytes: int, progress: Progress, *, pause_s: float) -> None:
    """Fetch `url` into `target`, which ends up `expected_bytes` long.

    Raises:
        PullError: no answer, a refusal, the wrong size, or a connection that keeps breaking.
    """
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    host = httpx.URL(url).host
    fruitless, anything = 0, False
    with httpx.Client(follow_redirects=True, timeout=timeout, verify=ssl.create_default_context()) as client:
        while (have := size_of(target)) != expected_bytes:
            if have > expected_bytes:  # left by something else
                target.unlink()
                continue
            try:
                _fetch_rest(client, url, target, have, expected_bytes, progress)
                reason = "it ended early"
            except NO_ANSWER as error:
                raise PullError(f"no connection to {host} ({error})") from error
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            arrived = size_of(target) > have
            anything |= arrived
            fruitless = 0 if arrived else fruitless + 1
            if not anything or fruitless == FRUITLESS_ATTEMPTS:
                raise PullError(f"the download from {host} breaks off ({reason}); run the command again")
            if size_of(target) < expected_bytes:
                time.sleep(pause_s)


def _fetch_rest(
    client: httpx.Client, url: str, target: Path, have: int, expected_bytes: int, progress: Progress
) -> None:
    headers = {"Accept-Encoding": "identity"}  # a byte range of compressed data is not one of the file
    if have:
        headers["Range"] = f"bytes={have}-"
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416 and have:  # what is there is not a beginning of theirs
            target.unlink()
            return _fetch_rest(client, url, target, 0, expected_bytes, progress)
        start, total = _answered(response, expected_bytes)
        if start not in (0, have):
            raise PullError(f"{response.url.host} answered from byte {start}, asked for {have}")
        if total != expected_bytes:
            raise PullError(f"{response.url.host} offers {total} bytes, the file has {expected_bytes}")
        progress.start(expected_bytes, "downloading")
        progress.advance(start)
        with target.open("ab" if start else "wb") as file:
            for block in response.iter_raw():  # as they come: what a break would lose is little
                start += len(block)
                if start > expected_bytes:
                    raise PullError(
                        f"{response.url.host} sends more than the {expected_bytes} bytes of the file"
                    )
                file.write(block)
                progress.advance(len(block))
    return None


def _answered(response: httpx.Response, expected_bytes: int) -> tuple[int, int]:
    """First byte and size of the whole file that a response claims; a size not told is the expected one."""
    if response.status_code == 200:  # also the answer of servers that know no ranges
        return 0, int(response.headers.get("Content-Length", expected_bytes))
    if response.status_code == 206:
        claim = response.headers.get("Content-Range", "")
        if match := re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", claim):
            return int(match[1]), expected_bytes if match[2] == "*" else int(match[2])
        raise PullError(f"{response.url.host} sent an unreadable Content-Range: {claim!r}")
    raise PullError(f"{response.url.host} answered {response.status_code} {response.reason_phrase}")


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file the user already has: hard-linked where possible, else copied."""

    path: Path

    @property
    def name(self) -> str:
        return "file"

    def room_bytes(self, entry: ModelEntry) -> int:  # noqa: ARG002  (the same for every entry)
        return 0

    def fetch(self, entry: ModelEntry, target: Path, progress: Progress) -> None:
        path = self.path.expanduser().resolve()
        if not path.is_file():
            raise PullError(f"{path}: no such file")
        if (size := path.stat().st_size) != entry.bytes:
            raise PullError(f"{path} has {size} bytes, {entry.name} has {entry.bytes}")
        target.unlink(missing_ok=True)
        progress.start(entry.bytes, "copying")
        try:
            target.hardlink_to(path)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, target)
        progress.advance(entry.bytes)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
