"""The house rules that a machine can check.  Each failure names the file, the line and the fix."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("lsp_server", "models", "context", "guard")

MAY_IMPORT = {
    "lsp_server": {"guard", "context", "models"},
    "guard": {"context"},
    "context": set(),
    "models": set(),
}
"""Rooms a room may import.  One way only."""

BELONGS_TO = {
    "pygls": "lsp_server",
    "lsprotocol": "lsp_server",
    "torch": "models",
    "transformers": "models",
    "bitsandbytes": "models",
    "gguf": "models",
    "safetensors": "models",
    "tree_sitter": "context",
}
"""Third-party packages that one room alone knows."""

HEAVY = ("torch", "transformers", "bitsandbytes", "gguf", "safetensors")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its absolute name, and where it stands."""

    path: Path
    line: int
    module: str
    relative: bool
    at_import: bool
    """Runs when the module is imported: not inside a function, nor for type checkers only."""

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def room(self) -> str:
        return self.path.relative_to(ROOT).parts[0]


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def absolute(path: Path, node: ast.ImportFrom) -> list[str]:
    """What a `from … import …` names: each name may be a module of its own."""
    base = node.module or ""
    if node.level:
        package = ["truepenny", *path.relative_to(ROOT).parent.parts]
        package = package[: len(package) - (node.level - 1)]
        base = ".".join([*package, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def deferred(tree: ast.Module) -> set[ast.AST]:
    """The nodes that do not run on import."""
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if typing_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside.update(ast.walk(node))
    return inside


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    later = deferred(tree)
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names, relative = [alias.name for alias in node.names], False
        elif isinstance(node, ast.ImportFrom):
            names, relative = absolute(path, node), node.level > 0
        else:
            continue
        found += [Import(path, node.lineno, name, relative, node not in later) for name in names]
    return tuple(found)


def each_module(test):
    """One test per module, named after it, so that a failure says where to look."""
    paths = modules()
    return pytest.mark.parametrize("path", paths, ids=[str(path.relative_to(ROOT)) for path in paths])(test)


def complain(broken: list[Import], fix: str) -> None:
    assert not broken, "\n".join(f"{one.place}: imports {one.module}: {fix}" for one in broken)


@each_module
def test_rooms_import_one_way(path: Path):
    """lsp_server → guard → context, lsp_server → models; nothing else across."""
    broken = []
    for one in imports_of(path):
        parts = one.module.split(".")
        room = parts[1] if parts[0] == "truepenny" and len(parts) > 1 else None
        if room in ROOMS and room not in MAY_IMPORT[one.room] | {one.room}:
            broken.append(one)
    allowed = ", ".join(sorted(MAY_IMPORT[path.relative_to(ROOT).parts[0]])) or "none"
    complain(broken, f"this room may import of ours: {allowed}; pass what is needed in from lsp_server")


@each_module
def test_foreign_packages_stay_in_their_room(path: Path):
    """Only lsp_server knows the protocol, only models the tensors, only context the grammars."""
    broken = []
    for one in imports_of(path):
        top = one.module.split(".")[0]
        top = "tree_sitter" if top.startswith("tree_sitter") else top
        if top in BELONGS_TO and BELONGS_TO[top] != one.room:
            broken.append(one)
    complain(broken, "that package belongs to another room; ask that room for what is needed")


@each_module
def test_generic_names_are_never_imported(path: Path):
    """`models` on its own is whatever lies in the user's working directory."""
    broken = [one for one in imports_of(path) if not one.relative and one.module.split(".")[0] in ROOMS]
    complain(broken, "the name is somebody else's; import it relatively: `from ..room import x`")


@each_module
def test_rooms_import_each_other_relatively(path: Path):
    """So that the packages can be mapped to any name."""
    broken = [one for one in imports_of(path) if not one.relative and one.module.split(".")[0] == "truepenny"]
    complain(broken, "use a relative import: `from ..room import x`")


@each_module
def test_heavy_packages_are_imported_where_they_are_used(path: Path):
    """At the top of a module they would cost every start a second, and break the base install."""
    if path.relative_to(ROOT).parts[0] == "models":
        return  # which of its modules are light is tested by importing them, below
    broken = [one for one in imports_of(path) if one.at_import and one.module.split(".")[0] in HEAVY]
    complain(broken, "import it inside the function that uses it")


def packages_on_disk() -> list[str]:
    folders = {path.parent.relative_to(ROOT) for path in modules()}
    return sorted(".".join(("truepenny", *folder.parts)) for folder in folders)


def test_every_package_is_declared():
    """setuptools leaves out what pyproject.toml does not list, and nobody notices until it is installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "packages"
    ]
    absent = sorted(set(packages_on_disk()) - set(declared))
    extra = sorted(set(declared) - set(packages_on_disk()))
    assert not absent, f"pyproject.toml: [tool.setuptools] packages lacks {absent}: add them"
    assert not extra, (
        f"pyproject.toml: [tool.setuptools] packages names {extra}, which hold no modules: remove them"
    )


@pytest.mark.parametrize("package", packages_on_disk())
@pytest.mark.parametrize("file", ["__init__.py", "py.typed"])
def test_every_package_is_whole(package: str, file: str):
    """`__init__.py` says what it promises; `py.typed` lets others check against it."""
    folder = ROOT.joinpath(*package.split(".")[1:])
    assert (folder / file).exists(), f"{(folder / file).relative_to(ROOT)} is missing: create it"


def test_the_namespace_has_no_package_of_its_own():
    """A `truepenny/__init__.py` would hide the four rooms from one another (PEP 420)."""
    assert not (ROOT / "truepenny").exists(), "truepenny/ at the root: remove it, the name is a namespace"


LIGHT = [
    "truepenny.context",
    "truepenny.guard",
    "truepenny.guard.pipeline",
    "truepenny.lsp_server",
    "truepenny.lsp_server.assistant",
    "truepenny.lsp_server.cli",
    "truepenny.lsp_server.editor.server",
    "truepenny.lsp_server.snapshot",
    "truepenny.models",
    "truepenny.models.client",
    "truepenny.models.language_model",
    "truepenny.models.wire",
]


def light_modules() -> list[str]:
    """Those of `LIGHT` that exist, so that the test names modules and not wishes."""
    return [name for name in LIGHT if importlib.util.find_spec(name) is not None]


@pytest.mark.parametrize("module", light_modules())
def test_the_light_side_does_not_load_torch(module: str):
    """A language server starts in well under a second, and a base install has no torch at all."""
    code = (
        f"import sys, {module}\n"
        f"print(sorted(name for name in sys.modules if name.split('.')[0] in {HEAVY!r}))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"importing {module} failed:\n{ran.stderr}"
    loaded = ran.stdout.strip().splitlines()[-1]
    assert loaded == "[]", (
        f"importing {module} loads {loaded}: import those inside the functions that use them"
    )
