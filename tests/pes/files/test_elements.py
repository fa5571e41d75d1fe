from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from flowquake import Watermark
from flowquake.errors import ConfigError, InputError, PEError
from flowquake.pes.files import WriteCsv, WriteJsonLines
from flowquake.records import NS_PER_DAY, Adequacy, EventBatch, Forecast, Interval
from flowquake.testing import ElementResult, run_element


def forecast(day: int, model: str = "hyperbolic", **changes: object) -> Forecast:
    time = day * NS_PER_DAY
    values: dict[str, object] = {
        "source": "etna",
        "issued": time,
        "data_until": time,
        "window_start": 0,
        "window_end": time,
        "model": model,
        "status": "forecast",
        "events": 12,
        "parameters": {"k": 0.1 + 0.2},
        "failure_time": time + 1,
        "interval": Interval(level=0.9, lower=None, upper=time + 2),
        "adequacy": Adequacy(ks=0.1, p_value=0.5, p_value_naive=None),
    }
    return Forecast(**{**values, **changes})  # type: ignore[arg-type]  # values of several types by name


def many(n: int) -> list[Forecast]:
    return [forecast(day, model) for day in range(1, n) for model in ("constant", "hyperbolic")]


def write_lines(items: Iterable[object], out: Path, **parameters: str) -> str:
    run_element(WriteJsonLines(**parameters), {"items": items}, out=out)
    (path,) = (out / "outputs").rglob("*.jsonl")
    return path.read_text("utf-8")


def write_csv(items: Iterable[object], out: Path, **parameters: object) -> list[list[str]]:
    run_element(WriteCsv(**parameters), {"items": items}, out=out)  # type: ignore[arg-type]  # values of several types by name
    with (out / "outputs" / "forecasts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_lines_read_back_as_the_forecasts(tmp_path: Path) -> None:
    text = write_lines([forecast(1)], tmp_path)
    assert [Forecast.from_json(json.loads(line)) for line in text.splitlines()] == [forecast(1)]


def test_the_file_does_not_depend_on_order_or_watermarks(tmp_path: Path) -> None:
    forecasts = many(20)
    plain = write_lines(forecasts, tmp_path / "plain")
    assert plain.count("\n") == len(forecasts)
    shuffled = random.Random(1).sample(forecasts, len(forecasts))
    assert write_lines(shuffled, tmp_path / "shuffled") == plain
    cut: list[object] = []
    for item in forecasts:
        cut += [item, Watermark(item.issued)]
    assert write_lines(cut, tmp_path / "cut") == plain


def test_lines_are_in_the_order_of_time_and_id(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in write_lines(reversed(many(9)), tmp_path).splitlines()]
    places = [(line["issued"], line["id"]) for line in lines]
    assert places == sorted(places)


def test_revisions_of_a_forecast_follow_each_other(tmp_path: Path) -> None:
    items = [forecast(1, revision=revision) for revision in (10, 2, 0)]
    lines = write_lines(items, tmp_path).splitlines()
    assert [json.loads(line)["revision"] for line in lines] == [0, 2, 10]


def test_final_lines_are_in_the_file_before_the_run_ends(tmp_path: Path) -> None:
    seen: list[int] = []
    path = tmp_path / "outputs" / "forecasts.jsonl"

    class Probe(dict[str, object]):
        def get(self, name: str, default: object = None) -> object:
            if name == "time":
                seen.append(path.read_text().count("\n"))
            return super().get(name, default)

    run_element(
        WriteJsonLines(),
        {"items": [{"time": 1}, {"time": 5}, Watermark(3), Probe(time=9)]},
        out=tmp_path,
    )
    assert seen == [1]
    assert path.read_text() == '{"time":1}\n{"time":5}\n{"time":9}\n'


def test_an_empty_run_leaves_an_empty_file(tmp_path: Path) -> None:
    assert write_lines([], tmp_path, path="deep/er/x.jsonl") == ""


@pytest.mark.parametrize(
    "item",
    [3, "text", {"no": "time"}, {"time": 1.5}, {"time": 1, "bad": float("nan")}, {"time": True}],
    ids=str,
)
def test_what_cannot_be_a_line_is_a_clear_error(item: object, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run_element(WriteJsonLines(), {"items": [item]}, out=tmp_path)


def test_a_run_without_a_directory_says_so() -> None:
    with pytest.raises((ConfigError, PEError)):
        run_element(WriteJsonLines(), {"items": [forecast(1)]})


def test_a_path_outside_the_outputs_is_refused_at_once() -> None:
    with pytest.raises(ConfigError):
        WriteJsonLines(path="../elsewhere.jsonl")


def test_a_forecast_is_one_row_with_every_field(tmp_path: Path) -> None:
    header, row = write_csv([forecast(2)], tmp_path)
    cells = dict(zip(header, row, strict=True))
    assert cells["issued"] == "1970-01-03T00:00:00Z"
    assert (cells["interval_level"], cells["interval_lower"]) == ("0.9", "")
    assert (float(cells["k"]), cells["lambda"]) == (0.1 + 0.2, "")
    assert (cells["adequacy_ks"], cells["adequacy_p_value_naive"]) == ("0.1", "")
    assert cells["completeness_warning"] == "false"


def test_a_forecast_without_interval_has_the_same_columns(tmp_path: Path) -> None:
    table = write_csv(
        [forecast(1), forecast(2, interval=None, adequacy=None, failure_time=None)], tmp_path
    )
    assert len({len(row) for row in table}) == 1


def test_the_parameters_can_be_had_as_json(tmp_path: Path) -> None:
    _, (cell,) = write_csv([forecast(1)], tmp_path, columns=["parameters"])
    assert json.loads(cell) == {"k": 0.1 + 0.2}


def test_laboratory_times_are_seconds(tmp_path: Path) -> None:
    item = forecast(1, timescale="elapsed", time_unit="minutes")
    header, row = write_csv([item], tmp_path)
    assert dict(zip(header, row, strict=True))["issued"] == "86400"


def test_events_are_rows_in_the_order_of_time(tmp_path: Path) -> None:
    sizes = np.array([0.1 + 0.2, 1e-17, np.nan])
    batch = EventBatch(
        source="etna",
        time=[3 * NS_PER_DAY, NS_PER_DAY, NS_PER_DAY],
        sequence=[0, 2, 1],
        magnitude=sizes,
        event_id=["a", None, "c"],
    )
    header, *rows = write_csv([batch], tmp_path)
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    assert [cell["event_id"] for cell in cells] == ["c", "", "a"]
    assert cells[0]["magnitude"] == ""
    assert [float(cell["magnitude"]) for cell in cells[1:]] == [1e-17, 0.1 + 0.2]
    assert [cell["time"] for cell in cells[1:]] == ["1970-01-02T00:00:00Z", "1970-01-04T00:00:00Z"]


def test_chosen_columns_come_in_their_order_with_further_ones(tmp_path: Path) -> None:
    batch = EventBatch(
        source="etna", time=[5], extra={"intensity": [3.0], "place": ["=HYPERLINK(1)"]}
    )
    table = write_csv([batch], tmp_path, columns=["place", "intensity", "sequence"])
    assert table == [["place", "intensity", "sequence"], ["'=HYPERLINK(1)", "3.0", "0"]]


def test_a_header_is_there_without_any_row(tmp_path: Path) -> None:
    assert write_csv([], tmp_path, columns=["time", "magnitude"]) == [["time", "magnitude"]]


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    batch = EventBatch(source="etna", time=[5])
    with pytest.raises(ConfigError, match="did you mean 'magnitude'"):
        write_csv([batch], tmp_path, columns=["magnitud"])
    with pytest.raises(ConfigError, match="did you mean 'model'"):
        write_csv([forecast(1)], tmp_path / "b", columns=["modle"])


def test_two_kinds_of_records_do_not_share_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not fit"):
        write_csv([forecast(1), EventBatch(source="etna", time=[5])], tmp_path)


def test_what_is_no_row_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be a row"):
        write_csv([3], tmp_path)


def test_rows_do_not_depend_on_how_batches_are_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    batch = EventBatch(source="etna", time=rng.integers(0, 50, 300), magnitude=rng.random(300))
    parts = [batch.take(index) for index in np.array_split(rng.permutation(300), 7)]
    assert write_csv([batch], tmp_path / "a") == write_csv(parts, tmp_path / "b")


def test_late_records_are_counted(tmp_path: Path) -> None:
    result: ElementResult = run_element(
        WriteJsonLines(),
        {"items": [{"time": 5}, Watermark(6), {"time": 7}, {"time": 4}, Watermark(8)]},
        out=tmp_path,
    )
    assert result.counters == {"written out of order: later than the watermark": 1}
