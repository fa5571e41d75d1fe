"""What a plan's items cost, and so how fast it can run.

A model, not a measurement: each element's work and each hop have a price in
seconds of CPU for one item; a worker does one thing at a time, and a machine
no more things than it has cores. What waits for nothing else runs at the pace
of the busiest worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from flowquake.pe import Source

if TYPE_CHECKING:
    from flowquake.plans import Plan
    from flowquake.ports import Input
    from flowquake.workflow import Connection, Workflow

FloatArray = npt.NDArray[np.float64]
Kind = Literal["work", "hops", "signals"]
Bound = Literal["cores", "source", "gather", "channels", "work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HopCosts:
    """What it costs to bring an item to the next element, in seconds.

    Parameters
    ----------
    call_s : float
        A handler's call, wherever the item comes from.
    keyed_s : float
        On top, for a handler written for one key.
    local_s : float
        On top, between units of one worker.
    send_s, receive_s : float
        On top, between workers: for the sender, and for the receiver.
    send_byte_s, receive_byte_s : float
        The same, for each byte.
    tell_s, hear_s : float
        A watermark on one queue: for the sender, and for the receiver.
    queue_s : float
        One queue, once in a run, at each of its ends.
    """

    call_s: float = 0.0
    keyed_s: float = 0.0
    local_s: float = 0.0
    send_s: float = 0.0
    receive_s: float = 0.0
    send_byte_s: float = 0.0
    receive_byte_s: float = 0.0
    tell_s: float = 0.0
    hear_s: float = 0.0
    queue_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCosts:
    """What an element does with an item.

    Parameters
    ----------
    service_s : float
        Its own work for each item that it takes, on any input, or for each
        that a source makes; seconds of CPU.
    selectivity : float or mapping of str to float, default 1.0
        Items out for each item in, of all outputs or by output. A source's
        items are counted before it: one for each source item.
    nbytes : float, default 8
        Size of an item that it gives.
    shares : sequence of float, optional
        Share of the items for each instance; default equal. Few keys are
        never shared out equally.
    watermarks : float, default 0
        Of a source, for each item.
    """

    service_s: float = 0.0
    selectivity: float | Mapping[str, float] = 1.0
    nbytes: float = 8.0
    shares: Sequence[float] = ()
    watermarks: float = 0.0

    def items_out(self, output: str) -> float:
        """Give the items on an output for each item in."""
        given = self.selectivity
        return given.get(output, 0.0) if isinstance(given, Mapping) else given


@dataclass(frozen=True, slots=True)
class CostTable:
    """The costs of hops, and of elements by name; one that is missing costs nothing itself."""

    hops: HopCosts
    elements: Mapping[str, ElementCosts] = field(default_factory=dict)

    def of(self, name: str) -> ElementCosts:
        """Give the costs of an element."""
        return self.elements.get(name, ElementCosts())


@dataclass(frozen=True, slots=True)
class Prediction:
    """How fast a plan can run.

    Attributes
    ----------
    workers : tuple of float
        Load of each worker, seconds of CPU per source item.
    elements : dict of str to float
        Load of all instances of each element and of its hops, the same unit.
    cores : float
        Over which the workers share their loads.
    throughput : float
        Source items per second.
    bottleneck : str
        The element that does most of what sets the pace.
    bound : str
        What that is: ``"cores"`` (all are busy), ``"source"``, ``"gather"``
        (an element with one instance), ``"channels"`` (signals on many
        queues) or ``"work"`` (which more workers would share).
    startup_s : float
        Before the first item, for the queues.
    """

    workers: tuple[float, ...]
    elements: dict[str, float]
    cores: float
    throughput: float
    bottleneck: str
    bound: Bound
    startup_s: float

    @property
    def total(self) -> float:
        """Seconds of CPU per source item on all workers."""
        return sum(self.workers)

    def seconds(self, items: float) -> float:
        """Give how long a run of so many source items takes."""
        return self.startup_s + items / self.throughput


def predict(
    plan: Plan, workflow: Workflow, costs: CostTable, *, cores: float | None = None
) -> Prediction:
    """Predict loads, throughput and bottleneck of a plan.

    A source item is one item of each source. Not in the model: waiting for an
    item to arrive (the pace of many items is meant, not the way of one),
    memory bandwidth, and queues that fill because the load varies.

    Parameters
    ----------
    plan : Plan
        Of this workflow.
    workflow : Workflow
        What is run.
    costs : CostTable
        Prices of work and hops.
    cores : float, optional
        How many workers can run at once; default all.

    Returns
    -------
    Prediction
        Pure data.

    Examples
    --------
    >>> from flowquake import Workflow, element, plan
    >>> from flowquake.testing import replay
    >>> @element
    ... def fit(x: int) -> int:
    ...     return x
    >>> workflow = Workflow("fits")
    >>> workflow.chain(replay([1, 2, 3]), fit())
    >>> costs = CostTable(HopCosts(call_s=1e-6), {"fit": ElementCosts(service_s=1e-3)})
    >>> [round(predict(plan(workflow, n), workflow, costs).throughput) for n in (1, 2, 4)]
    [999, 1998, 3996]
    """
    return _Tally(plan, workflow, costs).prediction(plan.workers if cores is None else cores)


class _Tally:
    """Goes through a plan in topological order and adds up who does what."""

    def __init__(self, plan: Plan, workflow: Workflow, costs: CostTable) -> None:
        self.plan = plan
        self.workflow = workflow
        self.costs = costs
        places: dict[str, list[int]] = {name: [0] * n for name, n in plan.counts.items()}
        for unit in plan.units:
            for instance in unit.instances:
                places[instance.element][instance.index] = unit.worker
        self.places = {name: np.array(at, dtype=np.intp) for name, at in places.items()}
        self.crossing = {channel.connection for channel in plan.channels}
        # Of each element and kind the seconds on each worker.
        self.spent: dict[tuple[str, Kind], FloatArray] = defaultdict(self._nothing)
        self.queues = self._nothing()
        self.taken = {name: np.zeros(n) for name, n in plan.counts.items()}
        self.shares: dict[str, FloatArray] = {}
        self.watermarks = sum(
            costs.of(n).watermarks for n, p in workflow.elements.items() if isinstance(p, Source)
        )
        self._add_up()

    def _nothing(self) -> FloatArray:
        return np.zeros(self.plan.workers)

    def _add_up(self) -> None:
        outgoing: dict[str, list[tuple[int, Connection]]] = defaultdict(list)
        for number, c in enumerate(self.workflow.connections):
            outgoing[c.source].append((number, c))
        for name in self.workflow.order():
            part, costs, hops = self.workflow.element(name), self.costs.of(name), self.costs.hops
            if isinstance(part, Source):
                self.taken[name] += self._shares(name)
                self._spend(name, "work", self.taken[name] * costs.service_s)
            else:
                call_s = hops.call_s + (hops.keyed_s if part._declaration.keyed else 0.0)
                self._spend(name, "work", self.taken[name] * costs.service_s)
                self._spend(name, "hops", self.taken[name] * call_s)
            for number, c in outgoing[name]:
                given = self.taken[name] * costs.items_out(c.output)
                if number in self.crossing:
                    self._cross(c, given, costs.nbytes)
                else:
                    self._hand_over(c, given)

    def _spend(self, name: str, kind: Kind, seconds: FloatArray) -> None:
        """Add what each instance of an element does to its worker's load."""
        self.spent[name, kind] += self._by_worker(name, seconds)

    def _by_worker(self, name: str, amounts: FloatArray) -> FloatArray:
        counted = np.bincount(self.places[name], weights=amounts, minlength=self.plan.workers)
        return np.asarray(counted, dtype=np.float64)

    def _shares(self, name: str) -> FloatArray:
        """Give which part of the items goes to each instance."""
        if name not in self.shares:
            count = self.plan.counts[name]
            given = np.array(self.costs.of(name).shares, dtype=float)
            self.shares[name] = given / given.sum() if given.size == count else _equal(count)
        return self.shares[name]

    def _parts(self, c: Connection) -> FloatArray:
        """Give how many of a connection's items each instance gets, for one."""
        if self._port(c).to == "all":
            return np.ones(self.plan.counts[c.target])
        return self._shares(c.target)

    def _port(self, c: Connection) -> Input[object]:
        return self.workflow.element(c.target)._declaration.inputs[c.input]

    def _hand_over(self, c: Connection, given: FloatArray) -> None:
        """Hand items to an element of the same unit."""
        if self.plan.is_whole:
            self.taken[c.target] += given.sum() * self._parts(c)
            return
        self.taken[c.target] += given
        self.shares[c.target] = self._shares(c.source)

    def _cross(self, c: Connection, given: FloatArray, nbytes: float) -> None:
        """Send items to the units of another stage, on this worker and on others."""
        hops, parts = self.costs.hops, self._parts(c)
        self.taken[c.target] += given.sum() * parts
        sent, wanted = self._by_worker(c.source, given), self._by_worker(c.target, parts)
        staying = sent * wanted
        leaving = sent * wanted.sum() - staying
        coming = sent.sum() * wanted - staying
        self.spent[c.source, "hops"] += leaving * (hops.send_s + nbytes * hops.send_byte_s)
        self.spent[c.target, "hops"] += coming * (hops.receive_s + nbytes * hops.receive_byte_s)
        self.spent[c.target, "hops"] += staying * hops.local_s
        senders = self._by_worker(c.source, np.ones(len(given)))
        receivers = self._by_worker(c.target, np.ones(len(parts)))
        out, into = senders * receivers.sum(), receivers * senders.sum()
        self.queues += out + into
        self.spent[c.source, "signals"] += out * (self.watermarks * hops.tell_s)
        self.spent[c.target, "signals"] += into * (self.watermarks * hops.hear_s)

    def prediction(self, cores: float) -> Prediction:
        """Say what sets the pace."""
        loads = sum(self.spent.values(), self._nothing())
        busiest = int(loads.argmax())
        shared = loads.sum() / cores
        are_cores = bool(shared >= loads[busiest] * (1 - 1e-9)) and self.plan.workers > 1
        elements = dict.fromkeys(self.workflow, 0.0)
        pace = dict.fromkeys(self.workflow, 0.0)
        signals = 0.0
        for (name, kind), seconds in self.spent.items():
            elements[name] += float(seconds.sum())
            pace[name] += float(seconds.sum() if are_cores else seconds[busiest])
            signals += float(seconds[busiest]) if kind == "signals" else 0.0
        slowest = max(pace, key=pace.__getitem__)
        time_s = max(float(loads[busiest]), float(shared))
        bound: Bound = "work"
        if signals > loads[busiest] / 2:
            bound = "channels"
        elif are_cores and cores < self.plan.workers:
            bound = "cores"
        elif isinstance(self.workflow.element(slowest), Source):
            bound = "source"
        elif self.plan.counts[slowest] == 1 and self.plan.workers > 1:
            bound = "gather"
        return Prediction(
            workers=tuple(loads.tolist()),
            elements=elements,
            cores=cores,
            throughput=1.0 / time_s if time_s > 0 else float("inf"),
            bottleneck=slowest,
            bound=bound,
            startup_s=float(self.queues.max(initial=0.0)) * self.costs.hops.queue_s,
        )


def _equal(count: int) -> FloatArray:
    return np.full(count, 1.0 / count)
