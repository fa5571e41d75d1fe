"""One thread for each worker, so that sums of floats are the same on every machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

VARIABLES: Final = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)


def use_one_thread() -> list[str]:
    """Keep numerical libraries that are loaded from now on to one thread.

    What the user has set stays.

    Returns
    -------
    list of str
        The environment variables that were set.
    """
    missing = [name for name in VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    return missing


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep all numerical libraries to one thread for a while, the loaded ones too."""
    from threadpoolctl import threadpool_limits

    missing = use_one_thread()
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        for name in missing:
            os.environ.pop(name, None)
