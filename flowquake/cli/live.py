"""The table on a terminal that shows a run while it goes on: one line for each element."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flowquake.cli.measuring import Figures, measure
from flowquake.cli.text import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

    from flowquake.running import Progress

DRAWN_EVERY_S = 0.25
WINDOW = 8  # drawings over which rates are taken
MOST_LINES = 20
BAR = 8  # characters
FULL, EMPTY = "\N{BOX DRAWINGS HEAVY HORIZONTAL}", "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
WIDE, MEDIUM, NARROW = 84, 64, 46  # columns of the terminal


@dataclass(frozen=True)
class Line:
    """One element's line."""

    name: str
    figures: Figures
    part: tuple[float, float] | None  # done, total


class LiveTable:
    """Draws how far a run is, and is gone when the run ends.

    Parameters
    ----------
    title : str
        The workflow's name.
    console : Console, optional
        In place of standard error.
    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._console = console or Console(stderr=True)
        self._live: Live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            # What an element prints goes above the table if both are on the
            # terminal, and where it was going if not.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._seen: deque[Progress] = deque(maxlen=WINDOW)
        self._drawn = float("-inf")

    def start(self) -> None:
        """Begin to draw."""
        self._live.start()

    def stop(self) -> None:
        """Take the table away."""
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Draw, if it is time to."""
        now = time.monotonic()
        if now - self._drawn < DRAWN_EVERY_S:
            return
        self._drawn = now
        before = self._seen[0] if self._seen else None
        self._seen.append(progress)
        width, height = self._console.size
        drawn = table_of(self._title, before, progress, width=width, height=height)
        self._live.update(drawn, refresh=True)


def table_of(
    title: str, before: Progress | None, now: Progress, *, width: int, height: int
) -> RenderableType:
    """Lay out how far a run is.

    Parameters
    ----------
    title : str
        The workflow's name.
    before : Progress or None
        What rates are taken from.
    now : Progress
        How far the run is.
    width, height : int
        Of the terminal; a narrow one shows fewer columns, a low one fewer
        elements.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    figures = measure(before, now)
    shown = choose(figures, max(1, min(MOST_LINES, height - 4)))
    parts = now.fractions
    lines = [Line(name, figures[name], parts.get(name)) for name in shown]
    columns = {
        column: [_cell(column, line, now.seconds, width) for line in lines]
        for column in [*_columns(width), *(["progress"] if parts else [])]
    }
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    least = {
        column: max(len(column), *(cell.cell_len for cell in cells))
        for column, cells in columns.items()
    }
    # Only the names give way where there is no room.
    room = max(1, width - sum(least.values()) - 2 * len(least))
    table.add_column("element", no_wrap=True, overflow="ellipsis", max_width=room)
    for column, size in least.items():
        side: Literal["left", "right"] = "left" if column == "busy" else "right"
        table.add_column(column, justify=side, no_wrap=True, width=size)
    for line, *cells in zip(lines, *columns.values(), strict=True):
        table.add_row(Text(clean(line.name)), *cells)
    items = sum(count.received for count in now.counts.values())
    head = f"{clean(title)}  {clock(now.seconds)}  {items:,} items handed on"
    rows: list[RenderableType] = [Text(head, style="bold", no_wrap=True, overflow="ellipsis")]
    rows.append(table)
    if len(shown) < len(figures):
        rest = f"and {len(figures) - len(shown)} more that are less busy"
        rows.append(Text(rest, style="dim", no_wrap=True, overflow="ellipsis"))
    return Group(*rows)


def choose(figures: dict[str, Figures], most: int) -> Sequence[str]:
    """Name the elements to show: the busiest, in the workflow's order."""
    order = sorted(figures, key=lambda name: (-figures[name].busy, -figures[name].received))
    kept = set(order[:most])
    return [name for name in figures if name in kept]


def _columns(width: int) -> list[str]:
    if width >= WIDE:
        return ["in/s", "out/s", "queue", "busy", "latency"]
    if width >= MEDIUM:
        return ["in/s", "queue", "busy", "latency"]
    return ["in/s", "busy"] if width >= NARROW else ["busy"]


def _cell(column: str, line: Line, seconds: float, width: int) -> Text:
    from rich.text import Text

    figures = line.figures
    if column == "progress":
        return Text(_progress_text(line.part, seconds, width))
    if column == "busy":
        percent = f"{100 * figures.busy:3.0f} %"
        style = "red" if figures.busy >= 0.9 else "yellow" if figures.busy >= 0.5 else "green"
        if width < MEDIUM:
            return Text(percent, style=style)
        full = round(BAR * figures.busy)
        return Text.assemble(
            (FULL * full, style), (EMPTY * (BAR - full), "bright_black"), " ", percent
        )
    text = {
        "in/s": rate(figures.received),
        "out/s": rate(figures.emitted),
        "queue": f"{figures.queue:,}" if figures.queue else "-",
        "latency": duration(figures.latency),
    }[column]
    return Text(text)


def _progress_text(part: tuple[float, float] | None, seconds: float, width: int) -> str:
    if part is None or part[1] <= 0:
        return ""
    done = min(max(part[0] / part[1], 0.0), 1.0)
    text = f"{100 * done:.0f} %"
    if 0 < done < 1 and width >= MEDIUM:
        text += f"  {clock(seconds * (1 - done) / done)} left"
    return text


def rate(per_second: float) -> str:
    """Write items a second, in few characters.

    Examples
    --------
    >>> [rate(x) for x in (0, 0.25, 7.26, 312.4, 45_678, 1_234_567)]
    ['-', '0.25', '7.3', '312', '45.7k', '1.23M']
    """
    if not per_second:
        return "-"
    for scale, unit in ((1e6, "M"), (1e3, "k")):
        if per_second >= scale * (10 if unit == "k" else 1):
            return f"{per_second / scale:.3g}{unit}"
    if per_second >= 10:
        return f"{per_second:,.0f}"
    return f"{per_second:.2g}"


def duration(seconds: float | None) -> str:
    """Write a short time.

    Examples
    --------
    >>> [duration(x) for x in (None, 0.0, 4e-6, 0.0123, 2.5, 75)]
    ['-', '0 µs', '4 µs', '12 ms', '2.5 s', '1:15']
    """
    if seconds is None:
        return "-"
    if seconds < 1e-3:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1:
        return f"{1e3 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds.

    Examples
    --------
    >>> clock(5), clock(75), clock(3675)
    ('0:05', '1:15', '1:01:15')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
