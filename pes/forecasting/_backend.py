"""Compile a kernel with numba where it is installed, else leave it to numpy.

Only what `kept` makes is stored on disk, with all that it calls; its key holds a
hash of the sources of every kernel, so that no change can meet old machine code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])

SOURCES = ("_backend.py", "_sums.py", "_tilt.py", "_kernels.py")

try:
    import numba
except ImportError:
    COMPILED = False

    def jit(function: Function) -> Function:
        """Return the function as it is."""
        return function

    fast = kept = jit
else:
    COMPILED = True
    # Sums may be regrouped and fused; infinities and NaN keep their meaning.
    _REGROUP = {"reassoc", "contract", "nsz", "arcp"}
    # Only kernels call these; leaving out what Python would call saves seconds of compiling.
    # Any: numba's own types know neither of the two wrappers.
    _OPTIONS: dict[str, Any] = {
        "error_model": "numpy",
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
    }
    _INNER = numba.njit(**_OPTIONS)
    _REGROUPED = numba.njit(**_OPTIONS, fastmath=_REGROUP)

    def jit(function: Function) -> Function:
        """Compile."""
        return cast(Function, _INNER(function))

    def fast(function: Function) -> Function:
        """Compile so that sums may be regrouped into vector instructions."""
        return cast(Function, _REGROUPED(function))

    def kept(function: Function) -> Function:
        """Compile, with the machine code kept on disk between processes."""
        try:
            return cast(Function, numba.njit(error_model="numpy", cache=True)(function))
        except RuntimeError:  # no folder can be written to: compile in every process
            return cast(Function, numba.njit(error_model="numpy")(function))


def fingerprint() -> str:
    """Hash the sources of all kernels; a closure over it is never served stale code."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()
