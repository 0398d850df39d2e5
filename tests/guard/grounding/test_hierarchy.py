"""What a class derived from another has, the other may have too: told by the text of a package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from truepenny.guard.grounding.check import GroundingCheck
from truepenny.guard.grounding.checkers.ty import ty_checker
from truepenny.guard.grounding.environment import Environment
from truepenny.guard.grounding.finding import Checker
from truepenny.guard.grounding.hierarchy import defines
from truepenny.guard.grounding.modules import ProjectModules
from truepenny.guard.verdict import Action, Passage

TREE = {
    "base.py": "class Shape:\n    def area(self): ...\n    def move(self, by): ...\n",
    "round.py": "from . import base\nclass Circle(base.Shape, metaclass=Meta):\n    def radius(self): ...\n",
    "deep/small.py": "class Dot(Circle[int], Other):\n    width: int\n    def f(self): pass\n",
    "deep/red.py": "class Red(Dot):\n    def f(self):\n        self.colour = 1\n",
    "other.py": "class Other:\n    def weight(self): ...\ndef radius_of(): ...\n",
    "deep/moved.py": "class Moved(Shape):\n    def move(self, by, far): ...\n",
    "deep/local.py": "class Local(Shape):\n\n    # why\n    def f(self):\n        inner = 1\n    late = 2\n",
    "node_modules/left_out.py": "class Left(Shape):\n    def left(self): ...\n",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\nversion = '1'\n", "utf-8")
    for name, text in TREE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("Shape", "area", True),
        ("Shape", "radius", True),
        ("Shape", "width", True),
        ("Shape", "colour", True),
        ("Shape", "weight", False),
        ("Shape", "left", False),
        ("Shape", "inner", False),
        ("Shape", "late", True),
        ("Circle", "area", False),
        ("Circle", "colour", True),
        ("Other", "width", True),
        ("Meta", "radius", False),
        ("Nobody", "area", False),
    ],
)
def test_derived_classes_have_a_member(root: Path, kind: str, name: str, *, expected: bool):
    assert defines([root], kind, name) is expected


def test_the_class_itself_is_left_out(root: Path):
    assert defines([root], "Shape", "move", by_itself=False)
    assert not defines([root], "Shape", "area", by_itself=False)


@pytest.fixture(scope="module")
def ty(root: Path) -> Iterator[Checker]:
    checker = ty_checker(str(root))
    assert checker.wait(60.0), checker.reason
    yield checker
    checker.close()


@pytest.mark.parametrize(
    ("suggestion", "action"),
    [
        ("shape.radius()", Action.ANNOTATE),
        ("shape.width", Action.ANNOTATE),
        ("shape.weight()", Action.TRIM),
        ("shape.move(1, 2)", Action.ANNOTATE),
        ("shape.area(1, 2)", Action.TRIM),
    ],
)
def test_a_value_may_be_of_a_derived_class(root: Path, ty: Checker, suggestion: str, action: Action):
    modules = ProjectModules(lambda _path: (root, Environment(None)))
    grounded = GroundingCheck(lambda _language, _path: ty, modules=modules, deadline_s=60.0)
    before = "from base import Shape\ndef f(shape: Shape):\n    "
    (verdict,) = grounded.judge(Passage(before, suggestion, "\n", "python", str(root / "work.py")))
    assert verdict.action is action


def test_a_parameter_without_a_type_may_be_of_any_class(root: Path, ty: Checker):
    modules = ProjectModules(lambda _path: (root, Environment(None)))
    grounded = GroundingCheck(lambda _language, _path: ty, modules=modules, deadline_s=60.0)
    for parameter, action in (("xs=[1]", Action.ANNOTATE), ("xs: list[int]", Action.TRIM)):
        before = f"def f({parameter}):\n    assert isinstance(xs, list)\n    "
        (verdict,) = grounded.judge(Passage(before, "xs.pop(1, 2)", "\n", "python", str(root / "work.py")))
        assert verdict.action is action
