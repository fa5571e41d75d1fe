"""What users of dispel4py rely on, by the numbers of the reference behaviours.

B4, B6, B23 and B25 concern its own classes and command line, and its drawing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from flowquake import (
    Composite,
    Emissions,
    Input,
    Output,
    ProcessingElement,
    State,
    Workflow,
    element,
    run,
)
from flowquake.keys import stable_hash
from flowquake.mappings.simulated import Simulated
from flowquake.ports import BoundOutput
from flowquake.testing import replay
from tests.mappings.elements import Everywhere, Identity, Numbers, Pairs, Single, Sink
from tests.mappings.mpi_session import behaviour_name
from tests.mappings.ways import EVERY, Way

Collected = Callable[[Workflow, BoundOutput[Any]], list[Any]]


def _sequential(workflow: Workflow, output: BoundOutput[Any]) -> list[Any]:
    return run(workflow, collect=[output])[output]


@pytest.fixture(params=EVERY)
def collect(request: pytest.FixtureRequest, mpi_session: Callable[[int], Any]) -> Collected:
    way: Way = request.param
    if way.ranks:
        parameters = {**request.node.callspec.params}
        del parameters["collect"]
        case = behaviour_name(request.node.originalname, parameters)
        answers = iter(mpi_session(way.ranks).answer(f"{way.text} {case}"))
        return lambda workflow, output: next(answers)

    def answer(workflow: Workflow, output: BoundOutput[Any]) -> list[Any]:
        return run(
            workflow, mapping=way.mapping, workers=way.workers, fuse=way.fuse, collect=[output]
        )[output]

    return answer


def line(*parts: ProcessingElement) -> Workflow:
    workflow = Workflow("line")
    for number, part in enumerate(parts):
        workflow.add(part, name=f"step_{number}")
    workflow.chain(*parts)
    return workflow


@element
def plus(x: int, by: int = 1) -> int:
    return x + by


@element
def times(x: int, by: int = 3) -> int:
    return x * by


@element
def is_odd(x: int) -> bool:
    return x % 2 == 1


def test_b1_b5_b14_a_pipeline_gives_every_item(collect: Collected) -> None:
    last = Identity()
    assert sorted(collect(line(Single(n=25), Identity(), last), last.out)) == list(range(1, 26))


def test_b1_in_order_on_one_instance() -> None:
    last = Identity()
    assert _sequential(line(Single(n=5), Identity(), last), last.out) == [1, 2, 3, 4, 5]


def test_b2_two_outputs_into_two_inputs(collect: Collected) -> None:
    workflow, pairs = Workflow("b2"), Pairs()
    source = workflow.add(Single(n=10))
    for number, target in enumerate((pairs.a, pairs.b)):
        relay = workflow.add(Identity(), name=f"relay_{number}")
        workflow.connect(source.out, relay.x)
        workflow.connect(relay.out, target)
    given = Counter(item for _, item in collect(workflow, pairs.out))
    assert given == dict.fromkeys(range(1, 11), 2)


@pytest.mark.parametrize("which", [0, 1])
def test_b3_a_tee_gives_everything_to_both(collect: Collected, which: int) -> None:
    workflow, source = Workflow("b3"), Single(n=5)
    both = [workflow.add(Identity(), name=name) for name in "ab"]
    for part in both:
        workflow.connect(source.out, part.x)
    assert sorted(collect(workflow, both[which].out)) == [1, 2, 3, 4, 5]


def test_b7_a_consumer_at_the_end_leaves_nothing_over() -> None:
    assert run(line(Single(n=10), Sink())).unconnected == {}


def test_b8_a_chain_of_functions(collect: Collected) -> None:
    last = is_odd()
    given = collect(line(Single(n=2), plus(), times(), last), last.out)
    assert sorted(given) == [False, True]


def test_b9_b10_a_composite_is_one_step(collect: Collected) -> None:
    workflow, composite = Workflow("b9"), Composite("pass")
    first, last = Identity(), Identity()
    composite.add(first, name="first")
    composite.add(last, name="last")
    composite.chain(first, last)
    composite.expose(x=first.x, out=last.out)
    workflow.connect(Single(n=10).out, composite.x)
    assert sorted(collect(workflow, composite.out)) == list(range(1, 11))


def test_b11_an_edge_that_is_there_twice_carries_everything_twice(collect: Collected) -> None:
    workflow, source, last = Workflow("b11"), Single(n=10), Identity()
    workflow.connect(source.out, last.x)
    workflow.connect(source.out, last.x)
    assert sorted(collect(workflow, last.out)) == sorted([*range(1, 11)] * 2)


def test_b12_a_composite_of_functions(collect: Collected) -> None:
    parts = [plus(by=2), times(by=4), halved(), plus(by=-1)]
    last = parts[-1]
    given = collect(line(Single(n=6), *parts), last.out)
    assert sorted(given) == [2 * (x + 2) - 1 for x in range(1, 7)]


@element
def halved(x: int) -> int:
    return x // 2


def test_b13_b14_any_number_of_workers_will_do() -> None:
    for workers in range(1, 7):
        last = Identity()
        workflow = line(Single(n=5), Identity(), Identity(), Identity(), last)
        mapping = Simulated(order=workers, channel_items=2, fuse=False)
        result = run(workflow, mapping=mapping, workers=workers, collect=[last.out])
        assert sorted(result[last.out]) == [1, 2, 3, 4, 5]


def test_b15_a_copy_to_all_reaches_every_instance(collect: Collected) -> None:
    workflow, everywhere = Workflow("b15"), Everywhere()
    workflow.add(everywhere, instances=2)
    workflow.connect(Numbers(n=10, parts=2).out, everywhere.x)
    assert collect(workflow, everywhere.out) == [10, 10]


class AtOne(ProcessingElement):
    x = Input(int, to="one", order="any")
    out = Output(int)

    def setup(self) -> None:
        self._seen = 0

    def on_x(self, x: int) -> None:
        self._seen += 1

    def finish(self) -> Emissions:
        yield self.out(self._seen)


def test_b16_gathering_takes_everything_to_one(collect: Collected) -> None:
    workflow, one = Workflow("b16"), AtOne()
    workflow.chain(Numbers(n=10, parts=5), Identity(), one)
    assert collect(workflow, one.out) == [10]


def test_b17_equal_keys_have_one_destination() -> None:
    assert stable_hash(None) == stable_hash(None)
    assert stable_hash(("a", 1)) == stable_hash(("a", True)) == stable_hash(("a", 1.0))
    assert stable_hash("etna") != stable_hash(b"etna")


@dataclass
class Words:
    counts: dict[str, int] = field(default_factory=dict)
    version: int = 1


class CountWords(ProcessingElement):
    word = Input(str, by=lambda word: word, order="any")
    out = Output(tuple)
    state = State(Words)

    def on_word(self, word: str) -> Emissions:
        counts = self.state.counts
        counts[word] = counts.get(word, 0) + 1
        yield self.out((word, counts[word]))


@pytest.mark.parametrize("instances", [None, 1, 2, 3])
def test_b18_b19_each_words_counts_run_from_one(collect: Collected, instances: int | None) -> None:
    workflow, count = Workflow("b18"), CountWords()
    split = split_words()
    workflow.add(count, instances=instances)
    workflow.chain(replay(["a b a", "c a b", "a"]), split)
    for name, keep in (("early", "ab"), ("late", "c")):
        chosen = workflow.add(keep_words(words=keep), name=name)
        workflow.connect(split.out, chosen.word)
        workflow.connect(chosen.out, count.word)
    given = Counter(collect(workflow, count.out))
    expected = [*(("a", k) for k in (1, 2, 3, 4)), ("b", 1), ("b", 2), ("c", 1)]
    assert given == Counter(expected)


@element
def split_words(text: str) -> Any:
    yield from text.split()


@element
def keep_words(word: str, words: str = "") -> str | None:
    return word if word in words else None


@dataclass
class Sums:
    count: int = 0
    amount: int = 0
    squares: int = 0
    least: int | None = None
    most: int | None = None
    version: int = 1


class Aggregate(ProcessingElement):
    x = Input(int, to="one", order="any")
    out = Output(tuple)
    state = State(Sums)

    every: bool = False

    def on_x(self, x: int) -> Emissions:
        state = self.state
        state.count += 1
        state.amount += x
        state.squares += x * x
        state.least = x if state.least is None else min(state.least, x)
        state.most = x if state.most is None else max(state.most, x)
        if self.every:
            yield self.out((state.amount,))

    def finish(self) -> Emissions:
        if not self.every:
            s = self.state
            yield self.out((s.amount, s.count, s.least, s.most, s.squares))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (range(1000), (499500, 1000, 0, 999)),
        (range(-9, 0), (-45, 9, -9, -1)),
        ((), (0, 0, None, None)),
    ],
    ids=["thousand", "negative", "empty"],
)
def test_b20_b21_aggregates_are_right_and_given_once(
    collect: Collected, items: Any, expected: tuple[Any, ...]
) -> None:
    workflow, aggregate = Workflow("b20"), Aggregate()
    workflow.chain(replay(items), as_int(), aggregate)
    ((amount, count, least, most, squares),) = collect(workflow, aggregate.out)
    assert (amount, count, least, most) == expected
    if count == 1000:
        assert amount / count == 499.5
        assert (squares / count - 499.5**2) ** 0.5 == pytest.approx(288.675, abs=1e-3)


@element
def as_int(x: object) -> int:
    assert isinstance(x, int)
    return x


def test_b22_a_continuous_reduction_gives_one_item_for_each(collect: Collected) -> None:
    workflow, aggregate = Workflow("b22"), Aggregate(every=True)
    workflow.chain(Single(n=5), aggregate)
    assert collect(workflow, aggregate.out) == [(1,), (3,), (6,), (10,), (15,)]


def test_b24_two_pipelines_that_are_not_connected_both_run(collect: Collected) -> None:
    for which in (0, 1):
        workflow = Workflow("b24")
        ends = []
        for name in "ab":
            source = workflow.add(Single(n=4), name=f"source_{name}")
            end = workflow.add(Identity(), name=name)
            workflow.connect(source.out, end.x)
            ends.append(end)
        assert sorted(collect(workflow, ends[which].out)) == [1, 2, 3, 4]


def test_b26_what_is_given_at_the_end_reaches_all_downstream_first(collect: Collected) -> None:
    workflow, last = Workflow("b26"), Aggregate()
    workflow.chain(Single(n=3), AtOne(), last)
    assert collect(workflow, last.out) == [(3, 1, 3, 3, 9)]
