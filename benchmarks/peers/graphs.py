"""The graphs that are measured, in flowquake's words."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.probe import note, peak_mb
from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    State,
    Workflow,
)

WORDS = [f"w{number:03d}" for number in range(1000)]
STRIDE = 7919  # coprime to 1000: the words come in no order
SLOW_S = 0.01


@dataclass
class Tally:
    """How many."""

    version: int = 1
    items: int = 0


class Numbers(Source):
    """0, 1, 2, ..."""

    number = Output(int)

    items: int = 0

    def produce(self, split: object) -> Production:
        """Yield small whole numbers."""
        for number in range(self.items):
            yield self.number(number)


class SameNumber(ProcessingElement):
    """Hands on what it takes."""

    number = Input(int)
    same = Output(int)

    def on_number(self, number: int) -> Emissions:
        """Hand on a number."""
        yield self.same(number)


class CountNumbers(ProcessingElement):
    """Counts what comes."""

    number = Input(int, order="any")
    state = State(Tally)

    def setup(self) -> None:
        """Begin at none."""
        self._items: int = 0

    def on_number(self, number: int) -> None:
        """Count a number."""
        self.state.items += 1

    def finish(self) -> None:
        """Keep the count for the harness."""
        self._items = self.state.items

    def teardown(self) -> None:
        """Tell the harness."""
        note(element=self.name, items=self._items, peak_mb=peak_mb())


class Arrays(Source):
    """Arrays of float64, the first value of each its number.

    Parameters
    ----------
    nbytes : int
        Of each.
    """

    array = Output(np.ndarray)

    items: int = 0
    nbytes: int = 1_000_000

    def produce(self, split: object) -> Production:
        """Yield a new array each time."""
        values = np.arange(self.nbytes // 8, dtype=np.float64)
        for number in range(self.items):
            values[0] = number
            yield self.array(values.copy())

    def teardown(self) -> None:
        """Tell the harness."""
        note(element=self.name, peak_mb=peak_mb())


class SameArray(ProcessingElement):
    """Hands on what it takes."""

    array = Input(np.ndarray)
    same = Output(np.ndarray)

    def on_array(self, array: np.ndarray) -> Emissions:
        """Hand on an array."""
        yield self.same(array)


class CopyArray(ProcessingElement):
    """Hands on a copy of what it takes."""

    array = Input(np.ndarray)
    same = Output(np.ndarray)

    def on_array(self, array: np.ndarray) -> Emissions:
        """Copy an array."""
        yield self.same(array.copy())


class CountArrays(ProcessingElement):
    """Counts arrays and adds their first values.

    Parameters
    ----------
    slow_s : float
        How long each takes, seconds.
    """

    array = Input(np.ndarray, order="any")
    state = State(Tally)

    slow_s: float = 0.0

    def setup(self) -> None:
        """Begin at none."""
        self._items: int = 0
        self._first: float = 0.0

    def on_array(self, array: np.ndarray) -> None:
        """Count an array."""
        self.state.items += 1
        self._first += float(array[0])
        if self.slow_s:
            time.sleep(self.slow_s)

    def finish(self) -> None:
        """Keep the count for the harness."""
        self._items = self.state.items

    def teardown(self) -> None:
        """Tell the harness."""
        note(element=self.name, items=self._items, total=self._first, peak_mb=peak_mb())


class Words(Source):
    """A thousand words over and over, each with a one."""

    pair = Output(tuple)

    items: int = 0

    def produce(self, split: object) -> Production:
        """Yield (word, 1)."""
        for number in range(self.items):
            yield self.pair((WORDS[number * STRIDE % 1000], 1))


class SamePair(ProcessingElement):
    """Hands on what it takes."""

    pair = Input(tuple)
    same = Output(tuple)

    def on_pair(self, pair: tuple[str, int]) -> Emissions:
        """Hand on a word with its one."""
        yield self.same(pair)


def word_of(pair: tuple[str, int]) -> str:
    """Give the word to group by."""
    return pair[0]


class CountWords(ProcessingElement):
    """Adds the ones of each word."""

    pair = Input(tuple, by=word_of, order="any")
    state = State(Tally)

    def setup(self) -> None:
        """Begin at none."""
        self._items: int = 0
        self._words: int = 0

    def on_pair(self, pair: tuple[str, int]) -> None:
        """Add the number of one pair."""
        self.state.items += pair[1]

    def finish(self) -> None:
        """Keep a word's count for the harness."""
        self._items += self.state.items
        self._words += 1

    def teardown(self) -> None:
        """Tell the harness."""
        note(element=self.name, items=self._items, words=self._words, peak_mb=peak_mb())


def ints(items: int) -> Workflow:
    """Build producer → identity → identity → sink of small ints."""
    workflow = Workflow("ints")
    first, second = SameNumber(), SameNumber()
    workflow.add(first, name="first")
    workflow.add(second, name="second")
    workflow.chain(Numbers(items=items), first, second, CountNumbers())
    return workflow


def arrays(items: int, middle: type[SameArray] | type[CopyArray] = SameArray) -> Workflow:
    """Build the same of arrays of 1 MB."""
    workflow = Workflow("arrays")
    first, second = middle(), middle()
    workflow.add(first, name="first")
    workflow.add(second, name="second")
    workflow.chain(Arrays(items=items), first, second, CountArrays())
    return workflow


def copies(items: int) -> Workflow:
    """Build the same, where each element hands on a copy of its own."""
    return arrays(items, CopyArray)


def words(items: int) -> Workflow:
    """Build 1 producer → 2 mappers → 2 counters, grouped by word."""
    workflow = Workflow("words")
    mapper, counter = SamePair(), CountWords()
    workflow.add(mapper, instances=2)
    workflow.add(counter, instances=2)
    workflow.chain(Words(items=items), mapper, counter)
    return workflow


def one(items: int) -> Workflow:
    """Build producer → sink of small ints."""
    workflow = Workflow("one")
    workflow.chain(Numbers(items=items), CountNumbers())
    return workflow


def slow(items: int) -> Workflow:
    """Build a fast producer of arrays of 1 MB → a slow consumer."""
    workflow = Workflow("slow")
    workflow.chain(Arrays(items=items), CountArrays(slow_s=SLOW_S))
    return workflow


GRAPHS = {
    "ints": ints,
    "arrays": arrays,
    "copies": copies,
    "words": words,
    "one": one,
    "slow": slow,
}
