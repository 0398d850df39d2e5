"""Settings: what is right is taken, what is wrong is named with its fix."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.lsp_server import settings as module
from truepenny.lsp_server.settings import CompletionSettings, GuardSettings, Settings, read_settings


@pytest.mark.parametrize("raw", [None, {}, {"completion": {}}, {"completion": None, "engine": None}])
def test_nothing_given_is_the_defaults(raw: object) -> None:
    """An absent key and `null` both mean the default, and neither is a mistake."""
    assert read_settings(raw) == (Settings(), ())


def test_every_key_is_read() -> None:
    """Each setting reaches its field."""
    raw = {
        "engine": "https://models.example/v1",
        "engine_api_key_env": "MODELS_KEY",
        "engine_prewarm": False,
        "completion": {
            "enabled": False,
            "model": "other",
            "precision": "nf4",
            "lines": "single",
            "max_tokens": 12,
            "time_cap_ms": 250,
            "disabled_languages": ["sql"],
            "mode": "subtle",
            "disabled_globs": ["*.sql"],
            "disabled_scopes": ["string", "comment", "string"],
        },
        "chat": {"model": "talker"},
        "guard": {"enabled": False, "unvouched": "withhold", "weak_copyleft": "show", "deadline_ms": 40},
    }

    settings, problems = read_settings(raw)

    assert problems == ()
    assert settings == Settings(
        "https://models.example/v1",
        "MODELS_KEY",
        engine_prewarm=False,
        completion=CompletionSettings(
            enabled=False,
            model="other",
            precision="nf4",
            lines="single",
            max_tokens=12,
            time_cap_ms=250,
            disabled_languages=("sql",),
            mode="subtle",
            disabled_globs=("*.sql",),
            disabled_scopes=("string", "comment"),
        ),
        chat=module.ChatSettings("talker"),
        guard=GuardSettings(enabled=False, unvouched="withhold", weak_copyleft="show", deadline_ms=40),
    )


def test_every_field_has_a_reader() -> None:
    """A setting added to the records cannot be forgotten by the reader."""
    keys: set[str] = set()
    for field in fields(Settings):
        value = getattr(Settings(), field.name)
        inner = [f"{field.name}.{f.name}" for f in fields(value)] if is_dataclass(value) else [field.name]
        keys.update(inner)

    assert keys == set(module._READERS)


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        ({"engin": "local"}, "engin", "'engine'"),
        ({"model": "x"}, "model", "'completion.model'"),
        ({"completion": {"maxTokens": 4}}, "completion.maxTokens", "'completion.max_tokens'"),
        ({"completion": {"unvouched": "show"}}, "completion.unvouched", "'guard.unvouched'"),
        ({"completions": {}}, "completions", "'completion'"),
        ({"completion.model": "x"}, "completion.model", "'model' inside 'completion'"),
        ({"zzz": 1}, "zzz", "there are completion, chat, context, guard, grounding, engine"),
        ({"engine": "lokal"}, "engine", "'local', 'fake' or an address"),
        ({"engine": "ftp://host/"}, "engine", "http://"),
        ({"engine": "http:///v1"}, "engine", "http://"),
        ({"engine": "http://host:99999/"}, "engine", "Port out of range"),
        ({"engine": 3}, "engine", "'local'"),
        ({"completion": {"max_tokens": 0}}, "completion.max_tokens", "from 1 to 4096"),
        ({"completion": {"max_tokens": True}}, "completion.max_tokens", "whole number"),
        ({"completion": {"max_tokens": 9.5}}, "completion.max_tokens", "whole number"),
        ({"completion": {"time_cap_ms": "1s"}}, "completion.time_cap_ms", "whole number"),
        ({"completion": {"precision": "bf-16"}}, "completion.precision", "did you mean 'bf16'"),
        ({"completion": {"lines": []}}, "completion.lines", "'auto', 'single', 'multi'"),
        ({"completion": {"disabled_languages": "markdown"}}, "completion.disabled_languages", "a list"),
        ({"completion": {"disabled_languages": ["a", 3]}}, "completion.disabled_languages", "a list"),
        ({"completion": {"mode": "on-demand"}}, "completion.mode", "did you mean 'on_demand'"),
        ({"completion": {"disabled_globs": "*.sql"}}, "completion.disabled_globs", "a list of patterns"),
        (
            {"completion": {"disabled_globs": ["*.sql", "# x"]}},
            "completion.disabled_globs",
            "'# x' matches nothing",
        ),
        ({"completion": {"disabled_globs": ["[a"]}}, "completion.disabled_globs", "'[a' matches nothing"),
        ({"completion": {"disabled_scopes": "comment"}}, "completion.disabled_scopes", "[] for none"),
        ({"completion": {"disabled_scopes": ["comments"]}}, "completion.disabled_scopes", "mean 'comment'"),
        ({"completion": {"disabled_scopes": [3]}}, "completion.disabled_scopes", "'docstring'"),
        ({"completion": {"model": "  "}}, "completion.model", "not empty"),
        ({"completion": 3}, "completion", "an object"),
        ({"guard": {"enabled": "no"}}, "guard.enabled", "true or false"),
        ({"guard": {"weak_copyleft": "block"}}, "guard.weak_copyleft", "'withhold', 'show'"),
        ([1], "(all)", "an object"),
        ("local", "(all)", "an object"),
    ],
)
def test_a_mistake_names_the_key_and_the_fix(raw: object, key: str, words: str) -> None:
    """One mistake, one problem, with what to do; the default stands in."""
    settings, problems = read_settings(raw)

    assert [problem.key for problem in problems] == [key]
    assert words in problems[0].fix
    assert key in str(problems[0])
    assert settings == Settings()


def test_one_mistake_does_not_spoil_the_rest() -> None:
    """What is right beside a mistake is kept."""
    settings, problems = read_settings({"completion": {"lines": "many", "max_tokens": 7}, "engine": "fake"})

    assert len(problems) == 1
    assert settings.completion.max_tokens == 7
    assert settings.engine == "fake"


@pytest.mark.parametrize(
    "raw", [{"engine_api_key_env": "sk-se-cret"}, {"engine": "https://me:se-cret@host/v1"}]
)
def test_a_key_given_by_mistake_is_not_repeated(raw: dict[str, str]) -> None:
    """A secret pasted into the wrong place must not reach a message or a log."""
    _, (problem,) = read_settings(raw)

    assert "se-cret" not in str(problem)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(module._KEYS) | st.sampled_from(["model", "x"]), inner, max_size=4)
    ),
)


@given(json_values)
def test_no_json_breaks_the_reader(raw: object) -> None:
    """Whatever an editor sends, there are settings, and every problem says what to do."""
    settings, problems = read_settings(raw)

    assert isinstance(settings, Settings)
    assert all(problem.fix for problem in problems)
