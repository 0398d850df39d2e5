"""A suggestion as an entry of the ordinary completion menu, for editors that know nothing else.

Such an editor filters entries by what stands before the cursor, may cut white space from a label,
and may re-indent what it inserts.  So the entry replaces the word at the cursor with that word and
the rest, is filtered by that same text, and asks for its lines to be left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsprotocol import types

from ..settings import Popup
from .convert import Range
from .inline import Answer, Asked, ItemCommand, Note, Replacement, accept_command, note_of

DETAIL = "Truepenny"
MAX_LABEL = 60
TRIGGERS = (".", "(", "[", "{", ",", ":", "=", " ", ">")
"""Where a suggestion is worth asking for although no word has been begun."""

_WORD_BEFORE = re.compile(r"\w*\Z")


@dataclass(frozen=True, slots=True)
class PopupStyle:
    """What this editor can take."""

    is_markdown: bool = False


@dataclass(frozen=True, slots=True)
class PopupItem:
    """`CompletionItem`, with our note."""

    label: str
    detail: str
    documentation: types.MarkupContent
    sort_text: str
    filter_text: str
    insert_text_format: types.InsertTextFormat
    insert_text_mode: types.InsertTextMode
    text_edit: TextEdit
    command: ItemCommand
    truepenny: Note
    kind: types.CompletionItemKind = types.CompletionItemKind.Text


@dataclass(frozen=True, slots=True)
class TextEdit:
    range: Range
    new_text: str


@dataclass(frozen=True, slots=True)
class PopupList:
    """`CompletionList`, never complete: the next letter may bring another suggestion."""

    items: tuple[PopupItem, ...]
    truepenny: Note | None = None
    is_incomplete: bool = True


def is_wanted(popup: Popup, capabilities: types.ClientCapabilities) -> bool:
    """Is the menu the way for this editor?  Not beside inline suggestions, unless a person says so."""
    if popup != "auto":
        return popup == "always"
    texts = capabilities.text_document
    return texts is None or texts.inline_completion is None


def style_of(capabilities: types.ClientCapabilities) -> PopupStyle:
    texts = capabilities.text_document
    item = texts.completion.completion_item if texts and texts.completion else None
    formats = item.documentation_format if item else None
    return PopupStyle(is_markdown=types.MarkupKind.Markdown in (formats or ()))


def popup_of(answer: Answer, style: PopupStyle) -> PopupList:
    """The answer as an editor gets it; where it is empty the note says why."""
    note = note_of(answer.outcome)
    if answer.asked is None or answer.placed is None:
        return PopupList((), note)
    asked, placed = answer.asked, _with_word(answer.asked, answer.placed)
    edit = TextEdit(asked.document.index.range(placed.start, placed.end, asked.encoding), placed.text)
    item = PopupItem(
        label=_label(placed.text),
        detail=DETAIL,
        documentation=_documentation(placed.text, note, asked.document.language, style),
        sort_text="!truepenny",  # before letters and digits: whoever uses this has asked for it
        filter_text=placed.text.splitlines()[0],
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=edit,
        command=accept_command(answer.outcome),
        truepenny=note,
    )
    return PopupList((item,))


def _with_word(asked: Asked, placed: Replacement) -> Replacement:
    """The same change of the document, begun where the word at the cursor begins."""
    text = asked.document.text
    word = _WORD_BEFORE.search(text[max(0, placed.start - 200) : placed.start])
    start = placed.start - (len(word[0]) if word else 0)
    return Replacement(start, placed.end, text[start : placed.start] + placed.text)


def _label(text: str) -> str:
    """Its first line that says something, and whether there is more."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else text.strip()
    is_cut = len(first) > MAX_LABEL
    return (first[: MAX_LABEL - 1] + "…") if is_cut else first + (" …" if len(lines) > 1 else "")


def _documentation(text: str, note: Note, language: str, style: PopupStyle) -> types.MarkupContent:
    """All of it, and what the guard has to say."""
    findings = [f"{verdict.kind}: {verdict.evidence}" for verdict in note.verdicts]
    if not note.vouched:
        findings.append("not checked: the checks did not finish")
    if not style.is_markdown:
        return types.MarkupContent(types.MarkupKind.PlainText, "\n".join([text, "", *findings]).strip("\n"))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    quoted = "".join(f"\n\n{_escaped(finding)}" for finding in findings)
    return types.MarkupContent(types.MarkupKind.Markdown, f"{fence}{language}\n{text}\n{fence}{quoted}")


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#!|])", r"\\\1", text)
