"""What becomes of a suggestion that names things which do not exist, told by the real `ty`.

`«…»` marks the suggestion in a text; the rest stands round it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truepenny.guard.errors import CheckError
from truepenny.guard.grounding.baseline import Baseline
from truepenny.guard.grounding.check import GroundingCheck
from truepenny.guard.grounding.checkers.checker import ShadowChecker
from truepenny.guard.grounding.checkers.ty import ty_checker
from truepenny.guard.grounding.finding import Fault, Finding
from truepenny.guard.grounding.knowledge import Source, Standing
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Judgement, Passage

ANSWER_S = 60.0
"""Nothing here is about time."""

ANNOTATE, REPAIR, TRIM, WITHHOLD = Action.ANNOTATE, Action.REPAIR, Action.TRIM, Action.WITHHOLD


class Vocabulary:
    """Knows what it is given, and that is all there is."""

    def __init__(self, *names: str, complete: bool = True) -> None:
        self.names, self.complete = names, complete

    def knows(self, name: str, path: str) -> bool | None:
        return name in self.names

    def is_complete(self, path: str) -> bool:
        return self.complete


STANDINGS = {
    "requests": Standing(Source.WELL_KNOWN, "requests"),
    "declared_one": Standing(Source.DECLARED),
    "reqeusts": Standing(Source.LOOK_ALIKE, look_alike_of="requests"),
    "jsonn": Standing(Source.UNKNOWN, nearest="json"),
    "json": Standing(Source.STANDARD),
    "re": Standing(Source.STANDARD),
}


class Packages:
    """What stands in a table; all else is unknown."""

    def standing(self, module: str, path: str) -> Standing:
        if module.partition(".")[0] in sys.stdlib_module_names:
            return Standing(Source.STANDARD)
        return STANDINGS.get(module.partition(".")[0], Standing(Source.UNKNOWN))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\nversion = '1'\n", "utf-8")
    (folder / "dynamic.py").write_text("known = 1\ndef __getattr__(name): ...\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def ty(root: Path) -> Iterator[ShadowChecker]:
    checker = ty_checker(str(root))
    assert checker.wait(ANSWER_S), checker.reason
    yield checker
    checker.close()


def passage(marked: str, root: Path, name: str = "work.py") -> Passage:
    before, _, rest = marked.partition("«")
    suggestion, mark, after = rest.partition("»")
    assert mark, f"no «…» in {marked!r}"
    return Passage(before, suggestion, after, "python", str(root / name))


def grounding(ty: ShadowChecker, vocabulary: Vocabulary | None = None) -> GroundingCheck:
    return GroundingCheck(
        lambda _language, _path: ty, vocabulary=vocabulary, packages=Packages(), deadline_s=ANSWER_S
    )


def check(marked: str, ty: ShadowChecker, root: Path, vocabulary: Vocabulary | None = None) -> Judgement:
    judgement = Guard((grounding(ty, vocabulary),)).judge(passage(marked, root))
    assert judgement.vouched
    return judgement


REPAIRED = [
    # the text, and the suggestion as it may be shown
    ("xs = [1]\n«xs.push(2)»\n", "xs.append(2)"),
    ("xs = [1]\nxs.pu«sh(2)»\n", None),  # `append` does not go on from `pu`
    ("xs = [1]\nxs.app«pend(2)»\n", "end(2)"),
    ("xs = [1]\n«n = xs.length»\n", "n = len(xs)"),
    ("xs = [1]\n«n = xs.size()»\n", "n = len(xs)"),
    ("xs = [1]\n«if xs.contains(2):\n    pass»\n", "if 2 in xs:\n    pass"),
    ("xs = [1]\n«n = xs.contains(2) + 1»\n", "n = (2 in xs) + 1"),
    ("xs = [1]\n«empty = xs.isEmpty()»\n", "empty = not xs"),
    ("d = {'a': 1}\n«if d.has_key('a'):\n    pass»\n", "if 'a' in d:\n    pass"),
    ("d = {'a': 1}\n«d.put('b', 2)»\n", "d['b'] = 2"),
    ("s = 'a'\n«print(s.trim().toUpperCase())»\n", "print(s.strip().upper())"),
    ("s = 'abc'\n«t = s.substring(1, 2)»\n", "t = s[1:2]"),
    ("import json\n«x = json.parse('1')»\n", "x = json.loads('1')"),
    ("import json\n«x = json.dumps({}, indnt=2)»\n", "x = json.dumps({}, indent=2)"),
    ("import os\n«os.path.exist('a')»\n", "os.path.exists('a')"),
    ("import os\n«os.make_dirs('a')»\n", "os.makedirs('a')"),
    ("import datetime\n«t = datetime.now()»\n", "t = datetime.datetime.now()"),
    (
        "«from collections import OrderedDit\nd = OrderedDit()»\n",
        "from collections import OrderedDict\nd = OrderedDict()",
    ),
    ("«import jsonn\nx = jsonn.loads('1')»\n", "import json\nx = json.loads('1')"),
    ("total_count = 1\n«print(totl_count)»\n", "print(total_count)"),
    ("«x = null»\n", "x = None"),
    ("xs = [1]\n«console.log(xs)»\n", "print(xs)"),
    ("def f(a, *, limit=1): return a\n«f(1, limt=2)»\n", "f(1, limit=2)"),
    ("def f(a, *, limit=1): return a\n«f(1, liimit=2, limt=3)»\n", None),
    (
        "class A:\n    def total(self): return 1\n    def f(self):\n        «return self.totl()»\n",
        "return self.total()",
    ),
    ("«x = sorted([1], revers=True)»\n", "x = sorted([1], reverse=True)"),
    ("«open('a', encodin='utf-8')»\n", "open('a', encoding='utf-8')"),
]


@pytest.mark.parametrize(("marked", "shown"), REPAIRED)
def test_what_was_meant_is_shown(marked: str, shown: str | None, ty: ShadowChecker, root: Path):
    judgement = check(marked, ty, root)
    assert judgement.action >= REPAIR, judgement
    if shown is not None:
        assert judgement.text == shown
        assert judgement.action is REPAIR


CUT = [
    # the text, and what is left of the suggestion
    ("xs = [1]\n«n = 1\nxs.frobnicate()\nm = 2»\n", "n = 1"),
    ("xs = [1]\n«xs.frobnicate()»\n", ""),
    ("xs = [1]\n«n = 1\nif n:\n    xs.frobnicate()\nm = 2»\n", "n = 1"),
    ("xs = [1]\n«n = 1\nif n:\n    n = 2\n    xs.frobnicate()\nm = 2»\n", "n = 1\nif n:\n    n = 2"),
    ("xs = [1]\n«if xs:\n    n = 1\nelse:\n    xs.frobnicate()»\n", "if xs:\n    n = 1"),
    ("xs = [1]\n«m = 0\ntry:\n    n = int('1')\nexcept ValueError:\n    xs.frobnicate()»\n", "m = 0"),
    ("xs = [1]\n«m = 0\ntry:\n    n = 1\n    xs.frobnicate()\nexcept ValueError:\n    pass»\n", "m = 0"),
    ("xs = [1]\n«m = 0\n@xs.frobnicate\ndef f():\n    pass»\n", "m = 0"),
    ("«import zzzyxw»\n", ""),
    ("def f(a): return a\n«n = 1\nf(1, 2, 3)»\n", "n = 1"),
]


@pytest.mark.parametrize(("marked", "left"), CUT)
def test_what_has_no_near_name_is_cut_away(marked: str, left: str, ty: ShadowChecker, root: Path):
    judgement = check(marked, ty, root)
    assert judgement.text == left
    assert judgement.action is (TRIM if left else WITHHOLD)


SILENT = [
    "def f(it):\n    get = getattr(it, f'get_{it}', False)\n    «return get() if get else None»\n",
    "«import os\nprint(os.path.join('a', 'b'))»\n",
    "«try:\n    import tomllibx\nexcept ImportError:\n    tomllibx = None»\n",
    "«try:\n    import tomllibx\nexcept ImportError:\n    import tomlix as tomllibx»\n",
    "import sys\n«if sys.platform == 'win32':\n    sys.frob()»\n",
    "import os\n«os.startfile('a')»\n",
    "xs = [1]\n«xs.frob()  # type: ignore»\n",
    "xs = [1]\n«xs.frob()  # noqa: X»\n",
    "xs = [1]\n«xs.frob()  # type: ignore[attr-defined]»\n",
    "def f(a): return a\n«f(  # type: ignore[call-arg]\n    1,\n    zzz=2,\n)»\n",
    "«try:\n    from os import frobnicate\nexcept ImportError:\n    frobnicate = None»\n",
    "class M(type):\n    def f(cls):\n        «return cls.frob»\n",
    "xs = [1]\n«if hasattr(xs, 'frob'):\n    xs.frob()»\n",
    "xs = [1]\n«try:\n    xs.frob()\nexcept AttributeError:\n    pass»\n",
    "xs = [1]\nxs.frob()\n«xs.frob()»\n",
    "import os\nos.frob = 1\n«print(os.frob)»\n",
    "«import declared_one»\n",
    "«from dynamic import whatever»\n",
    "«import dynamic\ndynamic.whatever()»\n",
    "«from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from zzz import Y»\n",
    "from zzzyx import *\n«frobnicate(1)»\n",
    "exec('x = 1')\n«print(x)»\n",
    "«class MyMixin:\n    def f(self):\n        return self.elsewhere»\n",
    "class A:\n    def __getattr__(self, name): return 1\n«A().frob»\n",
    "def f(x: str | None):\n    «return x.upper()»\n",
    "class A:\n    x = None\n    def f(self):\n        «return self.x.foo»\n",
    "if 0:\n    z = 1\n«print(z)»\n",
]
"""Right, or for the checker to be wrong about."""


@pytest.mark.parametrize("marked", SILENT)
def test_nothing_is_said_where_there_is_an_excuse(marked: str, ty: ShadowChecker, root: Path):
    judgement = check(marked, ty, root)
    assert judgement.verdicts == ()


REFUSED = [
    "xs = [1]\n«xs.frob()  # type: ignore[return-value]»\n",
    "xs = [1]\n«xs.frob()  # noqa: E501»\n",
    "import os\n«try:\n    os.frobnicate()\nexcept ImportError:\n    pass»\n",
]


@pytest.mark.parametrize("marked", REFUSED)
def test_an_excuse_for_something_else_is_none(marked: str, ty: ShadowChecker, root: Path):
    assert check(marked, ty, root).action is WITHHOLD


@pytest.mark.parametrize("excuse", ["try", "platform", "remark", "set", "asked"])
def test_without_its_excuse_the_same_is_refused(excuse: str, ty: ShadowChecker, root: Path):
    """So that the silences above are not silence about everything."""
    texts = {
        "try": "«import zzzyxw»\n",
        "platform": "import sys\n«sys.frob()»\n",
        "remark": "xs = [1]\n«xs.frob()»\n",
        "set": "import os\n«print(os.frob)»\n",
        "asked": "xs = [1]\n«if len(xs):\n    xs.frob()»\n",
    }
    assert check(texts[excuse], ty, root).action is WITHHOLD


NOTED = [
    "def f(x):\n    «return re.sub('a', '', x)»\n",  # a module that lacks its import
    "«import requests»\n",  # well known, and not installed
    "class A:\n    def f(self):\n        «return self.frobnicate()»\n",  # may be written next
    "def main():\n    «return frobnicate(1)»\n",
]


@pytest.mark.parametrize("marked", NOTED)
def test_what_may_be_so_is_shown_and_noted(marked: str, ty: ShadowChecker, root: Path):
    judgement = check(marked, ty, root)
    assert judgement.action is ANNOTATE
    assert judgement.text == passage(marked, root).suggestion


UNFINISHED = [
    "xs = [1]\n«xs.app»\n",
    "xs = [1]\n«xs.»\n",
    "total = 1\n«print(tot»\n",
    "«new_name»\n",
    "«x = [y.upper()»\n",
    "«x = sum(y»)\n",
    "«for ite»\n",
    "def f(a, b): return a\n«f(1»\n",
    "def f(a, b): return a\n«x = f(1,»\n",
    "def f(a, *, key=1): return a\n«x = f(1, ke»\n",
    "«from collections import Ordere»\n",
    "«import jso»\n",
    "«f = lambda it: it»\n",
    "«a, b»\n",
]


@pytest.mark.parametrize("marked", UNFINISHED)
def test_what_may_yet_come_right_is_left_alone(marked: str, ty: ShadowChecker, root: Path):
    assert check(marked, ty, root).action <= ANNOTATE


def test_a_name_that_nothing_can_come_of_is_refused_at_the_end_too(ty: ShadowChecker, root: Path):
    assert check("xs = [1]\n«xs.frobnicate»\n", ty, root).action is WITHHOLD


EVIDENCE = [
    ("xs: list[int] = []\n«xs.push(2)»\n", "`list[int]` has no member `push`; `append` exists", "grounding"),
    ("xs = [1]\n«xs.push(2)»\n", "`list` has no member `push`; `append` exists", "grounding"),
    ("«import reqeusts»\n", "`reqeusts` is not `requests`, but looks like it", "package"),
    ("«import zzzyxw»\n", "no package `zzzyxw` is known", "package"),
    ("import os\n«os.frobnicate()»\n", "module `os` has no member `frobnicate`", "grounding"),
    ("def f(a): return a\n«f(1, zzz=2)»\n", "`f` takes no argument `zzz`", "grounding"),
    ("«print(zzzyxw)»\n", "`zzzyxw` is not defined", "grounding"),
]


@pytest.mark.parametrize(("marked", "evidence", "kind"), EVIDENCE)
def test_a_sentence_names_the_thing(marked: str, evidence: str, kind: str, ty: ShadowChecker, root: Path):
    verdict, *_ = check(marked, ty, root).verdicts
    assert verdict.evidence == evidence
    assert verdict.kind == kind


def test_a_node_may_be_of_a_narrower_class(ty: ShadowChecker, root: Path):
    """A tree is walked by code that knows more than the declared type; what nobody defines is refused."""
    text = "class TreeNode: ...\ndef f(node: TreeNode):\n    «x = 1\n    return node.attrname + 1»\n"
    assert check(text, ty, root, Vocabulary("attrname")).action is ANNOTATE
    assert check(text, ty, root, Vocabulary()).action is TRIM


FILLED = (
    "class A:\n    def __init__(self, **given):\n        self.__dict__.update(given)\n"
    "    def f(self):\n        «return self.frobnicate()»\n\nlast = 1\n"
)


def test_a_class_that_fills_itself_has_no_method_that_nobody_defines(ty: ShadowChecker, root: Path):
    assert check(FILLED, ty, root, Vocabulary()).action is WITHHOLD
    assert check(FILLED, ty, root, Vocabulary("frobnicate")).verdicts == ()
    assert check(FILLED, ty, root, Vocabulary(complete=False)).verdicts == ()
    assert check(FILLED.replace("()»", "»"), ty, root, Vocabulary()).verdicts == (), "data may be there"


def test_a_method_may_be_written_next(ty: ShadowChecker, root: Path):
    text = "class A:\n    def f(self):\n        «return self.frobnicate()»\n"
    assert check(text, ty, root, Vocabulary()).action is ANNOTATE
    assert check(text + "\nlast = 1\n", ty, root, Vocabulary()).action is WITHHOLD


def test_a_base_may_put_data_on_self(ty: ShadowChecker, root: Path):
    text = "class B: ...\nclass A(B):\n    def f(self):\n        «x = 1\n        return self.frob + 1»\n"
    assert check(text, ty, root, Vocabulary("frob")).action is ANNOTATE
    assert check(text, ty, root, Vocabulary()).action is TRIM
    assert check(text.replace("(B)", ""), ty, root, Vocabulary("frob")).action is TRIM


def test_a_private_member_may_be_left_out_of_a_stub(ty: ShadowChecker, root: Path):
    text = "import threading\n«print(threading.Thread()._frob)»\n"
    assert check(text, ty, root, Vocabulary("_frob")).action is ANNOTATE
    assert check(text, ty, root, Vocabulary()).action is WITHHOLD


def test_data_is_read_from_what_has_no_type_by_any_name(ty: ShadowChecker, root: Path):
    text = "def f(row):\n    «return row.strip_whitespac + 1»\n"
    assert check(text, ty, root, Vocabulary()).action is ANNOTATE


def test_members_of_what_has_no_type_are_looked_up_by_name(ty: ShadowChecker, root: Path):
    text = "def f(row):\n    «n = 1\n    return row.strip_whitespac()»\n"
    assert check(text, ty, root, Vocabulary()).text == "n = 1"
    assert check(text, ty, root, Vocabulary(complete=False)).action is ANNOTATE
    assert check(text, ty, root, Vocabulary("strip_whitespac")).verdicts == ()


@pytest.mark.parametrize(
    "text",
    [
        "def f(row):\n    «row.made_here = 1\n    return row.made_here»\n",
        "def f(row):\n    return row.used_here\n«def g(row):\n    return row.used_here»\n",
        "def f(row):\n    «return row.__dunderish__»\n",
    ],
)
def test_a_name_that_the_text_itself_has_is_known(text: str, ty: ShadowChecker, root: Path):
    assert check(text, ty, root, Vocabulary()).verdicts == ()


def test_a_language_without_a_checker_is_judged_by_names_alone():
    grounded = GroundingCheck(lambda _language, _path: None, vocabulary=Vocabulary("Println"))
    text = Passage('fmt.Println("a")\n', 'fmt.Prntln("b")\n', "", "go", "/w/main.go")
    (verdict,) = grounded.judge(text)
    assert verdict.action is ANNOTATE
    assert "Prntln" in verdict.evidence
    assert "`Println` exists" in verdict.evidence


class Fails:
    name = "fails"

    def findings(self, path: str, text: str, deadline_s: float) -> tuple[Finding, ...]:
        raise CheckError("fails is starting")

    def members(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        raise CheckError("fails is starting")

    def close(self) -> None: ...


def test_a_checker_that_does_not_answer_leaves_the_text_unvouched(root: Path):
    grounded = GroundingCheck(lambda _language, _path: Fails())
    judgement = Guard((grounded,)).judge(passage("«x = 1»\n", root))
    assert not judgement.vouched
    assert judgement.unfinished == ("grounding",)


class Says:
    """Says what it is given, whatever the text; counts."""

    name = "says"

    def __init__(self, *found: Finding) -> None:
        self.found, self.num_asked = found, 0

    def findings(self, path: str, text: str, deadline_s: float) -> tuple[Finding, ...]:
        self.num_asked += 1
        return self.found

    def members(self, path: str, text: str, offset: int, deadline_s: float) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...


def test_a_text_that_is_right_costs_one_question(root: Path):
    says = Says()
    grounded = GroundingCheck(lambda _language, _path: says)
    assert grounded.judge(passage("«x = 1»\n", root)) == ()
    assert says.num_asked == 1


def test_what_is_prepared_is_not_asked_again(root: Path):
    says = Says()
    grounded = GroundingCheck(lambda _language, _path: says)
    for _ in range(3):
        grounded.prepare("python", str(root / "work.py"), "x = 1\n")
    assert says.num_asked == 1


def test_what_a_suggestion_breaks_elsewhere_is_told_where_it_does(ty: ShadowChecker, root: Path):
    grounded = grounding(ty)
    place = passage("xs = [1]\n«xs = 3»\nxs.append(2)\n", root, "shadow.py")
    assert grounded.judge(place) == (), "without a baseline nothing is known of what was there before"
    grounded.prepare("python", place.path or "", place.before + place.after)
    (verdict,) = grounded.judge(place)
    assert verdict.action is ANNOTATE


def test_what_was_wrong_before_is_not_the_suggestions_fault(ty: ShadowChecker, root: Path):
    grounded = grounding(ty)
    place = passage("xs = [1]\nxs.zzz()\n«y = 1»\nxs.qqq()\n", root, "older.py")
    assert grounded.judge(place) == ()
    grounded.prepare("python", place.path or "", place.before + place.after)
    assert grounded.judge(place) == ()


def test_a_baseline_counts_lines_that_are_alike():
    text = "a.b\na.b\n"
    one, two = (Finding(Fault.MISSING_MEMBER, at, at + 1, "b", "A", "") for at in (2, 6))
    baseline = Baseline.of(text, [one])
    assert baseline.new([one], text) == []
    assert baseline.new([one, two], text) == [two]


WORKING = Path(re.__file__).parent
"""Modules of the standard library: nobody doubts them."""
MODULES = ("textwrap.py", "shlex.py", "csv.py", "dataclasses.py", "heapq.py", "fnmatch.py", "string.py")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_piece_of_working_code_is_never_cut(data: st.DataObject, ty: ShadowChecker, root: Path):
    """From anywhere to anywhere within it, with what follows there or not."""
    name = data.draw(st.sampled_from(MODULES))
    lines = _source(WORKING / name)
    first = data.draw(st.integers(0, max(len(lines) - 12, 0)))
    text = "".join(lines)
    start = sum(map(len, lines[:first])) + data.draw(st.integers(0, 20))
    end = min(start + data.draw(st.integers(1, 400)), len(text))
    judgement = Guard((grounding(ty),)).judge(
        Passage(text[:start], text[start:end], text[end:], "python", str(root / name))
    )
    assert judgement.action <= ANNOTATE, judgement


def _source(path: Path) -> Sequence[str]:
    candidates = (path, path.parent.parent / path.name)
    found = next(one for one in candidates if one.exists())
    return found.read_text("utf-8").splitlines(keepends=True)
