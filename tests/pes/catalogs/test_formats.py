from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flowquake.errors import FormatError
from flowquake.pes.catalogs import read_catalog, recognise, select_events
from flowquake.pes.magnitudes.binning import magnitude_bin
from flowquake.records import format_time

SharedData = Callable[[str], Path]


class Known(NamedTuple):
    file: str
    format: str
    rows: int
    first: str
    last: str
    missing_depth: int
    missing_magnitude: int
    out_of_order: int
    duplicates: int


KNOWN = [
    Known("etna/Etna_INGVCT_C1_99-onwards.txt", "ingv-ct", 13069,
          "1999-08-19T09:46:11Z", "2014-04-11T07:16:21Z", 0, 0, 1323, 1),
    Known("etna/Etna_INGVCT_C1_99-170214.txt", "ingv-ct", 12957,
          "1999-08-19T09:46:11Z", "2014-02-13T11:30:43Z", 0, 0, 1305, 1),
    Known("el_hierro/Hierro_IGN_C2_11-070114.txt", "ign-web", 21022,
          "2011-03-22T17:58:56Z", "2014-01-06T14:06:28Z", 355, 20, 0, 0),
    Known("el_hierro/Hierro_IGN_C1_11-170214.txt", "ign", 21355,
          "2011-03-22T17:58:56Z", "2014-02-17T06:12:32Z", 375, 20, 0, 0),
    Known("tenerife/Tenerife_IGN_C2_11-041113.txt", "ign-web", 1323,
          "1990-01-06T14:23:09Z", "2013-11-01T19:28:24Z", 594, 0, 0, 0),
    Known("vesuvius/INGV-OV_Lista_eventi.txt", "ingv-ov", 1622,
          "1998-01-06T14:07:53.390Z", "2012-03-10T08:16:26.470Z", 0, 0, 1536, 22),
]  # fmt: skip


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.file.split("/")[1])
def test_an_observatory_catalog_is_read_whole(known: Known, shared_data: SharedData) -> None:
    path = shared_data(f"volcano/{known.file}")
    assert recognise(path) == [known.format]
    batch, report = read_catalog(path)
    assert (report.format, report.read, report.kept, report.skipped) == (
        known.format, known.rows, known.rows, 0,
    )  # fmt: skip
    assert report.first is not None
    assert report.last is not None
    assert (format_time(report.first), format_time(report.last)) == (known.first, known.last)
    assert (report.missing_depth, report.missing_magnitude) == known[5:7]
    assert (report.out_of_order, report.duplicates) == known[7:9]
    assert len(batch) == known.rows
    assert batch.source == path.stem
    assert (np.diff(batch.time) >= 0).all()
    assert sorted(batch.sequence.tolist()) == list(range(known.rows))
    assert batch == read_catalog(path, format=known.format)[0]


def test_el_hierro_has_the_published_magnitudes(shared_data: SharedData) -> None:
    batch, report = read_catalog(shared_data("volcano/el_hierro/Hierro_IGN_C2_11-070114.txt"))
    assert int((batch.magnitude > 0).sum()) == 20984
    assert report.magnitude_max == 5.1
    assert (batch.latitude.min(), batch.latitude.max()) == (27.5103, 27.992)
    assert (batch.longitude.min(), batch.longitude.max()) == (-18.4524, -17.8245)
    assert batch.event_id[0] == "1051744"
    assert batch.extra["place"][0] == "W FRONTERA.IHI"
    onset = select_events(batch, min_magnitude=1.7, start="2011-07-19", end="2011-10-10")
    assert len(onset) == 2476


def test_accents_of_a_latin_1_file_are_read(shared_data: SharedData) -> None:
    batch, _ = read_catalog(shared_data("volcano/tenerife/Tenerife_IGN_C2_11-041113.txt"))
    assert batch.extra["place"][0] == "ATLÁNTICO-CANARIAS"


def test_the_two_downloads_of_el_hierro_agree(shared_data: SharedData) -> None:
    web, _ = read_catalog(shared_data("volcano/el_hierro/Hierro_IGN_C2_11-070114.txt"))
    wide, _ = read_catalog(shared_data("volcano/el_hierro/Hierro_IGN_C1_11-170214.txt"))
    at = {name: row for row, name in enumerate(wide.event_id)}
    rows = np.array([at.get(name, -1) for name in web.event_id])
    both = rows >= 0
    assert both.mean() > 0.99
    same = wide.time[rows[both]] == web.time[both]
    assert same.mean() > 0.99
    without = {
        name
        for batch in (web, wide)
        for name in batch.event_id.take(np.flatnonzero(np.isnan(batch.magnitude)))
    }
    assert len(without) == 20


def test_the_box_of_etna_keeps_the_published_events(shared_data: SharedData) -> None:
    batch, _ = read_catalog(shared_data("volcano/etna/Etna_INGVCT_C1_99-170214.txt"))
    box = (37.5, 37.9, 14.7, 15.3)
    kept = select_events(batch, box=box, start="2011-08-01", end="2013-01-01", min_magnitude=1.3)
    assert len(kept) == 394
    kept = select_events(batch, box=box, start="2011-09-01", end="2012-12-30", min_magnitude=1.3)
    assert len(kept) == 378


def test_vesuvius_keeps_its_negative_magnitudes_and_says_which_row_is_bad(
    shared_data: SharedData,
) -> None:
    path = shared_data("volcano/vesuvius/Catalogo_sismico_del_Vesuvio.txt")
    with pytest.raises(FormatError, match=r"04\.17") as error:
        read_catalog(path)
    assert error.value.line == 10328
    batch, report = read_catalog(path, policy="quarantine")
    assert (report.read, report.kept, report.skipped) == (10738, 10737, 1)
    assert report.reasons == {"bad time": 1}
    assert [(row.line, row.sequence) for row in report.bad_rows] == [(10328, 10327)]
    assert report.missing_magnitude == 7
    assert int((batch.magnitude < 0).sum()) == 316
    assert int((magnitude_bin(batch.magnitude) == 0).sum()) == 227
    assert np.isnan(batch.latitude).all()


def test_acoustic_emissions_count_from_the_start_of_the_experiment(shared_data: SharedData) -> None:
    path = shared_data("volcano/ucl_lab/DDS7_AE.txt")
    with pytest.raises(FormatError, match="2 formats fit the file: lab-ae, lab-samples"):
        read_catalog(path)
    batch, report = read_catalog(path, format="lab-ae")
    assert batch.timescale == report.timescale == "elapsed"
    assert report.kept == 4452
    minutes = batch.time / 60e9
    assert ((minutes >= 136.5) & (minutes < 137.0)).sum() == 3730
    assert round(minutes[-1], 4) == 136.9918
    assert (report.magnitude_min, report.magnitude_max) == (0.029, 5.27)
    assert report.to_json()["last"] == pytest.approx(136.9918 * 60)


def test_a_magnitude_of_zero_without_a_type_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    row = "{}\t22/03/2011\t17:58:56\t27.7\t-18.0\t-999\t\t{}\t{}\tW FRONTERA\t[+] info\r\n"
    rows = [row.format(1, "0", "0"), row.format(2, "0", "4"), row.format(3, "-999", "4")]
    file.write_text("Evento\tFecha\t\r\n(km)\tMag\t\r\n" + "".join(rows))
    batch, report = read_catalog(file, format="ign-web")
    np.testing.assert_array_equal(batch.magnitude, [np.nan, 0.0, np.nan])
    assert report.missing_magnitude == 2
    assert report.missing_depth == 3
