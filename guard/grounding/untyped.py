"""Members of receivers whose type nobody knows, and of languages without a checker: by name alone.

A member whose name nothing defines, neither the workspace nor what it has installed nor the standard
library, is most likely made up, whatever the receiver is.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .finding import Fault, Finding
from .knowledge import Vocabulary
from .nearest import Near, nearest
from .slips import slips_of

if TYPE_CHECKING:
    from .draft import Draft

MIN_LENGTH = 3
_MEMBERS = {
    "attribute": "attribute",
    "member_expression": "property",
    "selector_expression": "field",
    "field_expression": "field",
    "field_access": "field",
    "member_access_expression": "name",
    "method_invocation": "name",
    "scoped_identifier": "name",
}
_WORD = re.compile(r"[^\W\d]\w*")
_AFTER_DOT = re.compile(r"\.\s*([^\W\d]\w*)")
_COMMON = tuple(
    sorted(
        {
            name
            for kind in (str, list, dict, set, bytes, float, io.TextIOWrapper, Path, dt.datetime)
            for name in dir(kind)
            if not name.startswith("_")
        }
    )
)
"""Members of what an untyped value most often is."""
_DATA = re.compile(r"\[[\"'](\w+)[\"']\]|[\"'](\w+)[\"']")


def unknown_members(draft: Draft, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Those of the suggestion, as findings without a receiver's type."""
    if draft.tree is None:
        return
    own = _defined(draft)
    seen: set[int] = set()
    for node in draft.tree.walk(draft.start, draft.end):
        field = _MEMBERS.get(node.kind)
        name = node.field(field) if field is not None else None
        if name is None or name.start in seen or not draft.start <= name.start < name.end <= draft.end:
            continue
        seen.add(name.start)
        word = draft.text[name.start : name.end]
        if name.end == draft.end and draft.is_at_word_end:
            continue  # more of it may come
        if len(word) < MIN_LENGTH or word.startswith("__") or word in own or word in draft.names:
            continue
        if re.match(r"[ \t]*(?::[^=\n]+)?=(?!=)", draft.text[name.end : name.end + 80]):
            continue  # it is made here
        if vocabulary.knows(word, draft.path) is False:
            yield Finding(Fault.MISSING_MEMBER, name.start, name.end, word, "", "defined nowhere")


def names_meant(draft: Draft, finding: Finding) -> tuple[Near, ...]:
    """Members that `finding` may have meant, best first: of the text round it, and of common types."""
    found = draft.access_at(finding.start, finding.end)
    receiver = draft.text[found[1].start : found[1].end] if found else ""
    round_ = draft.before + "\n" + draft.after
    same = re.findall(rf"(?<![\w.]){re.escape(receiver)}\.([^\W\d]\w*)", round_) if receiver else []
    beside = nearest(finding.name, [*same, *_AFTER_DOT.findall(round_)])
    slips = tuple(Near(name, 0.0) for name in slips_of(draft.language).of_any(finding.name))
    common = nearest(finding.name, _COMMON) if draft.language == "python" else ()
    ranked = sorted({*beside, *slips, *common}, key=lambda one: (one.apart, one not in beside, one.name))
    return tuple(ranked)


def _defined(draft: Draft) -> frozenset[str]:
    """Names that the suggestion itself defines, as members too, and its words in quotes."""
    text = draft.suggestion
    made = re.findall(r"\.([^\W\d]\w*)\s*(?::[^=\n]+)?=(?!=)", text)
    made += re.findall(r"\b(?:def|class|function|func|fn|let|const|var|val)\s+([^\W\d]\w*)", text)
    made += re.findall(r"\b([^\W\d]\w*)\s*[:=](?!=)", text)
    made += [one or other for one, other in _DATA.findall(text)]
    return frozenset(made)
