"""The worker: executes its share of a plan, the same under every mapping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

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
from flowquake.engine.unit import Arrival, Unit
from flowquake.planning import Plan

if TYPE_CHECKING:
    from flowquake.workflow import Connection


class _Inlet:
    """The receiving end of a channel."""

    __slots__ = ("origin", "receiver", "taken", "unit")

    def __init__(self, unit: Unit, receiver: Receiver, origin: int) -> None:
        self.unit = unit
        self.receiver = receiver
        self.origin = origin
        self.taken = 0

    def take(self) -> None:
        self.taken += 1

    def count(self) -> int:
        return self.taken


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
        self._arrivals: dict[int, _Inlet] = {}
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
        self._connect(worker_of)
        for unit in self.plan.units:
            if unit.worker == self.number:
                names = [(i.element, i.index) for i in unit.instances]
                built = Unit([self._instances[name] for name in names])
                self.units.append(built)
                self._unit_of |= dict.fromkeys(names, built)
        self._open_arrivals(worker_of)
        for instance in self._instances.values():
            instance.wire()

    def _connect(self, worker_of: dict[tuple[str, int], int]) -> None:
        crossing = {channel.connection: channel for channel in self.plan.channels}
        indices: dict[str, list[int]] = defaultdict(list)
        for name, index in self._instances:
            indices[name].append(index)
        direct = -1
        for number, c in enumerate(self.job.workflow.connections):
            port = self.job.workflow.element(c.target)._declaration.inputs[c.input]
            channel = crossing.get(number)
            for index in indices[c.source]:
                outlet = self._instances[c.source, index].outlets[c.output]
                receivers = []
                if channel is not None:
                    receivers = [
                        self._sender(channel.number(index, j), worker_of[c.target, j])
                        for j in range(channel.receivers)
                    ]
                else:
                    for j in self._direct_receivers(c, index):
                        receivers.append(self._instances[c.target, j].receiver(c.input, direct))
                        direct -= 1
                outlet.add_route(port, c.target, receivers)

    def _direct_receivers(self, connection: Connection, index: int) -> Iterable[int]:
        """Give the instances that share a unit with an instance of the source."""
        if self.plan.is_whole:
            return range(self.plan.counts[connection.target])
        return (index,)

    def _sender(self, number: int, worker: int) -> Receiver:
        send: Callable[[Message], None] = partial(self.transport.send, worker, number)
        sender = Sender(send, *self._bounds)
        self._senders[number] = sender
        return Receiver(sender.deliver, sender.signal, lambda count: None)

    def _open_arrivals(self, worker_of: dict[tuple[str, int], int]) -> None:
        indices: dict[str, list[int]] = defaultdict(list)
        for name, index in self._instances:
            indices[name].append(index)
        for channel in self.plan.channels:
            connection = self.job.workflow.connections[channel.connection]
            for j in indices[channel.target]:
                target = self._instances[channel.target, j]
                unit = self._unit_of[channel.target, j]
                for i in range(channel.senders):
                    number = channel.number(i, j)
                    receiver = target.receiver(connection.input, number)
                    inlet = _Inlet(unit, receiver, worker_of[channel.source, i])
                    receiver.tell(inlet.count)
                    self._arrivals[number] = inlet

    # Running.

    def setup(self) -> None:
        """Set up every instance, in the plan's order."""
        for instance in self._instances.values():
            instance.setup()

    def teardown(self) -> list[Exception]:
        """End every handler and tear down every instance; give back what went wrong."""
        failures: list[Exception] = [f for unit in self.units for f in unit.close()]
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
        progressed = self._receive()
        if self.job.stopping.requested:
            for unit in self.units:
                unit.stop_sources()
        self._turn += 1
        for offset in range(len(self.units)):
            unit = self.units[(self._turn + offset) % len(self.units)]
            progressed |= unit.step()
        return progressed

    def _receive(self) -> bool:
        messages = self.transport.receive()
        for channel, message in messages:
            if isinstance(message, Credit):
                self._senders[channel].credit(message)
                continue
            inlet = self._arrivals[channel]
            if isinstance(message, Data):
                credit = Credit(1, message.nbytes)
                give_back = partial(self.transport.send, inlet.origin, channel, credit)
                arrival = Arrival(inlet.receiver.deliver, message.item, inlet.take, give_back)
            else:
                arrival = Arrival(inlet.receiver.signal, message)
            inlet.unit.inbox.append(arrival)
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
            for name, outlet in instance.outlets.items():
                emitted = outlet.count()
                total.emitted[name] = total.emitted.get(name, 0) + emitted
                # Counted where it is sent, so that a batch whose rows go to
                # several instances, or to all of them, counts once.
                for target in outlet.targets:
                    counts[target].received += emitted
                if not outlet.connected:
                    place = f"{instance.name}.{name}"
                    unconnected[place] = unconnected.get(place, 0) + emitted
            for name, n in list(instance.context.counters.items()):
                total.counters[name] = total.counters.get(name, 0) + n
