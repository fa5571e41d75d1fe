"""Where in a user's code something was made."""

from __future__ import annotations

import sys
from types import FrameType


def calling_file(module: str) -> str | None:
    """Give the file of the nearest caller outside a module; None for an interactive one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == module:
        frame = frame.f_back
    file = "<" if frame is None else frame.f_code.co_filename
    return None if file.startswith("<") else file
