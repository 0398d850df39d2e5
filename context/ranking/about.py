"""For a conversation: the definitions that a question in plain words, or a selection, is about.

The names in the words come first, then what the files round them define (`walk`), the files' shares
divided among the definitions by how often the files talked about use them.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable

from ..facts import TYPE_KINDS
from ..index.answers import Located
from ..index.reader import Reader
from .lookup import is_aside
from .question import Candidate
from .rank import Ranking, ordered
from .sources import is_shown
from .walk import related

_NAME = re.compile(r"[^\W\d]\w{2,}")
_MAX_NAMES = 60
_MAX_NAMESAKES = 6
_MAX_FILES = 12
_DATA_KINDS = frozenset({"variable", "constant", "field", "property", "enum_member"})
"""A conversation is about what does something, and about types."""
_PRIVATE = 0.5
_WALK_SHARE = 0.6
"""Of the deadline."""


def rank_about(words: str, paths: Iterable[str], reader: Reader, *, deadline_s: float) -> Ranking:
    """Definitions that bear on `words`, which are about the files `paths`; those files are not told again.

    Raises `IndexDamagedError` and `IndexUnavailableError`.
    """
    deadline = time.perf_counter() + deadline_s
    talked_about = tuple(dict.fromkeys(paths))
    names = tuple(dict.fromkeys(_NAME.findall(words)))[:_MAX_NAMES]
    found: dict[tuple[str, int], Candidate] = {}

    def add(one: Located, score: float, why: str) -> None:
        definition = one.definition
        if one.path in talked_about or not is_shown(definition) or definition.kind in _DATA_KINDS:
            return
        score *= _PRIVATE if definition.name.startswith(("_", "#")) else 1.0
        score *= _PRIVATE if is_aside(one.path) else 1.0
        key = (one.path, definition.start)
        if key not in found or found[key].score < score:
            found[key] = Candidate(one.path, definition, score, why)

    for name in names:
        namesakes = reader.definitions(name, _MAX_NAMESAKES + 1)
        if name.islower():  # a word of the sentence, perhaps: `session` may mean `Session`
            namesakes += reader.definitions(name.capitalize(), _MAX_NAMESAKES + 1)
        for one in namesakes if len(namesakes) <= _MAX_NAMESAKES else ():
            add(one, 2.0 / len(namesakes), f"{name} is asked about")
        for parent in {one.definition.name for one in namesakes if one.definition.kind in TYPE_KINDS}:
            for one in reader.members(parent, _MAX_NAMESAKES * 4):
                add(one, 0.8 / len(namesakes), f"member of {parent}, which is asked about")
    files = related(reader, talked_about, names, deadline_s=_WALK_SHARE * deadline_s)
    used: Counter[str] = Counter()
    for path in talked_about:
        for use in reader.uses(path):
            used[use.name] += use.num
    near = [one for one in files if one.path not in talked_about][:_MAX_FILES]
    is_complete = True
    for file in near:
        if time.perf_counter() > deadline:
            is_complete = False
            break
        for definition in reader.definitions_in(file.path):
            weight = min(1.0, used[definition.name] / 3) if used[definition.name] else 0.1
            add(Located(file.path, definition), file.share * weight, "of a file that has to do with it")

    def heading(path: str, qualified_name: str) -> str:
        return next(
            (one.signature for one in reader.definitions_in(path) if one.qualified_name == qualified_name), ""
        )

    return Ranking(ordered(found.values()), is_complete, heading)
