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
    Note,
    Parcel,
    Sender,
    Transport,
)
from flowquake.engine.failures import unreadable, unsendable
from flowquake.engine.inlets import Inlet
from flowquake.engine.instance import Instance
from flowquake.engine.job import Job, Load, PECounts
from flowquake.engine.origins import Carried, sources_of
from flowquake.engine.outlets import Receiver
from flowquake.engine.snapshots import UnreadableError
from flowquake.engine.unit import Arrival, Unit
from flowquake.planning import Plan

if TYPE_CHECKING:
    from flowquake.workflow import Connection

FLUSH_EVERY_S = 0.005


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
    on_note : callable, optional
        Takes what the coordinator says.
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
        on_note: Callable[[Note], None] = lambda note: None,
    ) -> None:
        self.job = job
        self.plan = plan
        self.number = number
        self.transport = transport
        self._bounds = {"items": channel_items, "nbytes": channel_bytes}
        self._on_note = on_note
        self._instances: dict[tuple[str, int], Instance] = {}
        self._unit_of: dict[tuple[str, int], Unit] = {}
        self._senders: dict[int, Sender] = {}
        self._inlets: dict[int, tuple[str, Inlet, Unit]] = {}
        self._to_flush: list[Sender | Inlet] = []
        self._flushed = 0.0
        self.units: list[Unit] = []
        self._turn = 0
        self._sources = sources_of(job.workflow, plan)
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
        self._open_inlets(worker_of)
        self._connect_collectors()
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
                owner = self._instances[c.source, index]
                receivers = []
                if channel is not None:
                    for j in range(channel.receivers):
                        queue = channel.number(index, j)
                        sender = self._sender(queue, worker_of[c.target, j], owner, c.output)
                        receivers.append(
                            Receiver(sender.deliver, sender.signal, _untold, sender.in_flight)
                        )
                else:
                    carried = Carried(self._sources[c.source], index)
                    for j in self._direct_receivers(c, index):
                        target = self._instances[c.target, j]
                        receivers.append(target.receiver(c.input, direct, carried))
                        direct -= 1
                owner.outlets[c.output].add_route(port, c.target, receivers)

    def _direct_receivers(self, connection: Connection, index: int) -> Iterable[int]:
        """Give the instances that share a unit with an instance of the source."""
        if self.plan.is_whole:
            return range(self.plan.counts[connection.target])
        return (index,)

    def _sender(self, queue: int, worker: int, owner: Instance, output: str) -> Sender:
        sender = Sender(
            queue,
            partial(self.transport.send, worker),
            partial(unsendable, owner, output),
            self._to_flush,  # type: ignore[arg-type]  # senders among others
            is_local=worker == self.number,
            **self._bounds,
        )
        self._senders[queue] = sender
        return sender

    def _open_inlets(self, worker_of: dict[tuple[str, int], int]) -> None:
        indices: dict[str, list[int]] = defaultdict(list)
        for name, index in self._instances:
            indices[name].append(index)
        for channel in self.plan.channels:
            connection = self.job.workflow.connections[channel.connection]
            for j in indices[channel.target]:
                target = self._instances[channel.target, j]
                for i in range(channel.senders):
                    number = channel.number(i, j)
                    carried = Carried(self._sources[channel.source], i)
                    receiver = target.receiver(connection.input, number, carried)
                    inlet = Inlet(
                        number,
                        partial(self.transport.send, worker_of[channel.source, i]),
                        self._to_flush,  # type: ignore[arg-type]  # inlets among others
                        receiver.deliver,
                        receiver.signal,
                        self.job.timer,
                        **self._bounds,
                    )
                    receiver.tell(inlet.count)
                    unit = self._unit_of[channel.target, j]
                    self._inlets[number] = channel.target, inlet, unit

    def _connect_collectors(self) -> None:
        """Bring what is collected to the coordinator, where that is in another process."""
        for number, (name, output) in enumerate(self.job.collected_places()):
            for (element, _), instance in self._instances.items():
                if element == name:
                    queue = -1 - number
                    sender = self._senders.get(queue) or self._sender(
                        queue, self.plan.workers, instance, output
                    )
                    instance.outlets[output].add_collector(sender.deliver, is_channel=True)

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
        try:
            for offset in range(len(self.units)):
                unit = self.units[(self._turn + offset) % len(self.units)]
                progressed |= unit.step()
        except UnreadableError as error:
            raise unreadable(self.plan, (), (error.channel, error.cause)) from error.cause
        if self._to_flush and (not progressed or self._is_time_to_flush()):
            progressed |= self.flush()
        return progressed

    def flush(self) -> bool:
        """Send all that waits for more to go with it; False if nothing had waited."""
        waiting = self._to_flush[:]
        self._to_flush.clear()
        for one in waiting:
            one.flush()
        return bool(waiting)

    def _is_time_to_flush(self) -> bool:
        now = self.job.timer()
        if now - self._flushed < FLUSH_EVERY_S:
            return False
        self._flushed = now
        return True

    def _receive(self) -> bool:
        messages = self.transport.receive()
        for _, message in messages:
            if type(message) is Parcel:
                _, inlet, unit = self._inlets[message.channel]
                inlet.arrived += len(message.items)
                after = partial(inlet.owe, message, self.job.timer())
                unit.inbox.append(Arrival(inlet.emissions(message), after))
            elif type(message) is Credit:
                self._senders[message.channel].credit(message.items, message.nbytes)
            elif isinstance(message, Note):
                if message.kind == "unreadable":
                    raise unreadable(self.plan, (), message.content)
                self._on_note(message)
        return bool(messages)

    @property
    def instances(self) -> list[tuple[str, int]]:
        """Name the instances that run here: element and number."""
        return list(self._instances)

    @property
    def finished(self) -> bool:
        """Whether all units have ended and all they sent is on its way."""
        return all(unit.finished for unit in self.units) and not self._to_flush

    def wait_time(self) -> float | None:
        """Give how long nothing will be due, seconds; None if nothing ever is."""
        times = [due for unit in self.units if (due := unit.due()) is not None]
        if not times:
            return None
        return max(0.0, min(times) - self.job.clock.monotonic())

    def add_loads(self, loads: dict[str, Load]) -> None:
        """Add how long items waited for this worker's instances, and how many still do."""
        for target, inlet, _ in self._inlets.values():
            load = loads[target]
            load.queue += inlet.arrived - inlet.count()
            load.waited += inlet.waited
            load.crossed += inlet.count()

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


def _untold(count: Callable[[], int]) -> None:
    """Leave the counting to the other end of the channel."""
