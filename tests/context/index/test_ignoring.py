"""`.gitignore` means what git says it means: git itself is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from truepenny.context.index.scanner import Found, Refused, Scanner

from .conftest import GIT, Workspace


def seen(root: Path) -> set[str]:
    """The Python files the scanner does not take for ignored."""
    listing = Scanner(root).scan()
    return {one.path for one in (*listing.found, *listing.refused)}


def seen_by_git(root: Path) -> set[str]:
    ran = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=root,
        env=GIT,
        capture_output=True,
        check=True,
    )
    paths = {path.decode() for path in ran.stdout.split(b"\0") if path}
    return {path for path in paths if path.endswith(".py")}


FILES = ["a.py", "b.py", "src/a.py", "src/deep/a.py", "src/deep/b.py", "build/a.py", "x y/a.py", "build.py"]


def check(workspace: Workspace, rules: dict[str, str]) -> None:
    """What the scanner sees is what git sees."""
    for path in FILES:
        workspace.write(path, "x = 1\n")
    for path, text in rules.items():
        workspace.write(path, text)
    assert seen(workspace.root) == seen_by_git(workspace.root)


@pytest.mark.parametrize(
    "rules",
    [
        {".gitignore": "a.py\n"},
        {".gitignore": "/a.py\n"},
        {".gitignore": "build/\n"},
        {".gitignore": "build\n"},
        {".gitignore": "*.py\n!b.py\n"},
        {".gitignore": "src/*\n!src/deep\n"},
        {".gitignore": "src/\n!src/deep/a.py\n"},
        {".gitignore": "src/**\n!src/deep/\n!src/deep/b.py\n"},
        {".gitignore": "**/deep\n"},
        {".gitignore": "src/**/b.py\n"},
        {".gitignore": "x\\ y/\n"},
        {".gitignore": "# a.py\n\\#\n\n   \na.py   \n"},
        {".gitignore": "[ab].py\n![b].py\n"},
        {".gitignore": "a.py\r\nb.py\r\n"},
        {".gitignore": "\ufeffa.py\n"},
        {".gitignore": "!\n[\n***\n/\n//\na.py\n"},
        {".gitignore": "*.py\n", "src/.gitignore": "!a.py\n"},
        {".gitignore": "!a.py\n", "src/.gitignore": "a.py\n", "src/deep/.gitignore": "!a.py\n"},
        {"src/.gitignore": "/a.py\ndeep/b.py\n"},
        {"src/.gitignore": "/deep/\n", "src/deep/.gitignore": "!*\n"},
        {".git/info/exclude": "b.py\n"},
        {".git/info/exclude": "b.py\n", ".gitignore": "!/b.py\n"},
        {".gitignore": "*\n!*/\n!a.py\n"},
    ],
)
def test_what_git_ignores_is_not_seen(workspace: Workspace, rules: dict[str, str]) -> None:
    """Nested files, negations, anchors, marks of other systems."""
    check(workspace, rules)


part = st.sampled_from(["a.py", "*.py", "src", "deep", "build", "**", "*", "b.py", "?.py", "a*", "[ab].py"])
pattern = st.builds(
    lambda bang, slash, parts, end: bang + slash + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(part, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)


@given(top=st.lists(pattern, max_size=4), inner=st.lists(pattern, max_size=3))
@example(top=["src/**", "!src/deep"], inner=[])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rules_mean_what_git_says(workspace: Workspace, top: list[str], inner: list[str]) -> None:
    """Two layers of anything."""
    check(workspace, {".gitignore": "\n".join(top) + "\n", "src/.gitignore": "\n".join(inner) + "\n"})


@given(line=st.text(alphabet="ab.py*?[]!^-\\\\/ #x:", max_size=12))
@example(line="[a-]*")
@example(line="[]a].py")
@example(line="[[:alpha:]].py")
@example(line="[!a]*/")
@example(line="a.py\\\\ ")
@example(line="b.p[y")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_line_means_what_git_says(workspace: Workspace, line: str) -> None:
    """Sets, quotes, blanks at the end, and what is no pattern at all."""
    check(workspace, {".gitignore": line + "\n"})


def test_rules_above_the_workspace_count(workspace: Workspace) -> None:
    """A window on part of a repository sees no more than one on all of it."""
    workspace.write(".gitignore", "*_gen.py\n/part/secret_plan.py\n")
    workspace.write("part/a.py")
    workspace.write("part/a_gen.py")
    workspace.write("part/secret_plan.py")
    assert seen(workspace.root / "part") == {"a.py"}


def test_whoever_opens_an_ignored_folder_means_it(workspace: Workspace) -> None:
    """Else the index would be empty."""
    workspace.write(".gitignore", "scratch/\n")
    workspace.write("scratch/a.py")
    assert seen(workspace.root / "scratch") == {"a.py"}


def test_the_rules_of_a_repository_end_where_another_begins(workspace: Workspace) -> None:
    """As in git."""
    workspace.write(".gitignore", "a.py\n")
    workspace.write("inner/a.py")
    workspace.write("inner/.git", "gitdir: ../.git/modules/inner\n")
    assert seen(workspace.root) == {"inner/a.py"}


@pytest.mark.parametrize(
    ("attributes", "path", "expected"),
    [
        ("schema.py linguist-generated\n", "schema.py", "generated"),
        ("*.py linguist-generated=true\n", "deep/schema.py", "generated"),
        ("/libs/** linguist-vendored\n", "libs/x.py", "vendored"),
        ("", "vendor/x.py", "vendored"),
        ("vendor/** -linguist-vendored\n", "vendor/x.py", "found"),
        ("vendor/** linguist-vendored=false\n", "vendor/x.py", "found"),
        ("*_pb2.py -linguist-generated\n", "a_pb2.py", "found"),
        ("", "a_pb2.py", "generated"),
    ],
)
def test_the_repository_says_what_is_its_own(
    workspace: Workspace, attributes: str, path: str, expected: str
) -> None:
    """`.gitattributes`, as the forges read it."""
    workspace.write(".gitattributes", attributes)
    workspace.write(path, "x = 1\n")
    listing = Scanner(workspace.root).scan()
    said = {one.path: "found" for one in listing.found} | {one.path: one.reason for one in listing.refused}
    assert said.get(path, said.get("vendor/")) == expected
    looked = Scanner(workspace.root).look(path)
    if expected == "found":
        assert isinstance(looked, Found)
    else:
        assert looked is None or isinstance(looked, Refused)
