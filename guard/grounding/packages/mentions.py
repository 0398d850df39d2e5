"""`pip install X`, `npm i X` and the like, in any text: comments, docstrings, scripts, chat.

Only names that could be names come out: options, paths, addresses, variables, placeholders and the
words of a sentence do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .known import Registry
from .manifests_python import requirement_name
from .naming import is_web_name

MAX_NAMES = 50
"""Of one command."""
MAX_MENTIONS = 1_000

_PYTHON_COMMANDS = (
    r"(?:python[\d.]*(?:\.exe)?|py) (?:-[\w.]+ )*?-m pip install",
    r"pip[\d.]* install",
    r"uv (?:pip install|add|tool install)|uvx",
    r"(?:poetry|pdm|rye) add|hatch dep add",
    r"pipx (?:install|run)|pipenv install|easy_install",
    r"(?:conda|mamba|micromamba) install",
)
_WEB_COMMANDS = (
    r"npm (?:install|i|add)|npx|bunx",
    r"yarn (?:global )?add|yarn dlx",
    r"pnpm (?:add|install|i|dlx)",
    r"bun (?:add|install|i)",
)


def _either(commands: tuple[str, ...]) -> str:
    return "|".join(commands).replace(" ", r"[ \t]+")


_COMMAND = re.compile(
    rf"(?<![\w./-])(?:(?P<pypi>{_either(_PYTHON_COMMANDS)})|(?P<npm>{_either(_WEB_COMMANDS)}))(?=[ \t\\])"
)
_ARGUMENT = re.compile(
    r"(?:[ \t]|\\\r?\n)+"
    r"(?P<quote>[\"']?)(?P<word>[^\s\"'`|;&<>()$]+(?:[<>]=?[\w.*,<>=]*)?)(?P=quote)"
)
_SENTENCE_WORDS = (
    "a an and any are as at be before both but by can do first for from has have if in inside into "
    "is it its like manually my need needs not now of on once one only or our package packages "
    "required requirements run running so some something sudo than that the them then this to too "
    "try use using via want when where which will with within would you your yourself dependencies "
    "everything below above again again. them. it. "
)
_SENTENCE = frozenset(_SENTENCE_WORDS.split())
_TAKES_VALUE_WORDS = (
    "-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links -t --target "
    "--prefix --python -p --platform --group -g --registry -n --name --channel --cache-dir --proxy "
    "--trusted-host --log --src --root --report --with --extra -e --editable --python-version "
    "--implementation --abi "
)
_TAKES_VALUE = frozenset(_TAKES_VALUE_WORDS.split())
_FLAGS = {"npm": frozenset({"-g", "-e", "-p", "-c"}), "pypi": frozenset[str]()}
_ONE = re.compile(r"(?:uvx|npx|bunx|dlx|pipx[ \t]+run)$")
_SPEC = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[\w,.-]+\])?(?:(?:===?|~=|!=|>=?|<=?|=|@)[\w.*,!+<>=~^-]+)?")
_WEB_SPEC = re.compile(r"((?:@[\w.~-]+/)?[A-Za-z0-9_~][\w.~-]*)(?:@[\w.^~<>=*-]+)?")


@dataclass(frozen=True, slots=True)
class Mention:
    """One package that a command would install, `[start, end)` of the text."""

    name: str
    """As registries compare them."""
    registry: Registry
    start: int
    end: int


def mentions(text: str) -> tuple[Mention, ...]:
    """In order of the text."""
    found: list[Mention] = []
    at = 0
    while len(found) < MAX_MENTIONS and (command := _COMMAND.search(text, at)) is not None:
        registry: Registry = "pypi" if command["pypi"] else "npm"
        named, at = _named(text, command.end(), registry, is_one=_ONE.search(command[0]) is not None)
        found += named
    return tuple(found)


def _named(text: str, at: int, registry: Registry, *, is_one: bool) -> tuple[list[Mention], int]:
    """What a command whose name ends at `at` installs, and where it has been read to."""
    found: list[Mention] = []
    while len(found) < MAX_NAMES and (argument := _ARGUMENT.match(text, at)) is not None:
        word = argument["word"]
        if word.startswith("#"):
            break
        at = argument.end()
        if word.startswith("-"):
            option, equals, _ = word.partition("=")
            if option in _TAKES_VALUE - _FLAGS[registry] and not equals:
                value = _ARGUMENT.match(text, at)
                at = value.end() if value else at
            continue
        stopped = word[-1] in ".,:!?)"
        word = word.rstrip(".,:!?)")
        if word.lower() in _SENTENCE:
            break
        name = _name(word, registry)
        if not name and not _is_elsewhere(word):
            break
        if name:
            start = argument.start("word")
            found.append(Mention(name, registry, start, start + len(_spelled(word, name))))
        if stopped or is_one:
            break
    return found, at


def _name(word: str, registry: Registry) -> str:
    if _is_elsewhere(word):
        return ""
    if registry == "pypi":
        return (
            requirement_name(word) if _SPEC.fullmatch(word) and not word.endswith((".txt", ".toml")) else ""
        )
    spec = _WEB_SPEC.fullmatch(word)
    return spec[1] if spec and is_web_name(spec[1]) else ""


def _is_elsewhere(word: str) -> bool:
    """A path, an address, a file: not a name to look up."""
    return (
        word.startswith((".", "/", "~", "git+", "github:", "file:", "npm:"))
        or "://" in word
        or word.endswith((".whl", ".tar.gz", ".tgz", ".zip", ".txt", ".toml", ".git"))
        or ("/" in word and not word.startswith("@"))
    )


def _spelled(word: str, name: str) -> str:
    """The part of the word that is the name."""
    found = re.match(r"@?[\w.~-]+(?:/[\w.~-]+)?" if name.startswith("@") else r"[\w.~-]+", word)
    return found[0] if found else word
