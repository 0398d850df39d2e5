"""The suggestion as an entry of the completion menu, and to whom it is offered."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from truepenny.guard.verdict import Action, Verdict
from truepenny.lsp_server.editor.convert import LineIndex
from truepenny.lsp_server.editor.documents import Document
from truepenny.lsp_server.editor.inline import Answer, InlineParams, Replacement, ask
from truepenny.lsp_server.editor.popup import PopupItem, PopupStyle, is_wanted, popup_of
from truepenny.lsp_server.ledger.outcomes import Outcome
from truepenny.lsp_server.settings import Popup
from truepenny.lsp_server.snapshot import Trigger

INLINE = types.TextDocumentClientCapabilities(inline_completion=types.InlineCompletionClientCapabilities())
MENU = types.TextDocumentClientCapabilities(completion=types.CompletionClientCapabilities())


def item_of(text: str, suggested: str, *, is_markdown: bool = False, **outcome: Any) -> PopupItem:
    """The entry for `suggested` at `|` of `text`."""
    offset = text.index("|")
    document = Document("file:///x.py", "python", 1, LineIndex(text.replace("|", "")))
    position = document.index.position(offset, "utf-16")
    params = InlineParams(document.uri, position, Trigger.AUTOMATIC, None, None, document, way="popup")
    asked = ask(params, document, "auto", "utf-16")
    answer = Answer(
        Outcome("completion-1", 1, shown=True, reason="", **outcome),
        asked,
        Replacement(offset, offset, suggested),
    )
    (item,) = popup_of(answer, PopupStyle(is_markdown)).items
    return item


@pytest.mark.parametrize(
    ("text", "suggested", "new_text", "start", "label"),
    [
        ("return |", "a + b", "a + b", 7, "a + b"),
        ("retu|", "rn a", "return a", 0, "return a"),
        ("x = naïve_na|", "me()", "naïve_name()", 4, "naïve_name()"),
        ("😋 = ab|", "c", "abc", 5, "abc"),
        ("obj.|", "method()", "method()", 4, "method()"),
        ("if x:|", "\n    y()\n    z()", "\n    y()\n    z()", 5, "y() …"),
        ("x = |", "'" + "é" * 80 + "'", "'" + "é" * 80 + "'", 4, "'" + "é" * 58 + "…"),
    ],
)
def test_the_entry_begins_with_the_word_at_the_cursor(
    text: str, suggested: str, new_text: str, start: int, label: str
) -> None:
    """Else a menu that filters by that word would hide it."""
    item = item_of(text, suggested)
    word = text[: text.index("|")][-(len(new_text) - len(suggested)) :] if new_text != suggested else ""

    assert item.text_edit.new_text == new_text
    assert (item.text_edit.range.start.line, item.text_edit.range.start.character) == (0, start)
    assert item.filter_text.startswith(word)
    assert "\n" not in item.filter_text
    assert item.label == label
    assert item.detail == "Truepenny"


def test_accepting_the_entry_inserts_the_suggestion_and_nothing_else() -> None:
    """Its lines stay as they are, and the server hears of it."""
    item = item_of("    def f(self):\n        retu|", "rn 1\n\n    x")

    assert item.insert_text_mode is types.InsertTextMode.AsIs
    assert item.insert_text_format is types.InsertTextFormat.PlainText
    assert (item.command.command, item.command.arguments) == ("truepenny.didAccept", ("completion-1",))


def test_the_documentation_has_all_of_it_and_what_was_found() -> None:
    """Quoted so that no text of a model becomes markup."""
    verdict = Verdict("safety", Action.ANNOTATE, "r", 0, 1, "a [link](http://x) in `code`")
    plain = item_of("x = |", "```\n<b>", verdicts=(verdict,))
    rich = item_of("x = |", "```\n<b>", is_markdown=True, verdicts=(verdict,), vouched=False)

    assert plain.documentation.kind is types.MarkupKind.PlainText
    assert "safety: a [link](http://x) in `code`" in plain.documentation.value
    assert rich.documentation.value.startswith("````python\n```\n<b>\n````")
    assert "\\[link\\](http://x)" in rich.documentation.value
    assert "not checked" in rich.documentation.value


@pytest.mark.parametrize(
    ("popup", "texts", "way"),
    [
        ("auto", None, "menu"),
        ("auto", MENU, "menu"),
        ("auto", INLINE, "inline"),
        ("always", INLINE, "menu"),
        ("never", MENU, "inline"),
    ],
)
def test_the_menu_is_for_those_who_know_no_other_way(
    popup: Popup, texts: types.TextDocumentClientCapabilities | None, way: str
) -> None:
    """Never both for one editor, unless a person asks for it."""
    assert is_wanted(popup, types.ClientCapabilities(text_document=texts)) is (way == "menu")


def test_nothing_to_show_is_an_empty_menu_with_the_reason() -> None:
    """And the menu asks again at the next letter."""
    answer = Answer(Outcome("completion-1", 1, shown=False, reason="because"))
    menu = popup_of(answer, PopupStyle())

    assert (menu.items, menu.is_incomplete) == ((), True)
    assert menu.truepenny is not None
    assert menu.truepenny.reason == "because"
