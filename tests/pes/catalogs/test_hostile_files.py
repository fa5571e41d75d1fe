"""Files as they come by mistake or by malice: each is read whole, or refused with a reason."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from flowquake.errors import FormatError, InputError
from flowquake.pes.catalogs import read_catalog

HEADER = "time,latitude,longitude,depth,magnitude"
ROWS = [f"2011-08-{day:02d}T00:00:00Z,37.7,15.0,5.1,1.{day % 10}" for day in range(1, 21)]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE q [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    '<q:quakeml xmlns:q="http://quakeml.org/xmlns/quakeml/1.2">'
    "<eventParameters><description>&b;</description></eventParameters></q:quakeml>"
)


def write(folder: Path, content: str | bytes, name: str = "catalog.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\r", "\r\r\n"])
def test_every_line_counts_whatever_ends_it(tmp_path: Path, mark: str) -> None:
    _, report = read_catalog(write(tmp_path, TEXT.replace("\n", mark)))
    assert (report.read, report.kept) == (20, 20)


@pytest.mark.parametrize("mark", ["\r", "\r\n", "\r\r\n"])
def test_ends_of_lines_may_be_mixed(tmp_path: Path, mark: str) -> None:
    _, report = read_catalog(write(tmp_path, TEXT.replace("\n", mark, 5)))
    assert (report.read, report.kept) == (20, 20)


@pytest.mark.parametrize("mark", ["\x0b", "\x85", "\u2028"])
def test_rows_glued_to_the_header_are_not_lost(tmp_path: Path, mark: str) -> None:
    file = write(tmp_path, TEXT.replace("\n", mark, 3))
    with pytest.raises(FormatError, match="control character"):
        read_catalog(file, format="delimited")
    with pytest.raises(FormatError):
        read_catalog(file)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("format_", ["auto", "delimited", "ingv-ct"])
def test_a_compressed_file_is_called_so(tmp_path: Path, pack: object, format_: str) -> None:
    assert callable(pack)
    with pytest.raises(FormatError, match="compressed"):
        read_catalog(write(tmp_path, pack(TEXT.encode())), format=format_)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(TEXT.encode("utf-16"), "UTF-16"), (TEXT.replace("37.7", "37\0.7", 1).encode(), "NUL")],
)
def test_auto_says_why_a_file_is_no_text(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read_catalog(write(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        TEXT.replace("1.1\n", "1.1" + "x" * 100_000 + "\n", 1),
        "x" * 100_000,
        TEXT.replace("2011-08-01", "9" * 100_000),
        "name" * 30_000 + ",other\n1,2\n",
    ],
)
def test_an_error_does_not_quote_a_giant_line(tmp_path: Path, content: str) -> None:
    file = write(tmp_path, content)
    for format_ in ("auto", "delimited"):
        with pytest.raises(FormatError) as caught:
            read_catalog(file, format=format_)
        assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize("header", ["time,time,magnitude", "time,mag,mag", "time,M,m"])
def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(FormatError, match="twice"):
        read_catalog(write(tmp_path, f"{header}\n2011-08-01,2011-08-02,1.0\n2011-08-01,1.0,2.0\n"))


def test_a_column_that_is_not_used_may_be_there_twice(tmp_path: Path) -> None:
    batch, _ = read_catalog(write(tmp_path, "time,x,x,magnitude\n2011-08-01,1,2,3\n"))
    assert batch.column("magnitude").tolist() == [3.0]


def test_a_column_that_is_there_twice_can_be_given_by_number(tmp_path: Path) -> None:
    file = write(tmp_path, "time,mag,mag\n2011-08-01,1.0,2.0\n")
    columns = {"columns": {"time": 0, "magnitude": 2}, "header_lines": 1}
    batch, _ = read_catalog(file, columns=columns)
    assert batch.column("magnitude").tolist() == [2.0]
    with pytest.raises(FormatError, match="twice"):
        read_catalog(file, columns={"time": "time", "magnitude": "mag"})


def test_a_decimal_comma_is_recognised_in_the_advice(tmp_path: Path) -> None:
    file = write(tmp_path, "time;latitude;longitude;magnitude\n2011-08-01;37,7;15,0;1,2\n")
    with pytest.raises(FormatError) as caught:
        read_catalog(file)
    assert "decimal=','" in (caught.value.fix or "")


@pytest.mark.parametrize("name", ["http://a.org/b.csv", "https:/a.org/b.csv", "file:///b.csv"])
def test_an_address_is_refused_as_one(name: str) -> None:
    with pytest.raises(InputError, match="URL"):
        read_catalog(Path(name))
    with pytest.raises(InputError, match="URL"):
        read_catalog(name)


def test_a_link_to_nothing_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(InputError, match="link"):
        read_catalog(tmp_path / "one")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-7", "cp037"])
def test_no_encoding_hides_what_xml_declares(tmp_path: Path, encoding: str) -> None:
    named = BOMB.replace('"1.0"', f'"1.0" encoding="{encoding}"')
    with pytest.raises(FormatError, match="not XML in UTF-8"):
        read_catalog(write(tmp_path, named.encode(encoding)), format="quakeml")


def test_an_error_of_obspy_names_no_object_of_python(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_catalog(write(tmp_path, "<q:quakeml><eventParameters>"), format="quakeml")
    assert "0x" not in str(caught.value)


def test_a_quakeml_magnitude_out_of_range_is_a_bad_row(tmp_path: Path) -> None:
    event = (
        '<event publicID="smi:a/{n}"><origin publicID="smi:o/{n}"><time><value>2011-08-01T00:00:00'
        "</value></time><latitude><value>37</value></latitude><longitude><value>15</value>"
        '</longitude><depth><value>{depth}</value></depth></origin><magnitude publicID="smi:m/{n}">'
        "<mag><value>{mag}</value></mag></magnitude></event>"
    )
    events = [(1, "1000", "1.5"), (2, "1000", "1e308"), (3, "1e308", "1.5")]
    body = "".join(event.format(n=n, depth=depth, mag=mag) for n, depth, mag in events)
    file = write(
        tmp_path,
        '<?xml version="1.0" encoding="UTF-8"?><q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" '
        'xmlns:q="http://quakeml.org/xmlns/quakeml/1.2"><eventParameters publicID="smi:a/b">'
        f"{body}</eventParameters></q:quakeml>",
    )
    _, report = read_catalog(file, policy="skip")
    assert (report.read, report.kept, report.skipped) == (3, 1, 2)
    assert set(report.reasons) == {"magnitude out of range", "depth out of range"}
