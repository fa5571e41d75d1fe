"""What a graph becomes: elements that survive copies and pickles, and items that stay right."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flowquake
from flowquake import plan
from flowquake.compat.dispel4py import (
    GenericPE,
    IterativePE,
    SimpleFunctionPE,
    WorkflowGraph,
    load_graph,
    process_and_return,
    run_graph,
    to_workflow,
)
from flowquake.compat.dispel4py.core import NAME, TYPE
from flowquake.compat.dispel4py.monitoring import ProcessTimingPE
from flowquake.compat.dispel4py.running import STATUS_TERMINATED, multi_process, process
from flowquake.compat.dispel4py.statelessness import keeps_nothing
from flowquake.errors import ConfigError, WorkflowError
from flowquake.mappings.multi import Multi
from tests.compat.elements import (
    RUNS,
    Counting,
    Emit,
    Run,
    Same,
    SameByWrite,
    SameGeneric,
    Swallow,
    Tally,
    WordCounter,
    line,
)


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


def test_a_workflow_can_be_copied_and_pickled() -> None:
    counter, source = WordCounter(), Emit([["a"], ["b"]])
    workflow = to_workflow(line(source, Same(), counter), {source: 2})
    for again in (copy.deepcopy(workflow), pickle.loads(pickle.dumps(workflow))):
        result = flowquake.run(again)
        assert result.unconnected == {f"{counter.id}.output": 2}


def test_equal_shapes_share_one_class() -> None:
    workflow = to_workflow(line(Counting(), Same(), Same()))
    first, second = (workflow.element(name) for name in list(workflow)[1:])
    assert type(first) is type(second)
    assert type(pickle.loads(pickle.dumps(first))) is type(first)


FILE = """
from dispel4py.base import ProducerPE, IterativePE
from dispel4py.workflow_graph import WorkflowGraph
from helper import Box

class Boxes(ProducerPE):
    def _process(self, inputs):
        return Box(1)

class Open(IterativePE):
    def _process(self, data):
        return data.content

graph = WorkflowGraph()
last = Open()
graph.connect(Boxes(), 'output', last, 'input')
"""
HELPER = """
from dispel4py.core import GenericPE

class Box:
    def __init__(self, content):
        self.content = content
"""


def test_a_process_that_has_loaded_nothing_can_unpickle_a_graph_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "boxes.py").write_text(FILE)
    (tmp_path / "helper.py").write_text(HELPER)
    code = (
        "import pickle, sys; from flowquake.compat.dispel4py import load_graph, translate\n"
        "pickle.dump(translate(load_graph(sys.argv[1]), {'Boxes': 2}), sys.stdout.buffer)"
    )
    again = (
        "import pickle, sys; made = pickle.load(sys.stdin.buffer)\n"
        "from flowquake import run; (place,) = made.open; out = made.outputs[place]\n"
        "print(run(made.workflow, collect=[out])[out])"
    )
    dumped = subprocess.run(
        [sys.executable, "-c", code, "boxes.py"], cwd=tmp_path, capture_output=True, check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", again], input=dumped.stdout, capture_output=True, check=False
    )
    assert done.stdout.decode().strip() == "[1, 1]", done.stderr.decode()


def test_workers_that_are_spawned_load_the_file(tmp_path: Path) -> None:
    (tmp_path / "boxes_2.py").write_text(FILE)
    (tmp_path / "helper.py").write_text(HELPER)
    graph = load_graph(str(tmp_path / "boxes_2.py"))
    outputs = run_graph(graph, {"Boxes": 2}, mapping=Multi(start="spawn"), workers=2).outputs
    assert [items for ports in outputs.values() for items in ports.values()] == [[1, 1]]


def test_the_users_objects_stay_as_they_are(run: Run) -> None:
    source, last = Counting(), Same()
    graph = line(source, last)
    for _ in range(2):
        assert sorted(run(graph, {source: 3})[last.id]["output"]) == [1, 2, 3]
    assert source.counter == 0


# Names, instances, and what is declared.


class Odd(GenericPE):
    """Names that are no names of ports."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("state", "Input 1", "output", "output_", "on_error", "1st", "pe", "finish"):
            self._add_input(name)
            self._add_output(name)
        self.inputconnections["key"] = {NAME: "key"}

    def process(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"output" if name == "key" else name: item for name, item in inputs.items()}


@pytest.mark.parametrize("name", list(Odd().outputconnections))
def test_connections_may_have_any_name(run: Run, name: str) -> None:
    graph, source, odd, last = WorkflowGraph(), Counting(), Odd(), Same()
    graph.connect(source, "output", odd, name)
    graph.connect(odd, name, last, "input")
    assert sorted(run(graph, {source: 3})[last.id]["output"]) == [1, 2, 3]


class Appends(IterativePE):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def _process(self, data: Any) -> Any:
        self.seen.append(data)
        return len(self.seen)


class Scales(IterativePE):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def _process(self, data: Any) -> Any:
        return data * self.factor


class Calls(Scales):
    def _process(self, data: Any) -> Any:
        return super()._process(data) + max([x for x in (1, 2) if x > self.factor], default=0)


SEEN: dict[Any, int] = {}


class Notes(IterativePE):
    def _process(self, data: Any) -> Any:
        SEEN[data] = 1
        return data


def noting(data: Any) -> Any:
    SEEN[data] = 1
    return data


def closing(keep: list[Any]) -> Any:
    def function(data: Any) -> Any:
        keep.append(data)
        return data

    return function


class Remembers(IterativePE):
    last: Any = None

    def _process(self, data: Any) -> Any:
        before, self.last = self.last, data
        return before


@pytest.mark.parametrize(
    ("pe", "expected"),
    [
        (Same(), True),
        (Scales(2.0), True),
        (SimpleFunctionPE(abs), True),
        (SimpleFunctionPE(round, {"ndigits": 2}), True),
        (SameByWrite(), True),
        (Calls(1.0), True),
        (SimpleFunctionPE(noting), False),
        (SimpleFunctionPE(closing([])), False),
        (SimpleFunctionPE(round, {"ndigits": [2]}), False),
        (Notes(), False),
        (Appends(), False),
        (Remembers(), False),
        (Tally(), False),
        (WordCounter(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_plainly_keeps_nothing_is_multiplied(pe: GenericPE, expected: bool) -> None:
    assert keeps_nothing(pe) is expected


def test_what_keeps_something_gives_the_same_with_many_workers(run: Run) -> None:
    source, last = Counting(), Appends()
    assert sorted(run(line(source, last), {source: 6})[last.id]["output"]) == [1, 2, 3, 4, 5, 6]


def instances(pe: GenericPE, workers: int = 4) -> int:
    return plan(to_workflow(line(Counting(), pe)), workers).counts[pe.id]


def test_instances_follow_numprocesses_grouping_and_state() -> None:
    single, words = Same(), WordCounter()
    single.single = True  # type: ignore[attr-defined]  # dispel4py looks for it
    words.numprocesses = 3
    assert instances(Same()) == 4
    assert instances(single) == 1
    assert instances(Appends()) == 1
    assert instances(WordCounter()) == 4
    assert instances(words) == 3
    assert instances(Tally(numprocesses=2)) == 2
    assert instances(Tally(grouping="global", numprocesses=2)) == 1
    assert instances(Tally(grouping="all")) == 1
    assert instances(Tally(grouping=[0])) == 1


def test_a_wrong_number_of_processes_is_an_error() -> None:
    with pytest.raises(WorkflowError, match="numprocesses='2' of PE 'Tally'"):
        to_workflow(line(Counting(), Tally(numprocesses="2")))  # type: ignore[arg-type]  # on purpose


def test_a_grouping_can_be_set_later() -> None:
    pe = Same()
    pe.setGrouping("input", "global")
    assert pe.inputconnections["input"]["grouping"] == "global"
    with pytest.raises(WorkflowError, match="no input 'inptu'; did you mean 'input'"):
        pe.set_grouping("inptu", "all")


def test_an_item_without_the_part_to_group_by_is_named() -> None:
    source, words = Emit([5]), WordCounter()
    words.numprocesses = 2
    with pytest.raises(flowquake.errors.InputError, match="cannot be grouped by"):
        process_and_return(line(source, words), {source: 1})


def test_a_partition_of_a_foreign_pe_is_an_error() -> None:
    graph = line(Counting(), Same())
    graph.partitions = [[Same()]]
    with pytest.raises(WorkflowError, match=r"graph\.partitions names 'Same'"):
        to_workflow(graph)


def test_a_missing_port_of_a_composite_is_an_error_with_its_line() -> None:
    from flowquake.compat.dispel4py import create_iterative_chain

    graph = WorkflowGraph()
    graph.connect(Counting(), "output", create_iterative_chain([abs]), "inptu")
    with pytest.raises(WorkflowError, match="composite 'chain' has no input 'inptu'") as raised:
        to_workflow(graph)
    assert "test_translation.py, line" in str(raised.value.where)


def test_a_cycle_is_named() -> None:
    a, b = Same(), Same()
    graph = line(a, b)
    graph.connect(b, "output", a, "input")
    with pytest.raises(WorkflowError, match="cycle"):
        run_graph(graph)


# What else a graph can do.


def test_results_can_be_asked_for_by_name(run: Run) -> None:
    source, relay, last = Counting(), Same(), Same()
    outputs = run(line(source, relay, last), {source: 2}, resultmappings={relay.id: ["output"]})
    assert outputs.keys() == {relay.id}
    with pytest.raises(ConfigError, match="did you mean"):
        run(line(source, relay), {source: 2}, resultmappings={relay.id: ["outptu"]})


def test_a_timed_pe_gives_what_the_other_gives(run: Run) -> None:
    for other in (Same(), SameByWrite()):
        source, timed = Counting(), ProcessTimingPE(other)
        outputs = run(line(source, timed), {source: 3})
        assert sorted(outputs[timed.id]["output"]) == [1, 2, 3]


def test_a_timed_pe_logs_its_average(capsys: pytest.CaptureFixture[str]) -> None:
    source, timed = Counting(), ProcessTimingPE(Same())
    process_and_return(line(source, timed), {source: 3})
    assert f"{timed.id} (rank 0): Average processing time" in capsys.readouterr().out


def test_types_are_told_from_the_sources_on() -> None:
    class Typed(Same):
        def __init__(self) -> None:
            super().__init__()
            self.outputconnections["output"][TYPE] = ["number"]
            self.types: Any = None

        def set_input_types(self, types: Any) -> None:
            self.types = types

    source, first, last = Typed(), Typed(), Typed()
    line(source, first, last).propagate_types()
    assert [pe.types for pe in (source, first, last)] == [{}, *[{"input": ["number"]}] * 2]


def test_flattening_leaves_only_pes() -> None:
    from flowquake.compat.dispel4py import create_iterative_chain

    graph, source = WorkflowGraph(), Counting()
    graph.connect(source, "output", create_iterative_chain([abs, float]), "input")
    before = process_and_return(graph, {source: 2})
    graph.flatten()
    nodes = [node.get_contained_object() for node in graph.graph.nodes()]
    assert [node.name for node in nodes] == ["Counting", "PE_abs", "PE_float"]
    assert process_and_return(graph, {source: 2}) == before


def test_a_run_can_be_printed_as_dispel4py_does(capsys: pytest.CaptureFixture[str]) -> None:
    source, last = Counting(), Same()
    process(line(source, last), {source: 2})
    expected = f"Inputs: {{'{source.id}': 2}}\nOutputs: {{'{last.id}': {{'output': [1, 2]}}}}\n"
    assert capsys.readouterr().out == expected


def test_a_pe_that_writes_its_own_way_does_so_for_what_it_returns(run: Run) -> None:
    source, last = Counting(), Louder()
    assert sorted(run(line(source, last), {source: 2})[last.id]["output"]) == [101, 102]


class Louder(SameGeneric):
    def write(self, name: str, data: Any, **options: Any) -> None:
        super().write(name, data + 100)


def test_a_failure_names_pe_item_and_cause(run: Run) -> None:
    source = Emit([1, "a"])
    with pytest.raises(flowquake.errors.PEError, match="TypeError") as raised:
        run(line(source, Negate(), Swallow()), {source: 2})
    assert "'Negate1'" in str(raised.value)


class Negate(IterativePE):
    def _process(self, data: Any) -> Any:
        return -data


def test_a_graph_is_loaded_by_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "from dispel4py.base import *\ng = WorkflowGraph()\ng.add(ProducerPE())\n"
    )
    assert len(load_graph(str(tmp_path / "one.py")).graph.nodes()) == 1
    assert STATUS_TERMINATED == 12
    assert callable(multi_process)
