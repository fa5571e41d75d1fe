"""Rows of a CSV file, from forecasts, other records and batches of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from flowquake.errors import ConfigError, InputError, suggest
from flowquake.pes.files.cells import csv_line
from flowquake.pes.files.sorted_file import Row
from flowquake.records import EventBatch, Forecast, Strings, json_time

FORECAST_COLUMNS = (
    "id",
    "revision",
    "source",
    "key",
    "issued",
    "data_until",
    "window_start",
    "window_end",
    "time_unit",
    "model",
    "status",
    "events",
    "completeness_magnitude",
    "completeness_warning",
    "failure_time",
    "interval_level",
    "interval_lower",
    "interval_upper",
    "log_likelihood",
    "aic",
    "bic",
    "best_aic",
    "best_bic",
    "adequacy_ks",
    "adequacy_p_value",
    "adequacy_p_value_naive",
    "k",
    "lambda",
    "p",
    "t_f",
    "probability",
    "settings",
)
EVENT_COLUMNS = (
    "source",
    "time",
    "latitude",
    "longitude",
    "depth",
    "magnitude",
    "magnitude_type",
    "event_id",
)
_NESTED = ("interval", "adequacy")


def header_for(item: object) -> Sequence[str]:
    """Name the columns that a record has by default.

    Raises
    ------
    InputError
        If the record cannot be a row.
    """
    if isinstance(item, Forecast):
        return FORECAST_COLUMNS
    if isinstance(item, EventBatch):
        return EVENT_COLUMNS
    return list(_flat(item))


def table_rows(item: object, columns: Sequence[str]) -> Iterator[Row]:
    """Give the rows of a record with their places in the file.

    Parameters
    ----------
    item : Forecast, EventBatch or record with ``to_json()``
        A batch gives one row for each event.
    columns : sequence of str
        Names of columns.

    Raises
    ------
    ConfigError
        If the record has no such column.
    InputError
        If the record cannot be a row.
    """
    if isinstance(item, EventBatch):
        yield from _event_rows(item, columns)
        return
    values: dict[str, object] = _flat(item)
    if isinstance(item, Forecast):
        values = {name: values.get(name) for name in (*FORECAST_COLUMNS, *values)}
    line = csv_line(values[_known(name, values)] for name in columns)
    record: Any = item  # what _flat accepted has a time
    yield Row(
        int(record.time), str(getattr(item, "id", "")), int(getattr(item, "revision", 0)), line
    )


def _event_rows(batch: EventBatch, columns: Sequence[str]) -> Iterator[Row]:
    cells = [_cells(batch, name) for name in columns]
    places = zip(batch.time.tolist(), batch.sequence.tolist(), strict=True)
    rows = zip(*cells, strict=True) if cells else iter(())
    for (time, sequence), values in zip(places, rows, strict=True):
        yield Row(time, batch.source, sequence, csv_line(values))


def _cells(batch: EventBatch, name: str) -> Sequence[object]:
    if name == "source":
        return [batch.source] * len(batch)
    if name == "time":
        return [json_time(time, batch.timescale) for time in batch.time.tolist()]
    if name in ("event_id", "magnitude_type"):
        text: Strings = getattr(batch, name)
        return text.to_list()
    try:
        column = batch.column(name)
    except KeyError:
        raise ConfigError(
            f"events have no column '{name}'{suggest(name, (*EVENT_COLUMNS, *batch.extra))}",
            fix=f"choose from {', '.join((*EVENT_COLUMNS, *batch.extra))}",
        ) from None
    return list(np.asarray(column).tolist())


def _flat(item: object) -> dict[str, object]:
    to_json = getattr(item, "to_json", None)
    if not callable(to_json) or not hasattr(item, "time"):
        raise InputError(
            f"{type(item).__name__} cannot be a row of a CSV file",
            fix="send forecasts, batches of events or records with time and to_json()",
        )
    flat: dict[str, object] = {}
    for name, value in to_json().items():
        if name in _NESTED and isinstance(value, Mapping):
            flat.update({f"{name}_{part}": inner for part, inner in value.items()})
        elif name not in _NESTED:
            flat[name] = value
        if name == "parameters" and isinstance(value, Mapping):
            for parameter, fitted in value.items():
                flat.setdefault(parameter, fitted)
    return flat


def _known(name: str, values: Mapping[str, object]) -> str:
    if name not in values:
        raise ConfigError(
            f"the records have no column '{name}'{suggest(name, values)}",
            fix=f"choose from {', '.join(values)}",
        )
    return name
