"""How functions are compiled: helpers where they are used, entry points once, to the cache folder.

An entry point has one signature, read from its annotations, and is compiled (or loaded) when its module
is imported.  Helpers are compiled into the entry points that call them.
"""

from __future__ import annotations

import inspect
import logging
import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from .cache import choose

Whole = NDArray[np.int64]
"""Whole numbers, mostly addresses, `(n,)`."""

Table = NDArray[np.int64]
"""Rows of them, `(n, m)`."""

CODE = choose()

_F = TypeVar("_F", bound=Callable[..., Any])
_jit: Any = numba.njit
carray: Any = numba.carray  # pyright: ignore[reportPrivateImportUsage]  # public, but numba marks nothing
"""`carray(pointer, length)`: memory as an array, inside compiled code."""

_OPTIONS = {"nogil": True, "error_model": "numpy"}
_DAMAGED = (OSError, EOFError, pickle.UnpicklingError)
_TYPES: dict[str, Any] = {
    "int": types.int64,
    "float": types.float64,
    "None": types.void,
    "Whole": types.int64[::1],
    "Table": types.int64[:, ::1],
}
_log = logging.getLogger(__name__)


def compiled(function: _F) -> _F:
    """Compiled for the types it is called with; other Python threads run meanwhile."""
    return cast("_F", _jit(**_OPTIONS)(function))


def entry_point(function: _F) -> _F:
    """Compiled now, for the types it is annotated with, or loaded if it was compiled before."""
    signature = inspect.signature(function)
    arguments = [_TYPES[str(parameter.annotation)] for parameter in signature.parameters.values()]
    result = _TYPES[str(signature.return_annotation)](*arguments)
    if CODE.path is not None:
        try:
            return cast("_F", _jit(result, cache=True, **_OPTIONS)(function))
        except _DAMAGED as error:  # a full disk, a file cut short
            _log.warning("%s: compiled code not kept: %s", CODE.path, error)
    return cast("_F", _jit(result, **_OPTIONS)(function))
