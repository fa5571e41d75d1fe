"""Elements that the tests of engine and mappings share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    State,
)
from flowquake.ports import Key


class Numbers(Source):
    """1, 2, 3, ... over one or several splits."""

    out = Output(int)

    n: int = 10
    parts: int = 1

    def splits(self) -> Sequence[Key]:
        return tuple(range(self.parts))

    def produce(self, split: Key) -> Production:
        assert isinstance(split, int)
        for number in range(1 + split, self.n + 1, self.parts):
            yield self.out(number)


class Single(Source):
    """1, 2, 3, ... from one split."""

    out = Output(int)

    n: int = 10

    def produce(self, split: Key) -> Production:
        for number in range(1, self.n + 1):
            yield self.out(number)


class Identity(ProcessingElement):
    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


class Repeat(ProcessingElement):
    """Each number so many times."""

    x = Input(int)
    out = Output(int)

    times: int = 2

    def on_x(self, x: int) -> Emissions:
        for _ in range(self.times):
            yield self.out(x)


class Odd(ProcessingElement):
    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        if x % 2:
            yield self.out(x)


class Sink(ProcessingElement):
    x = Input(int)

    def on_x(self, x: int) -> None:
        return None


def parity(x: int) -> Key:
    return x % 3


@dataclass
class Total:
    seen: int = 0
    amount: int = 0
    version: int = 1


class CountByKey(ProcessingElement):
    """How often each key came, one emission per item, and a sum at the end."""

    x = Input(int, by=parity, order="any")
    out = Output(tuple)
    state = State(Total)

    def on_x(self, x: int) -> Emissions:
        self.state.seen += 1
        self.state.amount += x
        yield self.out((self.key, self.state.seen))

    def finish(self) -> Emissions:
        yield self.out((self.key, "sum", self.state.amount))


class Gather(ProcessingElement):
    """Sum, count, least and largest of all numbers, given once."""

    x = Input(int, to="one", order="any")
    out = Output(tuple)
    state = State(Total)

    def on_x(self, x: int) -> None:
        self.state.seen += 1
        self.state.amount += x

    def finish(self) -> Emissions:
        yield self.out((self.state.seen, self.state.amount))


class Everywhere(ProcessingElement):
    """Each instance counts all numbers."""

    x = Input(int, to="all", order="any")
    out = Output(int)
    state = State(Total)

    def on_x(self, x: int) -> None:
        self.state.seen += 1

    def finish(self) -> Emissions:
        yield self.out(self.state.seen)


class Weigh(ProcessingElement):
    """Numbers of one key, times the sum of the weights that everybody gets."""

    x = Input(int, by=parity, order="any")
    weight = Input(int, to="all", order="any")
    out = Output(tuple)
    state = State(Total)

    def setup(self) -> None:
        self._weight = 0

    def on_x(self, x: int) -> None:
        self.state.amount += x

    def on_weight(self, weight: int) -> None:
        self._weight += weight

    def finish(self) -> Emissions:
        yield self.out((self.key, self.state.amount * self._weight))


class Pairs(ProcessingElement):
    """Two inputs of one element."""

    a = Input(int)
    b = Input(int)
    out = Output(tuple)

    def on_a(self, item: int) -> Emissions:
        yield self.out(("a", item))

    def on_b(self, item: int) -> Emissions:
        yield self.out(("b", item))


class Noise(ProcessingElement):
    """A random number for each item."""

    x = Input(int)
    out = Output(tuple)

    def on_x(self, x: int) -> Emissions:
        yield self.out((x, float(self.rng(x).normal())))


class KeyNoise(ProcessingElement):
    """A random number for each key."""

    x = Input(int, by=parity)
    out = Output(tuple)

    def on_x(self, x: int) -> Emissions:
        yield self.out((self.key, float(self.rng().normal())))


class Blocks(Source):
    """Arrays."""

    out = Output(np.ndarray)

    n: int = 6
    size: int = 1000

    def produce(self, split: Key) -> Production:
        for number in range(self.n):
            yield self.out(np.full(self.size, number))


class SumBlock(ProcessingElement):
    block = Input(np.ndarray)
    out = Output(int)

    def on_block(self, block: np.ndarray[Any, Any]) -> Emissions:
        yield self.out(int(block.sum()))
