"""The records of the wire as JSON, there and back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.errors import RequestRefusedError
from truepenny.models.wire import (
    ChatRequest,
    CompletionRequest,
    EngineStatus,
    Message,
    Priority,
    Sampling,
    Started,
    Usage,
)
from truepenny.models.wire_json import (
    chat_to_json,
    completion_from_json,
    completion_to_json,
    messages_from_json,
    object_of,
    started_from_json,
    started_to_json,
    status_from_json,
    usage_from_json,
    usage_to_json,
    wants_stream,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.integers(0, 10**6)
times_ms = st.floats(0, 1e6).map(lambda ms: round(ms, 2))
samplings = st.builds(
    Sampling,
    temperature=st.floats(0, 10),
    top_p=st.floats(0, 1),
    top_k=counts,
    seed=st.none() | st.integers(0, 2**64),
)
limits = {
    "max_tokens": st.integers(0, 10**6),
    "sampling": samplings,
    "stop": st.lists(texts, max_size=3).map(tuple),
    "priority": st.sampled_from(Priority),
    "document": texts,
    "workspace": texts,
}
wishes = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "allowed": st.lists(texts, min_size=1, max_size=3).map(tuple),
            "allowed_only": st.booleans(),
            "allowed_words": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {"grammar": texts.filter(bool), "grammar_kind": st.sampled_from(["json_schema", "regex", "lark"])}
    ),
)
completions = st.builds(
    lambda more, **fields: CompletionRequest(**fields, **more),
    wishes,
    prompt_ids=st.lists(counts, max_size=9).map(tuple),
    heal=texts,
    n=st.integers(1, 8),
    speculate=st.booleans(),
    logprobs=st.booleans(),
    **limits,
)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts)
chats = st.builds(ChatRequest, st.lists(messages, max_size=3).map(tuple), **limits)


def encode(text: str) -> list[int]:
    return list(text.encode())


def sent(body: dict) -> dict:
    """Through the wire: what is not JSON would show here."""
    return object_of(json.dumps(body, ensure_ascii=False, allow_nan=False).encode())


@given(completions)
def test_a_completion_comes_back_as_it_went(request):
    """Nothing is lost, nothing rounded."""
    body = sent(completion_to_json(request, "m"))
    assert completion_from_json(body, encode) == request
    assert wants_stream(body)
    assert body["model"] == "m"


@given(chats)
def test_a_conversation_comes_back_as_it_went(request):
    """Its limits are read as those of the prompt the template makes of it."""
    body = sent(chat_to_json(request, "m"))
    assert messages_from_json(body) == request.messages
    read = completion_from_json({**body, "prompt": [1]}, encode)
    for name in limits:
        assert getattr(read, name) == getattr(request, name)


@given(
    counts,
    counts,
    counts,
    st.tuples(times_ms, times_ms, times_ms),
    st.sampled_from(["stop", "length", "cancelled"]),
    st.tuples(counts, counts),
)
def test_a_usage_comes_back_as_it_went(reused, computed, completion, times, reason, drafts):
    """Times to a hundredth of a millisecond."""
    queue_ms, prefill_ms, decode_ms = times
    drafted, accepted = drafts
    usage = Usage(
        reused + computed,
        reused,
        computed,
        completion,
        queue_ms,
        prefill_ms,
        decode_ms,
        reason,
        drafted,
        accepted,
    )
    assert usage_from_json(sent(usage_to_json(usage)), None) == usage


@given(counts, counts, st.floats(0, 1e6), st.floats(0, 1e6), counts)
def test_a_start_comes_back_as_it_went(reused, computed, queue_ms, prefill_ms, drafted):
    """Also from an engine that knows more than we do."""
    started = Started(reused + computed, reused, computed, queue_ms, prefill_ms, drafted, drafted)
    body = sent(started_to_json(started))
    assert started_from_json(body) == started
    body["truepenny"]["started"]["energy_j"] = 3
    assert started_from_json(body) == started


def test_a_status_comes_back_and_ignores_what_is_new():
    """A newer engine may say more."""
    status = EngineStatus("m", "int8", "why", *[1] * 14, details={"a": "b"})
    assert status_from_json(sent({**asdict(status), "new": 1})) == status


def test_unset_options_are_not_sent():
    """Other servers refuse some of them, such as top_k."""
    body = completion_to_json(CompletionRequest((1,)), "m")
    assert not {"top_k", "top_p", "seed", "stop", "n", "cache_salt"} & body.keys()


def test_names_stay_on_this_machine():
    """Another engine keeps workspaces apart by a salt that nobody can trace back."""
    request = CompletionRequest((1,), document="/home/me/secret.py", workspace="/home/me")
    talk = ChatRequest((Message("user", "x"),), document="/home/me/secret.py", workspace="/home/me")
    for body in (
        completion_to_json(request, "m", is_ours=False),
        completion_to_json(replace(request, document="other"), "m", is_ours=False),
        chat_to_json(talk, "m", is_ours=False),
    ):
        assert "/home" not in json.dumps(body)
        assert "other" not in json.dumps(body)
        assert body["cache_salt"] == completion_to_json(request, "m", is_ours=False)["cache_salt"]
    elsewhere = completion_to_json(replace(request, workspace="/home/you"), "m", is_ours=False)
    assert elsewhere["cache_salt"] != body["cache_salt"]
    assert "cache_salt" not in completion_to_json(request, "m")


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"n": 3}, {"n": 3}),
        (
            {"allowed": ('a"', "b"), "allowed_only": True},
            {"structured_outputs": {"choice": ['a"', "b"]}, "grammar": 'root ::= ("a\\"" | "b")'},
        ),
        (
            {"allowed": ("f(", "g"), "heal": "x."},
            {
                "structured_outputs": {"regex": r"(x\.f\(|x\.g)[\s\S]*"},
                "grammar": r'root ::= ("x.f(" | "x.g") [^\x00]*',
            },
        ),
        (
            {"allowed": ("f",), "heal": "x.", "allowed_words": True},
            {
                "structured_outputs": {"regex": r"(x\.f)([^0-9A-Za-z_][\s\S]*)?"},
                "grammar": r'root ::= ("x.f") ([^0-9A-Za-z_] [^\x00]*)?',
            },
        ),
        (
            {"grammar": '{"type": "null"}'},
            {"structured_outputs": {"json": {"type": "null"}}, "json_schema": {"type": "null"}},
        ),
        ({"grammar": "a+", "grammar_kind": "regex"}, {"structured_outputs": {"regex": "a+"}}),
        ({"grammar": "start: A", "grammar_kind": "lark"}, {"structured_outputs": {"grammar": "start: A"}}),
    ],
)
def test_limits_in_the_words_of_other_engines(fields, sent):
    """Of vLLM and of llama-server."""
    body = completion_to_json(CompletionRequest((1,), **fields), "m", is_ours=False)
    extra = {"n", "structured_outputs", "grammar", "json_schema"}
    assert {key: body[key] for key in extra & body.keys()} == sent


def test_a_schema_that_is_not_json_is_refused():
    """Before anybody is asked."""
    with pytest.raises(RequestRefusedError, match=r"grammar is '\{', not JSON"):
        completion_to_json(CompletionRequest((1,), grammar="{"), "m", is_ours=False)


@pytest.mark.parametrize(
    ("record", "reason", "expected"),
    [
        ({}, None, (0, 0, "stop")),
        ({"usage": None, "truepenny": None}, "length", (0, 0, "length")),
        ({"usage": {"prompt_tokens": 7, "prompt_tokens_details": None}}, "stop", (7, 0, "stop")),
        (
            {"usage": {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}}},
            "eos",
            (7, 5, "stop"),
        ),
        ({"truepenny": "theirs"}, "length", (0, 0, "length")),
    ],
)
def test_other_servers_are_read_as_far_as_they_go(record, reason, expected):
    """Figures they do not give are zeros."""
    usage = usage_from_json(record, reason)
    assert (usage.prompt_tokens, usage.reused_tokens, usage.finish_reason) == expected
    assert started_from_json(record) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": None}, "prompt is None: expected a list of token ids or a string"),
        ({"prompt": [1, "2"]}, r"prompt is \[1, '2'\]"),
        ({"prompt": [1, True]}, r"prompt is \[1, True\]"),
        ({"prompt": [[1]]}, r"prompt is \[\[1\]\]"),
        ({"prompt": ["x"] * 1000}, "prompt is .{80}…: expected"),
        ({"prompt": "a\ud800"}, r"prompt holds '\\ud800' at 1"),
        ({"max_tokens": -3}, "max_tokens is -3: expected at least 0"),
        ({"max_tokens": 1.5}, "max_tokens is 1.5: expected int"),
        ({"max_tokens": True}, "max_tokens is True: expected int"),
        ({"max_tokens": "9"}, "max_tokens is '9': expected int"),
        ({"temperature": -1}, "temperature is -1.0: expected at least 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"temperature": 10**400}, "temperature is 1000+…: expected float"),
        ({"temperature": "hot"}, "temperature is 'hot': expected float"),
        ({"top_p": 1.5}, "top_p is 1.5: expected 0.0 to 1.0"),
        ({"top_p": -0.1}, "top_p is -0.1"),
        ({"top_p": float("nan")}, "top_p is nan"),
        ({"top_k": -1}, "top_k is -1: expected at least 0"),
        ({"seed": -1}, "seed is -1: expected at least 0"),
        ({"seed": "x"}, "seed is 'x': expected int"),
        ({"stop": 5}, "stop is 5: expected a string or a list of strings"),
        ({"stop": 0}, "stop is 0"),
        ({"stop": {}}, "stop is {}"),
        ({"stop": ["a", 1]}, r"stop is \['a', 1\]"),
        ({"stop": ["\udfff"]}, r"stop holds '\\udfff'"),
        ({"n": 9}, "n is 9: expected 1 to 8"),
        ({"n": 0}, "n is 0: expected 1 to 8"),
        ({"n": "1"}, "n is '1': expected int"),
        ({"truepenny": []}, r"truepenny is \[\]: expected dict"),
        ({"truepenny": {"heal": 1}}, "heal is 1: expected str"),
        ({"truepenny": {"heal": "\ud800"}}, "heal holds"),
        ({"truepenny": {"priority": "urgent"}}, "priority is 'urgent': expected one of interactive, chat"),
        ({"truepenny": {"priority": 0}}, "priority is 0: expected str"),
        ({"truepenny": {"document": 7}}, "document is 7: expected str"),
        ({"truepenny": {"workspace": 7}}, "workspace is 7: expected str"),
        ({"truepenny": {"allowed": [1]}}, r"allowed is \[1\]: expected a string or a list of strings"),
        ({"truepenny": {"allowed_only": 1}}, "allowed_only is 1: expected bool"),
        ({"truepenny": {"grammar": {}}}, r"grammar is \{\}: expected str"),
        (
            {"truepenny": {"grammar_kind": "gbnf"}},
            "grammar_kind is 'gbnf': expected one of json_schema, regex",
        ),
        ({"truepenny": {"speculate": "no"}}, "speculate is 'no': expected bool"),
    ],
)
def test_every_mistake_names_the_field_and_the_value(fields, said):
    """The person who sent it has to find it."""
    with pytest.raises(RequestRefusedError, match=said):
        completion_from_json({"prompt": [1], **fields}, encode)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": None, "stop": None, "seed": None, "max_tokens": None, "truepenny": None},
        {"temperature": 0, "top_p": 1, "n": 1},
        {"n": 8, "max_tokens": 0, "truepenny": {"allowed": "one", "grammar_kind": None}},
        {"stop": "x", "truepenny": {}},
        {"prompt": "text", "echo": False, "unknown": 1},
    ],
)
def test_what_the_openai_api_allows_is_allowed(fields):
    """Null means unset; integers are floats; a string is a prompt or a stop."""
    completion_from_json({"prompt": [1], **fields}, encode)


@pytest.mark.parametrize(
    "turn", [1, {}, {"role": "tool", "content": "x"}, {"role": "user", "content": ["x"]}]
)
def test_a_malformed_message_is_shown(turn):
    """With what is expected."""
    with pytest.raises(RequestRefusedError, match="expected an object with role"):
        messages_from_json({"messages": [turn]})
    with pytest.raises(RequestRefusedError, match="messages is 5: expected list"):
        messages_from_json({"messages": 5})
    with pytest.raises(RequestRefusedError, match="content holds"):
        messages_from_json({"messages": [{"role": "user", "content": "\ud800"}]})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[1]", b'"x"', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_object_is_refused(body):
    """Nothing a client sends ends in a traceback."""
    with pytest.raises(RequestRefusedError, match="the request body"):
        object_of(body)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=4)
)
def test_no_value_anywhere_is_a_crash(value):
    """Every field, every type: an answer or a refusal."""
    for key in ("prompt", "max_tokens", "temperature", "top_p", "top_k", "seed", "stop", "n", "truepenny"):
        try:
            completion_from_json({"prompt": [1], key: value}, encode)
        except RequestRefusedError:
            continue
