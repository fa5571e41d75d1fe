from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest

from flowquake.errors import ConfigError, PEError
from flowquake.pes.figures import plot_cumulative, safe_name, save_figure
from flowquake.records import Forecast, Window

MakeWindow = Callable[..., Window]
MakeForecast = Callable[..., Forecast]


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(
    form: str, tmp_path: Path, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    contents = []
    for name, settings in (("a", {}), ("b", {"font.size": 30.0, "axes.grid": False})):
        with matplotlib.rc_context(settings):  # type: ignore[arg-type]  # settings by name
            figure = plot_cumulative(make_window(), [make_forecast()])
            contents.append(save_figure(figure, tmp_path / f"{name}.{form}").read_bytes())
    assert contents[0] == contents[1]
    assert len(contents[0]) > 5000
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{form}", f"b.{form}"]


def test_an_unknown_format_is_refused(tmp_path: Path, make_window: MakeWindow) -> None:
    with pytest.raises(ConfigError, match="cannot be written as"):
        save_figure(plot_cumulative(make_window()), tmp_path / "figure.bmp")


def test_a_folder_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, make_window: MakeWindow
) -> None:
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(PEError, match="cannot be written"):
        save_figure(plot_cumulative(make_window()), tmp_path / "figures" / "a.png")


def test_importing_the_figures_loads_no_matplotlib_and_drawing_no_pyplot() -> None:
    code = (
        "import sys, flowquake.pes.figures as f\n"
        "assert 'matplotlib' not in sys.modules\n"
        "f.plot_convergence([])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc/passwd",
        "a b",
        "a/b",
        "a\\b",
        "CON:",
        "x" * 300,
        "Ätna",
        "\n",
        "-x",
    ],
)
def test_a_changed_name_is_safe_and_its_own(text: str) -> None:
    name = safe_name(text)
    assert name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert name.isascii()
    assert len(name) < 100
    assert not name.startswith((".", "-"))
    assert safe_name(text + "?") != name


def test_source_and_key_cannot_be_mixed_up() -> None:
    assert len({safe_name("a", "b--c"), safe_name("a--b", "c"), safe_name("a--b--c", None)}) == 3
