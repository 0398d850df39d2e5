"""What a file says, language by language: `tests/fixtures/facts/NAME.*`, told in `NAME.txt`.

The pages are read by people when they change; one that nobody can follow is a finding.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from truepenny.context import extraction
from truepenny.context.errors import GrammarError
from truepenny.context.extraction import extract, queries
from truepenny.context.facts import Binding, Definition, FileFacts, Import, Reference
from truepenny.context.language_table import LANGUAGES, PYTHON, Language
from truepenny.context.languages import language_of_path

FIXTURES = Path(__file__).parents[1] / "fixtures" / "facts"


def told(name: str, value: object) -> str:
    return f"  {name}: {value}" if value else ""


def definition(one: Definition) -> str:
    return (
        f"{one.line + 1}-{one.end_line + 1} {one.kind} {one.qualified_name} | {one.signature}"
        + told("type", one.type)
        + told("returns", one.returns)
        + told("callee", one.callee)
        + told("bases", ", ".join(one.bases))
        + told("decorators", " ".join(one.decorators))
        + told("doc", one.doc)
    )


def imported(one: Import) -> str:
    names = ", ".join(f"{name.name} as {name.alias}" if name.alias else name.name for name in one.names)
    flags = [flag for flag in ("wildcard", "system", "exported") if getattr(one, flag)]
    return (
        f"{one.line + 1} {'.' * one.level}{one.module}"
        + told("names", names)
        + told("alias", one.alias)
        + told("flags", " ".join(flags))
    )


def binding(one: Binding) -> str:
    return f"{one.line + 1} {one.name} {'is' if one.written else 'from'} {one.type}  in {one.scope or 'file'}"


def reference(one: Reference) -> str:
    receiver = f"{one.receiver} -> " if one.receiver else ""
    return f"{one.line + 1} {one.kind} {receiver}{one.name}"


def as_text(facts: FileFacts) -> str:
    """One line per fact, in four paragraphs."""
    head = f"language: {facts.language}" + told("package", facts.package) + told("doc", facts.doc)
    parts = (
        [head],
        [definition(one) for one in facts.definitions],
        [imported(one) for one in facts.imports],
        [binding(one) for one in facts.bindings],
        [reference(one) for one in facts.references],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def sample(language: Language) -> str:
    (path,) = (one for one in FIXTURES.glob(f"{language.name}.*") if one.suffix != ".txt")
    assert language_of_path(path.name) is language
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_the_facts_of_a_small_program(language: Language):
    """Definitions, members, signatures, docs, types, imports, bindings and uses of every language."""
    expected = (FIXTURES / f"{language.name}.txt").read_text(encoding="utf-8")
    assert as_text(extract(sample(language), language)) == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda text: text.replace("\n", "\r\n"), "CRLF"),
        (lambda text: "\ufeff" + text, "BOM"),
        (lambda text: text.replace("tide", "gezeit").replace("Measures", "Mißt 潮 🌊"), "wide letters"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_how_a_file_is_written_does_not_matter(language: Language, change, name: str):
    """Line ends, a mark in front, and letters of several bytes change offsets, not what is found."""
    plain, other = extract(sample(language), language), extract(change(sample(language)), language)
    text = change(sample(language))
    assert [(one.kind, one.line) for one in other.definitions] == [
        (one.kind, one.line) for one in plain.definitions
    ]
    assert len(other.references) == len(plain.references)
    for one in other.definitions:
        assert text.startswith(one.name, one.name_start), (name, one)
    for use in other.references:
        assert text.startswith(use.name, use.start)


def test_adding_a_language_is_a_record_and_a_file(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A new record and its query are all it takes: nothing else in the code asks which language it is."""
    toy = replace(PYTHON, name="toy", wheel="tree_sitter_php", loader="language_php_only")
    monkeypatch.setattr(queries, "_FOLDER", tmp_path)
    (tmp_path / "toy.scm").write_text(
        "(function_definition name: (name) @name body: (_) @body) @definition.function\n"
        "(function_call_expression function: (name) @reference.call)\n"
    )
    facts = extract("function half(int $of): int { return cut($of); }", toy)
    assert [(one.name, one.signature) for one in facts.definitions] == [
        ("half", "function half(int $of): int")
    ]
    assert [(one.name, one.kind) for one in facts.references] == [("cut", "call")]


def test_no_language_is_named_in_the_code_that_extracts():
    """So that the promise above stays true of every language, not only of the toy."""
    names = {name for language in LANGUAGES for name in (language.name, language.wheel)} - {"c", "go"}
    for path in Path(extraction.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not names & {text for text in texts if isinstance(text, str)}, path.name


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_every_query_fits_its_grammar(language: Language):
    """A grammar release that renames a node must fail here."""
    query = queries.query_of(language)
    captured = {query.capture_name(one) for one in range(query.capture_count)}
    assert captured <= queries.KNOWN
    assert captured & {"definition.function", "reference.call", "import"} == {
        "definition.function",
        "reference.call",
        "import",
    }


@pytest.mark.parametrize(
    ("text", "says"), [("(nothing_here) @name", "nothing_here"), ("(module) @nonsense", "nonsense")]
)
def test_a_query_that_does_not_fit_says_so(text: str, says: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """With the name of the file and of what is wrong in it."""
    monkeypatch.setattr(queries, "_FOLDER", tmp_path)
    (tmp_path / "wrong.scm").write_text(text)
    with pytest.raises(GrammarError, match=rf"wrong\.scm.*{says}"):
        extract("x = 1", replace(PYTHON, name="wrong"))
