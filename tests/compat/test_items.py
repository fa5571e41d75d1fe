"""Items that their sender changes after it gave them, or their receiver after it got them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from flowquake.compat.dispel4py import IterativePE, ProducerPE, WorkflowGraph
from flowquake.compat.dispel4py.items import snapshot, taken
from tests.compat.elements import RUNS, Run, Same, line


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


class Refilled(ProducerPE):
    """The same buffer again and again."""

    def __init__(self, buffer: Any, *, writes: bool) -> None:
        super().__init__()
        self.buffer, self.writes, self.count = buffer, writes, 0

    def _process(self, inputs: Any) -> Any:
        self.count += 1
        self.buffer[0] = self.count
        if self.writes:
            self.write("output", self.buffer)
            self.buffer[0] = -1
            return None
        return self.buffer


class Spoil(IterativePE):
    """Change what came in place."""

    def _process(self, data: Any) -> Any:
        data[0] *= 10
        return data


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("make", [lambda: [0, 0], lambda: np.zeros(2), lambda: {0: 0, "x": [1]}])
def test_a_buffer_that_is_filled_again_gives_no_torn_items(
    run: Run, make: Any, writes: bool
) -> None:
    source, last = Refilled(make(), writes=writes), Same()
    given = run(line(source, Same(), last), {source: 4})[last.id]["output"]
    assert sorted(item[0] for item in given) == [1, 2, 3, 4]


@pytest.mark.parametrize("make", [lambda: [0, 0], lambda: np.zeros(2), lambda: {0: 0, "x": [1]}])
def test_a_receiver_may_change_what_it_got(run: Run, make: Any) -> None:
    graph, source, ends = (
        WorkflowGraph(),
        Refilled(make(), writes=False),
        [Spoil(), Same(), Spoil()],
    )
    for pe in ends:
        graph.connect(source, "output", pe, "input")
    outputs = run(graph, {source: 3})
    given = [sorted(item[0] for item in outputs[pe.id]["output"]) for pe in ends]
    assert given == [[10, 20, 30], [1, 2, 3], [10, 20, 30]]


def test_every_instance_that_gets_all_may_change_it(run: Run) -> None:
    source, spoil = Refilled([0], writes=False), Spoil()
    spoil.numprocesses = 3
    spoil.inputconnections["input"]["grouping"] = "all"
    given = run(line(source, spoil), {source: 2})[spoil.id]["output"]
    assert Counter(item[0] for item in given) == {10: 3, 20: 3}


def test_items_that_cannot_be_copied_are_handed_on() -> None:
    generator = (k for k in range(3))
    assert snapshot(generator) is generator
    assert taken(generator, shared=True) is generator


def test_arrays_that_are_read_only_are_copied_for_their_receiver() -> None:
    array = np.arange(3)
    array.flags.writeable = False
    assert taken(array, shared=False).flags.writeable
    assert taken([array], shared=False)[0].flags.writeable
