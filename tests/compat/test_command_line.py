"""``flowquake dispel4py``: inputs, results and errors of files that import dispel4py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tests.compat.conftest import Flowquake

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "json" / "dispel4py.json"

MPI = pytest.mark.mpi

OLD = """
from dispel4py.base import ProducerPE, IterativePE
from dispel4py.core import GenericPE, NAME
from dispel4py.workflow_graph import WorkflowGraph


class Numbers(ProducerPE):
    def __init__(self):
        ProducerPE.__init__(self)
        self.n = 0

    def _process(self, inputs):
        self.n += 1
        return self.n


class Halve(IterativePE):
    def _process(self, data):
        if data == 13:
            raise ValueError("13 is unlucky")
        self.log("halving %s" % data)
        return data / 2


class Show(GenericPE):
    def __init__(self):
        GenericPE.__init__(self)
        self.inputconnections["input"] = {NAME: "input"}
        self.outputconnections["text"] = {NAME: "text"}

    def process(self, inputs):
        if inputs["input"] == "typo":
            self.write("txet", 1)
        if inputs["input"] == "returned":
            return {"txt": 1}
        if inputs["input"] == "list":
            return [1]
        return {"text": str(inputs["input"])}


graph = WorkflowGraph()
graph.connect(Numbers(), "output", Halve(), "input")

show = WorkflowGraph()
show.add(Show())

typo = WorkflowGraph()
typo.connect(Numbers(), "outptu", Halve(), "input")

word = WorkflowGraph()
halve = Halve()
halve.inputconnections["input"]["grouping"] = "gobal"
word.connect(Numbers(), "output", halve, "input")

nothing = 5
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.py"
    path.write_text(OLD)
    return path


def test_a_file_runs_as_it_is_and_prints_what_nothing_takes(
    flowquake: Flowquake, old: Path
) -> None:
    done = flowquake("dispel4py", old, "-i", 2)
    assert done.code == 0
    assert done.out.splitlines() == [
        "Halve1 (rank 0): halving 1",
        "Halve1 (rank 0): halving 2",
        "Outputs: {'Halve1': {'output': [0.5, 1.0]}}",
    ]
    assert done.err.startswith("Done in ")


@pytest.mark.parametrize("mapping", [["simple"], ["sequential"], ["simulated"]])
def test_the_mapping_may_stand_first_as_in_dispel4py(
    flowquake: Flowquake, old: Path, mapping: list[str]
) -> None:
    assert "[0.5]" in flowquake("dispel4py", *mapping, old).out


def test_b23_inputs_as_iterations_json_text_and_file_are_equal(
    flowquake: Flowquake, old: Path, tmp_path: Path
) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"Numbers": 3}')
    ways = (["-i", 3], ["-d", '{"Numbers": 3}'], ["-f", file], ["-f", file, "-d", "ignored"])
    given = [flowquake("dispel4py", old, *way, "--json") for way in ways]
    outputs = [list(json.loads(done.out)["outputs"].values()) for done in given]
    assert outputs == [[{"output": [0.5, 1.0, 1.5]}]] * 4


def test_b23_inputs_as_lists_and_by_id(flowquake: Flowquake, old: Path) -> None:
    done = flowquake("dispel4py", old, "-a", "show", "-d", '{"Show2": [{"input": 7}]}')
    assert "{'text': ['7']}" in done.out


def test_json_is_one_document_by_its_schema(flowquake: Flowquake, old: Path) -> None:
    done = flowquake("dispel4py", old, "-i", 2, "--json")
    document = json.loads(done.out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["counts"]["Numbers0"] == {"received": 0, "emitted": {"output": 2}}
    assert "halving 1" in done.err


def test_quiet_keeps_no_items(flowquake: Flowquake, old: Path) -> None:
    assert "Outputs" not in flowquake("dispel4py", old, "-q").out


def test_items_that_fail_can_be_set_aside(flowquake: Flowquake, old: Path) -> None:
    done = flowquake("dispel4py", old, "-i", 14, "--on-error", "skip", "--json")
    document = json.loads(done.out)
    assert done.code == 5
    assert document["counts"]["Halve1"]["emitted"] == {"output": 13}
    assert "13 is unlucky" in document["rejections"][0]["reason"]
    assert "set aside: Halve1: ValueError: 13 is unlucky" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (["missing.py"], 2, ["missing.py does not exist"]),
        (["ol.py"], 2, ["did you mean 'old.py'"]),
        (["no.such.module"], 2, ["no file and no module 'no.such.module'"]),
        (["old.py", "-a", "grap"], 2, ["no 'grap'", "did you mean 'graph'"]),
        (["old.py", "-a", "nothing"], 2, ["'nothing', which is no graph"]),
        (["old.py", "-a", "typo"], 2, ["no output 'outptu'; did you mean 'output'", "line 48"]),
        (["old.py", "-a", "word"], 2, ["the grouping 'gobal'", "did you mean 'global'"]),
        (["old.py", "-d", "{"], 2, ["-d is not JSON", "Fix:"]),
        (["old.py", "-d", "[1]"], 2, ["-d is a JSON list"]),
        (["old.py", "-d", '{"Number": 3}'], 2, ["'Number'", "did you mean 'Numbers'"]),
        (["old.py", "-d", '{"Halve": 3}'], 2, ["'Halve', which other PEs feed"]),
        (["old.py", "-d", '{"Numbers": "3"}'], 2, ["the inputs of PE 'Numbers' are '3'"]),
        (["old.py", "-d", '{"Numbers": -1}'], 2, ["the inputs of PE 'Numbers' are -1"]),
        (["old.py", "-f", "missing.json"], 3, ["cannot be read", "missing.json"]),
        (["old.py", "-f", "old.py"], 3, ["are not JSON", "old.py, line 2"]),
        (["old.py", "-i", "-1"], 2, ["-1"]),
        (["old.py", "-i", "14"], 1, ["'Halve1' failed on item 13", "13 is unlucky", "Line:"]),
        (["redis", "old.py"], 2, ["'redis' is not offered"]),
        (["sequental", "old.py"], 2, ["did you mean 'sequential'"]),
        (["simple", "old.py", "more"], 2, ["'more' is left over"]),
        (["simple", "old.py", "--mapping", "multi"], 2, ["leave one of them out"]),
        (["old.py", "-n", "3"], 2, ["the sequential mapping has one worker"]),
        (
            ["old.py", "-a", "show", "-d", '{"Show": [{"input": "typo"}]}'],
            2,
            ["no output 'txet'; did you mean 'text'"],
        ),
        (
            ["old.py", "-a", "show", "-d", '{"Show": [{"input": "returned"}]}'],
            2,
            ["no output 'txt'; did you mean 'text'"],
        ),
        (["old.py", "-a", "show", "-d", '{"Show": [{"input": "list"}]}'], 1, ["returned a list"]),
        (["old.py", "-a", "show", "-d", '{"Show": [{"imput": 1}]}'], 1, ["KeyError: 'input'"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_is_wrong_is_said(
    flowquake: Flowquake, old: Path, arguments: list[str], code: int, parts: list[str]
) -> None:
    done = flowquake("dispel4py", *arguments)
    assert done.code == code
    assert "Outputs" not in done.out
    assert "Traceback" not in done.err
    for part in parts:
        assert part in done.err


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "import dispel4py.provenance",
            "dispel4py.provenance, for which flowquake has no stand-in",
        ),
        ("from dispel4py.core import Generic", "cannot import name 'Generic'"),
        ("import nowhere_to_be_found", "needs the module 'nowhere_to_be_found'"),
        ("x = 1", "the file has no graph"),
        ("1 +", "not valid Python"),
        (
            "from dispel4py.workflow_graph import *\na, b = WorkflowGraph(), WorkflowGraph()",
            "2 graphs: a, b",
        ),
        ("from dispel4py.workflow_graph import *\ngraph = WorkflowGraph()", "has no PEs"),
        (
            "from dispel4py.base import *\ngraph = WorkflowGraph()\n"
            "graph.connect(ProducerPE, 'output', ConsumerPE(), 'input')",
            "the class ProducerPE is neither a PE nor a composite",
        ),
    ],
)
def test_a_file_that_cannot_run_is_an_error_with_its_place(
    flowquake: Flowquake, tmp_path: Path, text: str, part: str
) -> None:
    (tmp_path / "wrong.py").write_text(text + "\n")
    done = flowquake("dispel4py", "wrong.py")
    assert done.code == 2
    assert part in done.err
    assert "wrong.py" in done.err


def test_the_help_names_the_options_of_dispel4py(flowquake: Flowquake) -> None:
    shown = flowquake("dispel4py", "--help").out
    for option in ("-i, --iter", "-d, --data", "-f, --file", "-a, --attr", "-n, --workers"):
        assert option in shown


LIVE = """
import time
from dispel4py.base import ConsumerPE, ProducerPE
from dispel4py.workflow_graph import WorkflowGraph

class Feed(ProducerPE):
    def _process(self, inputs):
        number = 0
        while True:
            number += 1
            self.write("output", number)
            time.sleep(0.001)

class Heard(ConsumerPE):
    def _process(self, data):
        if data == 5:
            with open("heard", "w") as file:
                file.write("5")

graph = WorkflowGraph()
graph.connect(Feed(), "output", Heard(), "input")
"""


@pytest.mark.parametrize("mapping", [["multi"], pytest.param(["mpi"], marks=MPI)], ids=str)
def test_what_workers_print_is_not_in_the_document(
    tmp_path: Path, old: Path, mapping: list[str]
) -> None:
    command = [sys.executable, "-m", "flowquake.cli", "dispel4py", *mapping, str(old)]
    done = subprocess.run(
        [*command, "-n", "2", "-i", "4", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    ((items,),) = [ports.values() for ports in json.loads(done.stdout)["outputs"].values()]
    assert sorted(items) == [0.5, 1.0, 1.5, 2.0]
    assert done.stderr.count("halving") == 4


@pytest.mark.parametrize("mapping", [["multi"], pytest.param(["mpi"], marks=MPI)], ids=str)
def test_a_failure_in_a_worker_names_its_line(
    tmp_path: Path, old: Path, mapping: list[str]
) -> None:
    command = [sys.executable, "-m", "flowquake.cli", "dispel4py", *mapping, str(old)]
    done = subprocess.run(
        [*command, "-n", "2", "-i", "14"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Cause: ValueError: 13 is unlucky" in done.stderr
    assert 'raise ValueError("13 is unlucky")' in done.stderr


@pytest.mark.parametrize(
    "mapping",
    [["simple"], ["multi", "-n", "2"], pytest.param(["mpi", "-n", "2"], marks=MPI)],
    ids=str,
)
def test_a_feed_without_end_streams_until_it_is_interrupted(
    tmp_path: Path, mapping: list[str]
) -> None:
    (tmp_path / "live.py").write_text(LIVE)
    command = [sys.executable, "-m", "flowquake.cli", "dispel4py", *mapping, "live.py"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "heard").exists() and time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.startswith("Interrupted in")


def test_a_mapping_that_stands_first_goes_before_the_environment(
    flowquake: Flowquake, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWQUAKE_MAPPING", "nonsense")
    assert flowquake("dispel4py", "simple", old).code == 0
    assert flowquake("dispel4py", old).code == 2


def test_the_other_commands_say_how_to_run_such_a_file(flowquake: Flowquake, old: Path) -> None:
    done = flowquake("validate", old)
    assert done.code == 2
    assert "flowquake dispel4py FILE" in done.err
    assert "flowquake_workflow_old" not in sys.modules
