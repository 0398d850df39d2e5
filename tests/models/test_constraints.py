"""What may come next: strings, grammars, and both after what was typed."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.models.branch import _may_meet
from truepenny.models.constraints import Constraint, InOrder, OneOf, constraint_of
from truepenny.models.decode import Generation, run
from truepenny.models.errors import RequestRefusedError
from truepenny.models.grammars import Grammars
from truepenny.models.healing import Healer
from truepenny.models.speculation import Speculation
from truepenny.models.testing import ByteTokenizer, FakeModel, Script, fake_cache
from truepenny.models.tokens import TokenBytes
from truepenny.models.wire import CompletionRequest, Piece, Sampling

LONGER = ["fo", "foo", "foob", "bar", "ar", "oba", "日本", "\n  "]
VOCABULARY = TokenBytes([*(bytes([i]) for i in range(256)), *(s.encode() for s in LONGER), b""])
EOS = 256 + len(LONGER)
TOKENIZER = ByteTokenizer()
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"line": {"type": "integer"}, "kind": {"enum": ["bug", "style"]}},
        "required": ["line", "kind"],
        "additionalProperties": False,
    }
)

words = st.text("foba日\n ", min_size=1, max_size=6)


def spell(constraint: Constraint, draw, most: int = 30) -> tuple[bytes, bool]:
    """What comes out when `draw` picks among what is allowed, and whether it was made to end."""
    out = b""
    for _ in range(most):
        if constraint.ends_text or (allowed := constraint.allowed()) is None:
            break
        assert len(allowed) > 0
        fork = constraint.fork()
        again = fork.allowed()
        assert again is not None
        assert list(again) == list(allowed)
        required = constraint.required
        token_id = draw(st.sampled_from(list(allowed)))
        if token_id == EOS:
            return out, True
        piece = VOCABULARY[token_id]
        assert piece.startswith(required) or required.startswith(piece)
        out += piece
        constraint.advance(token_id)
    return out, constraint.ends_text


@given(st.data(), st.lists(words, min_size=1, max_size=4))
def test_the_text_begins_with_one_of_the_strings(data, strings):
    """Whichever tokens spell it; a token may go beyond its end."""
    whole = [s.encode() for s in strings]
    out, is_end = spell(OneOf(whole, VOCABULARY, frozenset({EOS}), is_whole=False), data.draw)
    assert not is_end
    assert any(out.startswith(s) for s in whole)


@given(st.data(), st.lists(words, min_size=1, max_size=4))
def test_or_is_one_of_them_and_ends(data, strings):
    """Also where one string begins another."""
    whole = [s.encode() for s in strings]
    out, is_end = spell(OneOf(whole, VOCABULARY, frozenset({EOS}), is_whole=True), data.draw)
    assert is_end
    assert out in whole


@given(st.data(), st.lists(words, min_size=1, max_size=4))
def test_or_with_one_that_is_a_whole_name(data, strings):
    """The text may end behind it, or go on with what is no part of a name."""
    whole = [s.encode() for s in strings]
    constraint = OneOf(whole, VOCABULARY, frozenset({EOS}), is_whole=False, are_words=True)
    out, is_end = spell(constraint, data.draw)
    beyond = [out[len(s) :] for s in whole if out.startswith(s)]
    assert any(not rest or re.match(rb"[^0-9A-Za-z_\x80-\xff]", rest) for rest in beyond)
    assert is_end or constraint.is_done


@given(st.data(), words, st.lists(words, min_size=1, max_size=3), st.booleans())
def test_one_after_the_other(data, typed, strings, is_whole):
    """The first ends at the end of a token, and the second begins there."""
    second = OneOf([s.encode() for s in strings], VOCABULARY, frozenset({EOS}), is_whole=is_whole)
    out, is_end = spell(InOrder([Healer(typed, VOCABULARY, is_exact=True), second]), data.draw)
    assert is_end == is_whole
    assert any(out.startswith((typed + s).encode()) for s in strings)


def write(reply: str, **fields) -> tuple[str, str]:
    """What comes when the model would rather say `reply`; and why it ended."""
    model = FakeModel(Script(replies=(("go:", reply),), otherwise=""))
    events: list = []
    request = CompletionRequest(tuple(b"go:"), **{"max_tokens": 80, **fields})
    grammar = (
        Grammars(TOKENIZER, 264).compile(request.grammar, request.grammar_kind) if request.grammar else None
    )
    shared = Speculation()
    generation = Generation(
        request, TOKENIZER, fake_cache(model), shared, events.append, model.spec, grammar=grammar
    )
    reason = run(generation, model)
    return "".join(event.text for event in events if isinstance(event, Piece)), reason


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ({}, "append(x)\n", "stop"),
        ({"allowed": ("append", "add")}, "append(x)\n", "stop"),
        ({"allowed": ("append", "add"), "allowed_only": True}, "append", "stop"),
        ({"heal": "ap", "allowed": ("pend", "ply"), "allowed_only": True}, "append", "stop"),
        ({"allowed": ("a", "append"), "allowed_only": True}, "append", "stop"),
        ({"allowed": ("日本",), "allowed_only": True}, "日本", "stop"),
        ({"allowed": ("append",), "allowed_only": True, "max_tokens": 3}, "app", "length"),
        ({"allowed": ("append",), "stop": ("pp",)}, "a", "stop"),
        ({"allowed": ("app", "append"), "allowed_words": True}, "append(x)\n", "stop"),
        ({"heal": "a", "allowed": ("ppend",), "allowed_words": True}, "append(x)\n", "stop"),
        ({"allowed": ("append",), "allowed_only": True, "allowed_words": True}, "append", "stop"),
    ],
)
def test_strings_in_a_request(fields, text, reason):
    """After what was typed; stops and limits hold as ever."""
    assert write("append(x)\n", **fields) == (text, reason)


def test_a_name_that_begins_another_is_not_gone_on_with():
    """`app` is allowed and `append` is not."""
    text, _ = write("append(x)\n", allowed=("app",), allowed_words=True, max_tokens=4)
    assert re.match(r"app(?!\w)", text)


def test_a_string_the_model_does_not_like_comes_all_the_same():
    """That is what a constraint is."""
    assert write("append", allowed=("remove", "repeat"), allowed_only=True)[0] in ("remove", "repeat")


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=1.5, seed=3)])
@pytest.mark.parametrize("heal", ["", "§ "])
@pytest.mark.parametrize(
    ("kind", "grammar", "pattern"),
    [
        ("regex", "(one|two){2}[0-9]{3}", r"(one|two){2}[0-9]{3}"),
        ("lark", 'start: "a" WORD "."\nWORD: /[b-d]{2,4}/', r"a[b-d]{2,4}\."),
        ("json_schema", SCHEMA, r'\{\s*"line"\s*:\s*-?\d+\s*,\s*"kind"\s*:\s*"(bug|style)"\s*\}'),
    ],
)
def test_grammars_in_a_request(kind, grammar, pattern, heal, sampling):
    """The whole text is of the grammar, with drafts, sampled or not."""
    pytest.importorskip("llguidance")
    heal_at = {"heal": heal, "sampling": sampling, "grammar": grammar, "grammar_kind": kind}
    text, reason = write('{"line": 12345678, "kind": "style"}', max_tokens=200, **heal_at)
    assert text.startswith(heal)
    if reason == "stop":
        assert re.fullmatch(pattern, text.removeprefix(heal))
    else:
        assert kind == "json_schema"  # a number may go on for ever


@pytest.mark.parametrize(
    ("kind", "grammar", "said"),
    [
        ("regex", "[a", "unclosed character class"),
        ("lark", "start: foo", 'unknown name: "foo"'),
        ("lark", 'start: "a" "b', r"1\(14\)"),
        ("json_schema", "{", "kind json_schema cannot be read: .*line 1"),
        ("json_schema", '{"type": "objec"}', "objec"),
    ],
)
def test_a_grammar_that_cannot_be_read_is_refused(kind, grammar, said):
    """With the place."""
    pytest.importorskip("llguidance")
    with pytest.raises(RequestRefusedError, match=said):
        Grammars(TOKENIZER, 264).compile(grammar, kind)


def test_without_llguidance_a_grammar_is_refused(monkeypatch):
    """And the engine serves everything else."""
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(RequestRefusedError, match="need llguidance"):
        Grammars(TOKENIZER, 264).compile("a", "regex")


def test_a_request_without_limits_has_none():
    """Nothing is looked up for it."""
    assert constraint_of(CompletionRequest((1,)), TOKENIZER).is_done


@given(st.binary(max_size=3), st.booleans(), st.binary(max_size=3), st.booleans(), st.binary(max_size=2))
def test_beginnings_that_cannot_meet_give_different_texts(a, a_is_end, b, b_is_end, more):
    """Whatever comes after them."""
    if not _may_meet((a, a_is_end), (b, b_is_end)):
        for one in (a,) if a_is_end else (a, a + more):
            for other in (b,) if b_is_end else (b, b + more):
                assert one != other


@pytest.mark.weights
def test_a_schema_with_the_real_vocabulary(real_tokenizer, default_model):
    """151,000 tokens, most of which are never allowed at once."""
    pytest.importorskip("llguidance")
    from truepenny.models.loading import load

    loaded = load(default_model.name)
    prompt = tuple(loaded.tokenizer.encode("A finding of the review, as JSON: "))
    request = CompletionRequest(prompt, max_tokens=60, grammar=SCHEMA)
    grammar = Grammars(loaded.tokenizer, loaded.model.spec.vocabulary).compile(SCHEMA, "json_schema")
    events: list = []
    cache = loaded.new_cache(64 << 20)
    generation = Generation(
        request, loaded.tokenizer, cache, Speculation(), events.append, loaded.model.spec, grammar=grammar
    )
    assert run(generation, loaded.model) == "stop"
    found = json.loads("".join(event.text for event in events if isinstance(event, Piece)))
    assert set(found) == {"line", "kind"}
