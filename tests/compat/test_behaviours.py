"""What users of dispel4py rely on, by the numbers of the reference behaviours.

B20 to B22 are in test_aggregates.py, B23 in test_command_line.py too, and the
example graphs of dispel4py itself in test_examples.py.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from flowquake.compat.dispel4py import (
    CompositePE,
    ProducerPE,
    WorkflowGraph,
    create_iterative_chain,
    draw,
    process_and_return,
)
from flowquake.compat.dispel4py.grouping import GroupBy, as_key
from flowquake.compat.dispel4py.workflow_graph import write_image
from flowquake.keys import stable_hash
from tests.compat.elements import (
    RUNS,
    Counting,
    Either,
    Emit,
    Run,
    Same,
    SameByWrite,
    SameGeneric,
    Swallow,
    Tally,
    TwoOutputs,
    WordCounter,
    line,
)


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


def test_b1_a_pipeline_gives_every_item(run: Run) -> None:
    source, last = Counting(), Same()
    outputs = run(line(source, Same(), last), {source: 5})
    assert sorted(outputs[last.id]["output"]) == [1, 2, 3, 4, 5]


def test_b1_in_order_where_nothing_is_dealt_out() -> None:
    source, last = Counting(), Same()
    outputs = process_and_return(line(source, Same(), last), {source: 5})
    assert outputs == {last.id: {"output": [1, 2, 3, 4, 5]}}


@pytest.mark.parametrize("n", [1, 10])
def test_b2_two_outputs_into_two_inputs(run: Run, n: int) -> None:
    graph, source, last = WorkflowGraph(), TwoOutputs(), Either()
    for number in (0, 1):
        relay = Same()
        graph.connect(source, f"output{number}", relay, "input")
        graph.connect(relay, "output", last, f"input{number}")
    given = Counter(run(graph, {source: n})[last.id]["output"])
    assert given == {str(k): 2 for k in range(1, n + 1)}


def test_b3_a_tee_gives_everything_to_both(run: Run) -> None:
    graph, source, both = WorkflowGraph(), Counting(), [Same(), Same()]
    for pe in both:
        graph.connect(source, "output", pe, "input")
    outputs = run(graph, {source: 5})
    assert [sorted(outputs[pe.id]["output"]) for pe in both] == [[1, 2, 3, 4, 5]] * 2


@pytest.mark.parametrize("pe", [SameByWrite, SameGeneric])
def test_b4_writing_is_as_good_as_returning(run: Run, pe: type[SameGeneric]) -> None:
    source, last = Counting(), pe()
    assert sorted(run(line(source, last), {source: 5})[last.id]["output"]) == [1, 2, 3, 4, 5]


def test_b5_an_iterative_pe(run: Run) -> None:
    source, last = Counting(), Same()
    outputs = run(line(source, last), {source: 25})
    assert sorted(outputs[last.id]["output"]) == list(range(1, 26))


class Integers(ProducerPE):
    def __init__(self, start: int, limit: int) -> None:
        super().__init__()
        self.start, self.limit = start, limit

    def _process(self, inputs: Any) -> None:
        for number in range(self.start, self.limit):
            self.write("output", number)


def test_b6_a_producer_that_writes_many_in_one_iteration(run: Run) -> None:
    source, last = Integers(5, 234), Same()
    outputs = run(line(source, last), {source: 1})
    assert sorted(outputs[last.id]["output"]) == list(range(5, 234))


def test_b7_a_consumer_at_the_end_gives_nothing(run: Run) -> None:
    source = Counting()
    assert run(line(source, Swallow()), {source: 10}) == {}


def plus(x: int, by: int = 1) -> int:
    return x + by


def times(x: int, by: int = 3) -> int:
    return x * by


def is_odd(x: int) -> bool:
    return x % 2 == 1


def halved(x: int) -> float:
    return x / 2


def test_b8_a_chain_of_functions(run: Run) -> None:
    source, graph = Counting(), WorkflowGraph()
    graph.connect(source, "output", create_iterative_chain([plus, times, is_odd]), "input")
    ((name, given),) = run(graph, {source: 2}).items()
    assert name.startswith("PE_is_odd")
    assert sorted(given["output"]) == [False, True]


class Pass(CompositePE):
    """A composite that fills itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = Same(), Same()
        self.connect(self.first, "output", self.last, "input")
        self._map_input("taken", self.first, "input")
        self._map_output("given", self.last, "output")


def fill(graph: CompositePE, length: int) -> None:
    chain = [Same() for _ in range(length)]
    for a, b in itertools.pairwise(chain):
        graph.connect(a, "output", b, "input")
    graph._map_input("taken", chain[0], "input")
    graph._map_output("given", chain[-1], "output")


def outer(graph: CompositePE) -> None:
    inner = Pass()
    graph.add(inner)
    graph._map_input("taken", inner, "taken")
    graph._map_output("given", inner, "given")


@pytest.mark.parametrize(
    "make",
    [
        Pass,
        lambda: CompositePE(fill, {"length": 4}),
        lambda: CompositePE(fill, {"length": 1}),
        lambda: CompositePE(outer),
    ],
    ids=["by hand", "by function", "of one", "nested"],
)
def test_b9_b10_a_composite_is_one_step(run: Run, make: Any) -> None:
    graph, source, composite, last = WorkflowGraph(), Counting(), make(), Same()
    graph.connect(source, "output", composite, "taken")
    graph.connect(composite, "given", last, "input")
    assert sorted(run(graph, {source: 10})[last.id]["output"]) == list(range(1, 11))


def test_b11_an_edge_that_is_there_twice_carries_everything_twice(run: Run) -> None:
    graph, source, composite = WorkflowGraph(), Counting(), Pass()
    graph.connect(source, "output", composite, "taken")
    graph.connect(source, "output", composite, "taken")
    outputs = run(graph, {source: 10})
    assert sorted(outputs[composite.last.id]["output"]) == sorted([*range(1, 11)] * 2)


def test_b12_a_composite_of_functions(run: Run) -> None:
    source, graph = Counting(), WorkflowGraph()
    chain = create_iterative_chain([(plus, {"by": 2}), (times, {"by": 4}), halved, minus_one])
    graph.connect(source, "output", chain, "input")
    ((_, given),) = run(graph, {source: 6}).items()
    assert sorted(given["output"]) == [2 * (x + 2) - 1 for x in range(1, 7)]


def minus_one(x: float) -> float:
    return x - 1


def test_b13_b14_any_number_of_workers_will_do(run: Run) -> None:
    source, last = Counting(), Same()
    outputs = run(line(source, Same(), Same(), Same(), last), {source: 5})
    assert sorted(outputs[last.id]["output"]) == [1, 2, 3, 4, 5]


def test_b15_a_copy_to_all_reaches_every_instance(run: Run) -> None:
    source, tally = Counting(), Tally(grouping="all", numprocesses=2)
    assert run(line(source, tally), {source: 10})[tally.id]["output"] == [10, 10]


def test_b16_gathering_takes_everything_to_one(run: Run) -> None:
    source, spread, one = Counting(), SameGeneric(5), Tally(grouping="global", numprocesses=5)
    assert run(line(source, spread, one), {source: 10})[one.id]["output"] == [10]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2.0}, {"b": 2, "a": 1}),
        ({1, 2, 3}, frozenset((3, 2, 1))),
        (range(3), range(3)),
        (None, None),
        ([1, ["a"]], (1.0, ("a",))),
        ({"a": {1: None}}, {"a": {1.0: None}}),
        (float("nan"), float("nan")),
        (threading.Thread, threading.Thread),
        (datetime(2018, 12, 24), datetime(2018, 12, 24)),
        (Decimal("1.5"), Decimal("1.5")),
    ],
    ids=str,
)
def test_b17_equal_keys_have_one_destination(one: Any, other: Any) -> None:
    assert stable_hash(as_key(one)) == stable_hash(as_key(other))
    assert GroupBy((0,))([one]) == GroupBy((0,))([other])


def test_b17_different_keys_are_different() -> None:
    keys = [None, 0, "0", b"0", (), {}, set(), range(2), range(3), {"a": 1}, {"a": 2}, {1}, [1]]
    assert len({stable_hash(as_key(key)) for key in keys}) == len(keys)


WORDS = ["etna", "vulcano", "etna", "stromboli", "etna", "vulcano", "etna"]


@pytest.mark.parametrize("instances", [1, 3])
def test_b18_each_words_counts_run_from_one(run: Run, instances: int) -> None:
    source, counter = Emit([[word] for word in WORDS]), WordCounter()
    counter.numprocesses = instances
    given = run(line(source, Same(), counter), {source: len(WORDS)})[counter.id]["output"]
    for word, count in Counter(WORDS).items():
        assert [k for w, k in given if w == word] == list(range(1, count + 1))


@pytest.mark.parametrize("instances", [1, 2, 5])
def test_b19_two_senders_into_several_instances_end(run: Run, instances: int) -> None:
    graph, source, counter = WorkflowGraph(), Emit([[w] for w in WORDS]), WordCounter()
    counter.numprocesses = instances
    for _ in range(2):
        relay = Same()
        graph.connect(source, "output", relay, "input")
        graph.connect(relay, "output", counter, "input")
    given = run(graph, {source: len(WORDS)})[counter.id]["output"]
    expected = {(w, k) for w, n in Counter(WORDS).items() for k in range(1, 2 * n + 1)}
    assert {tuple(pair) for pair in given} == expected
    assert len(given) == len(expected)


def test_b23_inputs_by_pe_name_or_id(run: Run) -> None:
    source, last = Counting(), Same()
    graph = line(source, last)
    for key in (source, source.name, source.id):
        assert sorted(run(graph, {key: 3})[last.id]["output"]) == [1, 2, 3]


def test_b23_inputs_as_a_list_are_what_process_takes(run: Run) -> None:
    pe = Either()
    graph = WorkflowGraph()
    graph.add(pe)
    given = run(graph, {pe: [{"input0": 1}, {"input0": 2, "input1": 3}]})
    assert given == {pe.id: {"output": ["1", "23"]}}


def test_b24_two_pipelines_that_are_not_connected_both_run(run: Run) -> None:
    graph, ends = WorkflowGraph(), []
    for _ in range(2):
        source, last = Counting(), Same()
        graph.connect(source, "output", last, "input")
        ends.append(last)
    outputs = run(graph, {"Counting": 4})
    assert [sorted(outputs[end.id]["output"]) for end in ends] == [[1, 2, 3, 4]] * 2


def test_b24_partitions_change_nothing(run: Run) -> None:
    source, relay, last = Counting(), Same(), Same()
    graph = line(source, relay, last)
    plain = run(graph, {source: 5})
    graph.partitions = [[source, relay], [last]]
    given = run(graph, {source: 5})
    assert given.keys() == plain.keys()
    assert sorted(given[last.id]["output"]) == sorted(plain[last.id]["output"])


def test_b25_a_composite_is_drawn_as_a_cluster(tmp_path: Any) -> None:
    graph, source, composite = WorkflowGraph(), Counting(), Pass()
    graph.connect(source, "output", composite, "taken")
    dot = draw(graph)
    assert dot.startswith("digraph")
    assert "subgraph" in dot
    assert dot.count("{") == dot.count("}")
    write_image(graph, str(tmp_path / "graph.svg"), "svg")
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")


def test_b26_what_is_written_at_the_end_reaches_all_downstream_first(run: Run) -> None:
    source, first, second, last = Counting(), Tally(), Tally(), Tally()
    outputs = run(line(source, first, second, last), {source: 3})
    assert outputs == {last.id: {"output": [1]}}
