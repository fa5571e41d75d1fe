"""Bad input to the eruption forecast: a clear error or a stated status, nothing lost in silence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowquake.cli.app import invoke
from flowquake.errors import ConfigError
from flowquake.workflows.eruption_forecast import build

HEADER = "time,latitude,longitude,depth,magnitude,id"


@dataclass
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def forecasts(self) -> list[dict[str, Any]]:
        path = self.folder / "outputs" / "forecasts.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    @property
    def counters(self) -> dict[str, int]:
        record = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        found: dict[str, int] = record["counts"]["read_catalog"]["counters"]
        return found

    def is_error(self, code: int, *words: str) -> None:
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err, self.err

    def adds_up(self) -> None:
        counted = self.counters
        assert counted["read"] == counted["kept"] + counted.get("skipped", 0)


Forecast = Callable[..., Outcome]


@pytest.fixture
def forecast(tmp_path: Path) -> Forecast:
    """Run the workflow from the command line on a file with this content."""

    def run(content: str | bytes | Path, **settings: object) -> Outcome:
        if isinstance(content, Path):
            path = content
        else:
            path = tmp_path / "catalog.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        folder = tmp_path / "out"
        arguments = ["run", "eruption_forecast", "--set", f"catalog={path}", "--out", str(folder)]
        for name, value in settings.items():
            arguments += ["--set", f"{name}={value}"]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = invoke(arguments)
        return Outcome(code, out.getvalue(), err.getvalue(), folder)

    return run


def catalog(rows: Sequence[str]) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def row(day: float, magnitude: str = "1.5", identity: str = "") -> str:
    whole, hours = int(day), (day % 1) * 24
    minutes = int(hours % 1 * 60)
    clock = f"{int(hours):02d}:{minutes:02d}:00"
    return f"2020-01-{whole + 1:02d}T{clock}Z,37.7,15.0,5.0,{magnitude},{identity or day}"


ROWS = [row(day / 2) for day in range(1, 40)]
WINDOW = {"start": "2020-01-01", "end": "2020-01-25", "min_magnitude": "1.0"}


def test_a_missing_file(forecast: Forecast, tmp_path: Path) -> None:
    (tmp_path / "etna.txt").write_text("x")
    forecast(tmp_path / "etna.tx").is_error(3, "etna.tx", "did you mean 'etna.txt'?", "Fix:")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"\n\n \n", ["empty"]),
        (bytes(range(256)) * 20, ["catalog.csv"]),
        (HEADER.encode() + b"\n", ["catalog.csv", "no row"]),
    ],
    ids=["empty", "blank", "binary", "header-only"],
)
def test_a_file_without_a_catalog(forecast: Forecast, content: bytes, words: list[str]) -> None:
    forecast(content).is_error(3, *words)


def test_a_directory(forecast: Forecast, tmp_path: Path) -> None:
    forecast(tmp_path).is_error(3, "directory", "Fix:")


def test_a_wrong_format_is_named_with_the_right_one(forecast: Forecast) -> None:
    result = forecast(catalog(ROWS), format="ingv-ct", **WINDOW)
    result.is_error(3, "catalog.csv, line", "format=delimited")
    result = forecast(catalog(ROWS), format="delimted", **WINDOW)
    result.is_error(2, "did you mean 'delimited'?")


def test_a_row_with_a_bad_date_stops_or_is_counted(forecast: Forecast) -> None:
    rows = [*ROWS[:5], "2020-13-45T00:00:00Z,37.7,15.0,5.0,1.5,x", *ROWS[5:]]
    forecast(catalog(rows), **WINDOW).is_error(3, "catalog.csv, line 7")
    result = forecast(catalog(rows), policy="skip", **WINDOW)
    assert result.code == 0, result.err
    assert result.counters["read"] == 40
    assert result.counters["skipped"] == 1
    result.adds_up()
    result = forecast(catalog(rows), policy="quarantine", **WINDOW)
    assert result.code == 5, result.err
    rejected = (result.folder / "rejected.jsonl").read_text(encoding="utf-8")
    assert "2020-13-45" in rejected
    result.adds_up()


def test_month_first_dates_are_never_guessed(forecast: Forecast) -> None:
    rows = [f"{month:02d}/21/2020 00:00:00,37.7,15.0,5.0,1.5,{month}" for month in range(1, 13)]
    forecast(catalog(rows)).is_error(3, "catalog.csv", "Fix:")
    ambiguous = [f"03/{day:02d}/2020 00:00:00,37.7,15.0,5.0,1.5,{day}" for day in range(1, 13)]
    forecast(catalog(ambiguous)).is_error(3, "catalog.csv", "Fix:")


def test_month_first_dates_are_read_when_it_is_said(forecast: Forecast, tmp_path: Path) -> None:
    rows = [f"{month:02d}/21/2020 00:00:00,37.7,15.0,5.0,1.5,{month}" for month in range(1, 13)]
    description = tmp_path / "columns.toml"
    description.write_text('date_format = "%m/%d/%Y %H:%M:%S"', encoding="utf-8")
    result = forecast(catalog(rows), columns=description, min_magnitude="none", model="constant")
    assert result.code == 0, result.err
    assert [record["events"] for record in result.forecasts] == [12]
    forecast(catalog(rows), columns=tmp_path / "colums.toml").is_error(3, "columns.toml")


def test_month_first_dates_in_a_day_first_format_name_the_line(forecast: Forecast) -> None:
    rows = ["1\t19-08-1999\t09:46:11\t37.6\t14.9\t19.4\t2.0\t1\tx"]
    rows += ["2\t08-19-1999\t09:46:12\t37.6\t14.9\t19.4\t2.0\t1\tx"]
    forecast("\n".join(rows), format="ingv-ct").is_error(3, "catalog.csv, line 2")


def test_duplicate_and_unsorted_rows_are_kept_and_counted(forecast: Forecast) -> None:
    result = forecast(catalog([*reversed(ROWS), ROWS[3]]), **WINDOW)
    assert result.code == 0, result.err
    assert {record["events"] for record in result.forecasts} == {40}
    assert result.counters["duplicates, kept"] == 1
    assert result.counters["steps backward in time"] == 38
    result.adds_up()


def test_catalogs_without_magnitudes(forecast: Forecast) -> None:
    rows = [text.replace(",1.5,", ",,") for text in ROWS]
    result = forecast(catalog(rows), **WINDOW)
    assert result.code == 0, result.err
    assert {record["status"] for record in result.forecasts} == {"too_few_events"}
    result = forecast(catalog(rows), **{**WINDOW, "min_magnitude": "maxc"})
    assert result.code == 0, result.err
    assert all(record["completeness_warning"] for record in result.forecasts)


def test_no_event_in_the_box(forecast: Forecast) -> None:
    result = forecast(catalog(ROWS), box="10,11,10,11", **WINDOW)
    assert result.code == 0, result.err
    assert {(r["status"], r["events"]) for r in result.forecasts} == {("too_few_events", 0)}
    forecast(catalog(ROWS), box="10,11,10,11").is_error(3, "no event", "Fix:")


def test_a_start_after_the_last_event(forecast: Forecast) -> None:
    forecast(catalog(ROWS), start="2099-01-01").is_error(3, "no event", "Fix:")
    result = forecast(catalog(ROWS), start="2098-01-01", end="2099-01-01")
    assert {(r["status"], r["events"]) for r in result.forecasts} == {("too_few_events", 0)}


def test_one_event(forecast: Forecast) -> None:
    result = forecast(catalog(ROWS[:1]), **WINDOW)
    assert {(r["status"], r["events"]) for r in result.forecasts} == {("too_few_events", 1)}
    result = forecast(catalog(ROWS[:1]), min_magnitude=1)
    assert result.code == 0, result.err
    assert {r["status"] for r in result.forecasts} == {"too_few_events"}


def test_all_events_at_one_time(forecast: Forecast) -> None:
    result = forecast(catalog([row(3, identity=str(n)) for n in range(30)]), **WINDOW)
    assert {(r["status"], r["events"]) for r in result.forecasts} == {("too_few_events", 30)}
    assert all(r["failure_time"] is None for r in result.forecasts)


def test_an_event_exactly_at_the_windows_end_is_left_out(forecast: Forecast) -> None:
    rows = [*ROWS, "2020-01-25T00:00:00Z,37.7,15.0,5.0,1.5,last"]
    result = forecast(catalog(rows), **WINDOW)
    assert {record["events"] for record in result.forecasts} == {39}
    assert result.counters["kept"] == 40


def test_nan_in_a_row(forecast: Forecast) -> None:
    rows = [*ROWS, "2020-01-22T00:00:00Z,nan,15.0,5.0,1.5,n"]
    forecast(catalog(rows), **WINDOW).is_error(3, "catalog.csv, line 41")
    result = forecast(catalog(rows), policy="skip", **WINDOW)
    assert result.counters["skipped"] == 1
    result.adds_up()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start": "2020-02-01", "end": "2020-01-01"}, ["end=2020-01-01", "start=2020-02-01"]),
        ({"start": "2020-02-01", "end": "2020-02-01"}, ["end", "start", "Fix:"]),
        ({"model": "all,constant"}, ["model=all", "Fix:"]),
        ({"step": "1e-9"}, ["step", "windows", "Fix:"]),
        ({"min_magnitude": "1e308"}, ["magnitude", "Fix:"]),
        ({"min_magnitude": "maxc", "correction": "1e308"}, ["correction", "Fix:"]),
        ({"modle": "all"}, ["modle", "did you mean 'model'?"]),
        ({"model": "hyperbolc"}, ["hyperbolc", "did you mean 'hyperbolic'?"]),
        ({"step": "daily"}, ["step", "daily"]),
        ({"step": "0"}, ["step", "positive"]),
        ({"step": "-1"}, ["step", "positive"]),
        ({"step": "inf"}, ["step"]),
        ({"box": "1,2,3"}, ["box", "1,2,3"]),
        ({"box": "38,37,14,15"}, ["box"]),
        ({"depth": "10,0"}, ["depth"]),
        ({"start": "01/02/2020"}, ["start", "01/02/2020"]),
        ({"start": "12.5"}, ["start", "date"]),
        ({"level": "1.5"}, ["level"]),
        ({"min_magnitude": "maxcc"}, ["min_magnitude"]),
        ({"policy": "lenient"}, ["policy"]),
        ({"failure_time": "2020-01-02"}, ["failure_time"]),
    ],
)
def test_wrong_parameters(forecast: Forecast, settings: dict[str, str], words: list[str]) -> None:
    forecast(catalog(ROWS), **settings).is_error(2, *words)


def test_a_forecast_each_step_sees_only_its_past(forecast: Forecast) -> None:
    whole = forecast(catalog(ROWS), step=6, **WINDOW).forecasts
    assert sorted({record["issued"] for record in whole}) == [
        "2020-01-07T00:00:00Z",
        "2020-01-13T00:00:00Z",
        "2020-01-19T00:00:00Z",
        "2020-01-25T00:00:00Z",
    ]
    early = forecast(catalog(ROWS), step=6, **{**WINDOW, "end": "2020-01-13"}).forecasts
    assert early == [record for record in whole if record["issued"] <= "2020-01-13T00:00:00Z"]


def test_a_text_in_place_of_a_date_is_refused_in_python(tmp_path: Path) -> None:
    (tmp_path / "catalog.csv").write_text(f"{HEADER}\n2020-01-01,0,0,1,2,a\n")
    with pytest.raises(ConfigError, match="neither a datetime"):
        build(catalog=tmp_path / "catalog.csv", start="2020-01-01")  # type: ignore[arg-type]  # wrong on purpose
