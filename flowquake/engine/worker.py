"""The worker: executes its share of a plan, the same under every mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from flowquake.engine.channels import (
    CHANNEL_BYTES,
    CHANNEL_ITEMS,
    Credit,
    Data,
    Message,
    Sender,
    Transport,
)
from flowquake.engine.instance import Instance
from flowquake.engine.job import Job, PECounts
from flowquake.engine.outlets import Receiver
from flowquake.engine.unit import Unit
from flowquake.planning import ChannelPlan, Plan
from flowquake.ports import Deliver


class Worker:
    """The units of one worker, their channels, and the loop that runs them.

    Parameters
    ----------
    job : Job
        What is run.
    plan : Plan
        How it is laid out.
    number : int
        Which worker of the plan this is.
    transport : Transport
        How messages reach other workers.
    channel_items, channel_bytes : int
        Bounds of each channel.
    """

    def __init__(
        self,
        job: Job,
        plan: Plan,
        number: int,
        transport: Transport,
        *,
        channel_items: int = CHANNEL_ITEMS,
        channel_bytes: int = CHANNEL_BYTES,
    ) -> None:
        self.job = job
        self.plan = plan
        self.number = number
        self.transport = transport
        self._bounds = (channel_items, channel_bytes)
        self._instances: dict[tuple[str, int], Instance] = {}
        self._unit_of: dict[tuple[str, int], Unit] = {}
        self._senders: dict[int, Sender] = {}
        self._arrivals: dict[int, tuple[Unit, Receiver, int, Counter[str]]] = {}
        self.units: list[Unit] = []
        self._turn = 0
        self._build()

    # Building.

    def _build(self) -> None:
        worker_of: dict[tuple[str, int], int] = {}
        for unit in self.plan.units:
            worker_of |= {(i.element, i.index): unit.worker for i in unit.instances}
            if unit.worker != self.number:
                continue
            members = [Instance(self.job, i, self.plan.counts[i.element]) for i in unit.instances]
            for member in members:
                self._instances[member.name, member.place.index] = member
        crossing = {(c.connection, c.source, c.target): c for c in self.plan.channels}
        self._connect(crossing, worker_of)
        for unit in self.plan.units:
            if unit.worker == self.number:
                names = [(i.element, i.index) for i in unit.instances]
                built = Unit([self._instances[name] for name in names])
                self.units.append(built)
                self._unit_of |= dict.fromkeys(names, built)
        self._open_arrivals(worker_of)
        for instance in self._instances.values():
            instance.wire()

    def _connect(
        self,
        crossing: dict[tuple[int, tuple[str, int], tuple[str, int]], ChannelPlan],
        worker_of: dict[tuple[str, int], int],
    ) -> None:
        counts = self.plan.counts
        unit_of = {
            (i.element, i.index): number
            for number, unit in enumerate(self.plan.units)
            for i in unit.instances
        }
        direct = -1
        for number, c in enumerate(self.job.workflow.connections):
            port = self.job.workflow.elements[c.target]._declaration.inputs[c.input]
            for index in range(counts[c.source]):
                source = self._instances.get((c.source, index))
                receivers = []
                for j in range(counts[c.target]):
                    target = (c.target, j)
                    channel = crossing.get((number, (c.source, index), target))
                    if channel is not None:
                        if source is not None:
                            receivers.append(self._sender(channel, worker_of[target]))
                    elif source is not None and unit_of[c.source, index] == unit_of[target]:
                        receivers.append(self._instances[target].receiver(c.input, direct))
                        direct -= 1
                if source is not None and receivers:
                    source.outlets[c.output].add_route(port, c.target, receivers)

    def _sender(self, channel: ChannelPlan, worker: int) -> Receiver:
        send: Callable[[Message], None] = partial(self.transport.send, worker, channel.number)
        sender = Sender(send, *self._bounds)
        self._senders[channel.number] = sender
        return Receiver(sender.deliver, _as_deliver(sender), lambda count: None)

    def _open_arrivals(self, worker_of: dict[tuple[str, int], int]) -> None:
        for channel in self.plan.channels:
            target = self._instances.get(channel.target)
            if target is None:
                continue
            connection = self.job.workflow.connections[channel.connection]
            receiver = target.receiver(connection.input, channel.number)
            arrived: Counter[str] = Counter()
            receiver.tell(partial(arrived.__getitem__, "items"))
            self._arrivals[channel.number] = (
                self._unit_of[channel.target],
                receiver,
                worker_of[channel.source],
                arrived,
            )

    # Running.

    def setup(self) -> None:
        """Set up every instance, in the plan's order."""
        for instance in self._instances.values():
            instance.setup()

    def teardown(self) -> list[Exception]:
        """Tear down every instance; give back what went wrong."""
        failures: list[Exception] = []
        for instance in self._instances.values():
            try:
                instance.teardown()
            except Exception as failure:  # noqa: BLE001 - collected and reported by the caller
                failures.append(failure)
        self.transport.stop()
        return failures

    def step(self) -> bool:
        """Take what has arrived and give every unit a turn.

        Returns
        -------
        bool
            Whether anything was done.
        """
        stopping = self.job.stopping.is_set()
        progressed = self._receive()
        if stopping:
            for unit in self.units:
                unit.stop_sources()
        self._turn += 1
        for offset in range(len(self.units)):
            unit = self.units[(self._turn + offset) % len(self.units)]
            progressed |= unit.step(stopping=stopping)
        return progressed

    def _receive(self) -> bool:
        messages = self.transport.receive()
        for channel, message in messages:
            if isinstance(message, Credit):
                self._senders[channel].credit(message)
                continue
            unit, receiver, origin, arrived = self._arrivals[channel]
            if isinstance(message, Data):
                arrived["items"] += 1
                give_back = partial(self.transport.send, origin, channel, Credit(1, message.nbytes))
                unit.inbox.append((receiver.deliver, message.item, give_back))
            else:
                unit.inbox.append((receiver.signal, message, None))
        return bool(messages)

    @property
    def finished(self) -> bool:
        """Whether all units have ended."""
        return all(unit.finished for unit in self.units)

    def wait_time(self) -> float | None:
        """Give how long nothing will be due, seconds; None if nothing ever is."""
        times = [due for unit in self.units if (due := unit.due()) is not None]
        if not times:
            return None
        return max(0.0, min(times) - self.job.clock.monotonic())

    def add_counts(self, counts: dict[str, PECounts], unconnected: dict[str, int]) -> None:
        """Add what this worker's instances did to the run's counts."""
        for instance in self._instances.values():
            total = counts[instance.name]
            total.received += instance.received
            for name, outlet in instance.outlets.items():
                emitted = outlet.count()
                total.emitted[name] = total.emitted.get(name, 0) + emitted
                if not outlet.connected:
                    place = f"{instance.name}.{name}"
                    unconnected[place] = unconnected.get(place, 0) + emitted
            for name, n in instance.context.counters.items():
                total.counters[name] = total.counters.get(name, 0) + n


def _as_deliver(sender: Sender) -> Deliver:
    def signal(sent: Any) -> None:
        sender.signal(sent)

    return signal
