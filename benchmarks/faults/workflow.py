"""A workflow that breaks where and how it is told to: what `benchmarks.faults` runs."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    State,
    Wait,
    Watermark,
    Workflow,
)
from flowquake.engine.channels import CHANNEL_BYTES
from flowquake.errors import InputError
from flowquake.pes.files import WriteJsonLines
from flowquake.ports import Key

Item = dict[str, Any]  # JSON values, and now and then what is none
FILE_BYTES = 16_384


def fail(kind: str, mark: Path) -> None:
    """Break: write down when, then do what the kind says."""
    mark.write_text(repr(time.monotonic()))
    if kind == "raises":
        raise ValueError("broken on purpose")
    if kind == "input":
        raise InputError("the data is broken on purpose", fix="give better data")
    if kind == "memory":
        raise MemoryError("memory is short on purpose")
    if kind == "recursion":
        fail_deep()
    if kind == "sigkill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "sigsegv":
        ctypes.string_at(0)
    if kind == "exit":
        os._exit(3)
    if kind == "sleeps":
        time.sleep(3600)
    if kind == "holds":
        ctypes.PyDLL(None).sleep(3600)  # PyDLL keeps the GIL, as much C code does


def fail_deep() -> NoReturn:
    """Recurse until Python has had enough."""
    fail_deep()


class Unreadable:
    """What can be pickled, and not be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def _refuse() -> NoReturn:
    raise ValueError("it cannot be read on purpose")


def _generator() -> Iterator[int]:
    yield 1


def odd_one(kind: str) -> object:
    """Make what cannot be brought to another process, or hardly."""
    if kind == "lambda":
        return lambda: None
    if kind == "file":
        return open(os.devnull)
    if kind == "generator":
        return _generator()
    if kind == "huge":
        return np.zeros(4 * CHANNEL_BYTES, np.uint8)
    return Unreadable()


ODD = ("lambda", "file", "generator", "unreadable", "huge")


class Fault:
    """Whether this is the moment to break.

    Parameters
    ----------
    kind : str
        How; empty for never.
    phase : str
        Where: "handler", "setup", "finish", "watermark", "teardown", "splits".
    at : int
        The number of the item, with "handler" and "watermark".
    mark : Path
        Where the time of it is written.
    """

    def __init__(self, kind: str, phase: str, at: int, mark: Path) -> None:
        self.kind = kind
        self.phase = phase
        self.at = at
        self.mark = mark

    def strike(self, phase: str, number: int | None = None) -> None:
        """Break, if it is time to."""
        if self.kind and self.kind not in ODD and phase == self.phase and self._is_due(number):
            fail(self.kind, self.mark)

    def _is_due(self, number: int | None) -> bool:
        return number is None or number >= self.at

    def spoil(self, item: Item) -> Item:
        """Put something in an item that does not belong there, if it is time to."""
        if self.kind in ODD and item["number"] == self.at:
            self.mark.write_text(repr(time.monotonic()))
            return {**item, "odd": odd_one(self.kind)}
        return item


NEVER = Fault("", "", 0, Path())


class Feed(Source):
    """Numbered items with a time, and a watermark after every tenth."""

    items = Output(object)

    upto: int = 1000
    parts: int = 1
    wait: float = 0.0
    padding: int = 0
    started: Path = Path()
    fault: object = NEVER

    def splits(self) -> Sequence[Key]:
        """Give the parts."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("splits")
        return tuple(range(self.parts))

    def setup(self) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("setup")

    def produce(self, split: Key) -> Production:
        """Yield items."""
        assert isinstance(split, int)
        assert isinstance(self.fault, Fault)
        for number in range(1 + split, self.upto + 1, self.parts):
            self.fault.strike("handler", number)
            item = {"time": number, "id": str(number), "number": number, "pad": "x" * self.padding}
            yield self.items(self.fault.spoil(item))
            if number % 10 == 1 + split:
                yield Watermark(number)
            if self.wait:
                yield Wait(self.wait)
            if number == 20:
                self.started.touch()
        yield Watermark(self.upto + 1)

    def teardown(self) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("teardown")


class PlainStep(ProcessingElement):
    """Hand items on; any number of instances may share the work."""

    item = Input(object)
    done = Output(object)

    fault: object = NEVER

    def setup(self) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("setup")

    def on_item(self, item: object) -> Emissions:
        """Break, or hand it on."""
        assert isinstance(self.fault, Fault)
        assert isinstance(item, dict)
        self.fault.strike("handler", item["number"])
        if isinstance(item.get("odd"), np.ndarray):
            item = {**item, "odd": item["odd"].nbytes}
        yield self.done(self.fault.spoil(item))

    def teardown(self) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("teardown")


class Step(PlainStep):
    """Hand items on, and look at watermarks and the end."""

    def on_watermark(self, time: int) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("watermark", time)

    def finish(self) -> None:
        """Break, perhaps."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("finish")


def digit(item: object) -> Key:
    """Give the key of an item."""
    assert isinstance(item, dict)
    return f"key {item['number'] % 5}"


@dataclass
class Seen:
    """How many items a key had."""

    items: int = 0
    version: int = 1


class KeyedStep(Step):
    """Hand items on, by their last digit."""

    item = Input(object, by=digit, order="any")
    state = State(Seen)

    def on_item(self, item: object) -> Emissions:
        """Count, then hand it on."""
        self.state.items += 1
        yield from super().on_item(item)


class Write(WriteJsonLines):
    """Write items to a file; break, perhaps.

    With `limit` this process may write no file that is longer, as on a disk
    that is full.
    """

    path: str = "items.jsonl"
    limit: bool = False
    fault: object = NEVER

    def setup(self) -> None:
        """Open the file."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("setup")
        super().setup()
        if self.limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, resource.RLIM_INFINITY))

    def on_items(self, item: object) -> None:
        """Take an item."""
        assert isinstance(self.fault, Fault)
        assert isinstance(item, dict)
        self.fault.strike("handler", item["number"])
        super().on_items(item)

    def on_watermark(self, time: int) -> None:
        """Write what is final."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("watermark", time)
        super().on_watermark(time)

    def finish(self) -> None:
        """Write the rest."""
        assert isinstance(self.fault, Fault)
        self.fault.strike("finish")
        super().finish()

    def teardown(self) -> None:
        """Close the file."""
        super().teardown()
        assert isinstance(self.fault, Fault)
        self.fault.strike("teardown")


def build(
    *,
    graph: str = "chain",
    pe: str = "step",
    kind: str = "",
    phase: str = "handler",
    at: int = 0,
    upto: int = 1000,
    wait: float = 0.0,
    padding: int = 0,
    limit: bool = False,
    instances: int = 1,
    parts: int = 1,
    scratch: Path = Path(),
) -> Workflow:
    """Break where and how it is told to.

    Parameters
    ----------
    graph : str
        "chain", "fan" or "keyed".
    pe : str
        The element that breaks: "feed", "step" or "write".
    kind, phase, at
        How, when, and at which item.
    upto, wait, padding : int, float, int
        How many items, seconds between them, and characters in each.
    limit : bool
        Whether the file cannot grow for long.
    instances, parts : int
        How many steps share the items; how many splits there are.
    scratch : Path
        A folder for marks.
    """
    fault = Fault(kind, phase, at, scratch / "struck")

    def of(name: str) -> Fault:
        return fault if name == pe else NEVER

    workflow = Workflow("breaks")
    started = scratch / "started"
    feed = workflow.add(
        Feed(upto=upto, parts=parts, wait=wait, padding=padding, started=started, fault=of("feed")),
        name="feed",
    )
    write = workflow.add(Write(limit=limit, fault=of("write")), name="write")
    if graph == "keyed":
        made: type[PlainStep] = KeyedStep
    elif phase in ("watermark", "finish"):
        made, instances = Step, 1
    else:
        made = PlainStep
    step = made(fault=of("step"))
    workflow.add(step, name="step", instances=instances)
    workflow.connect(feed.items, step.item)
    workflow.connect(step.done, write.items)
    if graph == "fan":
        other = workflow.add(PlainStep(), name="other")
        workflow.connect(feed.items, other.item)
        workflow.connect(other.done, write.items)
    return workflow
