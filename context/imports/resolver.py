"""The way from an import to files, for every language.

Nothing is executed and nothing is guessed from the text of source files: paths, and the files that
configure a build, say it all.  The same question gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable

from ..facts import Import
from ..languages import language_of_path
from .golang import GoRules
from .headers import HeaderRules
from .javascript import JavaScriptRules
from .jvm import PackageRules
from .python import PythonRules
from .rust import RustRules
from .scripts import LuaRules, PhpRules, RubyRules, ShellRules
from .target import Rules, Target
from .workspace import Environment, Workspace

_RULES: dict[str, Callable[[Workspace, Environment], Rules]] = {
    "python": PythonRules,
    "javascript": JavaScriptRules,
    "typescript": JavaScriptRules,
    "typescriptreact": JavaScriptRules,
    "go": GoRules,
    "rust": RustRules,
    "java": PackageRules,
    "kotlin": PackageRules,
    "scala": PackageRules,
    "csharp": PackageRules,
    "c": HeaderRules,
    "cpp": HeaderRules,
    "ruby": RubyRules,
    "php": PhpRules,
    "shellscript": ShellRules,
    "lua": LuaRules,
}


class Resolver:
    """Of one state of a workspace: make a new one when files come, go, or configure another build."""

    def __init__(self, workspace: Workspace, environment: Environment | None = None) -> None:
        self._workspace = workspace
        self._environment = environment or Environment()
        self._rules: dict[str, Rules] = {}
        self._known: dict[tuple[str, Import], tuple[Target, ...]] = {}

    def targets(self, importer: str, one: Import) -> tuple[Target, ...]:
        """What `one`, written in the file at `importer`, means; the likeliest first, none twice."""
        language = language_of_path(importer)
        make = _RULES.get(language.name) if language else None
        if language is None or make is None:
            return ()
        name = make.__name__
        rules = self._rules.get(name)
        if rules is None:
            rules = self._rules[name] = make(self._workspace, self._environment)
        return tuple(dict.fromkeys(rules.targets(one, importer)))

    def paths(self, importer: str, one: Import) -> tuple[str, ...]:
        """The files of `targets`, none twice."""
        return tuple(dict.fromkeys(target.path for target in self.targets(importer, one)))
