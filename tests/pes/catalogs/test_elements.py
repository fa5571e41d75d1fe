from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flowquake import Workflow, run
from flowquake.errors import ConfigError, FormatError, InputError
from flowquake.pes.catalogs import ReadCatalog, ReadEruptions, SelectEvents
from flowquake.records import EventBatch
from flowquake.testing import run_element

SharedData = Callable[[str], Path]
ROW = "{}\t{:02d}-08-1999\t09:46:11\t37.649\t14.893\t19.40\t{}\t1\tx\n"
BOX = (37.5, 37.9, 14.7, 15.3)


def catalog(folder: Path, name: str = "etna.txt", bad: bool = False) -> Path:
    file = folder / name
    rows = [ROW.format(n, 28 - n, n / 10) for n in range(20)]
    if bad:
        rows[7] = "nonsense\n"
    file.write_text("".join(rows))
    return file


def test_a_catalog_is_emitted_in_order_and_in_batches(tmp_path: Path) -> None:
    pe = ReadCatalog(path=catalog(tmp_path), format="ingv-ct", batch_rows=7)
    result = run_element(pe)
    batches = result["catalog"]
    assert [len(batch) for batch in batches] == [7, 7, 6]
    whole = EventBatch.concat(batches)
    assert whole.sequence.tolist() == list(range(19, -1, -1))
    assert result.counters["read"] == result.counters["kept"] == 20
    assert result.counters["steps backward in time"] == 19


def test_bad_rows_stop_are_counted_or_are_rejected(tmp_path: Path) -> None:
    file = catalog(tmp_path, bad=True)
    with pytest.raises(FormatError) as error:
        run_element(ReadCatalog(path=file, format="ingv-ct"))
    assert (error.value.line, error.value.exit_code) == (8, 3)
    skipped = run_element(ReadCatalog(path=file, format="ingv-ct", policy="skip"))
    assert skipped.counters["skipped: too few columns"] == 1
    assert not skipped.rejected
    held = run_element(ReadCatalog(path=file, format="ingv-ct", policy="quarantine"))
    assert held.counters == skipped.counters
    assert len(held.rejected) == 1
    assert "nonsense" in str(held.rejected[0])
    counted = held.counters
    assert counted["read"] == counted["kept"] + counted["skipped"] == 20


def test_each_file_is_a_split_with_its_own_source(tmp_path: Path) -> None:
    paths = [catalog(tmp_path, "b.txt"), catalog(tmp_path, "a.txt")]
    pe = ReadCatalog(path=paths, format="ingv-ct")
    assert list(pe.splits()) == [str(path) for path in paths]
    result = run_element(pe)
    assert sorted(batch.source for batch in result["catalog"]) == ["a", "b"]


def test_wrong_parameters_are_refused_when_the_element_is_made(tmp_path: Path) -> None:
    for wrong in (
        {"format": "ingvct"},
        {"policy": "x"},
        {"batch_rows": 0},
        {"columns": {"a": 1, "delimiter": ""}},
    ):
        with pytest.raises(ConfigError):
            ReadCatalog(path=tmp_path, **wrong)
    with pytest.raises(ConfigError):
        SelectEvents(box=(1, 0, 0, 1))
    with pytest.raises(ConfigError):
        SelectEvents(start="2012-01-01", end="2011-01-01")
    with pytest.raises(InputError, match="no file"):
        run_element(ReadCatalog(path=tmp_path / "none.txt"))
    with pytest.raises(ConfigError, match="empty"):
        run_element(ReadCatalog(path=[]))


def test_selected_events_and_the_reasons_of_the_others(shared_data: SharedData) -> None:
    path = shared_data("volcano/etna/Etna_INGVCT_C1_99-170214.txt")
    workflow = Workflow("etna")
    read = workflow.add(ReadCatalog(path=path, batch_rows=1000))
    select = workflow.add(
        SelectEvents(box=BOX, start="2011-08-01", end="2013-01-01", min_magnitude=1.3)
    )
    workflow.connect(read.catalog, select.events)
    result = run(workflow, collect=[select.selected])
    kept = EventBatch.concat(result[select.selected])
    assert len(kept) == 394
    assert (np.diff(kept.time) >= 0).all()
    counters = result.counts["select_events"].counters
    assert sum(counters.values()) == 12957 - 394


def test_a_selection_does_not_depend_on_how_batches_are_cut(tmp_path: Path) -> None:
    chosen = []
    for rows in (1, 3, 100):
        workflow = Workflow("cut")
        read = workflow.add(ReadCatalog(path=catalog(tmp_path), format="ingv-ct", batch_rows=rows))
        select = workflow.add(SelectEvents(min_magnitude=1.0))
        workflow.connect(read.catalog, select.events)
        chosen.append(EventBatch.concat(run(workflow, collect=[select.selected])[select.selected]))
    assert chosen[0] == chosen[1] == chosen[2]
    assert len(chosen[0]) == 10


def test_eruptions_are_emitted(shared_data: SharedData) -> None:
    result = run_element(ReadEruptions(path=shared_data("volcano/etna/Etna_eruption.txt")))
    assert [len(batch) for batch in result["eruptions"]] == [33]
    assert result.counters["read"] == 33
