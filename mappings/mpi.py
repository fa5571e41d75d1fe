"""The MPI mapping: workers are the ranks that ``mpiexec`` or a batch system started."""

from __future__ import annotations

import atexit
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowquake.errors import ConfigError, FlowquakeError, MissingExtraError
from flowquake.extras import require

if TYPE_CHECKING:
    from flowquake.engine.coordinator import Coordinator
    from flowquake.engine.job import Job
    from flowquake.engine.reporting import Task
    from flowquake.mappings.messages import MPITransport
    from flowquake.planning import Plan

GRACE_S: Final = 0.4  # for ranks to tear down, once a run has failed
PART_S: Final = 1.0  # for other ranks to end too
_TURN_EVERY_S: Final = 0.005


class MPI:
    """Run one worker of the plan on each rank.

    Every rank makes the same workflow and runs it (SPMD). Rank 0 is also the
    coordinator: it has what is collected, and all ranks have the counts.

    Parameters
    ----------
    channel_items, channel_bytes : int, optional
        Bounds of each channel.
    """

    name = "mpi"

    def __init__(
        self, *, channel_items: int | None = None, channel_bytes: int | None = None
    ) -> None:
        self._bounds = channel_items, channel_bytes

    @property
    def rank(self) -> int:
        """The number of this process among the ranks."""
        rank: int = communicator().rank
        return rank

    def workers(self, asked: int | None) -> int:
        """Give as many as asked for, or one for each rank.

        Raises
        ------
        ConfigError
            If there are fewer ranks.
        """
        size: int = communicator().size
        if asked is not None and asked > size:
            raise ConfigError(
                f"{asked} workers need as many MPI ranks, and there {_are(size)}",
                fix=f"mpiexec -n {asked} python SCRIPT.py, "
                f"or flowquake run --mapping mpi -n {asked} WORKFLOW",
            )
        return asked or size

    def share(self, value: Any) -> Any:  # whatever rank 0 gives
        """Give every rank what rank 0 gave; an error ends the run on all of them."""
        given = communicator().bcast(value)
        _meet(expected=not isinstance(given, FlowquakeError))
        return given

    def abandon(self, exit_code: int) -> None:
        """End all ranks at once; does not return."""
        communicator().Abort(exit_code)

    def execute(self, job: Job, plan: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there.

        Raises
        ------
        ConfigError
            If the ranks do not have the same plan.
        FlowquakeError
            What a worker raised; on every rank.
        """
        from flowquake.engine.channels import CHANNEL_BYTES, CHANNEL_ITEMS
        from flowquake.engine.coordinator import Coordinator
        from flowquake.engine.reporting import Task
        from flowquake.mappings.messages import MPITransport

        ranks = communicator()
        _meet(expected=True)
        folder = tempfile.mkdtemp(prefix="flowquake-") if ranks.rank == 0 else None
        stacks = Path(ranks.bcast(folder))
        _compare(ranks, plan)
        transport = MPITransport(ranks, plan.workers)
        task = Task(
            workflow=job.workflow,
            plan=plan,
            seed=job.seed,
            on_error=job.on_error,
            out=job.out,
            clock=job.clock,
            collected=tuple(job.collectors),
            stall_timeout=job.stall_timeout,
            stacks=stacks if stacks.is_dir() else None,
            channel_items=self._bounds[0] or CHANNEL_ITEMS,
            channel_bytes=self._bounds[1] or CHANNEL_BYTES,
        )
        if ranks.rank == 0:
            coordinator = Coordinator(job, plan, transport.send, stacks=task.stacks)
            try:
                yield from _lead(task, transport, coordinator)
            finally:
                _dismiss(transport, coordinator, ranks.size)
                _remove(stacks)
            coordinator.result()
        else:
            _follow(task, transport, ranks.rank, job)
        yield


def _lead(task: Task, transport: MPITransport, coordinator: Coordinator) -> Iterator[None]:
    """Be worker 0 and the coordinator in turn."""
    from flowquake.engine.reporting import serve

    own: Iterator[None] | None = serve(task, 0, transport, beside=True)
    due = 0.0
    deadline: float | None = None
    while not coordinator.finished:
        if own is not None and next(own, own) is own:
            own = None
        if own is None:
            transport.gather()
            transport.wait(0.05)
        now = time.monotonic()
        if now < due and own is not None:
            continue
        due = now + _TURN_EVERY_S
        for worker, message in transport.for_coordinator():
            coordinator.take(worker, message)
        yield from coordinator.turn()
        if coordinator.failures:
            deadline = deadline or now + GRACE_S
            if now > deadline:
                return
        yield


def _dismiss(transport: MPITransport, coordinator: Coordinator, size: int) -> None:
    """Let every rank go; if one does not answer, all end when this process does."""
    from flowquake.engine.channels import Note

    job = coordinator.job
    failure = coordinator.failures[0] if coordinator.failures else None
    if len(coordinator.done) < coordinator.plan.workers:
        coordinator.tell(Note("abort"))
        if not _wait_for(transport, coordinator):
            code = FlowquakeError.exit_code if failure is None else failure.exit_code
            atexit.register(_abort_quietly, code)
            return
    counts = (job.counts, job.unconnected, job.stopping.requested)
    for rank in range(1, size):
        transport.send_to_rank(rank, Note("bye", (failure, counts)))
    transport.finish()
    _meet(expected=False)


def _wait_for(transport: MPITransport, coordinator: Coordinator) -> bool:
    deadline = time.monotonic() + GRACE_S
    while len(coordinator.done) < coordinator.plan.workers:
        if time.monotonic() > deadline:
            return False
        transport.gather()
        for worker, message in transport.for_coordinator():
            coordinator.take(worker, message)
        transport.wait(0.01)
    return True


def _follow(task: Task, transport: MPITransport, rank: int, job: Job) -> None:
    """Be a worker, or wait if the plan has none for this rank; then hear how it ended."""
    from flowquake.engine.channels import Note
    from flowquake.engine.reporting import serve

    if rank < task.plan.workers:
        for _ in serve(task, rank, transport):
            pass
    while True:
        for _, message in transport.receive():
            if isinstance(message, Note) and message.kind == "bye":
                failure, (counts, unconnected, stopped) = message.content
                transport.finish()
                _meet(expected=False)
                job.counts.update(counts)
                job.unconnected = unconnected
                if stopped:
                    job.stopping.set()
                if failure is not None:
                    raise failure
                return
        transport.wait(0.5)


def _compare(ranks: Any, plan: Plan) -> None:
    text = json.dumps(plan.to_json(), sort_keys=True)
    digests = ranks.allgather(hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
    if len(set(digests)) > 1:
        _meet(expected=False)
        raise ConfigError(
            "the ranks have made different workflows, or found different splits",
            fix="make the same workflow on every rank; sources must see the same files",
        )


_ranks: Any = None
_parting: Any = None  # a communicator for the end alone
_expected = False  # whether other ranks may wait for this one


def _meet(*, expected: bool) -> None:
    """Note whether the others go on to wait for this rank."""
    global _expected
    _expected = expected


def part(patience_s: float = PART_S) -> bool:
    """Wait a little for the other ranks, if they may wait for this one.

    Returns
    -------
    bool
        Whether this process can end by itself; where False, they would wait
        for it for ever.
    """
    if _parting is None or not _expected:
        return True
    barrier, deadline = _parting.Ibarrier(), time.monotonic() + patience_s
    while not barrier.Test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def communicator() -> Any:
    """Give the communicator of flowquake's own messages; MPI is started if it was not.

    Raises
    ------
    MissingExtraError
        If mpi4py, or the MPI library that it needs, is not installed.
    ConfigError
        If the ranks do not find each other.
    """
    global _ranks, _parting
    if _ranks is None:
        require("mpi4py", extra="mpi", needed_by="the mapping 'mpi'")
        import mpi4py

        mpi4py.rc.thread_level = "funneled"
        try:
            from mpi4py import MPI as library
        except (ImportError, RuntimeError) as cause:  # what mpi4py raises without a library
            raise MissingExtraError(
                f"mpi4py finds no MPI library: {cause}",
                fix='pip install "flowquake[mpi]", or load your cluster\'s MPI module; '
                "MPI4PY_LIBMPI may name the library's file",
            ) from cause
        _check_together(library)
        _ranks, _parting = library.COMM_WORLD.Dup(), library.COMM_WORLD.Dup()
        _meet(expected=True)
    return _ranks


def _check_together(library: Any) -> None:
    from flowquake.mappings.mpifound import ranks_in_environment

    started = ranks_in_environment()
    if started > 1 and library.COMM_WORLD.size == 1:
        version = library.Get_library_version().split(",")[0].splitlines()[0]
        raise ConfigError(
            f"{started} processes were started together, and each is an MPI rank alone: what "
            f"started them is not of the library that mpi4py loads, {' '.join(version.split())}",
            fix="use the mpiexec of that library (under Slurm the matching srun --mpi=...); "
            "`flowquake doctor` shows both",
        )


def _abort_quietly(code: int) -> None:
    communicator().Abort(code)


def _remove(stacks: Path) -> None:
    for file in stacks.glob("worker-*.txt"):
        file.unlink(missing_ok=True)
    if stacks.is_dir():
        stacks.rmdir()


def _are(size: int) -> str:
    return "is one" if size == 1 else f"are {size}"
