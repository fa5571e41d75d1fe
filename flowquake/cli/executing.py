"""Running a workflow with everything that belongs to a run: directory, record, log, progress."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowquake._version import __version__
from flowquake.cli.live import LiveTable
from flowquake.cli.record import begin_record, end_record
from flowquake.cli.text import note
from flowquake.cli.watching import JsonLog, Watcher, logging_to
from flowquake.errors import ConfigError, FlowquakeError, Interrupted, PEError, UsageError
from flowquake.rundir import RunDirectory
from flowquake.runindex import add_to_index
from flowquake.stopping import stop_signals

if TYPE_CHECKING:
    from flowquake.cli.serving import MetricsServer
    from flowquake.loading import LoadedWorkflow
    from flowquake.mapping import Mapping as RunMapping
    from flowquake.running import RunResult
    from flowquake.workflow import Workflow

log = logging.getLogger(__name__)

DONE, REJECTED, INTERRUPTED = 0, 5, 130


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run, as on the command line."""

    mapping: str = "sequential"
    workers: int | None = None
    seed: int = 0
    on_error: str = "stop"
    restarts: int = 0
    fuse: bool = True
    stall_timeout: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    record : dict
        Its ``run.json``.
    directory : Path
        Where it is.
    exit_code : int
        0, 5 with rejected items, 130 interrupted, or an error's.
    error : FlowquakeError or None
        Why it failed.
    """

    record: dict[str, Any]
    directory: Path
    exit_code: int
    error: FlowquakeError | None = None


def execute(
    loaded: LoadedWorkflow,
    settings: Mapping[str, str],
    options: RunOptions,
    *,
    mapping: RunMapping | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    directory: RunDirectory | None = None,
    progress: bool = False,
    lines: bool = False,
    serve: str | None = None,
    token_file: Path | None = None,
    verbose: bool = False,
) -> Outcome:
    """Run a workflow in a directory of its own.

    Everything that can be seen to be wrong before is found before the
    directory is made.

    Parameters
    ----------
    loaded : LoadedWorkflow
        What to run.
    settings : mapping of str to str
        Its parameters.
    options : RunOptions
        How.
    mapping : Mapping, optional
        The mapping, if it was found already.
    out : Path, optional
        The directory; default ``runs/<id>``.
    overwrite : bool, default False
        Take a folder that is not empty.
    directory : RunDirectory, optional
        One that was made already, in place of `out`.
    progress : bool, default False
        Draw a table on standard error while it goes on.
    lines : bool, default False
        Write the lines of ``metrics.jsonl`` to standard output too.
    serve : str, optional
        ``HOST:PORT`` at which to serve metrics.
    token_file : Path, optional
        Holds the token that those who ask there have to bring.
    verbose : bool, default False
        Show the log on standard error.

    Raises
    ------
    FlowquakeError
        What is wrong before the run; what happens in it is in the outcome.
    """
    values = loaded.read(settings)
    workflow = loaded.build(values)
    workflow.validate()
    mapping, options = _check(options, mapping)
    server = _server(serve, token_file)
    if directory is None:
        directory = _shared(
            mapping, partial(RunDirectory.create, workflow.name, out=out, overwrite=overwrite)
        )
    _tell_parent(directory, workflow, options)
    record = begin_record(
        directory, loaded, settings=settings, values=values, options=asdict(options)
    )
    with _heard_early():
        try:
            directory.write(record)
            if not add_to_index(
                directory.id, directory.path, workflow=loaded.name, started=record["started"]
            ):
                note("the index of runs cannot be written; `flowquake runs` will not know this run")
            with logging_to(directory, verbose=verbose) as journal:
                watcher = Watcher(
                    directory,
                    table=LiveTable(workflow.name) if progress else None,
                    lines=lines,
                    server=server,
                    info={"run": directory.id, "workflow": loaded.name, "version": __version__},
                )
                return _run(workflow, record, directory, options, mapping, journal, watcher)
        except KeyboardInterrupt:  # before the run could hear it, or after its end
            end_record(record, directory, status="interrupted", exit_code=INTERRUPTED)
            raise


@contextlib.contextmanager
def _heard_early() -> Iterator[None]:
    """Let SIGTERM and the loss of the terminal end this process as Ctrl-C does.

    While the workflow runs it hears them itself, and ends in order.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [n for n in stop_signals() if n != signal.SIGINT]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def follow(
    loaded: LoadedWorkflow, settings: Mapping[str, str], options: RunOptions, mapping: RunMapping
) -> int:
    """Be a rank of somebody else's run: work, and leave the speaking to rank 0.

    Returns
    -------
    int
        0; what goes wrong is raised, as on rank 0.
    """
    from flowquake.running import run

    workflow = loaded.build(loaded.read(settings))
    mapping, options = _check(options, mapping)
    out: Path | FlowquakeError = mapping.share(None)  # type: ignore[attr-defined]  # only MPI has followers
    if isinstance(out, FlowquakeError):
        raise out
    run(workflow, mapping=mapping, out=out, **_run_options(options))
    return DONE


def _shared(mapping: RunMapping, make: Callable[[], RunDirectory]) -> RunDirectory:
    """Make the run's directory, and tell all ranks where it is, or why there is none."""
    share: Callable[[object], object] = getattr(mapping, "share", lambda value: None)
    try:
        directory = make()
    except FlowquakeError as error:
        share(error)
        raise
    share(directory.path.resolve())
    return directory


def _tell_parent(directory: RunDirectory, workflow: Workflow, options: RunOptions) -> None:
    """Tell the parent of mpiexec, if there is one, what it has to know if a rank dies."""
    from flowquake.engine.coordinator import elements_of
    from flowquake.mappings.rank import lifeline
    from flowquake.planning import plan

    parent = lifeline()
    if parent is None:
        return
    laid_out = plan(workflow, options.workers or 1, fuse=options.fuse)
    parent.tell(
        directory=str(directory.path.resolve()),
        id=directory.id,
        elements={worker: elements_of(laid_out, worker) for worker in range(laid_out.workers)},
    )


def _run_options(options: RunOptions) -> dict[str, Any]:
    return {
        "workers": options.workers,
        "seed": options.seed,
        "on_error": options.on_error,
        "fuse": options.fuse,
        "stall_timeout": options.stall_timeout,
    }


def _run(
    workflow: Workflow,
    record: dict[str, Any],
    directory: RunDirectory,
    options: RunOptions,
    mapping: RunMapping,
    journal: JsonLog,
    watcher: Watcher,
) -> Outcome:
    from flowquake.running import run

    log.info("run started", extra={"run": directory.id, "workflow": workflow.name})
    result: RunResult | None = None
    error: FlowquakeError | None = None
    status, code = "done", DONE
    try:
        with watcher:
            result = run(
                workflow,
                mapping=mapping,
                out=directory.path,
                observer=watcher,
                **_run_options(options),
            )
        if result.interrupted:
            status, code = "interrupted", INTERRUPTED
        elif result.rejected:
            code = REJECTED
    except KeyboardInterrupt:
        status, code = "interrupted", INTERRUPTED
    except FlowquakeError as cause:
        status, code, error = "failed", cause.exit_code, cause
        log.exception("run failed", extra={"error": str(cause)})
    except Exception as cause:
        status, code = "failed", PEError.exit_code
        error = FlowquakeError(
            f"unexpected {type(cause).__name__}: {cause}",
            fix=f"the traceback is in {directory.path / 'log.jsonl'}, and shown with --debug",
        )
        error.__cause__ = cause
        log.exception("run failed", extra={"error": str(cause)})
    if isinstance(error, Interrupted):
        status = "interrupted"
    log.info("run ended", extra={"run": directory.id, "status": status, "exit_code": code})
    try:
        end_record(
            record,
            directory,
            status=status,
            exit_code=code,
            error=str(error) if error else None,
            result=result,
            counts=watcher.counts,
            loads=watcher.loads.to_json(workflow),
            warnings=journal.warnings,
        )
    except FlowquakeError as cause:
        if error is None:
            code, error = cause.exit_code, cause
            record.update(status="failed", exit_code=code, error=str(cause))
        else:
            note(str(cause))
    return Outcome(record=record, directory=directory.path, exit_code=code, error=error)


def shows_progress(*, quiet: bool) -> bool:
    """Whether to draw a table: only for people at a terminal."""
    return not quiet and sys.stderr.isatty()


def _server(address: str | None, token_file: Path | None) -> MetricsServer | None:
    if address is None:
        if token_file is not None:
            raise UsageError(
                "--token-file is for --serve, which is not given", fix="--serve 127.0.0.1:9100"
            )
        return None
    from flowquake.cli.serving import MetricsServer

    return MetricsServer(address, token_file)


def _check(options: RunOptions, mapping: RunMapping | None) -> tuple[RunMapping, RunOptions]:
    """Find the mapping and its number of workers; refuse what cannot be run."""
    from flowquake.engine.job import OnError
    from flowquake.mapping import find_mapping

    OnError.parse(options.on_error)
    chosen = mapping or find_mapping(options.mapping)
    if options.restarts:
        raise ConfigError(
            f"--restarts {options.restarts} needs checkpoints, which this version does not make",
            fix="leave --restarts out; run it again if a worker dies",
        )
    return chosen, replace(options, workers=chosen.workers(options.workers))
