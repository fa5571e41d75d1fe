"""Running: streaming, stopping, counts, and what the user's objects keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    ManualClock,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    Wait,
    Watermark,
    Workflow,
    WorkflowError,
    run,
    stream,
)
from flowquake.mappings.simulated import Simulated
from flowquake.running import Progress
from flowquake.testing import replay, run_element
from tests.mappings.elements import Everywhere, Identity, Numbers, Odd, Repeat, Single, Sink

SECOND = 1_000_000_000


class EverySecond(Source):
    """An item a second; writes down when it was asked."""

    out = Output(int)

    log: Path
    n: int = 5

    def produce(self, split: object) -> Production:
        for number in range(self.n):
            with self.log.open("a") as file:
                file.write(f"{number} at {self.clock.now() // SECOND}\n")
            yield self.out(number)
            yield Wait(1.0)


def test_the_first_result_is_there_after_the_first_item(tmp_path: Path) -> None:
    log = tmp_path / "log"
    workflow, relay, clock = Workflow("w"), Identity(), ManualClock()
    workflow.chain(EverySecond(log=log), relay, Sink())
    items = stream(workflow, relay.out, clock=clock)
    for number in range(3):
        assert next(items) == number
        assert log.read_text().splitlines() == [f"{n} at {n}" for n in range(number + 1)]
        assert clock.now() == number * SECOND
    items.close()


def test_a_generator_is_read_only_as_far_as_it_is_asked() -> None:
    pulled: list[int] = []

    class Pulls(Source):
        out = Output(int)

        def produce(self, split: object) -> Production:
            for number in range(10):
                pulled.append(number)
                yield self.out(number)

    workflow, odd = Workflow("w"), Odd()
    workflow.chain(Pulls(), odd, Sink())
    items = stream(workflow, odd.out)
    assert pulled == []
    assert [next(items), list(pulled), next(items), list(pulled)] == [
        *(1, [0, 1]),
        *(3, [0, 1, 2, 3]),
    ]
    assert list(items) == [5, 7, 9]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_stream_gives_the_same_on_other_mappings(workers: int) -> None:
    workflow, twice = Workflow("w"), Repeat()
    workflow.chain(Single(n=6), twice, Sink())
    mapping = Simulated(channel_items=1, fuse=False)
    given = list(stream(workflow, twice.out, mapping=mapping, workers=workers))
    assert sorted(given) == sorted([1, 2, 3, 4, 5, 6] * 2)


def test_a_stream_that_cannot_run_is_refused_at_once() -> None:
    workflow, relay = Workflow("w"), Identity()
    workflow.add(relay)
    with pytest.raises(WorkflowError, match="not connected"):
        stream(workflow, relay.out)
    with pytest.raises(ConfigError, match="not an output"):
        stream(workflow, relay.x)  # type: ignore[arg-type]  # on purpose


def test_what_is_collected_must_be_outputs_of_the_workflow() -> None:
    workflow, relay = Workflow("w"), Identity()
    workflow.chain(Single(), relay, Sink())
    with pytest.raises(ConfigError, match="is one output"):
        run(workflow, collect=relay.out)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ConfigError, match="not an output"):
        run(workflow, collect=["out"])  # type: ignore[list-item]  # on purpose
    with pytest.raises(WorkflowError, match="not part of the workflow"):
        run(workflow, collect=[Odd().out])
    with pytest.raises(KeyError, match="not collected"):
        run(workflow)[relay.out]


# Sources.


def test_a_source_that_waits_lets_others_go_on() -> None:
    class Slow(Source):
        out = Output(int)

        first: int = 0
        wait: float = 1.0

        def produce(self, split: object) -> Production:
            for number in range(3):
                yield self.out(self.first + number)
                yield Wait(self.wait)

    workflow, relay, clock = Workflow("w"), Identity(), ManualClock()
    for name, first, wait in (("a", 0, 10.0), ("b", 100, 4.0)):
        source = workflow.add(Slow(first=first, wait=wait), name=name)
        workflow.connect(source.out, relay.x)
    result = run(workflow, collect=[relay.out], clock=clock)
    assert result[relay.out] == [0, 100, 101, 102, 1, 2]
    assert clock.now() == pytest.approx(30 * SECOND)


def test_no_source_starves() -> None:
    class Busy(Source):
        out = Output(int)

        timed: bool = False

        def produce(self, split: object) -> Production:
            number = 0
            while True:
                number += 1
                if self.timed:
                    yield Watermark(number)
                yield self.out(number)

    for timed in ((True, False), (False, True), (False, False), (True, True)):
        workflow, relay = Workflow("w"), Identity()
        for name, is_timed, target in zip("ab", timed, (Sink().x, relay.x), strict=True):
            source = workflow.add(Busy(timed=is_timed), name=name)
            workflow.connect(source.out, target)
        items = stream(workflow, relay.out)
        assert [next(items) for _ in range(1000)][-1] == 1000
        items.close()


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), "soon"])
def test_a_wait_must_be_a_finite_time(seconds: Any) -> None:
    with pytest.raises(PEError, match="finite number of seconds"):
        run_element(replay([Wait(seconds)]))


def test_a_watermark_must_be_a_whole_number_and_never_goes_back() -> None:
    with pytest.raises(PEError, match="int, nanoseconds"):
        run_element(replay([Watermark(1.5)]))  # type: ignore[arg-type]  # on purpose

    class Hears(ProcessingElement):
        x = Input(int)
        out = Output(int)

        def on_x(self, x: int) -> None:
            return None

        def on_watermark(self, time: int) -> Emissions:
            yield self.out(time)

    items: list[object] = [Watermark(t) for t in (5, 3, 5, np.int64(7))]  # type: ignore[arg-type]  # an integer all the same
    assert run_element(Hears(), {"x": items})["out"] == [5, 7]


# What the user's objects keep, and what is counted.


def test_the_users_objects_are_never_run() -> None:
    class Remembers(ProcessingElement):
        x = Input(int)
        out = Output(int)

        seen: list[int]

        def on_x(self, x: int) -> Emissions:
            self.seen.append(x)
            yield self.out(len(self.seen))

    workflow, part = Workflow("w"), Remembers(seen=[])
    workflow.chain(Single(n=3), part, Sink())
    for _ in range(2):
        assert run(workflow, collect=[part.out])[part.out] == [1, 2, 3]
    assert part.seen == []
    assert set(vars(part)) == {"seen"}


def test_an_element_that_cannot_be_copied_says_what_to_do() -> None:
    class Holds(ProcessingElement):
        x = Input(int)

        lock: Any  # a lock

        def on_x(self, x: int) -> None:
            return None

    with pytest.raises(PEError, match=r"(?s)'holds' cannot be copied.*setup\(\)"):
        run_element(Holds(lock=threading.Lock()), {"x": [1]})


def test_counts_add_up_and_unconnected_outputs_are_named() -> None:
    workflow, odd, everywhere = Workflow("w"), Odd(), Everywhere()
    numbers = workflow.add(Numbers(n=9, parts=3))
    workflow.add(everywhere, instances=2)
    workflow.connect(numbers.out, odd.x)
    workflow.connect(numbers.out, everywhere.x)
    for mapping, workers in (("sequential", 1), (Simulated(), 3)):
        result = run(workflow, mapping=mapping, workers=workers)
        assert result.counts["numbers"].emitted == {"out": 9}
        assert result.counts["odd"].received == result.counts["everywhere"].received == 9
        assert result.counts["odd"].emitted == {"out": 5}
        assert result.unconnected == {"odd.out": 5, "everywhere.out": 2}


def test_a_watcher_hears_how_far_the_run_is() -> None:
    class Watches:
        def __init__(self) -> None:
            self.heard: list[Progress] = []

        def on_progress(self, progress: Progress) -> None:
            self.heard.append(progress)

    class Says(ProcessingElement):
        x = Input(int)

        def on_x(self, x: int) -> None:
            self.progress(x, 4)

    watcher = Watches()
    workflow = Workflow("w")
    workflow.chain(Single(n=4), Says())
    run(workflow, observer=watcher)
    last = watcher.heard[-1]
    assert last.fractions == {"says": (4, 4)}
    assert last.counts["says"].received == 4


def test_files_stay_inside_the_runs_directory(tmp_path: Path) -> None:
    class Writes(ProcessingElement):
        x = Input(int)

        parts: tuple[str, ...] = ("outputs", "a.txt")

        def on_x(self, x: int) -> None:
            self.run_path(*self.parts).write_text("a")

    run_element(Writes(), {"x": [1]}, out=tmp_path)
    assert (tmp_path / "outputs" / "a.txt").read_text() == "a"
    for parts in (("..", "b.txt"), ("/etc", "b.txt"), (".",)):
        with pytest.raises(ConfigError, match="outside the run's directory"):
            run_element(Writes(parts=parts), {"x": [1]}, out=tmp_path / "runs")
    with pytest.raises(ConfigError, match="has no directory"):
        run_element(Writes(), {"x": [1]})


@pytest.mark.parametrize(
    "how",
    [
        {"seed": -1},
        {"seed": "a"},
        {"on_error": "ignore"},
        {"on_error": "retry:0"},
        {"mapping": "sequentail"},
        {"workers": 2},
        {"workers": 0},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(how: dict[str, Any]) -> None:
    workflow = Workflow("w")
    workflow.chain(Single(), Sink())
    with pytest.raises(ConfigError) as caught:
        run(workflow, **how)
    assert caught.value.fix


def test_memory_does_not_grow_with_the_length_of_a_stream() -> None:
    import tracemalloc

    def peak(n: int) -> int:
        workflow = Workflow("w")
        workflow.chain(Single(n=n), Identity(), Sink())
        tracemalloc.start()
        run(workflow)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < peak(200) + 50_000


def numbers_by_thread(make: Callable[[], list[int]]) -> Iterator[list[int]]:
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda: results.append(make())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    yield from results


def test_runs_may_go_on_in_threads() -> None:
    def make() -> list[int]:
        workflow, relay = Workflow("w"), Identity()
        workflow.chain(Single(n=100), relay, Sink())
        return run(workflow, collect=[relay.out])[relay.out]

    assert list(numbers_by_thread(make)) == [list(range(1, 101))] * 2
