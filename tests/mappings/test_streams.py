"""Streams over processes: results as they come, and nothing left behind."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowquake import (
    Emissions,
    Input,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    TransportError,
    Wait,
    Workflow,
    run,
    stream,
)
from flowquake.mappings.multi import Multi
from flowquake.ports import Key
from flowquake.testing import replay
from tests.mappings.elements import Identity, Numbers
from tests.mappings.item_elements import MB, Fragile
from tests.mappings.mpi_session import descendants
from tests.mappings.ways import MULTI, Way


@pytest.fixture
def _nothing_is_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any) -> Iterator[None]:
    """Look for child processes, for files in shared memory and for temporary folders."""
    folder, before = tmp_path_factory.mktemp("temporary"), set(descendants(os.getpid()))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert set(descendants(os.getpid())) - before == set()
    assert list(Path("/dev/shm").glob("*flowquake*")) == []
    assert list(folder.iterdir()) == []


pytestmark = pytest.mark.usefixtures("_nothing_is_left")


class Written(Source):
    """Arrays of a megabyte; each leaves a mark in a file."""

    out = Output(np.ndarray)

    marks: str
    n: int = 400

    def produce(self, split: Key) -> Production:
        with open(self.marks, "ab", buffering=0) as file:
            for number in range(self.n):
                file.write(b".")
                yield self.out(np.full(MB // 8, number))


class Same(ProcessingElement):
    x = Input(np.ndarray)
    out = Output(np.ndarray)

    def on_x(self, x: Any) -> Emissions:  # an array
        yield self.out(x)


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "apart"])
def test_who_does_not_take_items_holds_the_source_back(tmp_path: Path, fuse: bool) -> None:
    marks, same = tmp_path / "marks", Same()
    workflow = Workflow("held back")
    workflow.chain(Written(marks=str(marks)), same)
    items = stream(workflow, same.out, mapping=Multi(channel_bytes=4 * MB), workers=2, fuse=fuse)
    taken = {int(next(items)[0]) for _ in range(3)}
    last = -1
    while last != (last := marks.stat().st_size):
        time.sleep(0.3)
    items.close()
    assert len(taken) == 3
    assert 3 <= last <= 40


@pytest.mark.parametrize(
    "way", [way for way in MULTI if way.workers in (1, 3)], ids=lambda w: w.text
)
@pytest.mark.parametrize("taken", [0, 1, 500])
def test_leaving_a_stream_early_ends_the_workers(way: Way, taken: int) -> None:
    workflow, last = Workflow("left early"), Identity()
    workflow.chain(Numbers(n=100_000, parts=2), last)
    items = stream(workflow, last.out, mapping=way.mapping, workers=way.workers, fuse=way.fuse)
    for _ in range(taken):
        next(items)
    items.close()


@pytest.mark.parametrize("way", [way for way in MULTI if way.workers == 2], ids=lambda w: w.text)
def test_a_stream_gives_everything_that_a_run_collects(way: Way) -> None:
    workflow, last = Workflow("all of it"), Identity()
    workflow.chain(Numbers(n=30_000, parts=2), last)
    items = stream(workflow, last.out, mapping=way.mapping, workers=way.workers, fuse=way.fuse)
    assert sorted(items) == list(range(1, 30_001))


def test_a_failure_ends_a_stream_with_its_error() -> None:
    workflow, last = Workflow("failing"), Fragile()
    workflow.chain(Numbers(n=3000), last)
    items = stream(workflow, last.out, mapping=Multi(), workers=3, fuse=False)
    with pytest.raises(PEError, match="is too even"):
        list(items)


def test_runs_leave_no_file_open() -> None:
    def descriptors() -> int:
        workflow, last = Workflow("again"), Identity()
        workflow.chain(Numbers(n=10, parts=2), last)
        run(workflow, mapping=Multi(), workers=3, fuse=False, collect=[last.out])
        return len(os.listdir("/dev/fd"))

    gc.disable()
    try:
        assert descriptors() == descriptors() == descriptors()
    finally:
        gc.enable()


class Holds(ProcessingElement):
    """Tells its process, and sleeps on the last number."""

    x = Input[Any](object)  # numbers
    out = Output(int)

    def on_x(self, x: Any) -> Emissions:
        if x == 2:
            time.sleep(60)
        yield self.out(os.getpid())


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_killed_worker_ends_a_stream(start: Any) -> None:
    workflow, first, last = Workflow("killed"), Holds(), Identity()
    workflow.add(first, instances=1)
    workflow.add(last, instances=1)
    workflow.chain(replay([1, Wait(0.3), 2]), first, last)
    items = stream(workflow, first.out, mapping=Multi(start=start), workers=3, fuse=False)
    os.kill(next(items), signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(TransportError, match="is lost: it was ended by SIGKILL") as lost:
        list(items)
    assert "it ran holds" in str(lost.value)
    assert time.monotonic() - began < 5


class Early(Source):
    """Ends while most of what it gave is still on its way; says which process it was."""

    out = Output(bytes)

    told: str

    def produce(self, split: Key) -> Production:
        for _ in range(12):
            yield self.out(bytes(MB))
        Path(self.told).write_text(str(os.getpid()), encoding="utf-8")


class Slow(ProcessingElement):
    x = Input(bytes)
    out = Output(int)

    def on_x(self, x: bytes) -> Emissions:
        time.sleep(0.3)
        yield self.out(len(x))


def test_a_worker_that_is_killed_after_its_last_item_is_lost_too(tmp_path: Path) -> None:
    told, slow, workflow = tmp_path / "told", Slow(), Workflow("killed late")
    workflow.add(slow, instances=1)
    workflow.chain(Early(told=str(told)), slow)

    def kill() -> None:
        while not (told.exists() and told.read_text(encoding="utf-8")):
            time.sleep(0.02)
        time.sleep(0.3)
        os.kill(int(told.read_text(encoding="utf-8")), signal.SIGKILL)

    killer = threading.Timer(0.5, kill)  # after the fork, which wants one thread
    mapping = Multi(start="fork")
    items = stream(workflow, slow.out, mapping=mapping, workers=2, fuse=False)
    assert next(items) == MB
    killer.start()
    with pytest.raises(TransportError, match="worker 0 of 2 is lost: it was ended by SIGKILL"):
        list(items)
    killer.join()
