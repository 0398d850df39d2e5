"""What is said of copies, whole, disguised, partial and innocent, and of what is nobody's."""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.guard.errors import CheckError, LicenceIndexError
from truepenny.guard.licence import check as checking
from truepenny.guard.licence.check import LicenceCheck
from truepenny.guard.licence.index import LicenceIndex
from truepenny.guard.licence.known import KnownCode, licence_spans
from truepenny.guard.licence.policy import LicencePolicy
from truepenny.guard.licence.writer import IndexWriter
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Passage, Reference, Verdict

from .corpus import part, source

GPL, MIT, BOTH, LGPL, FREE, NOBODY, OURS = range(101, 108)
FILES = {
    GPL: [("taker", "GPL-3.0-or-later")],
    MIT: [("giver", "MIT")],
    BOTH: [("first", "AGPL-3.0-only"), ("second", "BSD-3-Clause")],
    LGPL: [("lender", "LGPL-2.1-only")],
    FREE: [("gift", "CC0-1.0")],
    NOBODY: [("stray", "")],
    OURS: [(f"fork{i}", "GPL-2.0-only") for i in range(10)],
}
MINE = source(1_001)


@pytest.fixture(scope="module")
def indexes(tmp_path_factory):
    """Two files that are searched together."""
    folder = tmp_path_factory.mktemp("licences")
    writers = [IndexWriter(folder / "one"), IndexWriter(folder / "two")]
    for seed, owners in FILES.items():
        for project, licence in owners:
            path = f"lib/{project}.py"
            writers[seed % 2].add(project, "1.2", path, licence, f"https://x.org/{path}", source(seed))
    for writer in writers:
        writer.finish()
    opened = [LicenceIndex.open(folder / name) for name in ("one", "two")]
    yield opened
    for index in opened:
        index.close()


def judge(indexes, suggestion: str, before: str = "", after: str = "", **given) -> tuple[Verdict, ...]:
    return LicenceCheck(indexes, **given).judge(Passage(before, suggestion, after, "python"))


def reference_of(verdict: Verdict) -> Reference:
    assert verdict.reference is not None
    return verdict.reference


def block(seed: int, lines: int = 20, first: int = 30) -> str:
    return part(source(seed), first, lines)


def renamed(text: str) -> str:
    keep = {"def", "for", "in", "if", "and", "not", "while", "return", "raise", "from", "len", "f"}
    return re.sub(
        r"[A-Za-z_]\w*", lambda one: one[0] if one[0] in keep else f"x{zlib.crc32(one[0].encode())}", text
    )


def inserted(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line + "    total = count(total, 3)\n" * (i % 6 == 5) for i, line in enumerate(lines))


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text,
        lambda text: text.replace("    ", "\t").replace(" = ", "="),
        lambda text: text.replace("\n", "  # step\n"),
        lambda text: text.replace("\n", "\n    # and now\n"),
        lambda text: text.replace("a", "а").replace("e", "е"),
        inserted,
        renamed,
    ],
    ids=["verbatim", "re-spaced", "commented", "comment lines", "look-alikes", "inserted", "renamed"],
)
def test_a_copy_is_kept_away_under_any_disguise(indexes, disguise):
    """Named in full: the project, the file, the licence, and that nothing of it is shown."""
    suggestion = disguise(block(GPL))
    found = judge(indexes, suggestion)[0]
    assert found.kind == "licence"
    assert found.action == Action.WITHHOLD
    assert found.licence == "GPL-3.0-or-later"
    assert found.reference is not None
    assert (found.reference.name, found.reference.version) == ("taker", "1.2")
    assert (found.reference.path, found.reference.url) == ("lib/taker.py", "https://x.org/lib/taker.py")
    assert found.reference.end - found.reference.start > len(suggestion) * 0.8
    for word in ("lib/taker.py", "taker 1.2", "GPL-3.0-or-later"):
        assert word in found.evidence


@pytest.mark.parametrize(
    ("seed", "action", "name"),
    [
        (GPL, Action.WITHHOLD, "taker"),
        (MIT, Action.ANNOTATE, "giver"),
        (BOTH, Action.ANNOTATE, "second"),
        (LGPL, Action.WITHHOLD, "lender"),
        (FREE, None, ""),
        (NOBODY, Action.WITHHOLD, "stray"),
        (OURS, None, ""),
        (1_002, None, ""),
    ],
    ids=["strong", "permissive", "both", "weak", "public domain", "no licence", "common", "new"],
)
def test_the_terms_decide(indexes, seed, action, name):
    """What can be had on milder terms is; what ten projects share, and what is new, is no finding."""
    found = judge(indexes, block(seed))
    if action is None:
        assert found == ()
    else:
        assert [(one.action, reference_of(one).name) for one in found] == [(action, name)]


def test_weak_copyleft_is_a_setting(indexes):
    """Shown with its reference for who wants it so."""
    policy = LicencePolicy(weak_copyleft=Action.ANNOTATE)
    assert [one.action for one in judge(indexes, block(LGPL), policy=policy)] == [Action.ANNOTATE]


def test_what_is_kept_of_a_copy_is_innocent(indexes):
    """The lines before the copy stay, and what stays passes on its own."""
    own = part(MINE, 0, 12)
    found = judge(indexes, own + block(GPL))[0]
    assert found.action == Action.TRIM
    assert len(own) <= found.start < len(own) + 400
    kept = (own + block(GPL))[: found.start]
    assert kept.endswith("\n")
    assert all(one.action < Action.TRIM for one in judge(indexes, kept))
    assert reference_of(found).start >= len(own) - 80


@pytest.mark.parametrize(("lines", "rule"), [(1, None), (2, None), (6, "licence/copy"), (20, "licence/copy")])
def test_few_lines_are_no_copy(indexes, lines, rule):
    """One or two lines are anybody's; from some 41 lexemes on they are somebody's."""
    found = judge(indexes, block(GPL, lines))
    assert [one.rule for one in found] == ([rule] if rule else [])


def test_a_few_lines_among_others_are_pointed_out(indexes):
    """Some 50 lexemes in a long suggestion: shown, with the reference."""
    own = part(MINE, 0, 20)
    found = judge(indexes, own + part(source(GPL), 33, 4) + part(MINE, 40, 20))
    assert [(one.rule, one.action) for one in found] == [("licence/similar", Action.ANNOTATE)]
    reference = found[0].reference
    assert reference is not None
    assert reference.start <= len(own) + 80
    assert reference.end > len(own) + 150


def test_the_text_before_counts(indexes):
    """A copy that comes line by line is seen when it has become one."""
    text = source(GPL).splitlines(keepends=True)
    line = text[36]
    assert judge(indexes, line) == ()
    assert judge(indexes, line, before="".join(text[30:36]))[0].action == Action.WITHHOLD
    assert judge(indexes, line, before="".join(text[30:33]) + MINE) == ()


def test_one_s_own_code_is_no_finding(indexes):
    """What the workspace has, what stands nearby, and what the caller calls known."""
    copy = block(GPL)
    assert judge(indexes, copy, known=[KnownCode.of([source(GPL)])]) == ()
    assert judge(indexes, copy, before=source(GPL) + MINE) == ()
    assert judge(indexes, copy, after=source(GPL)) == ()
    assert judge(indexes, copy, known=[KnownCode.of([MINE])]) != ()
    assert judge(indexes, copy, known=[indexes[GPL % 2]]) == ()


class Workspace:
    """Of files that might have it."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def texts_like(self, passage: Passage) -> tuple[str, ...]:
        return self.texts


@pytest.mark.parametrize(
    ("texts", "is_own"),
    [
        ((source(GPL),), True),
        ((MINE, source(GPL)), True),
        ((part(source(1_003, 3_000), 0, 2_500) + source(GPL) + source(1_004, 3_000),), True),
        ((renamed(source(GPL)),), False),
        ((MINE,), False),
        ((), False),
    ],
    ids=["its file", "among others", "in a long file", "under other names", "another's", "none"],
)
def test_code_of_the_workspace_may_be_repeated(indexes, texts, is_own):
    """What stands in the user's own files is no finding; a stranger's copy is kept away."""
    check = LicenceCheck(indexes).under(LicencePolicy(), Workspace(*texts))
    assert (check.judge(Passage("", block(GPL), "", "python")) == ()) == is_own
    assert check.judge(Passage("", block(NOBODY), "", "python")) != ()


def test_the_workspace_is_asked_only_after_a_finding(indexes):
    """Innocent suggestions, nearly all there are, cost nothing more."""

    class Never:
        def texts_like(self, passage: Passage) -> tuple[str, ...]:
            raise AssertionError(passage.suggestion)

    check = LicenceCheck(indexes, own_code=Never())
    assert check.judge(Passage("", block(1_002), "", "python")) == ()


def test_what_ten_indexes_share_is_common(tmp_path):
    """Ten projects that were added one by one make code nobody's, as ten in one index do."""
    opened = []
    for i in range(10):
        with IndexWriter(tmp_path / f"{i}") as writer:
            writer.add(f"p{i}", "1", "a.py", "GPL-3.0-only", "", source(7))
            writer.finish()
        opened.append(LicenceIndex.open(tmp_path / f"{i}"))
    assert judge(opened[:9], block(7)) != ()
    assert judge(opened, block(7)) == ()


def test_innocent_code_passes(indexes):
    """Code of the same kind and the same words, which nobody has written before."""
    marked = [seed for seed in range(2_000, 2_060) if judge(indexes, block(seed))]
    assert marked == []


def test_a_table_of_numbers_says_nothing(tmp_path):
    """Rows of zeros are found, and are nobody's."""
    table = "xs = [\n" + "    0, 0, 0, 0, 0, 0, 0, 0,\n" * 40 + "]\n"
    with IndexWriter(tmp_path / "i") as writer:
        writer.add("p", "1", "a.py", "GPL-3.0-only", "", table + source(5))
        writer.finish()
    assert judge([LicenceIndex.open(tmp_path / "i")], part(table, 1, 20)) == ()


def test_a_licence_may_be_quoted(tmp_path):
    """Its text is meant to be copied; the code beside it is not."""
    terms = (
        "Widgets is free software: everybody may pass it on under the GNU General Public License as\n"
        "published by the Free Software Foundation, in this version or any later one of their choice.\n"
        "It comes WITHOUT ANY WARRANTY, not even one that it is of use for something in particular,\n"
        "and whoever passes it on says so, and hands the source on with it or tells where it is.\n"
    ) * 2
    with IndexWriter(tmp_path / "i") as writer:
        writer.add("p", "1", "a.py", "GPL-3.0-only", "", f'NOTICE = """\n{terms}"""\n{source(5)}')
        writer.finish()
    opened = [LicenceIndex.open(tmp_path / "i")]
    assert judge(opened, terms) == ()
    assert judge(opened, block(5)) != ()
    assert licence_spans(terms) == [(0, len(terms))]
    assert licence_spans(block(5)) == []


def test_a_broken_index_leaves_the_text_unvouched(indexes, tmp_path):
    """Never a pass: what the sound ones find still counts, and the rest says which file is broken."""
    bad = tmp_path / "bad.index"
    bad.write_bytes(b"something else")
    check = LicenceCheck.open([indexes[0].path, indexes[1].path, bad])
    guard = Guard([check])
    innocent = guard.judge(Passage("", block(3_000), "", "python"))
    assert (innocent.text, innocent.vouched, innocent.unfinished) == (block(3_000), False, ("licence",))
    assert guard.judge(Passage("", block(GPL), "", "python")).text == ""
    with pytest.raises(LicenceIndexError, match=re.escape(str(bad))):
        check.judge(Passage("", "x = 1\n", "", "python"))
    check.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-100] + bytes(100),
        lambda data: b"PK\x03\x04" + data,
        lambda data: random.Random(1).randbytes(4_000),
        None,
    ],
    ids=["empty", "cut", "zeros", "foreign", "noise", "not there"],
)
def test_the_other_indexes_are_still_used(indexes, tmp_path, spoil):
    """What they find is kept away; what they do not find is unvouched, and the judgement says why."""
    path = tmp_path / "spoilt.tplx"
    if spoil is not None:
        path.write_bytes(spoil(indexes[GPL % 2].path.read_bytes()))
    guard = Guard([LicenceCheck.open([path, *(one.path for one in indexes)])])
    found = guard.judge(Passage("", block(GPL), "", "python"))
    assert (found.text, found.action) == ("", Action.WITHHOLD)
    shown = guard.judge(Passage("", block(MIT), "", "python"))
    assert (shown.text, shown.vouched, shown.unfinished) == (block(MIT), False, ("licence",))


def test_an_index_that_breaks_while_it_is_open(tmp_path):
    """A disk that fails makes the text unvouched, never passed."""
    with IndexWriter(tmp_path / "i") as writer:
        writer.add("p", "1", "a.py", "GPL-3.0-only", "", source(5))
        writer.finish()
    index = LicenceIndex.open(tmp_path / "i")
    index._arrays["codes"] = np.zeros_like(index._arrays["codes"])
    judged = Guard([LicenceCheck([index])]).judge(Passage("", block(5), "", "python"))
    assert (judged.text, judged.vouched) == (block(5), False)


def test_no_index_at_all():
    """Nothing to look up is nothing found."""
    assert judge([], block(GPL)) == ()


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("x" * 1_000_000, False),
        ("\n" * 1_000_000, False),
        ("/* " * 333_000, False),
        ("é\u202e" * 500_000, False),
        ("\ud800" * 1_000_000, False),
        (block(GPL) * 1_200, True),
    ],
    ids=["a word", "lines", "comments", "hidden", "surrogates", "copies"],
)
def test_a_million_characters_are_judged(indexes, text, is_found):
    """Whatever they are; how long that takes is measured by the benchmark."""
    assert bool(judge(indexes, text[:1_000_000])) == is_found


def test_long_suggestions(indexes, monkeypatch):
    """A copy deep in a long answer is found; one too long to look up is an error, not a pass."""
    text = source(5_000, 1_500)
    found = judge(indexes, text + block(GPL) + source(5_001, 300))
    assert {(one.action, one.licence) for one in found} == {(Action.TRIM, "GPL-3.0-or-later")}
    assert found[0].start >= len(text) - 100
    monkeypatch.setattr(checking, "MAX_SUGGESTION_CHARS", 100)
    with pytest.raises(CheckError, match="100"):
        judge(indexes, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(before=st.text(max_size=80), suggestion=st.text(max_size=200), cut=st.integers(0, 900))
def test_any_text(indexes, before, suggestion, cut):
    """Spans lie inside the suggestion, whatever it is and wherever a copy breaks off."""
    text = suggestion + block(GPL)[:cut]
    for one in judge(indexes, text, before=before):
        assert 0 <= one.start <= one.end <= len(text)
        assert one.reference is not None
        assert 0 <= one.reference.start < one.reference.end <= len(text)


def test_paths_may_be_anything(tmp_path):
    """Non-ASCII paths, and no url."""
    with IndexWriter(Path(tmp_path) / "i") as writer:
        writer.add("projét", "", "dossier/été.py", "GPL-3.0-only", "", source(5))
        writer.finish()
    found = judge([LicenceIndex.open(tmp_path / "i")], block(5))
    assert reference_of(found[0]).path == "dossier/été.py"
