"""Which line of the user's called, for error texts."""

from __future__ import annotations

import sys
from types import FrameType


def calling_place(inside: str) -> tuple[str | None, int]:
    """Give file and line of the innermost caller that is outside a module or package.

    Parameters
    ----------
    inside : str
        The full name of the module or package.

    Returns
    -------
    tuple of (str or None, int)
        None and 0 where the code is in no file.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name not in (inside, __name__) and not name.startswith(f"{inside}."):
            file = frame.f_code.co_filename
            return (None, 0) if file.startswith("<") else (file, frame.f_lineno)
        frame = frame.f_back
    return None, 0
