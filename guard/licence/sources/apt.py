"""Debian source packages through apt, with folders of its own.

Most machines list no sources, and changing that needs an administrator.  So apt is given folders
below ours: the machine's own archives, asked for sources.  Keys and proxies stay the machine's.
Nothing is unpacked or built (`--download-only`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .errors import FetchError
from .packages import Package

_SECONDS = 900
_CONFIGURED = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


@dataclass(slots=True)
class Apt:
    """`root` holds lists and settings; what is fetched goes where `fetch` is told."""

    root: Path
    configured: tuple[Path, ...] = _CONFIGURED
    program: str = "apt-get"
    _ready: bool = field(default=False, init=False)

    @property
    def is_here(self) -> bool:
        return shutil.which(self.program) is not None

    def fetch(self, package: Package, folder: Path, *, strict: bool) -> Path:
        """The `.dsc` file, its tarballs beside it.

        Raises:
            FetchError: no apt, no such package, or apt's own reason.
        """
        self._prepare()
        reason = self._source(f"{package.name}={package.version}", folder)
        if reason and not strict:
            reason = self._source(package.name, folder)
        if reason:
            raise FetchError(f"apt could not fetch {package.name} {package.version}: {reason}")
        exact = folder / package.file
        if exact.is_file():
            return exact
        found = sorted(folder.glob(f"{package.name}_*.dsc"), key=lambda path: path.stat().st_mtime_ns)
        if not found:
            raise FetchError(f"apt reported success, but there is no .dsc of {package.name} in {folder}")
        return found[-1]

    def _source(self, named: str, folder: Path) -> str:
        """apt's complaint, or nothing."""
        done = self._run(["source", "--download-only", "-qq", named], folder)
        return "" if done.returncode == 0 else _reason(done.stderr)

    def _prepare(self) -> None:
        if self._ready:
            return
        if not self.is_here:
            raise FetchError("there is no apt-get here: Debian sources are left out")
        for folder in ("lists/partial", "parts", "cache/archives/partial"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        text = source_entries(self.configured)
        if not text:
            raise FetchError("apt is configured with no Debian or Ubuntu archive: its sources are left out")
        (self.root / "parts" / "archives.sources").write_text(text, "utf-8")
        done = self._run(["update", "-qq"], self.root)
        if done.returncode:
            raise FetchError(f"apt-get update failed: {_reason(done.stderr)}")
        self._ready = True

    def _run(self, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        options = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": self.root.resolve() / "parts",
            "Dir::State::Lists": self.root.resolve() / "lists",
            "Dir::Cache": self.root.resolve() / "cache",
            "APT::Sandbox::User": "",
        }
        command = [
            self.program,
            *(word for key, value in options.items() for word in ("-o", f"{key}={value}")),
        ]
        try:
            return subprocess.run(
                [*command, *words], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise FetchError(f"apt-get took more than {_SECONDS} s: run the command again") from error


def _reason(complaints: str) -> str:
    errors = [line for line in complaints.splitlines() if line.startswith("E:")]
    return (errors[0] if errors else complaints.strip()[-300:]) or "no reason given"


def source_entries(configured: tuple[Path, ...]) -> str:
    """The machine's Debian and Ubuntu archives as `deb-src` entries; those of others are left off."""
    files: list[Path] = []
    for path in configured:
        files += sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    stanzas: list[str] = []
    for path in files:
        text = path.read_text("utf-8", "replace")
        if path.suffix == ".sources":
            stanzas += [_of_stanza(one) for one in re.split(r"\n\s*\n", text)]
        elif path.suffix == ".list":
            stanzas += [_of_line(line) for line in text.splitlines()]
    return "\n\n".join(dict.fromkeys(one for one in stanzas if one)) + "\n" if any(stanzas) else ""


def _is_distribution(uris: str) -> bool:
    return re.search(r"/(?:debian|ubuntu|debian-security)/?(?:\s|$)", uris) is not None


def _of_stanza(stanza: str) -> str:
    fields = {
        match[1].lower(): " ".join(match[2].split())
        for match in re.finditer(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
    }
    if fields.get("enabled", "yes").lower() in {"no", "false"} or not _is_distribution(
        fields.get("uris", "")
    ):
        return ""
    key = re.search(r"^Signed-By:.*(?:\n[ \t].*)*", stanza, re.MULTILINE)
    return _entry(
        fields["uris"], fields.get("suites", ""), fields.get("components", "main"), key[0] if key else ""
    )


def _of_line(line: str) -> str:
    match = re.match(r"\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
    if not match or not _is_distribution(match[2]):
        return ""
    key = re.search(r"signed-by=(\S+)", match[1] or "")
    return _entry(match[2], match[3], " ".join(match[4].split()), f"Signed-By: {key[1]}" if key else "")


def _entry(uris: str, suites: str, components: str, key: str) -> str:
    lines = ["Types: deb-src", f"URIs: {uris}", f"Suites: {suites}", f"Components: {components}", key]
    return "\n".join(line for line in lines if line)
