import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowquake.errors import ConfigError, FormatError, InputError
from flowquake.pes.catalogs import CATALOG_FORMATS, read_catalog, recognise
from flowquake.pes.catalogs.formats import TEXT_FORMATS

ETNA = (
    "1\t19-08-1999\t09:46:11\t37.649\t14.893\t19.40\t2.0\t1\tBiancavilla\n"
    "2\t18-08-1999\t09:48:05\t37.537\t14.892\t16.72\t2.4\t1\tPatern\n"
    "3\t18-08-1999\t09:48:05\t37.537\t14.892\t16.72\t2.4\t1\tPatern\n"
)


def write(folder: Path, content: str | bytes, name: str = "etna.txt") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_rows_are_sorted_by_time_and_keep_their_place(tmp_path: Path) -> None:
    batch, report = read_catalog(write(tmp_path, ETNA), format="ingv-ct")
    assert batch.sequence.tolist() == [1, 2, 0]
    assert batch.event_id.to_list() == ["2", "3", "1"]
    assert batch.source == "etna"
    assert (report.read, report.kept, report.duplicates, report.out_of_order) == (3, 3, 1, 1)


@pytest.mark.parametrize(
    ("row", "kind", "reason"),
    [
        ("4\t31-02-1999\t09:46:11\t37\t14\t1\t2\t1\tx", "bad time", "not a date"),
        ("4\t08-19-1999\t09:46:11\t37\t14\t1\t2\t1\tx", "bad time", "month first"),
        (
            "4\t19/08/1999\t09:46:11\t37\t14\t1\t2\t1\tx",
            "bad time",
            "not written as day-month-year",
        ),
        ("4\t19-08-1999\t09:46\t37\t14\t1\t2\t1\tx", "bad time", "hour:minute:second"),
        ("4\t\t09:46:11\t37\t14\t1\t2\t1\tx", "no time", "there is no date"),
        ("4\t19-08-1999\t09:46:11\tnan\t14\t1\t2\t1\tx", "bad latitude", "'nan' is not a number"),
        ("4\t19-08-1999\t09:46:11\t37\tinf\t1\t2\t1\tx", "bad longitude", "'inf' is not a number"),
        ("4\t19-08-1999\t09:46:11\t97\t14\t1\t2\t1\tx", "latitude out of range", "-90 to 90"),
        ("4\t19-08-1999\t09:46:11\t37\t514\t1\t2\t1\tx", "longitude out of range", "360"),
        ("4\t19-08-1999\t09:46:11\t37\t14\t5000\t2\t1\tx", "depth out of range", "1000"),
        ("4\t19-08-1999\t09:46:11\t37\t14\t1\tML2\t1\tx", "bad magnitude", "'ML2'"),
        ("4\t19-08-1999\t09:46:11", "too few columns", "3 columns, not 8 to 9"),
        ("4\t19-08-1999\t09:46:11\t37\t14\t1\t2\t1\tx\ty", "too many columns", "10 columns"),
        ("4\t19-08-0999\t09:46:11\t37\t14\t1\t2\t1\tx", "bad time", "year 999"),
    ],
)
def test_a_bad_row_is_named_skipped_or_handed_over(
    tmp_path: Path, row: str, kind: str, reason: str
) -> None:
    file = write(tmp_path, ETNA + "\n" + row + "\r\n" + ETNA)
    with pytest.raises(FormatError) as error:
        read_catalog(file, format="ingv-ct")
    assert error.value.line == 5
    assert reason in error.value.reason
    assert "policy=skip" in str(error.value)
    batch, report = read_catalog(file, format="ingv-ct", policy="skip")
    assert (report.read, report.kept, report.skipped) == (7, 6, 1)
    assert len(batch) == 6
    assert report.reasons == {kind: 1}
    assert report.bad_rows == ()
    _, report = read_catalog(file, format="ingv-ct", policy="quarantine")
    (bad,) = report.bad_rows
    assert (bad.line, bad.sequence, bad.text) == (5, 3, row)
    assert 3 not in batch.sequence


def test_month_first_dates_are_refused_at_the_line_that_shows_it(tmp_path: Path) -> None:
    rows = ["1\t08/07/2011\t0:00:00", "2\t08/19/2011\t0:00:00"]
    body = "".join(f"{row}\t27\t-18\t1\t\t2\t4\tX\t\n" for row in rows)
    with pytest.raises(FormatError, match="no month 19; is it written month first") as error:
        read_catalog(write(tmp_path, "Evento\n(km)\n" + body), format="ign-web")
    assert error.value.line == 4


def test_a_missing_file_gets_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, ETNA)
    with pytest.raises(InputError, match=r"no file .*did you mean 'etna.txt'"):
        read_catalog(tmp_path / "etan.txt")


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ETNA)
    with pytest.raises(InputError, match="is a folder") as folder:
        read_catalog(tmp_path)
    assert "etna.txt" in str(folder.value)
    with pytest.raises(InputError, match="URL"):
        read_catalog("https://example.org/catalog.xml")
    with pytest.raises(InputError, match="no file"):
        read_catalog(tmp_path / "a" / "b.txt")
    with pytest.raises(InputError, match="not a file name"):
        read_catalog("")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        read_catalog(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \r\n\t\n", "empty"),
        (b"1\t19-08-1999\0", "binary"),
        (b"\x1f\x8b\x08abc", "compressed"),
        ("a\tb".encode("utf-16"), "UTF-16"),
        (bytes(range(128, 256)), "row has 1 column|not written"),
    ],
)
def test_empty_and_binary_files_are_named_as_such(
    tmp_path: Path, content: bytes, message: str
) -> None:
    for format_ in ("ingv-ct", "auto"):
        with pytest.raises(FormatError, match=f"{message}|no format fits"):
            read_catalog(write(tmp_path, content), format=format_)
    with pytest.raises(FormatError, match=message):
        read_catalog(write(tmp_path, content), format="ingv-ct")


def test_a_wrong_format_says_what_the_file_looks_like(tmp_path: Path) -> None:
    file = write(tmp_path, ETNA)
    for policy in ("strict", "skip"):
        with pytest.raises(FormatError, match="looks like format=ingv-ct"):
            read_catalog(file, format="ingv-ov", policy=policy)
        with pytest.raises(FormatError, match="looks like format=ingv-ct"):
            read_catalog(file, format="quakeml", policy=policy)


def test_an_unknown_format_or_policy_is_a_wrong_setting(tmp_path: Path) -> None:
    file = write(tmp_path, ETNA)
    with pytest.raises(ConfigError, match="did you mean 'ingv-ct'"):
        read_catalog(file, format="ingv_ct")
    with pytest.raises(ConfigError, match="no format 'pickle'"):
        read_catalog(file, format="pickle")
    with pytest.raises(ConfigError, match="did you mean 'strict'"):
        read_catalog(file, policy="stric")
    with pytest.raises(ConfigError, match="own columns"):
        read_catalog(file, format="ingv-ct", columns={"time": 1})


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    for text, name in [("time,magnitude\n", "delimited"), ("Evento\n(km)\n", "ign-web")]:
        with pytest.raises(FormatError, match="no row"):
            read_catalog(write(tmp_path, text), format=name)
    with pytest.raises(FormatError, match="no row"):
        read_catalog(write(tmp_path, "time,magnitude\n"))


def test_a_file_of_two_formats_is_refused_by_both_names(tmp_path: Path) -> None:
    file = write(tmp_path, "1.0\t2.0\n2.0\t2.5\n")
    assert recognise(file) == ["lab-ae", "lab-samples"]
    with pytest.raises(FormatError, match="2 formats fit the file: lab-ae, lab-samples") as error:
        read_catalog(file)
    assert "format=lab-ae" in str(error.value)


def test_a_file_of_no_format_shows_how_it_begins(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="begins with 'Dear reader'") as error:
        read_catalog(write(tmp_path, "Dear reader\nthis is prose\n"))
    assert all(name in str(error.value) for name in CATALOG_FORMATS)


def test_all_magnitudes_may_be_missing(tmp_path: Path) -> None:
    batch, report = read_catalog(write(tmp_path, "1972 02 23 14:21  ND\n" * 3), format="vesuvius")
    assert report.missing_magnitude == 3
    assert report.magnitude_max is None
    assert np.isnan(batch.magnitude).all()


def test_line_ends_byte_order_marks_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    plain, _ = read_catalog(write(tmp_path, ETNA), format="ingv-ct")
    variants = [
        ETNA.replace("\n", "\r\n"), ETNA.replace("\n", "\r"), "\ufeff" + ETNA, ETNA.rstrip("\n"),
        "\n\n" + ETNA.replace("\n", "\n\n"), ETNA.replace("\n", " \t\n"),
    ]  # fmt: skip
    for text in variants:
        assert read_catalog(write(tmp_path, text), format="ingv-ct")[0] == plain


@settings(max_examples=80)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text('0123456789\t ,;:/-.TZND\n\r"Evento', max_size=200).map(str.encode),
    ),
    st.sampled_from([*TEXT_FORMATS, "delimited", "auto"]),
    st.sampled_from(["strict", "skip", "quarantine"]),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, format_: str, policy: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(content)
    result = None
    with contextlib.suppress(FormatError):
        result = read_catalog(file, format=format_, policy=policy)
    if result is None:
        return
    batch, report = result
    assert report.read == report.kept + report.skipped
    assert len(batch) == report.kept
    assert sum(report.reasons.values()) == report.skipped


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*ETNA.splitlines(), "", "bad", "5\t99-99-1999\t\t\t\t\t\t\t"])))
def test_every_row_is_kept_or_skipped(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "rows.txt"
    file.write_text("\n".join(lines))
    rows = [line for line in lines if line]
    good = [place for place, line in enumerate(rows) if line in ETNA]
    try:
        batch, report = read_catalog(file, format="ingv-ct", policy="quarantine")
    except FormatError:
        assert not good
        return
    assert report.read == len(rows)
    assert sorted(batch.sequence.tolist()) == good
    assert [row.text for row in report.bad_rows] == [line for line in rows if line not in ETNA]
