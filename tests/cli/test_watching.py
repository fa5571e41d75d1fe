"""What a run tells while it goes on: metrics, JSON lines, and the table on a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from rich.console import Console

from flowquake.cli.live import LiveTable, choose, table_of
from flowquake.cli.measuring import Figures, measure
from flowquake.engine.job import Load, PECounts
from flowquake.running import Progress

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "json"


def progress(seconds: float, **elements: dict[str, Any]) -> Progress:
    """Make a report; an element's values go to its counts and its load."""
    loads = {
        name: Load(**{k: given[k] for k in ("busy", "queue", "waited", "crossed") if k in given})
        for name, given in elements.items()
    }
    counts = {
        name: PECounts(received=given.get("received", 0), emitted={"out": given.get("emitted", 0)})
        for name, given in elements.items()
    }
    fractions = {name: given["part"] for name, given in elements.items() if "part" in given}
    places = {name: given.get("places", 1) for name, given in elements.items()}
    return Progress(counts, fractions, seconds, loads, places, places)


def drawn(now: Progress, *, width: int = 100, height: int = 40) -> list[str]:
    """Draw a table on paper."""
    console = Console(file=io.StringIO(), width=width, height=height, record=True)
    console.print(table_of("tremor", None, now, width=width, height=height))
    return [line.rstrip() for line in console.export_text().splitlines()]


def fits_schema(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    described = json.loads((SCHEMAS / "metrics.json").read_text())
    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.validate(found, described)
    return found


def test_figures_are_of_the_interval_between_two_reports() -> None:
    before = progress(10.0, pick={"received": 100, "emitted": 10, "busy": 5.0, "crossed": 100})
    now = progress(
        12.0,
        pick={
            **{"received": 300, "emitted": 30, "busy": 7.0, "places": 2},
            **{"waited": 4.0, "crossed": 300, "queue": 5},
        },
    )

    assert measure(before, now)["pick"] == Figures(
        received=100.0, emitted=10.0, busy=0.5, queue=5, latency=0.035
    )


def test_the_latency_of_a_whole_run_is_as_measured() -> None:
    now = progress(10.0, pick={"received": 100, "busy": 5.0, "waited": 20.0, "crossed": 80})
    found = measure(None, now)["pick"]
    assert (found.received, found.latency) == (8.0, 0.25)


def test_where_nothing_crosses_the_latency_is_the_time_in_the_code() -> None:
    now = progress(1.0, read={"emitted": 10}, pick={"received": 10, "busy": 0.5})
    found = measure(None, now)
    assert (found["read"].latency, found["pick"].latency) == (None, 0.05)


def test_each_line_of_the_metrics_fits_its_schema(flowquake: Flowquake, folder: Path) -> None:
    flowquake("run", "toy.py", "--out", "out", "-q")
    lines = (folder / "out" / "metrics.jsonl").read_text().splitlines()
    last = [fits_schema(line) for line in lines][-1]
    assert last["received"] == {"numbers": 0, "double": 4, "keep": 4}
    assert last["instances"] == {"numbers": 1, "double": 1, "keep": 1}
    assert last["progress"] == {"numbers": [4, 4]}


def test_json_lines_are_metrics_and_at_last_the_run(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--json-lines", "-q")
    *metrics, last = result.out.splitlines()
    assert metrics
    assert [fits_schema(line)["schema"] for line in metrics][-1] == "flowquake/metrics-1"
    run = json.loads(last)
    jsonschema.validate(run, json.loads((SCHEMAS / "run.json").read_text()))
    assert run["status"] == "done"
    assert set(run["loads"]) == {"numbers", "double", "keep"}


def test_one_document_and_lines_exclude_each_other(flowquake: Flowquake, folder: Path) -> None:
    result = flowquake("run", "toy.py", "--json", "--json-lines")
    assert (result.code, "exclude each other" in result.err) == (2, True)
    assert not (folder / "runs").exists()


def test_the_table_has_a_line_for_each_element() -> None:
    now = progress(
        30.0,
        read={"emitted": 30_000, "busy": 1.5, "part": (1, 4)},
        pick={"received": 30_000, "emitted": 60, "busy": 29.4, "waited": 30.0, "crossed": 30_000},
    )
    head, names, read, pick = drawn(now)
    assert head == "tremor  0:30  30,000 items handed on"
    assert names.split() == [
        *("element", "in/s", "out/s", "queue", "busy", "latency", "progress"),
    ]
    assert read.split() == [
        *("read", "-", "1,000", "-", "\u2500" * 8, "5", "%", "-", "25", "%", "1:30", "left"),
    ]
    assert pick.split() == ["pick", "1,000", "2", "-", "\u2501" * 8, "98", "%", "1", "ms"]


@pytest.mark.parametrize("width", [30, 50, 70, 100])
def test_a_narrow_terminal_shows_less_and_never_breaks_a_line(width: int) -> None:
    now = progress(
        9.0,
        **{f"a_rather_long_name_of_a_filter_{n}": {"received": 10**7, "busy": n} for n in range(3)},
    )
    lines = drawn(now, width=width)
    assert len(lines) == 5
    assert all(len(line) <= width for line in lines)
    assert [line.count("%") for line in lines[2:]] == [1, 1, 1]


def test_a_wide_workflow_shows_its_busiest_elements_in_their_order() -> None:
    now = progress(10.0, **{f"pe{n:02d}": {"busy": float(n % 10)} for n in range(35)})
    lines = drawn(now)
    assert lines[-1] == "and 15 more that are less busy"
    shown = [line.split()[0] for line in lines[2:-1]]
    assert shown == sorted(shown)
    assert {f"pe{n:02d}" for n in range(35) if n % 10 > 5} <= set(shown)
    assert len(shown) == 20
    assert len(drawn(now, height=12)) <= 11


def test_what_is_shown_of_ties_is_what_takes_most() -> None:
    quiet = Figures(received=0.0, emitted=0.0, busy=0.0, queue=0, latency=None)
    figures = {"a": quiet, "b": Figures(5.0, 0.0, 0.0, 0, None), "c": quiet}
    assert choose(figures, 1) == ["b"]


def test_the_table_is_drawn_at_most_four_times_a_second_and_leaves_nothing() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, height=20)
    table = LiveTable("tremor", console)
    table.start()
    for tenth in range(100):
        table.show(progress(tenth / 1000, pick={"received": tenth}))
    drawings = screen.getvalue().count("items handed on")
    table.stop()
    assert 1 <= drawings <= 3
    assert screen.getvalue().endswith(("\x1b[2K", "\x1b[?25h"))
