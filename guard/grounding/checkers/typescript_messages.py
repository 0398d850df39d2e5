"""What TypeScript says, in our words: the codes of its diagnostics, which have been stable for a decade.

Plain JavaScript declares nothing, so its types are guesses: there, what is said of objects that any
line may add to, of arguments in excess, and of elements of a page is not taken over.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..finding import Fault, Finding
from .dialect import Diagnostic

FAULTS = {
    "2339": Fault.MISSING_MEMBER,
    "2551": Fault.MISSING_MEMBER,
    "2576": Fault.MISSING_MEMBER,
    "2305": Fault.MISSING_MEMBER,
    "2724": Fault.MISSING_MEMBER,
    "2614": Fault.MISSING_MEMBER,
    "2694": Fault.MISSING_MEMBER,
    "2568": Fault.POSSIBLY_MISSING,
    "2459": Fault.POSSIBLY_MISSING,  # it is there, but not exported
    "2460": Fault.POSSIBLY_MISSING,
    "2307": Fault.MISSING_MODULE,
    "2792": Fault.MISSING_MODULE,
    "2304": Fault.MISSING_NAME,
    "2552": Fault.MISSING_NAME,
    "2503": Fault.MISSING_NAME,
    "2662": Fault.MISSING_NAME,
    "2663": Fault.MISSING_NAME,
    "18004": Fault.MISSING_NAME,
    "2353": Fault.UNKNOWN_ARGUMENT,
    "2561": Fault.UNKNOWN_ARGUMENT,
    "2322": Fault.UNKNOWN_ARGUMENT,  # of a component; every other kind is dropped below
    "2345": Fault.UNKNOWN_ARGUMENT,  # the same
    "2554": Fault.WRONG_CALL,
    "2555": Fault.WRONG_CALL,
    "2575": Fault.WRONG_CALL,
    "2769": Fault.WRONG_CALL,
    "2348": Fault.WRONG_CALL,
    "2349": Fault.WRONG_CALL,
    "2351": Fault.WRONG_CALL,
}
"""What asks for type definitions (2580 to 2582, 2591 to 2593) or another target (2550, 2583, 2584)
is not here: it may well exist.  Nor is 7016, a module that is there without types."""

SCRIPTS = frozenset({".js", ".jsx", ".mjs", ".cjs"})

_UNKNOWN_PROPERTY = re.compile(
    r"Object literal may only specify known properties, (?:and|but) '(?P<name>[^']*)' "
    r"does not exist in type '(?P<receiver>.*?)'\.(?: |$)"
)
_COMPONENT = re.compile(r"\n +Property '(?P<name>[^']*)' does not exist on type '(?P<receiver>.*)'")
_SENTENCES = (
    re.compile(r"Property '(?P<name>[^']*)' (?:does|may) not exist on type '(?P<receiver>.*?)'\.(?: |$)"),
    _UNKNOWN_PROPERTY,
    re.compile(r"Module '\"?(?P<receiver>.*?)\"?' has no exported member '(?P<name>[^']*)'"),
    re.compile(r"'\"?(?P<receiver>.*?)\"?' has no exported member (?:named )?'(?P<name>[^']*)'"),
    re.compile(r"Module '\"?(?P<receiver>.*?)\"?' declares '(?P<name>[^']*)' locally"),
    re.compile(r"Cannot find module '(?P<name>[^']*)'"),
    re.compile(r"Cannot find (?:name|namespace) '(?P<name>[^']*)'"),
    re.compile(r"shorthand property '(?P<name>[^']*)'"),
    re.compile(r"Value of type '(?P<receiver>.*?)' is not callable"),
)
_NEAREST = re.compile(
    r"Did you mean(?: the (?:instance|static) member)?(?: to write| to access the static member)? "
    r"'(?:[\w$.]*\.)?([\w$]+)'"
)
_MODULE = re.compile(r"typeof import\(\"(.*)\"\)")
_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|-?\d[\d.e+]*")
_OPEN_TYPES = re.compile(
    r"[{(].*|typeof (?!import\().*|.* \| .*|Object|Function|Error|Node|\w+Node|Event|\w+Event|EventTarget|"
    r"(?:HTML|SVG)?\w*Element|Window & typeof globalThis|never"
)
"""Types of JavaScript to which any line may add, or which a page knows better."""
_ALIASES = ("@/", "~", "#", "virtual:")
"""What bundlers make up."""
_COUNTED = frozenset({"2554", "2555", "2575", "2769"})


def read(said: Diagnostic, text: str, path: str) -> Finding | None:
    fault = FAULTS.get(said.code)
    if fault is None:
        return None
    sentence = said.message.partition("\n")[0]
    name, receiver = _parts(sentence)
    nearest = _NEAREST.search(sentence)
    if fault is Fault.UNKNOWN_ARGUMENT or said.code == "2769":
        known = _UNKNOWN_PROPERTY.search(said.message) or _COMPONENT.search(said.message)
        shown = text[said.start : said.end].strip("\"'")
        if known is not None and known["name"] == shown:
            fault, (name, receiver) = Fault.UNKNOWN_ARGUMENT, known.groups()
            nearest = _NEAREST.search(said.message)
        elif fault is Fault.UNKNOWN_ARGUMENT:
            return None  # a type that does not fit
    if fault is Fault.MISSING_MODULE and _may_be_made(name, path):
        return None
    if fault is Fault.MISSING_MEMBER and receiver == "never":
        return None  # code that is not reached, as far as types go
    if Path(path).suffix in SCRIPTS and _is_a_guess(fault, said.code, receiver):
        return None
    if fault is Fault.MISSING_MEMBER and _is_mixed(receiver):
        fault = Fault.POSSIBLY_MISSING
    start, end = _place(fault, said, text, name)
    receiver = _MODULE.sub(r"\1", receiver)
    return Finding(fault, start, end, name, receiver, sentence, nearest[1] if nearest else "")


def _parts(sentence: str) -> tuple[str, str]:
    for pattern in _SENTENCES:
        if match := pattern.search(sentence):
            parts = match.groupdict()
            return parts.get("name") or "", parts.get("receiver") or ""
    return "", ""


def _place(fault: Fault, said: Diagnostic, text: str, name: str) -> tuple[int, int]:
    """Of `"module"` what stands between the quotes; of a property its name."""
    shown = text[said.start : said.end]
    if fault is Fault.MISSING_MODULE and shown[1:-1] == name:
        return said.start + 1, said.end - 1
    if name and not shown.startswith(name) and (at := shown.find(name)) != -1:
        return said.start + at, said.start + at + len(name)
    return said.start, said.end


def _may_be_made(name: str, path: str) -> bool:
    """By a bundler: names of its own, and files that are no code but are there."""
    if name.startswith(_ALIASES):
        return True
    return name.startswith(".") and Path(Path(path).parent, name.partition("?")[0]).is_file()


def _is_a_guess(fault: Fault, code: str, receiver: str) -> bool:
    if fault is Fault.MISSING_MEMBER:
        return _OPEN_TYPES.fullmatch(receiver) is not None
    return code in _COUNTED and fault is Fault.WRONG_CALL


def _is_mixed(receiver: str) -> bool:
    """A union: the member may exist on one of its types.  Not one of literals, which are one type."""
    parts = receiver.split(" | ")
    return len(parts) > 1 and not all(_LITERAL.fullmatch(part) for part in parts)
