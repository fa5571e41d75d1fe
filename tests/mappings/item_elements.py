"""Elements about items of every kind that the tests of the mappings share."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowquake import Emissions, Input, Output, ProcessingElement, Production, Source
from flowquake.ports import Key
from tests.mappings.timed_elements import frozen

log = logging.getLogger(__name__)

MB = 2**20
Array = npt.NDArray[np.float64]


class Changing(Source):
    """One dictionary, with a list and an array in it, changed and emitted again and again.

    Parameters
    ----------
    size : int
        Of the array.
    """

    out = Output(dict)

    n: int = 8
    size: int = 3

    def produce(self, split: Key) -> Production:
        held: dict[str, Any] = {"seen": [], "array": np.zeros(self.size)}
        for number in range(self.n):
            held["number"] = number
            held["seen"].append(number)
            held["array"][:] = number
            yield self.out(held)


class Spoils(ProcessingElement):
    """Changes what it got."""

    x = Input(dict)
    out = Output(dict)

    def on_x(self, x: dict[str, Any]) -> Emissions:
        x["number"] += 100
        x["seen"].clear()
        yield self.out(x)


class Keeps(ProcessingElement):
    """Keeps what it got, and looks at it at the end."""

    x = Input(dict)
    out = Output(tuple)

    def setup(self) -> None:
        self._kept: list[dict[str, Any]] = []

    def on_x(self, x: dict[str, Any]) -> None:
        self._kept.append(x)

    def finish(self) -> Emissions:
        for kept in self._kept:
            yield self.out(("kept", frozen(kept)))


@dataclass(frozen=True)
class Block:
    number: int
    data: Array


class Refills(Source):
    """Records that look into one buffer, which is filled anew each time."""

    out = Output(Block)

    n: int = 6
    size: int = 10

    def produce(self, split: Key) -> Production:
        buffer = np.zeros(self.size)
        for number in range(self.n):
            buffer[:] = number
            yield self.out(Block(number, buffer))


class Range(ProcessingElement):
    x = Input(Block)
    out = Output(tuple)

    def on_x(self, x: Block) -> Emissions:
        yield self.out((x.number, float(x.data.min()), float(x.data.max()), x.data.size))


class RefillsBare(Source):
    """The same buffer as it is."""

    out = Output(np.ndarray)

    size: int = 10

    def produce(self, split: Key) -> Production:
        buffer = np.zeros(self.size)
        for number in range(3):
            buffer[:] = number
            yield self.out(buffer)


class Nested(Source):
    """Arrays in tuples, dictionaries and lists; small ones, and such as travel apart."""

    out = Output[Any](object)  # items of every type

    n: int = 3
    sizes: tuple[int, ...] = (0, 3, 700, 5000, 20_000)

    def produce(self, split: Key) -> Production:
        for number in range(self.n):
            for size in self.sizes:
                array = np.arange(size) * 1.5 + number
                yield self.out((number, array))
                yield self.out({"twice": array * 2, "deep": [array[::2], ("text", array[:1])]})
                yield self.out([array.astype(np.int16), array.reshape(1, -1), bytearray(b"xy")])


class Freeze(ProcessingElement):
    """What an item is made of, as something that can be compared."""

    x = Input[Any](object)  # items of every type
    out = Output(tuple)

    def on_x(self, x: object) -> Emissions:
        yield self.out((type(x).__name__, frozen(x)))


class Heavy(Source):
    """Two items of so many megabytes: bytes, and an array."""

    out = Output[Any](object)  # items of every type

    megabytes: int = 100

    def produce(self, split: Key) -> Production:
        pattern = np.arange(self.megabytes * MB // 8)
        yield self.out(pattern.tobytes())
        yield self.out(pattern)


class Checksum(ProcessingElement):
    x = Input[Any](object)  # items of every type
    out = Output(tuple)

    def on_x(self, x: Any) -> Emissions:
        yield self.out((type(x).__name__, len(x), zlib.crc32(x)))


class Hoard(ProcessingElement):
    """Keeps every array until the end."""

    x = Input(np.ndarray)
    out = Output(tuple)

    def setup(self) -> None:
        self._kept: list[npt.NDArray[Any]] = []

    def on_x(self, x: npt.NDArray[Any]) -> None:
        self._kept.append(x)

    def finish(self) -> Emissions:
        frozen_ones = sum(not array.flags.writeable for array in self._kept)
        values = tuple(sorted(int(array[0]) for array in self._kept))
        alike = all((array == array[0]).all() for array in self._kept)
        yield self.out((len(self._kept), frozen_ones, values, alike))


class Halves(ProcessingElement):
    """Even and odd numbers apart; with counters, and some set aside."""

    x = Input(int)
    even = Output(int)
    odd = Output(int)

    def on_x(self, x: int) -> Emissions:
        self.count("seen")
        self.count("amount", x)
        if x % 5 == 0:
            self.reject({"x": x}, "a multiple of five")
        elif x % 2:
            yield self.odd(x)
        else:
            yield self.even(x)


class Fragile(ProcessingElement):
    """Raises on some numbers, before or after it has given them."""

    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        if x % 4 == 0:
            raise ValueError(f"{x} is too even")
        yield self.out(x)
        if x % 7 == 0:
            raise KeyError(x)


class FragileBlocks(ProcessingElement):
    """Raises on one array, while many others are on their way."""

    block = Input(np.ndarray)
    out = Output(np.ndarray)

    at: int = 3

    def on_block(self, block: npt.NDArray[Any]) -> Emissions:
        if block[0] == self.at:
            raise ValueError("this block is too much")
        yield self.out(block)


def no_nines(x: int) -> Key:
    if x % 9 == 0:
        raise ValueError("a nine has no key")
    return x % 3


class FragileKeys(ProcessingElement):
    """Some items have no key, and some fail."""

    x = Input(int, by=no_nines)
    out = Output(tuple)

    every: int = 5

    def on_x(self, x: int) -> Emissions:
        if x % self.every == 0:
            raise ValueError("too round")
        yield self.out((self.key, x))


class SecondTry(ProcessingElement):
    """Raises when it sees an odd number for the first time."""

    x = Input(int)
    out = Output(int)

    def setup(self) -> None:
        self._tried: set[int] = set()

    def on_x(self, x: int) -> Emissions:
        if x % 2 and x not in self._tried:
            self._tried.add(x)
            raise OSError("not yet")
        yield self.out(x)


class Logs(ProcessingElement):
    """Says what it got."""

    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        log.warning("a number came", extra={"number": x})
        yield self.out(x)


class Words(Source):
    """Texts, as bytes and as text, of any length."""

    out = Output[Any](object)  # items of every type

    parts: int = 2

    def splits(self) -> Sequence[Key]:
        return tuple(range(self.parts))

    def produce(self, split: Key) -> Production:
        assert isinstance(split, int)
        for length in range(split, 40_000, 4001):
            yield self.out("ä" * length)
            yield self.out(b"\x00" * length)
            yield self.out(None)
