from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowquake.errors import ConfigError, FlowquakeError, FormatError
from flowquake.pes.laboratory import ReadSamples, read_experiment, read_samples
from flowquake.records import format_time
from flowquake.testing import run_element

SharedData = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "rows", "column", "last"),
    [
        ("DDS7_strain.txt", 4862, "strain", None),
        ("DDS7_stress.txt", 4863, "stress", (138.0, 0.0)),
        ("DDS8_strain.txt", 87158, "strain", None),
        ("DDS8_stress.txt", 87158, "stress", None),
    ],
)
def test_two_columns_of_an_experiment(
    shared_data: SharedData, name: str, rows: int, column: str, last: tuple[float, float] | None
) -> None:
    batch, report = read_samples(shared_data(f"volcano/ucl_lab/{name}"))
    assert (report.format, report.read, report.kept, len(batch)) == ("two-columns", *[rows] * 3)
    assert batch.timescale == "elapsed"
    assert list(batch.values) == [column]
    assert not batch.units
    if last is not None:
        assert (batch.time[-1] / 60e9, batch.column(column)[-1]) == last


def test_a_table_names_its_columns_and_units(shared_data: SharedData) -> None:
    batch, report = read_samples(shared_data("volcano/ucl_lab/UH001_DDS-7_scld.txt"))
    assert (report.format, len(batch)) == ("table", 4246)
    assert dict(batch.units) == {
        "stress": "MPa", "strain_percent": "%", "pore_volume": "cm³",
        "confining_pressure": "MPa", "pore_pressure": "MPa", "effective_pressure": "MPa",
    }  # fmt: skip
    percent, fraction = batch.column("strain_percent"), batch.column("strain")
    np.testing.assert_allclose(percent, 100 * fraction, rtol=1e-4, atol=1e-5)
    assert batch.time[1] == round(0.0354384 * 60e9)


@pytest.mark.parametrize("station", ["CDV", "MNR", "MSC"])
def test_tilt_is_daily_and_day_first(shared_data: SharedData, station: str) -> None:
    batch, report = read_samples(
        shared_data(f"volcano/etna/tilt/Etna_INGVCT_tilt_{station}.txt"),
        unit="µrad",
        source=station,
    )
    assert (report.format, len(batch), batch.timescale) == ("tilt", 1947, "utc")
    assert format_time(int(batch.time[0])) == "2000-01-01T00:00:00Z"
    assert format_time(int(batch.time[-1])) == "2005-04-30T00:00:00Z"
    assert set(np.diff(batch.time).tolist()) == {86_400 * 10**9}
    assert dict(batch.units) == {"tilt": "µrad"}


def test_the_times_of_an_experiment_in_minutes_and_in_seconds(shared_data: SharedData) -> None:
    plain = read_experiment(shared_data("volcano/ucl_lab/DDS7_meta.txt"))
    assert plain.source == "DDS7"
    assert (plain.creep_start, plain.failure) == (
        round(21.172392 * 60e9), round(137.902892 * 60e9),
    )  # fmt: skip
    named = read_experiment(shared_data("volcano/ucl_lab/UH001_DDS-7_scld_meta.txt"))
    assert named.creep_start == plain.creep_start
    assert named.failure == round(10852.58995 * 1e9)


@pytest.mark.parametrize(
    "text", ["1\t2\n", "3\t2\t1\n", "a\tb\tc\n", "t0\tt1\ttf\tdatetime_format\n1\t2\t3\tyears\n"]
)
def test_other_metadata_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a_meta.txt"
    file.write_text(text)
    with pytest.raises(FormatError):
        read_experiment(file)


def test_bad_rows_follow_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("0\t1\n1\tx\n2\t3\n" + "3\t4\n" * 9)
    with pytest.raises(FormatError, match="value: 'x' is not a number") as error:
        read_samples(file)
    assert error.value.line == 2
    batch, report = read_samples(file, policy="skip", name="strain", unit="%")
    assert (report.read, report.kept, report.reasons) == (12, 11, {"bad strain": 1})
    assert batch.units["strain"] == "%"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("prose\nand more\n")
    with pytest.raises(FormatError, match="no format fit"):
        read_samples(file)
    with pytest.raises(ConfigError, match="did you mean 'table'"):
        read_samples(file, format="tabel")


@settings(max_examples=60)
@given(
    st.binary(max_size=80) | st.text("0123456789./\t\ntime (mns)", max_size=80).map(str.encode),
    st.sampled_from(["auto", "two-columns", "table", "tilt"]),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, format_: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(content)
    for policy in ("strict", "skip"):
        try:
            batch, report = read_samples(file, format=format_, policy=policy)
        except FlowquakeError as refused:
            message = str(refused)
            assert message
        else:
            assert report.read == report.kept + report.skipped
            assert len(batch) == report.kept


def test_samples_are_emitted(shared_data: SharedData) -> None:
    result = run_element(ReadSamples(path=shared_data("volcano/ucl_lab/DDS7_strain.txt"), unit="%"))
    (batch,) = result["samples"]
    assert len(batch) == result.counters["kept"] == 4862
    assert batch.units["strain"] == "%"
