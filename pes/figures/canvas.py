"""One look for every figure, and files that are the same bytes every time."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from flowquake.errors import ConfigError, PEError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

FORMATS = ("png", "svg", "pdf")

# Okabe and Ito's colours, told apart with any colour vision; the line styles
# tell the models apart in print without colour.
INK = "#222222"
QUIET = "#8a8a8a"
FAINT = "#d9d9d9"
DATA = "#3b3b3b"
ACCENT = "#CC79A7"
MODEL_COLOURS: Mapping[str, str] = {
    "constant": "#7f7f7f",
    "exponential": "#0072B2",
    "hyperbolic": "#D55E00",
    "inverse_omori": "#009E73",
}
MODEL_NAMES: Mapping[str, str] = {
    "constant": "constant rate",
    "exponential": "exponential",
    "hyperbolic": "hyperbolic",
    "inverse_omori": "inverse Omori",
}
MODEL_LINES: Mapping[str, Any] = {  # matplotlib takes names and tuples of dashes
    "constant": (0, (1, 1.5)),
    "exponential": (0, (6, 1.5, 1.5, 1.5)),
    "hyperbolic": "-",
    "inverse_omori": (0, (5, 2)),
}

_STYLE: Mapping[str, Any] = {  # rcParams are of many types
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "path.simplify": True,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "flowquake",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "timezone": "UTC",
    "xtick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": INK,
    "ytick.labelsize": 8.5,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Make a drawing function use the common look, whatever matplotlibrc says."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(_style()):
            return draw(*args, **kwargs)

    return drawn


@styled
def new_figure(
    rows: int = 1, *, width: float = 7.2, height: float = 4.2
) -> tuple[Figure, list[Axes]]:
    """Make a figure with stacked panels that share the time axis.

    Parameters
    ----------
    rows : int, default 1
        Number of panels.
    width, height : float
        Inches.

    Returns
    -------
    Figure, list of Axes
        Not registered anywhere; no window is opened.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, list(grid[:, 0])


@styled
def save_figure(figure: Figure, path: Path, *, dpi: int = 150) -> Path:
    """Write a figure to a file; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
        As the functions of this package make it.
    path : Path
        Ends in ``.png``, ``.svg`` or ``.pdf``; the folder is made.
    dpi : int, default 150
        Dots per inch of a PNG.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        If the format is another one.
    PEError
        If the file cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise ConfigError(
            f"a figure cannot be written as '{path.suffix}'",
            where=str(path),
            fix=f"use one of {', '.join(FORMATS)}",
        )
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(unfinished, format=form, dpi=dpi, metadata=_metadata(form))
        os.replace(unfinished, path)
    except OSError as cause:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise PEError(
            f"the figure cannot be written: {cause.strerror or cause}.",
            where=str(path),
            fix="check the folder's permissions and the space on this disk",
        ) from cause
    return path


def log_numbers(axes: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def shade(axes: Axes, start: float, end: float, colour: str, *, label: str | None = None) -> None:
    """Shade a span of the horizontal axis."""
    axes.axvspan(start, end, color=colour, alpha=0.14, linewidth=0, label=label, zorder=0.5)


def _style() -> Any:  # the stubs name every single rcParam
    import matplotlib

    defaults: Any = matplotlib.rcParamsDefault

    # Whatever a user's matplotlibrc says, the figure looks and weighs the same.
    return {**{key: defaults[key] for key in _RESET}, **_STYLE}


_RESET = (
    "axes.facecolor",
    "axes.prop_cycle",
    "lines.markersize",
    "savefig.bbox",
    "savefig.facecolor",
    "savefig.transparent",
    "legend.framealpha",
    "xtick.direction",
    "ytick.direction",
)


def _metadata(form: str) -> dict[str, None]:
    if form == "svg":
        return {"Date": None}
    if form == "pdf":
        return {"CreationDate": None, "ModDate": None}
    return {"Software": None}
