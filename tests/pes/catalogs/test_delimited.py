from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.errors import ConfigError, FlowquakeError, FormatError, InputError
from flowquake.pes.catalogs import ColumnDescription, read_catalog, recognise
from flowquake.pes.catalogs.cells import Cells
from flowquake.pes.catalogs.delimited import describe_layout
from flowquake.pes.catalogs.tables import read_table
from flowquake.records import Strings, format_time, parse_time

SharedData = Callable[[str], Path]


def write(folder: Path, text: str) -> Path:
    file = folder / "a.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "rows", "first", "last", "least", "greatest"),
    [
        ("pycsep_sample_comcat_catalog.csv", 829, "2019-07-06T03:22:35.630Z",
         "2019-07-13T02:47:44.270Z", 2.5, 5.5),
        ("pycsep_comcat_test_catalog.csv", 337, "1986-01-06T19:52:42.880Z",
         "1986-12-29T16:05:14Z", 3.5, 6.4),
        ("pycsep_cat_train_2013.csv", 28465, "1976-01-01T00:00:00Z", "2013-12-31T00:00:00Z",
         5.150024414, 9.08350563),
        ("pycsep_jma_test.csv", 22284, "1919-11-10T13:31:03.590Z", "2019-08-27T17:11:06.550Z",
         -1.482, 8.292),
        ("seismostats_catalog_usgs.csv", 4118, "2022-01-01T08:08:09.823Z",
         "2024-05-16T06:31:36.891Z", 5.0, 7.8),
        ("seismostats_catalog_sed.csv", 1924, "2023-01-01T09:52:48.788729Z",
         "2023-12-31T23:48:15.845844Z", -0.03042657497, 4.27811633),
        ("seismostats_fdsnws2020.csv", 99, "2020-01-01T13:43:47.626410Z",
         "2020-02-07T10:00:03.427922Z", 0.4613336105, 2.999039894),
    ],
)  # fmt: skip
def test_common_catalogs_are_recognised_by_their_header(
    shared_data: SharedData, name: str, rows: int, first: str, last: str, least: float,
    greatest: float,
) -> None:  # fmt: skip
    path = shared_data(f"catalogs/{name}")
    assert recognise(path) == ["delimited"]
    batch, report = read_catalog(path)
    assert (report.read, report.kept) == (rows, rows)
    assert report.first is not None
    assert report.last is not None
    assert (format_time(report.first), format_time(report.last)) == (first, last)
    assert (report.magnitude_min, report.magnitude_max) == (least, greatest)
    assert not np.isnan(batch.latitude).any()


def test_comcat_keeps_its_other_columns(shared_data: SharedData) -> None:
    batch, _ = read_catalog(shared_data("catalogs/seismostats_catalog_usgs.csv"))
    newest = batch.take(slice(-1, None))
    assert newest.event_id[0] == "us6000mywx"
    assert newest.extra["place"][0] == "83 km WNW of Rabaul, Papua New Guinea"
    assert newest.extra["gap"].tolist() == [64.0]  # type: ignore[union-attr]  # a further column is numbers or text
    assert int(batch.magnitude_type.equals("mww").sum()) == 2612


def test_a_header_known_to_give_metres_is_read_as_such(shared_data: SharedData) -> None:
    batch, report = read_catalog(shared_data("catalogs/seismostats_catalog_sed.csv"))
    assert report.columns["depth"] == "depth (metres)"
    assert batch.depth[-1] == pytest.approx(0.986328125)
    assert isinstance(batch.extra["event_type"], Strings)
    assert int(batch.extra["event_type"].equals("quarry blast").sum()) == 375


def test_zeros_that_mean_none_are_named_in_the_description(shared_data: SharedData) -> None:
    path = shared_data("catalogs/pycsep_jma_test.csv")
    _, report = read_catalog(path, columns={"missing": ["0.000"]})
    assert report.missing_magnitude == 445


def test_illegal_times_of_a_known_header_are_bad_rows(shared_data: SharedData) -> None:
    path = shared_data("catalogs/pycsep_ingv_HORUS_Ita_Catalog.txt")
    with pytest.raises(FormatError, match=r"64\.29 is not a second"):
        read_catalog(path)
    batch, report = read_catalog(path, policy="skip")
    assert (report.kept, report.skipped) == (1, 1)
    assert format_time(int(batch.time[0])) == "2017-04-22T04:42:58.060Z"


def test_years_before_what_64_bits_hold_are_bad_rows(shared_data: SharedData) -> None:
    _, report = read_catalog(shared_data("catalogs/seismostats_sera_hist.csv"), policy="skip")
    assert report.read == 73
    assert report.reasons == {"bad time": report.skipped}
    assert report.first is not None
    assert report.first > parse_time("1678-01-01")


def test_a_year_alone_is_not_taken_for_a_time(shared_data: SharedData) -> None:
    path = shared_data("catalogs/pycsep_cat_test.csv")
    assert recognise(path) == []
    with pytest.raises(FormatError, match="no column is the time"):
        read_catalog(path, format="delimited")
    batch, _ = read_catalog(path, columns={"year": "year", "magnitude": "mag"})
    assert len(batch) == 651


def test_an_error_quotes_the_first_line_as_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="Localización"):
        read_catalog(write(tmp_path, "Localización de sismos\n"))


def test_common_short_names_are_known(tmp_path: Path) -> None:
    text = "year month day hour minute second lat lon dep mag\n2020 1 2 3 4 5.6 19.4 -155 3.1 2.1\n"
    batch, _ = read_catalog(write(tmp_path, text + text.splitlines()[1] + "\n"))
    assert batch.depth.tolist() == [3.1, 3.1]


def test_a_saved_demo_catalog_is_recognised(tmp_path: Path) -> None:
    text = "time,latitude,longitude,depth,magnitude,id\n2011-10-10T04:05:06.123456789Z,,,,1.2,e1\n"
    batch, report = read_catalog(write(tmp_path, text))
    assert format_time(int(batch.time[0])).endswith("06.123456789Z")
    assert batch.event_id.to_list() == ["e1"]
    assert report.missing_depth == 1


def test_fdsn_event_text_is_recognised(tmp_path: Path) -> None:
    text = (
        "#EventID|Time|Latitude|Longitude|Depth/km|Author|Catalog|Contributor|ContributorID|"
        "MagType|Magnitude|MagAuthor|EventLocationName\n"
        "1|2011-10-10T04:05:06.7|27.7|-18.0|12.5|IGN|||1|ML|1.5||El Hierro\n"
    )
    batch, _ = read_catalog(write(tmp_path, text), format="delimited")
    assert (batch.depth[0], batch.magnitude[0]) == (12.5, 1.5)
    assert (batch.event_id[0], batch.magnitude_type[0]) == ("1", "ML")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("when;M\n10/10/2011 04:05:06;1,5\n",
         {"columns": {"time": "when", "magnitude": "M"}, "decimal": ",",
          "date_format": "%d/%m/%Y %H:%M:%S"}),
        ("10.10.2011  04:05:06   1.5\n",
         {"columns": {"date": 0, "clock": 1, "magnitude": 2}, "date_format": "%d.%m.%Y"}),
        ("title\nignored\nday,tod,ml\n2011-10-10,05:05:06,1.5\n",
         {"columns": {"date": "day", "clock": "tod", "magnitude": "ml"}, "header_lines": 3,
          "time_zone": "+01:00"}),
        ("year\tmonth\tday\thour\tminute\tsecond\tmag\n2011\t10\t10\t4\t5\t6.0\t1.5\n", {}),
        ("x|2011-10-10T04:05:06|1.5\n", {"columns": {"time": 1, "magnitude": 2}}),
    ],
)  # fmt: skip
def test_a_description_tells_the_columns(
    tmp_path: Path, text: str, columns: dict[str, Any]
) -> None:
    batch, _ = read_catalog(write(tmp_path, text), format="delimited", columns=columns)
    assert [format_time(time) for time in batch.time.tolist()] == ["2011-10-10T04:05:06Z"]
    assert batch.magnitude.tolist() == [1.5]


def test_elapsed_times_have_their_own_scale(tmp_path: Path) -> None:
    columns = {"columns": {"elapsed": "t", "magnitude": "size"}, "elapsed_unit": "minutes"}
    batch, report = read_catalog(write(tmp_path, "t,size\n1.5,2\n0.5,1\n"), columns=columns)
    assert batch.timescale == report.timescale == "elapsed"
    assert batch.time.tolist() == [30 * 10**9, 90 * 10**9]


@pytest.mark.parametrize("time", ["03/04/2011 10:00:00", "04-03-2011", "3 April 2011", "130182480"])
def test_a_date_that_could_be_read_two_ways_is_refused(tmp_path: Path, time: str) -> None:
    file = write(tmp_path, f"time,magnitude\n{time},1.5\n")
    for format_ in ("delimited", "auto"):
        with pytest.raises(FormatError, match='date_format = "%d/%m/%Y') as error:
            read_catalog(file, format=format_)
        assert error.value.line == 2


def test_month_first_dates_are_read_when_it_is_said(tmp_path: Path) -> None:
    file = write(tmp_path, "time,magnitude\n03/04/2011,1.5\n")
    for date_format, expected in [("%m/%d/%Y", "2011-03-04"), ("%d/%m/%Y", "2011-04-03")]:
        batch, _ = read_catalog(file, columns={"date_format": date_format})
        assert batch.time[0] == parse_time(expected)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"columns": {"time": "tine"}}, "no column 'tine' for time; did you mean 'time'"),
        ({"columns": {"time": 7}, "header_lines": 1}, "row has 2 columns, not 8|no column 7"),
        ({"columns": {"magnitude": "magnitude"}}, "no column is the time"),
        ({"delimeter": ","}, "no 'delimeter'; did you mean 'delimiter'"),
        ({"delimiter": "ab"}, "not one character"),
        ({"date_format": "%q"}, "%q is not one of"),
        ({"time_zone": "CET"}, "not an offset"),
        ({"elapsed_unit": "minute"}, "did you mean 'minutes'"),
        ({"depth_unit": "feet"}, "neither 'km' nor 'm'"),
        ({"encoding": "klingon"}, "no encoding 'klingon'"),
        ({"encoding": "ascii"}, "not ascii"),
        ({"decimal": ",", "delimiter": ","}, "are the same"),
    ],
)
def test_a_wrong_description_is_named(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    file = write(tmp_path, "time,magnitude\n2011-10-10,1.5\n# é\n")
    with pytest.raises(FlowquakeError, match=message):
        read_catalog(file, format="delimited", columns=columns)


def test_an_open_quote_spoils_its_row_alone(tmp_path: Path) -> None:
    text = 'time,magnitude,place\n2011-10-10,1.5,"a, b"\n2011-10-11,1.6,"open\n2011-10-12,1.7,c\n'
    batch, report = read_catalog(write(tmp_path, text), policy="skip")
    assert report.reasons == {"bad quotes": 1}
    assert batch.extra["place"].to_list() == ["a, b", "c"]  # type: ignore[union-attr]  # a further column is numbers or text


def test_a_description_can_be_a_plain_mapping_of_columns() -> None:
    assert ColumnDescription.of({"time": 0}).columns == {"time": 0}
    with pytest.raises(ConfigError):
        ColumnDescription.of({"delimiter": ",", "tme": 1})


rows = st.lists(
    st.tuples(
        st.sampled_from(
            ["2011-10-10T04:05:06.7Z", "2011-10-10", "2011-10-10T04:05+01:00", "x", ""]
        ),
        st.sampled_from(["1.5", "-0.10", "1e1", "", "nan", "1234567890.123456789"]),
    ),
    min_size=1,
    max_size=30,
)


@given(rows)
def test_columns_and_single_cells_give_the_same_table(cells: list[tuple[str, str]]) -> None:
    text = "time,rms\n" + "".join(f"{time},{number}\n" for time, number in cells)
    description = ColumnDescription(columns={"time": "time", "magnitude": "rms"})
    layout = describe_layout(text, description, file="a")
    fast = read_table(text, layout, file="a", policy="skip")
    with pytest.MonkeyPatch.context() as patch:
        import flowquake.pes.catalogs.tables as tables
        from flowquake.pes.catalogs.dates import TimePattern

        def none(*args: object) -> Any:
            column = next(arg for arg in args if isinstance(arg, Cells))
            return np.zeros(len(column), dtype=float), np.zeros(len(column), dtype=bool)

        def no_times(*args: object) -> Any:
            values, taken = none(*args)
            return values.astype(np.int64), taken

        patch.setattr(tables, "plain_numbers", none)
        patch.setattr(TimePattern, "plain_times", no_times)
        slow = read_table(text, layout, file="a", policy="skip")
    assert slow.bad == fast.bad
    np.testing.assert_array_equal(slow.time, fast.time)
    np.testing.assert_array_equal(slow.sequence, fast.sequence)
    np.testing.assert_array_equal(slow.columns["magnitude"], fast.columns["magnitude"])


def test_a_description_is_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "observatorio.csv"
    file.write_text("Fecha;Hora;Mag\n31/07/2011;23:59:01;1,4\n", encoding="utf-8")
    description = tmp_path / "columns.toml"
    description.write_text(
        'date_format = "%d/%m/%Y"\ndecimal = ","\n'
        '[columns]\ndate = "Fecha"\nclock = "Hora"\nmagnitude = "Mag"\n',
        encoding="utf-8",
    )
    batch, _ = read_catalog(file, columns=ColumnDescription.from_toml(description))
    assert batch.time[0] == parse_time("2011-07-31T23:59:01")
    assert batch.magnitude[0] == 1.4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date_format = %d", "cannot be read"),
        ('date_formt = "%d"', "did you mean 'date_format'?"),
        ('decimal = "x"', "neither"),
    ],
)
def test_a_wrong_description_names_its_file(tmp_path: Path, text: str, words: str) -> None:
    description = tmp_path / "columns.toml"
    description.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"columns\.toml") as error:
        ColumnDescription.from_toml(description)
    assert words in str(error.value)
    with pytest.raises(InputError, match=r"missing\.toml"):
        ColumnDescription.from_toml(tmp_path / "missing.toml")
