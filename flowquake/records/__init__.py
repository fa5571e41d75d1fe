"""The records that flow between processing elements.

Columnar, immutable and numpy-backed. They import nothing of the project.
"""

from flowquake.records.batch import (
    AnyArray,
    Batch,
    BoolArray,
    FloatArray,
    IntArray,
    Timescale,
)
from flowquake.records.eruptions import EruptionBatch
from flowquake.records.events import EventBatch
from flowquake.records.forecasts import (
    SCHEMA,
    STATUSES,
    Adequacy,
    Forecast,
    Interval,
    forecast_id,
    load_schema,
)
from flowquake.records.frozen import FrozenDict
from flowquake.records.samples import SampleBatch
from flowquake.records.strings import Strings
from flowquake.records.times import (
    NS_PER_DAY,
    NS_PER_MINUTE,
    NS_PER_SECOND,
    UNKNOWN_TIME,
    civil_ns,
    days,
    format_time,
    json_time,
    parse_time,
    to_datetime,
    to_ns,
)
from flowquake.records.windows import BValue, Completeness, Json, Window

__all__ = [
    "NS_PER_DAY",
    "NS_PER_MINUTE",
    "NS_PER_SECOND",
    "SCHEMA",
    "STATUSES",
    "UNKNOWN_TIME",
    "Adequacy",
    "AnyArray",
    "BValue",
    "Batch",
    "BoolArray",
    "Completeness",
    "EruptionBatch",
    "EventBatch",
    "FloatArray",
    "Forecast",
    "FrozenDict",
    "IntArray",
    "Interval",
    "Json",
    "SampleBatch",
    "Strings",
    "Timescale",
    "Window",
    "civil_ns",
    "days",
    "forecast_id",
    "format_time",
    "json_time",
    "load_schema",
    "parse_time",
    "to_datetime",
    "to_ns",
]
