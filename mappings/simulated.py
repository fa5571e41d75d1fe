"""The simulated mapping: many workers in one process, with every order chosen by a seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

from flowquake.engine.channels import CHANNEL_BYTES, CHANNEL_ITEMS, Message, Note, Parcel
from flowquake.engine.execution import execute
from flowquake.engine.job import Job
from flowquake.engine.snapshots import own_copy
from flowquake.engine.worker import Worker
from flowquake.planning import Plan, plan


class Simulated:
    """Run the workers of a plan in turns, and deliver messages in turns, drawn at random.

    Each run can be replayed from its seed. It is made for tests: whatever
    order a real transport may show, this one can.

    Parameters
    ----------
    order : int, default 0
        Seed of the turns and deliveries.
    channel_items, channel_bytes : int
        Bounds of each channel.
    fuse : bool, default True
        Whether elements without exchange share a unit.
    """

    name = "simulated"

    def __init__(
        self,
        *,
        order: int = 0,
        channel_items: int = CHANNEL_ITEMS,
        channel_bytes: int = CHANNEL_BYTES,
        fuse: bool = True,
    ) -> None:
        self.order = order
        self.channel_items = channel_items
        self.channel_bytes = channel_bytes
        self.fuse = fuse

    def workers(self, asked: int | None) -> int:
        """Give as many as asked for, or one."""
        return asked or 1

    def execute(self, job: Job, plan_given: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there."""
        laid_out = plan_given if self.fuse else plan(job.workflow, plan_given.workers, fuse=False)
        network = _Network(laid_out.workers, random.Random(self.order))
        job.timer = network.time
        workers = [
            Worker(
                job,
                laid_out,
                number,
                _Endpoint(network, number),
                channel_items=self.channel_items,
                channel_bytes=self.channel_bytes,
            )
            for number in range(laid_out.workers)
        ]
        yield from execute(job, workers, lambda: network.advance(workers))


class _Network:
    """Messages on their way, one queue for each channel and direction."""

    def __init__(self, workers: int, rng: random.Random) -> None:
        self.rng = rng
        self._now = 0.0
        self.flying: dict[tuple[int, int, int], deque[Message]] = {}
        self.arrived: list[list[tuple[int, Message]]] = [[] for _ in range(workers)]

    def time(self) -> float:
        """Give a time that goes on by as much as chance will have it."""
        self._now += self.rng.choice((1e-6, 1e-4, 1e-2))
        return self._now

    def advance(self, workers: list[Worker]) -> bool:
        """Deliver a random message or step a random worker, until something happens."""
        moves: list[tuple[int, int, int] | int] = [*self.flying, *range(len(workers))]
        self.rng.shuffle(moves)
        for move in moves:
            if isinstance(move, int):
                if workers[move].step():
                    return True
                continue
            queue = self.flying[move]
            worker, origin, _ = move
            for _ in range(self.rng.randint(1, len(queue))):
                self.arrived[worker].append((origin, queue.popleft()))
            if not queue:
                del self.flying[move]
            return True
        return False


class _Endpoint:
    """One worker's end of the network."""

    def __init__(self, network: _Network, number: int) -> None:
        self.network = network
        self.number = number

    def send(self, worker: int, message: Message) -> None:
        if isinstance(message, Parcel):
            # A real transport writes them to bytes now.
            message = message._replace(items=[own_copy(item) for item in message.items])
        # Channels may overtake each other: a real transport is stricter.
        channel = -1 if isinstance(message, Note) else message.channel
        way = (worker, self.number, channel)
        self.network.flying.setdefault(way, deque()).append(message)

    def receive(self) -> list[tuple[int, Message]]:
        arrived = self.network.arrived[self.number]
        self.network.arrived[self.number] = []
        return arrived

    def wait(self, seconds: float | None) -> None:
        return None

    def stop(self) -> None:
        return None
