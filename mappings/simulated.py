"""The simulated mapping: many workers in one process, with every order chosen by a seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

from flowquake.engine.channels import CHANNEL_BYTES, CHANNEL_ITEMS, Message, Note, Parcel
from flowquake.engine.coordinator import worker_lost
from flowquake.engine.execution import execute
from flowquake.engine.job import Job
from flowquake.engine.snapshots import own_copy
from flowquake.engine.worker import Worker
from flowquake.planning import Plan, plan

_UNHEARD = 50  # moves that others may make before a death is heard of


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
    slow : float, default 0
        Share of the workers and channels that hardly ever get a turn while
        others can go on.
    death : (int, int), optional
        A worker that dies, and before which move; some of what it has sent
        is lost with it.
    stop : int, optional
        Before which move the run is asked to stop.
    """

    name = "simulated"

    def __init__(
        self,
        *,
        order: int = 0,
        channel_items: int = CHANNEL_ITEMS,
        channel_bytes: int = CHANNEL_BYTES,
        fuse: bool = True,
        slow: float = 0.0,
        death: tuple[int, int] | None = None,
        stop: int | None = None,
    ) -> None:
        self.order = order
        self.channel_items = channel_items
        self.channel_bytes = channel_bytes
        self.fuse = fuse
        self.slow = slow
        self.death = death
        self.stop = stop

    def workers(self, asked: int | None) -> int:
        """Give as many as asked for, or one."""
        return asked or 1

    def execute(self, job: Job, plan_given: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there.

        Raises
        ------
        TransportError
            If a worker died.
        """
        laid_out = plan_given if self.fuse else plan(job.workflow, plan_given.workers, fuse=False)
        network = _Network(laid_out, random.Random(self.order), self.slow)
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

        def advance() -> bool:
            network.moves += 1
            if network.moves == self.stop:
                job.stopping.set()
            if self.death is not None and network.moves == self.death[1]:
                network.kill(self.death[0] % laid_out.workers)
            return network.advance(workers)

        yield from execute(job, workers, advance, sampled=False)


class _Network:
    """Messages on their way, one queue for each channel and direction."""

    def __init__(self, laid_out: Plan, rng: random.Random, slow: float) -> None:
        self.rng = rng
        self.moves = 0
        self.flying: dict[tuple[int, int, int], deque[Message]] = {}
        self.arrived: list[list[tuple[int, Message]]] = [[] for _ in range(laid_out.workers)]
        self._plan = laid_out
        self._slow = slow
        self._is_slow: dict[tuple[int, int, int] | int, bool] = {}
        self._now = 0.0
        self._dead: int | None = None
        self._heard = 0  # the move before which a death is heard of

    def time(self) -> float:
        """Give a time that goes on by as much as chance will have it."""
        self._now += self.rng.choice((1e-6, 1e-4, 1e-2))
        return self._now

    def kill(self, worker: int) -> None:
        """Let a worker do nothing any more; of what it sent some arrives."""
        self._dead = worker
        self._heard = self.moves + self.rng.randrange(_UNHEARD)
        self.arrived[worker].clear()
        for way, queue in list(self.flying.items()):
            left = self.rng.randint(0, len(queue)) if way[1] == worker else len(queue)
            while len(queue) > left:
                queue.pop()
            if way[0] == worker or not queue:
                del self.flying[way]

    def send(self, way: tuple[int, int, int], message: Message) -> None:
        """Put a message on its way, unless one end of it is dead."""
        if self._dead not in way[:2]:
            self.flying.setdefault(way, deque()).append(message)

    def advance(self, workers: list[Worker]) -> bool:
        """Deliver a random message or step a random worker, until something happens."""
        if self._dead is not None and self.moves >= self._heard:
            raise worker_lost(self._plan, self._dead, "it died, as it was asked to")
        moves: list[tuple[int, int, int] | int] = [*self.flying]
        moves += [number for number in range(len(workers)) if number != self._dead]
        later = [move for move in moves if self._slow and self._waits(move)]
        for some in ([move for move in moves if move not in later] if later else moves, later):
            while some:
                place = int(self.rng.random() * len(some))
                some[place], some[-1] = some[-1], some[place]
                if self._make(some.pop(), workers):
                    return True
        if self._dead is not None:
            self._heard = self.moves
            return self.advance(workers)
        return False

    def _waits(self, move: tuple[int, int, int] | int) -> bool:
        slow = self._is_slow.get(move)
        if slow is None:
            slow = self._is_slow[move] = self.rng.random() < self._slow
        return slow and self.rng.random() < 0.98

    def _make(self, move: tuple[int, int, int] | int, workers: list[Worker]) -> bool:
        if isinstance(move, int):
            return workers[move].step()
        queue = self.flying[move]
        worker, origin, _ = move
        for _ in range(self.rng.randint(1, len(queue))):
            self.arrived[worker].append((origin, queue.popleft()))
        if not queue:
            del self.flying[move]
        return True


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
        self.network.send(way, message)

    def receive(self) -> list[tuple[int, Message]]:
        arrived = self.network.arrived[self.number]
        self.network.arrived[self.number] = []
        return arrived

    def wait(self, seconds: float | None) -> None:
        return None

    def stop(self) -> None:
        return None
