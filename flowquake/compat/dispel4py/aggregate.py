"""dispel4py's aggregations: sums, counts, extremes, averages and standard deviations.

Each gives one result, when its input has ended. The ``parallel_`` functions
make composites of a first step that may have many instances and a second that
puts their results together; these are equal for any number of instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowquake.compat.dispel4py.core import GROUPING, GenericPE
from flowquake.compat.dispel4py.exact import ExactSum, Moments
from flowquake.compat.dispel4py.grouping import GLOBAL
from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph

# Items are lists of anything that can be added or compared: hence Any.


class AggregatePE(GenericPE):
    """The base of aggregations of some places of each item.

    Parameters
    ----------
    indexes : sequence of int, default (0,)
        The places.
    """

    INPUT_NAME = "input"
    OUTPUT_NAME = "output"

    def __init__(self, indexes: Sequence[int] | None = None) -> None:
        super().__init__()
        self._add_input(self.INPUT_NAME)
        self._add_output(self.OUTPUT_NAME)
        self.indexes = [0] if indexes is None else list(indexes)
        self.value: list[Any] = [0 for _ in self.indexes]

    def _postprocess(self) -> None:
        self.write(self.OUTPUT_NAME, self.value)


class ContinuousReducePE(AggregatePE):
    """The base of aggregations that give their value after each item.

    A subclass defines ``_process``, which takes an item and moves
    ``self.value`` on.
    """

    def process(self, inputs: dict[str, Any]) -> None:
        """Take an item, and give the value so far."""
        self._process(inputs[self.INPUT_NAME])
        self.write(self.OUTPUT_NAME, self.value)

    def _postprocess(self) -> None:
        return None


class CountPE(AggregatePE):
    """Count the items."""

    def __init__(self) -> None:
        super().__init__([0])

    def process(self, inputs: dict[str, Any]) -> None:
        """Count an item."""
        self.value = [self.value[0] + 1]


class SumPE(AggregatePE):
    """Sum some places of all items; 0 of none."""

    def __init__(self, indexes: Sequence[int] | None = None) -> None:
        super().__init__(indexes)
        self.sums = [ExactSum() for _ in self.indexes]

    def process(self, inputs: dict[str, Any]) -> None:
        """Add an item."""
        item = inputs[self.INPUT_NAME]
        for total, index in zip(self.sums, self.indexes, strict=True):
            total.add(item[index])

    def _postprocess(self) -> None:
        self.value = [total.total() for total in self.sums]
        super()._postprocess()


class ExtremePE(AggregatePE):
    """The base of least and largest; None of no items."""

    def __init__(self, indexes: Sequence[int] | None = None) -> None:
        super().__init__(indexes)
        self.value = [None for _ in self.indexes]

    def process(self, inputs: dict[str, Any]) -> None:
        """Compare an item with the value so far."""
        item = inputs[self.INPUT_NAME]
        for place, index in enumerate(self.indexes):
            given, before = item[index], self.value[place]
            if given is not None:
                self.value[place] = given if before is None else self._choose(before, given)

    def _choose(self, a: Any, b: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _choose(a, b)")


class MaxPE(ExtremePE):
    """The largest of some places of all items; None of none."""

    def _choose(self, a: Any, b: Any) -> Any:
        return max(a, b)


class MinPE(ExtremePE):
    """The least of some places of all items; None of none."""

    def _choose(self, a: Any, b: Any) -> Any:
        return min(a, b)


class MomentsPE(GenericPE):
    """The base of averages and standard deviations of one place of each item.

    Parameters
    ----------
    index : int, default 0
        The place.
    """

    INPUT_NAME = "input"
    OUTPUT_NAME = "output"

    def __init__(self, index: int = 0) -> None:
        super().__init__()
        self._add_input(self.INPUT_NAME)
        self._add_output(self.OUTPUT_NAME)
        self.index = index
        self.moments = Moments()

    def process(self, inputs: dict[str, Any]) -> None:
        """Add an item."""
        self.moments.add(inputs[self.INPUT_NAME][self.index])


class _Averaging(MomentsPE):
    def _postprocess(self) -> None:
        moments = self.moments
        given = [moments.mean(), moments.count, moments.total.total()]
        self.write(self.OUTPUT_NAME, given)


class _Deviating(MomentsPE):
    def _postprocess(self) -> None:
        moments = self.moments
        totals = (moments.total.total(), moments.squares.total())
        self.write(self.OUTPUT_NAME, (moments.deviation(), moments.count, *totals))


class AverageParallelPE(_Averaging):
    """The average of all items: ``[average, count, sum]``; None and zeros of none."""


class StdDevPE(_Deviating):
    """The standard deviation of the population: ``(deviation, count, sum, sum of squares)``."""


class _Merging(MomentsPE):
    def __init__(self) -> None:
        super().__init__()
        self.inputconnections[self.INPUT_NAME][GROUPING] = GLOBAL

    def process(self, inputs: dict[str, Any]) -> None:
        """Add the moments of an instance: its own, or count, sum and sum of squares."""
        given = inputs[self.INPUT_NAME]
        moments = given if isinstance(given, Moments) else _moments_of(*given[1:])
        self.moments.merge(moments)


class AverageReducePE(_Merging, _Averaging):
    """The average of all that `AverageParallelPE`s have seen."""


class StdDevReducePE(_Merging, _Deviating):
    """The standard deviation of all that `StdDevPE`s have seen."""


class PartialMomentsPE(MomentsPE):
    """The exact moments of what one instance has seen."""

    replicates = True

    def _postprocess(self) -> None:
        self.write(self.OUTPUT_NAME, self.moments)


class PartialSumPE(SumPE):
    """The exact sums of what one instance has seen."""

    replicates = True

    def _postprocess(self) -> None:
        self.write(self.OUTPUT_NAME, self.sums)


def parallel_aggregate(inst_pe: Any, reduce_pe: Any) -> WorkflowGraph:
    """Make a composite of a step with many instances and one that merges their results."""
    inst_pe.replicates = True
    reduce_pe.inputconnections[AggregatePE.INPUT_NAME][GROUPING] = GLOBAL
    reduce_pe.numprocesses = 1
    composite = WorkflowGraph()
    composite.name = reduce_pe.name
    composite.connect(inst_pe, AggregatePE.OUTPUT_NAME, reduce_pe, AggregatePE.INPUT_NAME)
    composite.inputmappings = {"input": (inst_pe, AggregatePE.INPUT_NAME)}
    composite.outputmappings = {"output": (reduce_pe, AggregatePE.OUTPUT_NAME)}
    return composite


def parallel_count() -> WorkflowGraph:
    """Count all items: ``[count]``."""
    merge = SumPE()
    merge.name = "CountReduce"
    return parallel_aggregate(CountPE(), merge)


def parallel_sum(indexes: Sequence[int] | None = None) -> WorkflowGraph:
    """Sum some places of all items."""
    return parallel_aggregate(PartialSumPE(indexes), SumPE(_places(indexes)))


def parallel_min(indexes: Sequence[int] | None = None) -> WorkflowGraph:
    """Find the least of some places of all items."""
    return parallel_aggregate(MinPE(indexes), MinPE(_places(indexes)))


def parallel_max(indexes: Sequence[int] | None = None) -> WorkflowGraph:
    """Find the largest of some places of all items."""
    return parallel_aggregate(MaxPE(indexes), MaxPE(_places(indexes)))


def parallel_avg(index: int = 0) -> WorkflowGraph:
    """Average one place of all items: ``[average, count, sum]``."""
    return parallel_aggregate(PartialMomentsPE(index), AverageReducePE())


def parallel_std_dev(index: int = 0) -> WorkflowGraph:
    """Give the population's standard deviation: ``(deviation, count, sum, sum of squares)``."""
    return parallel_aggregate(PartialMomentsPE(index), StdDevReducePE())


def _places(indexes: Sequence[int] | None) -> range:
    return range(1 if indexes is None else len(indexes))


def _moments_of(count: int, total: Any = 0, squares: Any = 0) -> Moments:
    moments = Moments()
    moments.count = count
    moments.total.add(total)
    moments.squares.add(squares)
    return moments
