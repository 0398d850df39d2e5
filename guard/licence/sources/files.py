"""Which files hold code that somebody wrote and others may copy.

Left out, because a match there would say nothing about copying: text of no known language,
licence texts, generated and minified code, code vendored from another project (its licence is not
this project's), and tests (mostly the phrases every test consists of, and seldom what is recited).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

MAX_FILE_BYTES = 1_000_000
"""A larger one is data or generated."""
MIN_FILE_BYTES = 200

LANGUAGES = {
    ".py": "python",
    ".c": "c",
    ".h": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cxx": "cpp",
    ".hh": "cpp",
    ".hpp": "cpp",
    ".hxx": "cpp",
    ".js": "javascript",
    ".cjs": "javascript",
    ".mjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".java": "java",
    ".php": "php",
    ".inc": "php",
    ".go": "go",
    ".rb": "ruby",
    ".rs": "rust",
    ".cs": "csharp",
}
"""Suffix → language id as in LSP."""

_VENDORED = {
    *(
        "vendor",
        "vendored",
        "_vendor",
        "_vendored",
        "node_modules",
        "third_party",
        "third-party",
        "thirdparty",
    ),
    *("3rdparty", "bower_components", "site-packages", "extern", "externals", "submodules"),
}
_TESTS = {
    "test",
    "tests",
    "testing",
    "__tests__",
    "testdata",
    "test-data",
    "testsuite",
    "spec",
    "specs",
    "fixtures",
}
_TEST_NAME = re.compile(
    r"""^(?:test_.*|.*_tests?|tests?|conftest)\.\w+$
      | ^.*[.-](?:test|spec)\.\w+$ | ^.*Tests?\.(?:java|cs|php)$""",
    re.VERBOSE,
)
_BUILT = {
    "dist",
    "build",
    "__pycache__",
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    ".venv",
    "venv",
    "target",
    "obj",
}
_GENERATED_NAME = re.compile(
    r"""(?:_pb2(?:_grpc)? | \.pb | \.pb\.cc | _generated | \.generated | \.g | \.designer
        | moc_\w+ | qrc_\w+)\.\w+$
      | \.min\.[cm]?js$ | [.-]min\.js$ | \.bundle\.js$ | \.d\.ts$ | (?:^|/)(?:y\.tab|lex\.yy|parsetab)\.""",
    re.VERBOSE,
)
_GENERATED_TEXT = re.compile(
    r"""@generated\b | \bDO\ NOT\ (?:EDIT|MODIFY)\b | \bautomatically\ generated\b
      | \bauto-?generated\ (?:by|from|file)
      | \bA\ Bison\ parser,\ made\ by
      | \bgenerated\ by\ (?:the\ protocol\ buffer|swig|cython|flex|re2c|antlr|thrift)""",
    re.VERBOSE | re.IGNORECASE,
)
_HEAD_CHARS = 2_000
_LICENCE_NAME = re.compile(r"^(?:licen[cs]e|copying|unlicense|notice|patents)\b", re.IGNORECASE)
_COMMENT_LINE = re.compile(r"^\s*(?:#|//|/\*|\*|--|;|$)")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file's text, where it came from and what it may be used under."""

    path: str
    """Within the project, with slashes; never a place on this machine."""
    text: str
    language: str
    licence: str
    """An SPDX expression, or `unknown`."""
    stated: str
    """What said so: `tag`, `notice`, `reuse`, `debian`, `metadata`, `package.json`, `text` or `nothing`."""

    @property
    def num_lines(self) -> int:
        return self.text.count("\n") + (not self.text.endswith("\n"))


def language_of(path: str) -> str | None:
    return LANGUAGES.get(PurePosixPath(path).suffix.lower())


def left_out_by_name(path: str, num_bytes: int, *, with_tests: bool = False) -> str | None:
    """Why a file is not read, or None.  `path` is within the project."""
    whole = PurePosixPath(path)
    folders = {part.lower() for part in whole.parts[:-1]}
    if language_of(path) is None:
        return "licence text" if _LICENCE_NAME.match(whole.name) else "no language"
    if folders & _VENDORED:
        return "vendored"
    if folders & _BUILT or any(part.endswith((".dist-info", ".egg-info")) for part in folders):
        return "built"
    if not with_tests and (folders & _TESTS or _TEST_NAME.match(whole.name)):
        return "test"
    if _GENERATED_NAME.search(path):
        return "generated"
    if num_bytes > MAX_FILE_BYTES:
        return "too large"
    return "too small" if num_bytes < MIN_FILE_BYTES else None


def left_out_by_text(text: str) -> str | None:
    """Why a text that was read is not indexed, or None."""
    if "\0" in text:
        return "binary"
    if _GENERATED_TEXT.search(text[:_HEAD_CHARS]):
        return "generated"
    lines = text.splitlines() or [""]
    longest = max(map(len, lines))
    if len(text) / len(lines) > 200 or (longest > 5_000 and longest > len(text) // 4):
        return "minified"
    if all(_COMMENT_LINE.match(line) for line in lines):
        return "licence text"
    return None


def decoded(data: bytes) -> str:
    """UTF-8, else Latin-1: older sources are, and a fingerprint does not mind a wrong accent."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
