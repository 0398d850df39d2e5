"""A source distribution from the package index, without running anything of it.

The index is the one pip is configured with (`pip config list`: files, environment, all).  Its page
for the project names files; the list's hash decides what is accepted.
"""

from __future__ import annotations

import ast
import html
import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from .errors import FetchError
from .packages import Package

MAX_PAGE_BYTES = 20_000_000
MAX_FILE_BYTES = 400_000_000
_LINK = re.compile(r"<a\s[^>]*?href\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)


@dataclass(slots=True)
class IndexPages:
    """`urls` are the indexes' simple pages; none given: pip's."""

    urls: tuple[str, ...] | None = None
    cert: str | None = None
    timeout_s: float = 60.0
    _asked: bool = field(default=False, init=False)

    def fetch(self, package: Package, target: Path) -> None:
        """Raises `FetchError`."""
        import httpx

        project = re.sub(r"[-_.]+", "-", package.name).lower()
        reasons: list[str] = []
        for url in self._indexes():
            page = f"{url.rstrip('/')}/{project}/"
            try:
                link = self._link(page, package.file)
                if link is not None:
                    self._save(link, target)
                    return
                reasons.append("the index does not have it")
            except (httpx.HTTPError, OSError) as error:
                reasons.append(f"{type(error).__name__} {_without_password(str(error))}".strip())
        why = "; ".join(dict.fromkeys(reasons)) or "no index is configured"
        raise FetchError(f"{package.file} could not be had: {why}")

    def _indexes(self) -> tuple[str, ...]:
        if self.urls is None:
            settings = _pip_settings()
            main = settings.get("index-url") or _default_of_pip()
            self.urls = (main, *settings.get("extra-index-url", "").split())
            self.cert = settings.get("cert", self.cert)
        return self.urls

    def _link(self, page: str, file_name: str) -> str | None:
        text = self._page(page)
        for found in _LINK.findall(text):
            link = urljoin(page, html.unescape(found))
            if unquote(urlsplit(link).path).rsplit("/", 1)[-1] == file_name:
                return link
        return None

    def _page(self, page: str) -> str:
        if page.startswith("file:"):
            path = _local(page) / "index.html"
            return path.read_text("utf-8", "replace") if path.is_file() else ""
        with self._client() as client, client.stream("GET", page, headers={"Accept": "text/html"}) as answer:
            if answer.status_code == 404:
                return ""
            answer.raise_for_status()
            data = bytearray()
            for block in answer.iter_bytes():
                data += block
                if len(data) > MAX_PAGE_BYTES:
                    raise OSError(f"the page has more than {MAX_PAGE_BYTES} bytes")
        return data.decode("utf-8", "replace")

    def _save(self, link: str, target: Path) -> None:
        partial = target.with_name(target.name + ".partial")
        try:
            if link.startswith("file:"):
                partial.write_bytes(_local(link).read_bytes())
            else:
                num_bytes = 0
                with (
                    self._client() as client,
                    client.stream("GET", link) as answer,
                    partial.open("wb") as file,
                ):
                    answer.raise_for_status()
                    for block in answer.iter_bytes():
                        num_bytes += len(block)
                        if num_bytes > MAX_FILE_BYTES:
                            raise OSError(f"the file has more than {MAX_FILE_BYTES} bytes")
                        file.write(block)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def _client(self):  # noqa: ANN202  (httpx is imported late)
        import ssl

        import httpx

        verify = ssl.create_default_context(cafile=self.cert) if self.cert else True
        return httpx.Client(timeout=self.timeout_s, follow_redirects=True, verify=verify)


def _local(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _pip_settings() -> dict[str, str]:
    """Later sources win, as with pip: files, then what is for `download`, then the environment."""
    if importlib.util.find_spec("pip") is None:
        return {}
    command = [sys.executable, "-I", "-m", "pip", "config", "list", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found: dict[str, str] = {}
    for section in ("global", "download", ":env:"):
        for line in done.stdout.splitlines():
            key, separator, value = line.partition("=")
            if separator and key.startswith(f"{section}."):
                try:
                    plain = ast.literal_eval(value)
                except (ValueError, SyntaxError):
                    continue
                found[key.removeprefix(f"{section}.")] = str(plain)
    return found


def _without_password(text: str) -> str:
    return re.sub(r"//[^/\s@]+@", "//", text)


def _default_of_pip() -> str:
    """The index that pip asks where nobody has named one."""
    known: Any = importlib.import_module("pip._internal.models.index")
    return str(known.PyPI.simple_url)
