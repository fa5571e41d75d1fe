import io
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowquake.errors import ConfigError, FormatError
from flowquake.pes.catalogs import CATALOG_FORMATS, read_catalog, recognise
from flowquake.pes.catalogs.files import FileBytes
from flowquake.pes.catalogs.obspy_catalogs import OBSPY_FORMATS, read_obspy
from flowquake.records import format_time, parse_time

TIMES = (
    "2011-10-10T04:05:06.700000Z",
    "2011-10-09T01:02:03.000000Z",
    "2011-10-11T00:00:00.500000Z",
)
LATITUDES = (27.7, 27.6, 27.8)


def obspy_bytes(format_: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from obspy import UTCDateTime
        from obspy.core.event import Catalog, Event, Magnitude, Origin, ResourceIdentifier

        events = []
        for number, (time, latitude) in enumerate(zip(TIMES, LATITUDES, strict=True)):
            origin = Origin(
                time=UTCDateTime(time), latitude=latitude, longitude=-18.0, depth=12_000.0
            )
            magnitude = Magnitude(
                mag=1.5 + number, magnitude_type="ML", origin_id=origin.resource_id
            )
            event = Event(
                resource_id=ResourceIdentifier(f"smi:local/event/{number}"),
                origins=[origin], magnitudes=[magnitude], event_type="earthquake",
            )  # fmt: skip
            event.preferred_origin_id = origin.resource_id
            event.preferred_magnitude_id = magnitude.resource_id
            events.append(event)
        out = io.BytesIO()
        Catalog(events).write(out, format=format_)
        return out.getvalue()


@pytest.mark.parametrize("format_", ["QUAKEML", "SC3ML", "ZMAP"])
@pytest.mark.parametrize("named", [True, False])
def test_a_catalog_of_obspy_is_read(tmp_path: Path, format_: str, named: bool) -> None:
    file = tmp_path / "hierro.dat"
    file.write_bytes(obspy_bytes(format_))
    assert recognise(file) == [format_.lower()]
    batch, report = read_catalog(file, format=format_ if named else "auto")
    assert (report.format, report.read, report.out_of_order) == (format_.lower(), 3, 1)
    # ZMAP writes seconds with a few digits.
    np.testing.assert_allclose(batch.time, sorted(map(parse_time, TIMES)), rtol=0, atol=1e5)
    assert batch.sequence.tolist() == [1, 0, 2]
    np.testing.assert_allclose(batch.latitude, [27.6, 27.7, 27.8], rtol=1e-12)
    np.testing.assert_allclose(batch.depth, 12.0, rtol=1e-12)
    assert batch.magnitude.tolist() == [2.5, 1.5, 3.5]


def test_preferred_values_and_names_come_from_quakeml(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("catalogs/seismostats_query_full.quakeml.xml")
    batch, report = read_catalog(path)
    assert report.format == "quakeml"
    assert report.kept == len(batch) == 93
    assert report.first is not None
    assert format_time(report.first) == "2024-01-01T00:28:37.547200Z"
    assert str(batch.event_id[0]).startswith("smi:")
    assert "MLhc" in batch.magnitude_type.values
    assert np.nanmax(batch.depth) < 100


def test_an_event_without_a_time_is_a_bad_row(tmp_path: Path) -> None:
    data = obspy_bytes("QUAKEML").replace(b"<value>2011-10-09T01:02:03.000000Z</value>", b"")
    file = tmp_path / "a.xml"
    file.write_bytes(data)
    with pytest.raises(FormatError, match="event 1: the event has no origin time"):
        read_catalog(file, format="quakeml")
    batch, report = read_catalog(file, format="quakeml", policy="quarantine")
    assert (report.read, report.kept, report.reasons) == (3, 2, {"no time": 1})
    assert report.bad_rows[0].text == "smi:local/event/1"
    assert batch.sequence.tolist() == [0, 2]


def test_pickles_are_never_read(tmp_path: Path) -> None:
    assert not {"pickle", "PICKLE"} & {*CATALOG_FORMATS, *OBSPY_FORMATS}

    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return open, (str(tmp_path / "harmed"), "w")  # type: ignore[return-value]  # what a pickle may ask for

    file = tmp_path / "a.pickle"
    file.write_bytes(pickle.dumps(Harm()))
    for format_ in ("auto", *CATALOG_FORMATS):
        with pytest.raises(FormatError):
            read_catalog(file, format=format_, policy="skip")
    with pytest.raises(ConfigError):
        read_catalog(file, format="PICKLE")
    assert not (tmp_path / "harmed").exists()


def test_xml_with_entities_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes(b'<!DOCTYPE q [<!ENTITY a "b">]>' + obspy_bytes("QUAKEML"))
    with pytest.raises(FormatError, match="entities"):
        read_catalog(file, format="quakeml")


@pytest.mark.parametrize("format_", sorted(OBSPY_FORMATS))
@settings(max_examples=8)
@given(data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(format_: str, data: bytes) -> None:
    try:
        batch, bad = read_obspy(FileBytes("any", data, ""), format_, "any")
    except FormatError as refused:
        message = str(refused)
        assert message
    else:
        assert len(batch) + len(bad) > 0
