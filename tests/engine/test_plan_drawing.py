"""Drawings of plans: Mermaid, DOT and SVG."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET

import pytest

from flowquake import Workflow, plan
from tests.mappings.elements import (
    CountByKey,
    Everywhere,
    Gather,
    Identity,
    Numbers,
    Odd,
    Single,
    Weigh,
)

SVG = "{http://www.w3.org/2000/svg}"


def pipeline() -> Workflow:
    workflow = Workflow('a "quoted" <name>')
    workflow.chain(Single(), Identity(), Odd(), CountByKey())
    return workflow


def with_side_data() -> Workflow:
    workflow = Workflow("side data")
    numbers, single, one, weigh = Numbers(parts=5), Single(), Identity(), Weigh()
    copies, gather = Everywhere(), Gather()
    workflow.connect(numbers.out, weigh.x)
    workflow.connect(single.out, one.x)
    workflow.connect(one.out, weigh.weight)
    workflow.connect(numbers.out, copies.x)
    workflow.connect(copies.out, gather.x)
    return workflow


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    return [
        tuple(float(rect.get(side, "0")) for side in ("x", "y", "width", "height"))  # type: ignore[misc]  # four of them
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        for rect in group.iter(f"{SVG}rect")
    ]


def test_mermaid_has_a_subgraph_for_each_worker() -> None:
    workflow = pipeline()
    lines = plan(workflow, 2).to_mermaid(workflow).splitlines()
    assert lines[:6] == [
        "flowchart LR",
        '  subgraph w0["worker 0, load 2.5"]',
        '    u0_0(["single"])',
        '    u0_1["identity[1]<br/>odd[1]"]',
        '    u0_2["count_by_key[1]"]',
        "  end",
    ]
    assert '  x1{{"out to x<br/>(by parity, order any)<br/>4 queues"}}' in lines
    assert "  u0_1 --- x1" in lines
    assert "  x1 --> u1_2" in lines


def test_dot_has_a_cluster_for_each_worker() -> None:
    workflow = pipeline()
    dot = plan(workflow, 3).to_dot(workflow)
    assert dot.startswith('digraph "a \\"quoted\\" <name>" {')
    assert dot.count("subgraph cluster_") == 3
    assert dot.count("{") == dot.count("}")


@pytest.mark.parametrize("make", [pipeline, with_side_data])
@pytest.mark.parametrize("workers", [1, 2, 3, 8, 100])
@pytest.mark.parametrize("fuse", [True, False])
def test_boxes_of_a_plan_neither_overlap_nor_leave_the_drawing(
    make: type[Workflow], workers: int, fuse: bool
) -> None:
    workflow = make()
    svg = plan(workflow, workers, fuse=fuse).to_svg(workflow)
    root = ET.fromstring(svg)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    found = boxes(svg)
    for number, (x, y, w, h) in enumerate(found):
        assert 0 < x < x + w < width
        assert 0 < y < y + h < height
        for x2, y2, w2, h2 in found[:number]:
            assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y


def test_the_svg_shows_every_worker_and_every_connection() -> None:
    workflow = with_side_data()
    root = ET.fromstring(plan(workflow, 4, fuse=False).to_svg(workflow))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert {f"worker {number}" for number in range(4)} <= {t.split(",")[0] for t in texts}
    assert any(text == "(to all, order any)" for text in texts)
    assert "everywhere" in texts


def test_workers_alike_are_drawn_as_one_lane() -> None:
    workflow = pipeline()
    given = plan(workflow, 1024)
    svg = given.to_svg(workflow)
    assert "workers 2 to 1023" in svg or "workers 1 to 1023" in svg
    assert len(boxes(svg)) < 20
    assert "1,048,576 queues" in svg


def test_a_unit_of_thousands_is_drawn_in_reasonable_time() -> None:
    workflow = Workflow("long")
    steps = [workflow.add(Identity(), name=f"step_{number}") for number in range(5000)]
    workflow.chain(Single(), *steps)
    began = time.monotonic()
    assert "… 4,995 more …" in plan(workflow, 1).to_svg(workflow)
    assert plan(workflow, 4, fuse=False).to_svg(workflow).count("<g>") == 1 + 4 * 5000
    assert time.monotonic() - began < 10.0
