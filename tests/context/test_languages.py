"""What we say of a language must be true of its grammar."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from truepenny.context.errors import GrammarError
from truepenny.context.language_table import LANGUAGES, PYTHON, Language
from truepenny.context.languages import find_language, grammar_of, language_of_id, language_of_path


def each_language(test):
    return pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)(test)


@each_language
@pytest.mark.parametrize(
    "what", ["statement_nodes", "block_nodes", "definition_nodes", "comment_nodes", "string_nodes"]
)
def test_every_node_name_exists_in_the_grammar(language: Language, what: str):
    """A grammar release that renames a node must fail here, not silently match nothing."""
    grammar = grammar_of(language)
    known = {grammar.node_kind_for_id(one) for one in range(grammar.node_kind_count)}
    gone = sorted(getattr(language, what) - known)
    assert not gone, f"{language.name}: {what} names nodes the grammar does not have: {gone}"


@each_language
def test_a_language_is_found_by_its_own_name(language: Language):
    """`name` is what the product passes round; it has to lead back to the record."""
    assert language_of_id(language.name) is language
    assert all(language_of_path(f"some/file{suffix}") is language for suffix in language.suffixes)


@pytest.mark.parametrize(
    ("language_id", "name"),
    [
        ("javascriptreact", "javascript"),
        ("typescriptreact", "typescriptreact"),
        ("shellscript", "shellscript"),
        ("bash", "shellscript"),
        ("sh", "shellscript"),
        ("c++", "cpp"),
        ("Cpp", "cpp"),
        ("csharp", "csharp"),
        ("  Python ", "python"),
        ("markdown", None),
        ("", None),
        ("\0", None),
    ],
)
def test_editors_names_lead_to_one_language(language_id: str, name: str | None):
    """Editors do not agree on ids; unknown ones are None and never an exception."""
    found = language_of_id(language_id)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/app.PY", "python"),
        ("C:\\work\\Main.java", "java"),
        ("file:///home/me/x.tsx", "typescriptreact"),
        ("a/b.d.ts", "typescript"),
        ("include/x.h", "c"),
        ("x.hpp", "cpp"),
        ("Rakefile", "ruby"),
        ("/home/me/.bashrc", "shellscript"),
        ("Main.kt", "kotlin"),
        ("build.gradle.kts", "kotlin"),
        ("Package.swift", "swift"),
        ("build.sbt", "scala"),
        ("init.lua", "lua"),
        ("README", None),
        ("", None),
        ("/", None),
        ("untitled:Untitled-1", None),
    ],
)
def test_paths_lead_to_languages(path: str, name: str | None):
    """Any separator, any case, URIs, and nothing at all."""
    found = language_of_path(path)
    assert (found.name if found else None) == name


def test_the_path_helps_where_the_id_says_nothing():
    """Some clients send `plaintext` for everything."""
    assert find_language("plaintext", "x.go") is language_of_id("go")
    assert find_language("plaintext") is None


def test_importing_the_table_loads_no_grammar():
    """Start-up stays fast: a wheel is opened when its language is first parsed."""
    code = (
        "import sys, truepenny.context.languages\n"
        "print([m for m in sys.modules if m.startswith('tree_sitter')])"
    )
    shown = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_missing_wheel_is_named_with_the_fix():
    """The person who reads it can act on it."""
    absent = replace(PYTHON, name="no", wheel="tree_sitter_no")
    with pytest.raises(GrammarError, match="pip install tree-sitter-no"):
        grammar_of(absent)
