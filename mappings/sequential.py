"""The sequential mapping: one worker, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from flowquake.engine.channels import Message
from flowquake.engine.execution import execute
from flowquake.engine.job import Job
from flowquake.engine.worker import Worker
from flowquake.errors import ConfigError
from flowquake.planning import Plan


class Sequential:
    """Run everything in one stack, streaming: no channels, no copies."""

    name = "sequential"

    def workers(self, asked: int | None) -> int:
        """Give one, and refuse another number."""
        if asked not in (None, 1):
            raise ConfigError(
                f"the sequential mapping has one worker, not {asked}",
                fix="leave -n out, or choose another --mapping",
            )
        return 1

    def execute(self, job: Job, plan: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there."""
        worker = Worker(job, plan, 0, _Alone())
        yield from execute(job, [worker], worker.step)


class _Alone:
    """The transport of a worker that has nobody to talk to."""

    def send(self, worker: int, message: Message) -> None:
        raise RuntimeError("a plan with one unit has no channels")

    def receive(self) -> list[tuple[int, Message]]:
        return []

    def wait(self, seconds: float | None) -> None:
        return None

    def stop(self) -> None:
        return None
