from collections.abc import Callable
from pathlib import Path

import pytest

from flowquake.errors import FormatError
from flowquake.pes.catalogs import read_eruptions
from flowquake.records import UNKNOWN_TIME, format_time

SharedData = Callable[[str], Path]


def test_dates_are_day_first(shared_data: SharedData) -> None:
    batch, bad = read_eruptions(shared_data("volcano/el_hierro/Hierro_eruption.txt"))
    assert not bad
    assert format_time(int(batch.time[0])) == "2011-10-11T00:00:00Z"
    assert format_time(int(batch.end[0])) == "2011-12-10T00:00:00Z"
    assert batch.source == "Hierro_eruption"


def test_all_eruptions_of_etna_are_read(shared_data: SharedData) -> None:
    batch, bad = read_eruptions(shared_data("volcano/etna/Etna_eruption.txt"), source="etna")
    assert (len(batch), len(bad)) == (33, 0)
    assert format_time(int(batch.time[0])) == "1981-02-05T00:00:00Z"
    assert set(batch.kind.values) == {"Flank", "Summit"}
    assert batch.area_km2[1] == 6.0
    assert batch.volume_1e6_m3[1] == 30.0
    assert batch.elevation[1] == "1800-1300, 1235-1140"
    assert (batch.end >= batch.time).all()


def test_an_eruption_may_have_no_end(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("11/10/2011\t\tFlank\n")
    batch, _ = read_eruptions(file)
    assert batch.end.tolist() == [UNKNOWN_TIME]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("11/10/2011\t10/09/2011\tFlank", "ends .* before it starts"),
        ("10/31/2011\t11/12/2011\tFlank", "month first"),
        ("11/10/2011\t12/31/2011\tFlank", "month first"),
        ("11/10/2011\t12/12/2011\tFlank\t\t\tbig", "area_km2: 'big' is not a number"),
        ("11/10/2011", "1 column, not 3"),
    ],
)
def test_a_bad_row_is_named_or_skipped(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"05/02/1981\t07/02/1981\tSummit\n\n{row}\n06/02/1981\t\tSummit\n")
    with pytest.raises(FormatError, match=reason) as error:
        read_eruptions(file)
    assert error.value.line == 3
    batch, bad = read_eruptions(file, policy="skip")
    assert batch.sequence.tolist() == [0, 2]
    assert [(one.line, one.text) for one in bad] == [(3, row)]
