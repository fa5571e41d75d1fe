"""The benchmark that holds the cost model against measurements can be run on any mapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import scaling
from benchmarks.hop_costs import HopReport, measure_hop_costs
from benchmarks.scaling_graphs import graphs
from flowquake import plan
from flowquake.costs import HopCosts, predict
from flowquake.scaling import find_bend, scale


def test_prices_of_hops_are_found_on_one_worker() -> None:
    report = measure_hop_costs("sequential", items=5000, arrays=20)
    assert not report.between
    assert 0 < report.hops.call_s < 1e-3


def test_prices_of_hops_are_found_on_several_workers() -> None:
    report = measure_hop_costs("simulated", items=2000, arrays=20)
    assert report.between
    assert 0 < report.hops.send_s == report.hops.receive_s < 1e-3
    assert report.hops.tell_s > 0


def test_every_element_of_the_graphs_has_its_costs() -> None:
    for graph in graphs(1e-6):
        workflow = graph.make(1)
        laid_out = plan(workflow, 4)
        table = graph.table(HopCosts())(laid_out)
        assert set(table.elements) <= set(workflow)
        assert predict(laid_out, workflow, table, cores=2).bound == "cores"


def test_outcomes_and_curves_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaling, "TRIES", 1)
    monkeypatch.setattr(scaling, "MOST_TRIES", 1)
    report = HopReport(HopCosts(call_s=1e-6, send_s=1e-6, receive_s=1e-6), 1e-6, between=True)
    chosen = graphs(report.source_s)
    found = scaling.compare(chosen, report, "sequential", cores=1.0, share=0.02)
    assert "has one worker" in capsys.readouterr().out
    assert [outcome.workers for outcome in found] == [1, 1, 1]
    curves = {g.name: scale(g.make(1), g.table(report.hops), scaling.RANKS) for g in chosen}
    bends = {name: find_bend(points) for name, points in curves.items()}
    scaling.write(found, curves, bends, report, "sequential", 1.0, tmp_path)
    document = json.loads((tmp_path / "scaling.json").read_text())
    assert len(document["curves"]["diamond"]) == len(scaling.RANKS)
    assert (tmp_path / "scaling.png").stat().st_size > 10_000
    assert "| heavy keyed | 1 |" in (tmp_path / "scaling.md").read_text()


def test_what_was_measured_beside_others_is_not_judged() -> None:
    def outcome(measured: float, others: float) -> scaling.Outcome:
        return scaling.Outcome("g", 1, 100.0, measured, "e", "work", others)

    assert scaling.verdict([outcome(95.0, 0.0), outcome(10.0, 1.0)]) is None
    assert "off by more" in (scaling.verdict([outcome(10.0, 0.0)]) or "")
    assert "nothing can be judged" in (scaling.verdict([outcome(95.0, 1.0)]) or "")


def test_nothing_is_said_of_hops_that_were_not_measured(tmp_path: Path) -> None:
    report = HopReport(HopCosts(call_s=1e-6), 1e-6, between=False)
    found = [scaling.Outcome("g", 1, 100.0, 95.0, "e", "work", 0.0)]
    scaling.write(found, {}, {}, report, "sequential", 1.0, tmp_path)
    assert "sent" not in (tmp_path / "scaling.md").read_text()
    assert set(json.loads((tmp_path / "scaling.json").read_text())["hops"]) == {"call_s", "keyed_s"}
