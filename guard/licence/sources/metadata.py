"""What a package says of itself: name, version, licence, address.

Python's METADATA and PKG-INFO, `package.json`, `composer.json`, `Cargo.toml`, Maven's `pom.xml`.
A file that cannot be read says nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Any, cast

from .expressions import of_classifiers, spdx_of, strictest
from .recognise import UNKNOWN, licence_of_text

NAMES = ("METADATA", "PKG-INFO", "pyproject.toml", "package.json", "composer.json", "Cargo.toml", "pom.xml")


@dataclass(frozen=True, slots=True)
class Package:
    """`licence` is `unknown` where none is said or none is understood."""

    name: str = ""
    version: str = ""
    licence: str = UNKNOWN
    url: str = ""


def read(file_name: str, text: str) -> Package | None:
    """By the file's name; None for one that says nothing that can be read."""
    try:
        if file_name in {"METADATA", "PKG-INFO"}:
            return _python(text)
        if file_name in {"package.json", "composer.json"}:
            return _json(text)
        if file_name == "pom.xml":
            return _maven(text)
        return _toml(tomllib.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _python(text: str) -> Package | None:
    headers = HeaderParser().parsestr(text)
    name = str(headers.get("Name") or "")
    if not name:
        return None
    licence = spdx_of(str(headers.get("License-Expression") or ""))
    said = str(headers.get("License") or "")
    for guess in (
        lambda: spdx_of(said),
        lambda: of_classifiers([str(one) for one in headers.get_all("Classifier") or []]),
        lambda: licence_of_text(said),
    ):
        licence = guess() if licence == UNKNOWN else licence
    urls = [str(one) for one in headers.get_all("Project-URL") or []]
    labelled = {label.strip().lower(): url.strip() for label, _, url in (one.partition(",") for one in urls)}
    wanted = ("source", "source code", "repository", "homepage", "home")
    url = next((labelled[one] for one in wanted if one in labelled), "") or str(
        headers.get("Home-page") or ""
    )
    return Package(name, str(headers.get("Version") or ""), licence, _address(url))


def _json(text: str) -> Package | None:
    raw: object = json.loads(text)
    if not isinstance(raw, dict):
        return None
    said = cast("dict[str, Any]", raw)
    licence = _of_any(said.get("license", said.get("licenses")))
    home = said.get("homepage")
    return Package(_text(said.get("name")), _text(said.get("version")), licence, _address(_text(home)))


def _of_any(said: object) -> str:
    """`"MIT"`, `{"type": "MIT"}`, or a list of either, of which one may choose."""
    if isinstance(said, str):
        return spdx_of(said)
    if isinstance(said, dict):
        return spdx_of(_text(cast("dict[str, Any]", said).get("type")))
    if isinstance(said, list):
        each = [_of_any(one) for one in cast("list[object]", said)]
        return UNKNOWN if not each or UNKNOWN in each else " OR ".join(dict.fromkeys(each))
    return UNKNOWN


def _toml(said: dict[str, Any]) -> Package | None:
    section = said.get("project") or said.get("package")
    if not isinstance(section, dict):
        return None
    project = cast("dict[str, Any]", section)
    licence = project.get("license")
    if isinstance(licence, dict):
        text = _text(cast("dict[str, Any]", licence).get("text"))
        found = spdx_of(text) if spdx_of(text) != UNKNOWN else licence_of_text(text)
    else:
        found = spdx_of(_text(licence))
    if found == UNKNOWN:
        classifiers: object = project.get("classifiers")
        if isinstance(classifiers, list):
            found = of_classifiers([str(one) for one in cast("list[object]", classifiers)])
    url = _text(project.get("repository") or project.get("homepage"))
    return Package(_text(project.get("name")), _text(project.get("version")), found, _address(url))


_TAG = r"<{0}>\s*([^<]*?)\s*</{0}>"


def _maven(text: str) -> Package | None:
    """By pattern: an XML parser would follow entities of a stranger's document."""
    licences = re.search(r"<licenses>(.*?)</licenses>", text, re.DOTALL)
    own = re.sub(r"<(parent|dependencies|build|licenses)>.*?</\1>", "", text, flags=re.DOTALL)
    name, version = re.search(_TAG.format("artifactId"), own), re.search(_TAG.format("version"), own)
    said = re.findall(_TAG.format("name"), licences[1]) if licences else []
    licence = strictest([spdx_of(one) for one in said])
    return Package(name[1], version[1] if version else "", licence) if name else None


def _text(said: object) -> str:
    return said.strip() if isinstance(said, str) else ""


def _address(url: str) -> str:
    """Only what a person can open; nothing with a password in it."""
    return url if re.fullmatch(r"https?://[^\s@]{1,300}", url) else ""
