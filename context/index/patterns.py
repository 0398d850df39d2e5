r"""One line of a `.gitignore`, as git's wildmatch.c and dir.c read it, made into a regular expression.

`*` and `?` stop at `/`; `**/`, `/**/` and `/**` do not; `[a-c]`, `[!x]`, `[[:digit:]]`; `\` quotes.  A
pattern without a `/` before its end is about names anywhere below, any other about paths from its
folder.  Patterns git cannot read match nothing, here as there.  Written out because the walk asks of
each folder before it goes in: then the last pattern that matches a path itself decides, and nothing
has to be known of those above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    regex: re.Pattern[str]
    of_name: bool
    """About the last part of a path alone."""
    of_folder: bool
    """About folders alone."""
    takes_back: bool

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """`path` is relative to the pattern's folder, without a `/` at its end."""
        if self.of_folder and not is_folder:
            return False
        return self.regex.fullmatch(path.rpartition("/")[2] if self.of_name else path) is not None


def read_pattern(line: str) -> Pattern | None:
    """`None` for blanks, comments and what matches nothing.  `line` has no line end."""
    line = _trimmed(line.removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    takes_back = line.startswith("!")
    text = line[takes_back:]
    of_folder = text.endswith("/")
    text = text[:-1] if of_folder else text
    of_name = "/" not in text
    regex = _regex(text.removeprefix("/"))
    return None if regex is None else Pattern(re.compile(regex, re.DOTALL), of_name, of_folder, takes_back)


def _trimmed(line: str) -> str:
    """Without blanks at its end, but for one that is quoted."""
    kept = line.rstrip(" ")
    quotes = len(kept) - len(kept.rstrip("\\"))
    return kept + " " if quotes % 2 and len(kept) < len(line) else kept


def _regex(text: str) -> str | None:
    parts: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "*":
            end = at + len(text[at:]) - len(text[at:].lstrip("*"))
            part, at = _star(text, at, end)
        elif char == "[":
            found = _bracket(text, at + 1)
            if found is None:
                return None
            part, at = found
        elif char == "?":
            part, at = "[^/]", at + 1
        else:
            at += char == "\\"
            if at == len(text):
                return None
            part, at = re.escape(text[at]), at + 1
        parts.append(part)
    return "".join(parts) or None


def _star(text: str, start: int, end: int) -> tuple[str, int]:
    """What the stars at `[start, end)` match, and where to go on."""
    is_alone = (start == 0 or text[start - 1] == "/") and (end == len(text) or text[end] == "/")
    if end - start < 2 or not is_alone:
        return "[^/]*", end
    return (".*", end) if end == len(text) else ("(?:.*/)?", end + 1)


def _bracket(text: str, at: int) -> tuple[str, int] | None:
    """What the set that begins at `at`, after its `[`, matches, and where to go on; `None`: not a set."""
    is_negated = text[at : at + 1] in ("!", "^")
    at += is_negated
    items: list[str] = []
    before = ""
    is_first = True
    while is_first or text[at : at + 1] != "]":
        is_first = False
        if text.startswith("[:", at) and ":]" in text[at + 2 :]:
            end = text.index(":]", at + 2)
            name = text[at + 2 : end]
            if name not in _CLASSES:
                return None
            items.append(_CLASSES[name])
            before, at = "", end + 2
        elif before and text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            at += 1 + (text[at + 1] == "\\")
            last = text[at : at + 1]
            if before <= last:
                items.append(f"{re.escape(before)}-{re.escape(last)}")
            before, at = "", at + 1
        else:
            at += text[at : at + 1] == "\\"
            before = text[at : at + 1]
            if not before:
                return None
            items.append(re.escape(before))
            at += 1
        if at >= len(text):
            return None
    body = "".join(items)
    if is_negated:
        return f"[^/{body}]", at + 1
    return (f"(?!/)[{body}]" if body else "(?!)"), at + 1
