"""C and C++: `clangd`, where PATH has it outside the workspace.

It executes nothing: plugins that a compilation database names are not loaded, no compiler is asked
for its paths (`--query-driver` is not given), and what a `.clangd` file of the workspace says is not
read (`--enable-config=0`).  Where headers are is the build's business: with one of them missing,
nothing else is certain either, and everything that is found becomes a hint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import CheckerError
from ..finding import Fault, Finding
from .checker import ShadowChecker
from .dialect import Dialect
from .programs import on_path
from .sentences import Sentences

_HEADER = "pp_file_not_found"

SENTENCES = Sentences(
    faults={
        "no_member": Fault.MISSING_MEMBER,
        "no_member_suggest": Fault.MISSING_MEMBER,
        "no_member_overloaded_arrow": Fault.MISSING_MEMBER,
        "no_member_template": Fault.MISSING_MEMBER,
        "no_member_template_suggest": Fault.MISSING_MEMBER,
        "typename_nested_not_found": Fault.MISSING_MEMBER,
        "field_designator_unknown": Fault.UNKNOWN_ARGUMENT,
        "field_designator_unknown_suggest": Fault.UNKNOWN_ARGUMENT,
        "undeclared_var_use": Fault.MISSING_NAME,
        "undeclared_var_use_suggest": Fault.MISSING_NAME,
        "unknown_typename": Fault.MISSING_NAME,
        "unknown_typename_suggest": Fault.MISSING_NAME,
        "unknown_type_or_class_name_suggest": Fault.MISSING_NAME,
        "-Wimplicit-function-declaration": Fault.MISSING_NAME,
        "ext_implicit_function_decl_c99": Fault.MISSING_NAME,
        _HEADER: Fault.MISSING_MODULE,
        "typecheck_call_too_few_args": Fault.WRONG_CALL,
        "typecheck_call_too_few_args_one": Fault.WRONG_CALL,
        "typecheck_call_too_many_args": Fault.WRONG_CALL,
        "typecheck_call_too_many_args_one": Fault.WRONG_CALL,
        "ovl_no_viable_function_in_call": Fault.WRONG_CALL,
        "ovl_no_viable_member_function_in_call": Fault.WRONG_CALL,
        "typecheck_call_not_function": Fault.WRONG_CALL,
    },
    patterns=[
        re.compile(pattern)
        for pattern in (
            r"^No \w+ named '(?P<name>.*?)' in (?:namespace )?'(?P<receiver>.*?)'(?:;|$)",
            r"[Uu]se of undeclared (?:identifier|function) '(?P<name>[^']*)'",
            r"[Uu]nknown (?:type|class) name '(?P<name>[^']*)'",
            r"(?:declaration of|call to undeclared) (?:library )?function '(?P<name>[^']*)'",
            r"^'(?P<name>[^']*)' file not found",
            r"^Field designator '(?P<name>[^']*)' does not refer to any field in type '(?P<receiver>[^']*)'",
            r"^No matching (?:member )?function for call to '(?P<receiver>[^']*)'",
        )
    ],
    nearest=re.compile(r"did you mean (?:simply )?'(?:.*::)?(\w+)'"),
)

_ARGUMENTS = (
    "--enable-config=0",
    "--background-index=0",
    "--clang-tidy=0",
    "--header-insertion=never",
    "--limit-results=500",
    "--pch-storage=memory",
    "--log=error",
    "-j=2",
)


def find(root: str) -> Path:
    """The program, from PATH outside `root`.  Raises CheckerError where there is none."""
    program = next(on_path("clangd", root), None)
    if program is None:
        raise CheckerError("clangd is not on PATH: install it from your system's packages")
    return program


def clang_checker(root: str) -> ShadowChecker:
    """For the project in `root`.  Raises CheckerError where clangd is not there."""
    program = find(root)
    return ShadowChecker(
        Dialect(
            name="clangd",
            argv=(str(program), *_ARGUMENTS),
            root=root,
            language_ids={".cpp": "cpp", ".c": "c", ".h": "c"},
            read=SENTENCES.read,
            sift=sift,
            patience_s=15.0,
            num_open=4,  # what a file includes is read when it is opened
            max_memory_bytes=1_500_000_000,
        )
    )


def sift(found: Sequence[Finding]) -> Sequence[Finding]:
    """Where a header is missing, hints."""
    if all(one.fault is not Fault.MISSING_MODULE for one in found):
        return found
    return [replace(one, fault=Fault.POSSIBLY_MISSING) for one in found]
