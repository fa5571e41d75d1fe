"""Reading catalogs, and cutting batches of events."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from flowquake.pes.catalogs import read_catalog, select_events
from flowquake.records import EventBatch, Strings, format_time, parse_time


def write_catalog(path: Path, rows: int) -> None:
    """Write a delimited catalog with a header: time, latitude, longitude, depth, magnitude."""
    rng = np.random.default_rng(1)
    step = rng.exponential(60.0, rows).cumsum()
    times = (parse_time("2000-01-01") + (step * 1e3).astype(np.int64) * 1_000_000).tolist()
    places = rng.uniform((37.0, 14.0, -1.0), (38.0, 15.0, 30.0), (rows, 3)).round(4).tolist()
    sizes = rng.exponential(0.43, rows).round(1).tolist()
    with path.open("w") as file:
        file.write("time,latitude,longitude,depth,magnitude\n")
        for time, (latitude, longitude, depth), size in zip(times, places, sizes, strict=True):
            file.write(f"{format_time(time)},{latitude},{longitude},{depth},{size}\n")


class ReadDelimited:
    """A whole file into one batch; one million rows in under three seconds."""

    params = (10_000, 1_000_000)
    param_names = ("rows",)

    def setup(self, rows: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "catalog.csv")
        write_catalog(self.path, rows)

    def teardown(self, rows: int) -> None:
        self.folder.cleanup()

    def time_read(self, rows: int) -> None:
        read_catalog(self.path, format="delimited")

    def time_read_after_recognising(self, rows: int) -> None:
        read_catalog(self.path)

    def peakmem_read(self, rows: int) -> None:
        read_catalog(self.path, format="delimited")


class CutBatches:
    """What windows and groupings do to a batch."""

    def setup(self) -> None:
        n = 100_000
        rng = np.random.default_rng(1)
        self.batch = EventBatch(
            source="etna",
            time=np.arange(n),
            latitude=rng.uniform(37, 38, n),
            longitude=rng.uniform(14, 15, n),
            magnitude=rng.exponential(0.43, n).round(1),
            event_id=Strings.from_list(map(str, range(n))),
        )
        self.parts = [self.batch.take(slice(low, low + 100)) for low in range(0, n, 100)]

    def time_slice(self) -> None:
        self.batch.take(slice(1_000, 51_000))

    def time_join(self) -> None:
        EventBatch.concat(self.parts)

    def time_select(self) -> None:
        select_events(self.batch, box=(37.2, 37.8, 14.2, 14.8), min_magnitude=1.0)
