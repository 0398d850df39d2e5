"""Settings: what an editor sends, made into one frozen record.

The shape below *is* the documentation: every key, its type and its default.  Editors send the same
shape as JSON, in `initializationOptions` or `workspace/didChangeConfiguration`; a key left out, or
`null`, has its default.  A key that is unknown or whose value cannot be used is reported, never
quietly replaced: the default then stands in, and the rest stays as given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from ..models.catalogue import DEFAULT_MODEL
from ..models.wire import PRECISIONS, Precision
from .confidence.showing import MinConfidence
from .place.globs import is_pattern
from .place.scope_table import TEXT_SCOPES, TextScope
from .snapshot import Lines

Unvouched = Literal["show", "withhold"]
WeakCopyleft = Literal["withhold", "show"]
Mode = Literal["eager", "subtle", "on_demand"]
Popup = Literal["auto", "always", "never"]

PROSE_LANGUAGES = (
    "asciidoc",
    "git-commit",
    "git-rebase",
    "gitcommit",
    "gitrebase",
    "latex",
    "log",
    "markdown",
    "plaintext",
    "restructuredtext",
    "rst",
    "scminput",
    "tex",
    "text",
)


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    enabled: bool = True
    mode: Mode = "eager"
    """`eager`: wherever a suggestion can stand.  `subtle`: at line ends and after opening brackets only, and
    several lines only where a block has been opened.  `on_demand`: when a key asks."""
    model: str = DEFAULT_MODEL
    precision: Precision = "auto"
    lines: Lines = "auto"
    max_tokens: int = 96
    """1 to 4096."""
    time_cap_ms: int = 4000
    """1 to 600000.  When it is reached, the last whole statement is what is shown."""
    choices: int = 3
    """1 to 3.  How many are offered to somebody who asks for a suggestion; typing always gets one."""
    min_confidence: MinConfidence = "auto"
    """How likely a suggestion must be to be right to be shown while typing: 0 to 1, 0 shows everything.

    `auto`: a threshold that was measured, with what you accept taken into account.
    """
    drafts: bool = True
    """Guess several tokens at once from what has been written before; the text is the same, sooner."""
    prefetch: bool = True
    """In a pause, have a line ready for when the suggestion on the screen has been accepted."""
    disabled_languages: tuple[str, ...] = PROSE_LANGUAGES
    """Language ids, as the editor calls them.  A key still gets a suggestion."""
    disabled_globs: tuple[str, ...] = ()
    """Patterns of paths, as in `.gitignore`; the last that matches decides, and `!` takes back.  Nothing is
    suggested in such files, whoever asks, and nothing of them is sent.  Files of keys and credentials need
    no pattern."""
    disabled_scopes: tuple[TextScope, ...] = ("comment",)
    """Where typing asks for nothing: comment, docstring, string, regex, markup.  A key still asks, and a
    suggestion that is being typed through goes on.

    Comments are off because what a person says there is for the person to say, and people ask for it; the
    line *below* a comment is code, and there the comment is what tells the model what is wanted.  Docstrings
    (and `/** */`, `///`) stay on: what they say is in the code beside them.  Strings stay on: most hold keys,
    paths, formats and queries, which the file tells, and an editor that closes quotes puts the cursor in
    front of one at every string; where they hold prose, name them here.
    """
    popup: Popup = "auto"
    """Suggest in the ordinary completion menu: `auto` where the editor knows no other way."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    model: str = DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class ContextSettings:
    enabled: bool = True
    """Tell the model about other files of the workspace, from an index kept in the cache folder."""
    tokens: int = 512
    """0 to 16384.  Of a prompt, for other files; 0 for none."""


@dataclass(frozen=True, slots=True)
class GuardSettings:
    enabled: bool = True
    unvouched: Unvouched = "show"
    """What to do with a suggestion that could not be checked in time."""
    weak_copyleft: WeakCopyleft = "withhold"
    """What to do with copies of code under LGPL, MPL and the like, whose terms end at its own files."""
    deadline_ms: int = 250
    """0 to 10000.  For checking a suggestion; what is not checked by then is unvouched.  0: no limit."""


@dataclass(frozen=True, slots=True)
class GroundingSettings:
    enabled: bool = True
    """Check that what suggestions name exists: members, modules, arguments, packages."""
    decode: bool = True
    """Let the model go on behind a `.` with members that exist, where the type is known."""


@dataclass(frozen=True, slots=True)
class Settings:
    engine: str = "local"
    """`local`: the engine on this machine. `fake`: no model, for tests of editors. Or an http(s) URL."""
    engine_api_key_env: str = ""
    """The *name* of an environment variable that holds the key of a remote engine; empty for none."""
    engine_prewarm: bool = True
    """Compute ahead while nobody types.  Costs processor time, and shortens the wait after a jump."""
    journal: bool = True
    """Keep what `truepenny why` and `truepenny stats` tell: reasons and timings, never code or file names."""
    completion: CompletionSettings = CompletionSettings()
    chat: ChatSettings = ChatSettings()
    context: ContextSettings = ContextSettings()
    guard: GuardSettings = GuardSettings()
    grounding: GroundingSettings = GroundingSettings()


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One mistake, in words a person can act on."""

    key: str
    """Dotted, from the top: `completion.max_tokens`."""
    value: str
    """What was given, shortened; never a secret."""
    fix: str

    def __str__(self) -> str:
        return f"Truepenny setting {self.key!r} = {self.value}: {self.fix}"


class _Unusable(Exception):  # noqa: N818  (carries the fix from a reader to the report)
    def __init__(self, fix: str, *, secret: bool = False) -> None:
        super().__init__(fix)
        self.fix = fix
        self.secret = secret


def read_settings(raw: object) -> tuple[Settings, tuple[SettingsProblem, ...]]:
    """Settings from decoded JSON, and everything that was wrong with it, in the order given."""
    problems: list[SettingsProblem] = []
    values = _read_group("", raw, problems)
    return Settings(**values), tuple(problems)


def _read_group(group: str, raw: object, problems: list[SettingsProblem]) -> dict[str, Any]:
    """The usable values of one group, by field name; `""` is the top."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        problems.append(SettingsProblem(group or "(all)", _shown(raw), "give an object of settings"))
        return {}
    usable: dict[str, Any] = {}
    for name, value in cast("Mapping[str, object]", raw).items():
        key = f"{group}.{name}" if group else name
        if "." in name or key not in _KEYS:
            problems.append(SettingsProblem(key, _shown(value), _nearest(name, key)))
        elif key in _GROUPS:
            usable[name] = _GROUPS[key](**_read_group(key, value, problems))
        elif value is not None:
            try:
                usable[name] = _READERS[key](value)
            except _Unusable as mistake:
                shown = "(not shown)" if mistake.secret else _shown(value)
                problems.append(SettingsProblem(key, shown, mistake.fix))
    return usable


_Reader = Callable[[object], object]


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Unusable("use true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Unusable("use a text that is not empty")
    return value.strip()


def _one_of(choices: tuple[str, ...]) -> _Reader:
    def read(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        close = get_close_matches(str(value), choices, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise _Unusable(f"use one of {', '.join(map(repr, choices))}{hint}")

    return read


def _whole_number(low: int, high: int) -> _Reader:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _Unusable(f"use a whole number from {low} to {high}")
        return value

    return read


def _share_or_auto(value: object) -> MinConfidence:
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _Unusable("use 'auto' or a number from 0 (show everything) to 1")
    return float(value)


def _names(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    names = [item for item in items if isinstance(item, str) and item]
    if len(names) != len(items):
        raise _Unusable('use a list of language ids, such as ["markdown", "plaintext"]')
    return tuple(names)


def _globs(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    patterns = [item for item in items if isinstance(item, str)]
    if len(patterns) != len(items):
        raise _Unusable('use a list of patterns as in .gitignore, such as ["secrets/", "*.generated.ts"]')
    bad = next((pattern for pattern in patterns if not is_pattern(pattern)), None)
    if bad is not None:
        raise _Unusable(f"{bad!r} matches nothing: take it out, or write it as in .gitignore")
    return tuple(patterns)


def _scopes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Unusable(f"use a list of {', '.join(map(repr, TEXT_SCOPES))}; [] for none")
    read = _one_of(TEXT_SCOPES)
    return tuple(dict.fromkeys(cast("str", read(item)) for item in cast("list[object]", value)))


def _engine(value: object) -> str:
    fix = "use 'local', 'fake' or an address such as 'http://localhost:8000/v1'"
    if not isinstance(value, str):
        raise _Unusable(fix)
    if value in ("local", "fake"):
        return value
    try:
        address = urlsplit(value)
        is_usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError as error:
        raise _Unusable(f"{fix} ({error})") from error
    if "@" in address.netloc:
        fix = "take the user and password out of the address; name a variable in 'engine_api_key_env'"
        raise _Unusable(fix, secret=True)
    if not is_usable:
        raise _Unusable(fix)
    return value


def _variable_name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", value):
        raise _Unusable("give the name of an environment variable, not the key itself", secret=True)
    return value


def _nearest(name: str, key: str) -> str:
    """Advice on an unknown key: its likely spelling, or the group where it belongs."""
    if name in _READERS:
        group, _, rest = name.rpartition(".")
        return f"no such setting; write it nested, as {rest!r} inside {group!r}"
    siblings = [known for known in _KEYS if known.rpartition(".")[0] == key.rpartition(".")[0]]
    moved = [known for known in _KEYS if known.rpartition(".")[2] == name]
    close = (
        moved or get_close_matches(key.lower(), siblings, n=1) or get_close_matches(key.lower(), _KEYS, n=1)
    )
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(siblings or _KEYS)}"
    return f"no such setting; {hint}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_Group = CompletionSettings | ChatSettings | ContextSettings | GuardSettings | GroundingSettings
_GROUPS: dict[str, type[_Group]] = {
    "completion": CompletionSettings,
    "chat": ChatSettings,
    "context": ContextSettings,
    "guard": GuardSettings,
    "grounding": GroundingSettings,
}
_READERS: dict[str, _Reader] = {
    "engine": _engine,
    "engine_api_key_env": _variable_name,
    "engine_prewarm": _boolean,
    "journal": _boolean,
    "completion.enabled": _boolean,
    "completion.mode": _one_of(get_args(Mode)),
    "completion.model": _text,
    "completion.precision": _one_of(PRECISIONS),
    "completion.lines": _one_of(get_args(Lines)),
    "completion.max_tokens": _whole_number(1, 4096),
    "completion.time_cap_ms": _whole_number(1, 600_000),
    "completion.choices": _whole_number(1, 3),
    "completion.min_confidence": _share_or_auto,
    "completion.drafts": _boolean,
    "completion.prefetch": _boolean,
    "completion.disabled_languages": _names,
    "completion.disabled_globs": _globs,
    "completion.disabled_scopes": _scopes,
    "completion.popup": _one_of(get_args(Popup)),
    "chat.model": _text,
    "context.enabled": _boolean,
    "context.tokens": _whole_number(0, 16_384),
    "guard.enabled": _boolean,
    "guard.unvouched": _one_of(get_args(Unvouched)),
    "guard.weak_copyleft": _one_of(get_args(WeakCopyleft)),
    "guard.deadline_ms": _whole_number(0, 10_000),
    "grounding.enabled": _boolean,
    "grounding.decode": _boolean,
}
_KEYS = (*_GROUPS, *_READERS)
