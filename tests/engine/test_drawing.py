"""Drawings: Mermaid, DOT and SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from flowquake import Composite, Workflow
from flowquake.layout import lay_out
from tests.mappings.elements import CountByKey, Identity, Numbers, Odd, Pairs, Single, Sink

SVG = "{http://www.w3.org/2000/svg}"


def pipeline() -> Workflow:
    workflow = Workflow('a "quoted" <name>')
    workflow.chain(Numbers(), Identity(), CountByKey())
    return workflow


def with_composite() -> Workflow:
    inner = Composite("clean")
    first, second = Odd(), Identity()
    inner.chain(first, second)
    inner.expose(x=first.x, out=second.out)
    workflow, pairs = Workflow("composite"), Pairs()
    numbers = workflow.add(Single())
    workflow.connect(numbers.out, inner.x)
    workflow.connect(inner.out, pairs.a)
    workflow.connect(inner.out, pairs.a)
    workflow.connect(numbers.out, pairs.b)
    return workflow


def test_mermaid_names_elements_ports_and_groupings() -> None:
    assert pipeline().to_mermaid().splitlines() == [
        "flowchart LR",
        '  n0(["numbers<br/><i>Numbers</i>"])',
        '  n1["identity<br/><i>Identity</i>"]',
        '  n2["count_by_key<br/><i>CountByKey</i>"]',
        '  n0 -->|"out to x"| n1',
        '  n1 -->|"out to x (by parity, order any)"| n2',
    ]


def test_composites_are_subgraphs_clusters_and_frames() -> None:
    workflow = with_composite()
    assert 'subgraph g1["clean"]' in workflow.to_mermaid()
    dot = workflow.to_dot()
    assert re.search(r'subgraph cluster_1 \{\n    label="clean";\n    "clean\.odd"', dot)
    assert dot.count('"clean.identity" -> "pairs"') == 2
    assert dot.count("{") == dot.count("}")
    assert "stroke-dasharray" in workflow.to_svg()


def test_names_are_escaped() -> None:
    assert pipeline().to_dot().startswith('digraph "a \\"quoted\\" <name>" {')
    assert "a &quot;quoted&quot; &lt;name&gt;" in pipeline().to_svg()


@pytest.mark.parametrize("make", [pipeline, with_composite, Workflow])
def test_the_svg_is_well_formed_and_shows_every_element(make: type[Workflow]) -> None:
    workflow = make()
    root = ET.fromstring(workflow.to_svg())
    assert root.tag == f"{SVG}svg"
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {name.rpartition(".")[2] for name in workflow} <= texts
    paths = [p for p in root.iter(f"{SVG}path") if p.get("marker-end")]
    assert len(paths) == len({(c.source, c.target) for c in workflow.connections})
    assert workflow._repr_svg_() == workflow.to_svg()


def test_the_same_workflow_is_drawn_the_same() -> None:
    assert with_composite().to_svg() == with_composite().to_svg()


def test_boxes_neither_overlap_nor_leave_the_drawing() -> None:
    workflow = Workflow("wide")
    numbers = workflow.add(Single(), name="a_very_long_name_that_goes_on_and_on_and_on")
    for number in range(6):
        relay = workflow.add(Identity(), name=f"relay_{number}" * (number + 1))
        workflow.connect(numbers.out, relay.x)
        sink = workflow.add(Sink(), name=f"sink_{number}")
        workflow.connect(relay.out, sink.x)
        workflow.connect(numbers.out, sink.x)
    root = ET.fromstring(workflow.to_svg())
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    boxes = [
        tuple(float(rect.get(side, "0")) for side in ("x", "y", "width", "height"))
        for group in root.iter(f"{SVG}g")
        for rect in group.iter(f"{SVG}rect")
    ]
    assert len(boxes) == 13
    for number, (x, y, w, h) in enumerate(boxes):
        assert 0 < x < x + w < width
        assert 0 < y < y + h < height
        for x2, y2, w2, h2 in boxes[:number]:
            assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y


def test_a_faulty_graph_is_drawn_all_the_same() -> None:
    workflow, one, two = Workflow("cycle"), Identity(), Odd()
    workflow.connect(one.out, two.x)
    workflow.connect(two.out, one.x)
    ET.fromstring(workflow.to_svg())


def test_large_graphs_are_drawn_in_reasonable_time() -> None:
    workflow = Workflow("long")
    parts = [workflow.add(Identity(), name=f"step_{number}") for number in range(1500)]
    for first, second in pairwise(parts):
        workflow.connect(first.out, second.x)
    assert workflow.to_svg().count("<g>") == 1500


def test_layers_follow_the_data_and_cross_little() -> None:
    layout = lay_out({"a": ["c", "d"], "b": ["c"], "c": ["e"], "d": ["e"], "e": []})
    assert [set(names) for names in layout.layers] == [{"a", "b"}, {"c", "d"}, {"e"}]
    crossed = lay_out({"a": ["y"], "b": ["x"], "x": [], "y": []})
    assert crossed.layers in ([["a", "b"], ["y", "x"]], [["b", "a"], ["x", "y"]])
