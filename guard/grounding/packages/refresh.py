"""Fills a filter with the names an index publishes.  Only a person's command comes here.

A Python index is asked for its list of projects (PEP 691, JSON; PEP 503, HTML, where it has no other);
names of npm come from a file or an address that the user gives: there is no list of them to ask for.
Nothing is kept but the filter, which is written whole when all names have come.
"""

from __future__ import annotations

import codecs
import configparser
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit, urlunsplit

from .errors import PackagesError
from .filter import NameFilter
from .known import Registry
from .naming import is_python_name, is_web_name, normalized

MAX_LIST_BYTES = 400_000_000
TIMEOUT_S = 60.0
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_JSON_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')
_HTML_NAME = re.compile(r"<a\b[^>]*>([^<]+)</a>", re.IGNORECASE)
_OVERLAP_CHARS = 2_000
MIN_NAMES = 1


class Progress(Protocol):
    """How far it has come."""

    def start(self, total_bytes: int, what: str) -> None: ...
    def advance(self, done_bytes: int) -> None: ...


def configured_index(variables: Mapping[str, str] | None = None, home: Path | None = None) -> str:
    """The index that the user has given pip or uv: variables first, then their files; empty if none.

    The workspace's own configuration is not asked: it may not choose where names come from.
    """
    told = os.environ if variables is None else variables
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if told.get(name):
            return told[name]
    base = home or Path.home()
    named = told.get("PIP_CONFIG_FILE")
    places = [Path(named)] if named else []
    places += [base / ".config/pip/pip.conf", base / ".pip/pip.conf", base / "pip/pip.ini"]
    places += [base / "Library/Application Support/pip/pip.conf", Path("/etc/pip.conf")]
    for place in places:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(place.read_text(encoding="utf-8", errors="replace"))
        except (OSError, configparser.Error):
            continue
        for section in ("global", "install"):
            if found := parser.get(section, "index-url", fallback=""):
                return found
    return ""


def refresh_python(index: str, path: Path, progress: Progress) -> NameFilter:
    """Asks `index` (its `/simple/` address) and writes the filter to `path`.

    PackagesError where it cannot be asked, answers with something else, or `path` cannot be written.
    """
    names = {normalized(name) for name in _names_at(index, progress) if is_python_name(name)}
    return _kept(names, shown(index), path)


def refresh_web(source: str, path: Path, progress: Progress) -> NameFilter:
    """`source`: a file or an address; names one per line, or a JSON list of them, or keys of an object."""
    if "://" in source:
        text = "".join(_lines_at(source, progress))
    else:
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PackagesError(f"{source} cannot be read: {error}: give a text file of names") from error
    try:
        told: object = json.loads(text) if text.lstrip().startswith(("[", "{")) else text.split()
    except (ValueError, RecursionError) as error:
        raise PackagesError(f"{shown(source)} is neither JSON nor one name per line: {error}") from error
    listed = cast("Iterable[object]", told) if isinstance(told, list | dict) else ()
    names = {name for name in listed if isinstance(name, str) and is_web_name(name)}
    return _kept(names, shown(source), path)


def refresh(registry: Registry, source: str, path: Path, progress: Progress) -> NameFilter:
    return (refresh_python if registry == "pypi" else refresh_web)(source, path, progress)


def shown(address: str) -> str:
    """Without a name and password that may stand in it."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.netloc else address


def _kept(names: set[str], origin: str, path: Path) -> NameFilter:
    if len(names) < MIN_NAMES:
        raise PackagesError(f"{origin} lists no packages: is it the address of a simple index?")
    made = NameFilter.of(names, origin, time.strftime("%Y-%m-%d"))
    made.save(path)
    return made


def _names_at(index: str, progress: Progress) -> Iterator[str]:
    """Read as it comes, in pieces that overlap, so that a list of 30 MB is never a tree in memory."""
    address = index if index.endswith("/") else index + "/"
    tail = ""
    pattern: re.Pattern[str] | None = None
    for piece in _lines_at(address, progress):
        text = tail + piece
        if pattern is None:
            if not text.strip():
                continue
            pattern = _JSON_NAME if text.lstrip().startswith("{") else _HTML_NAME
        end = 0
        for found in pattern.finditer(text):
            end = found.end()
            yield _unquoted(found[1], is_json=pattern is _JSON_NAME)
        tail = text[end:][-_OVERLAP_CHARS:]


def _unquoted(name: str, *, is_json: bool) -> str:
    if not is_json:
        return unescape(name).strip()
    return str(json.loads(f'"{name}"')) if "\\" in name else name


def _lines_at(address: str, progress: Progress) -> Iterator[str]:
    """The text at an address, in pieces."""
    import httpx

    done = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        with httpx.stream(
            "GET", address, headers={"Accept": ACCEPT}, timeout=TIMEOUT_S, follow_redirects=True
        ) as answer:
            if not answer.is_success:
                raise PackagesError(
                    f"{shown(address)} answered {answer.status_code}: give the address of a simple index"
                )
            progress.start(int(answer.headers.get("content-length", 0) or 0), "names")
            for piece in answer.iter_bytes():
                done += len(piece)
                if done > MAX_LIST_BYTES:
                    raise PackagesError(f"{shown(address)} has more than {MAX_LIST_BYTES:,} bytes")
                progress.advance(len(piece))
                yield decoder.decode(piece)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise PackagesError(f"{shown(address)} cannot be asked: {type(error).__name__}: {error}") from error
