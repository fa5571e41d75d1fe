"""The graphs that are measured beside a peer run, and the report judges them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.peers import one_item
from benchmarks.peers.cases import SITTINGS, Measurement
from benchmarks.peers.graphs import GRAPHS
from benchmarks.peers.measuring import Outcome
from benchmarks.peers.probe import NOTES
from benchmarks.peers.report import row_of
from flowquake import run

ITEMS = 2_000
SEQUENTIAL = SITTINGS["ints-sequential"][0]
SLOW = SITTINGS["memory"][0]


@pytest.mark.parametrize("name", sorted(set(GRAPHS) - {"slow"}))
def test_every_item_of_a_measured_graph_arrives(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path))

    run(GRAPHS[name](ITEMS))

    notes = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert sum(note.get("items", 0) for note in notes) == ITEMS


def test_the_graph_of_one_item_runs() -> None:
    assert run(one_item.workflow).counts["take_number"].received == 1


@pytest.mark.parametrize(("times", "passed"), [(3.9, False), (4.1, True)])
def test_a_rate_passes_from_the_ratio_that_is_asked(times: float, passed: bool) -> None:
    seconds = {SEQUENTIAL.peer: 1.0}
    seconds[SEQUENTIAL.ours] = SEQUENTIAL.ours.items / SEQUENTIAL.peer.items / times

    row = row_of(SEQUENTIAL, {m: [Outcome(s, s)] for m, s in seconds.items()}, {})

    assert row.ratio == pytest.approx(times)
    assert row.passed is passed


def test_memory_is_that_of_the_worker_that_grew_most() -> None:
    peaks = {"arrays": 40.0, "count_arrays": 30.0}
    grown = {"arrays": 60.0, "count_arrays": 130.0}

    def outcome(measurement: Measurement) -> Outcome:
        return Outcome(1.0, 1.0, grown if measurement.items else peaks)

    row = row_of(SLOW, {m: [outcome(m)] for m in SLOW.measurements()}, {})

    assert row.ours == 100.0
    assert row.passed is True


def test_what_was_not_measured_neither_passes_nor_fails() -> None:
    row = row_of(SEQUENTIAL, {}, {SEQUENTIAL.ours: "skipped: there is no mapping"})

    assert row.passed is None
    assert row.verdict == "skipped: there is no mapping"
