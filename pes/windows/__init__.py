"""Windows of events that advance through time."""

from flowquake.pes.windows.cutting import (
    count_windows,
    cut,
    expanding_windows,
    grid,
    sliding_windows,
)
from flowquake.pes.windows.elements import CountWindows, ExpandingWindows, SlidingWindows

__all__ = [
    "CountWindows",
    "ExpandingWindows",
    "SlidingWindows",
    "count_windows",
    "cut",
    "expanding_windows",
    "grid",
    "sliding_windows",
]
