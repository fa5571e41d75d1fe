"""``flowquake dispel4py``: workflows of dispel4py, as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowquake.cli.app import Command, is_follower
from flowquake.cli.options import json_option, workers_option
from flowquake.cli.text import note, print_json, say

if TYPE_CHECKING:
    from flowquake.compat.dispel4py.running import GraphResult
    from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph

ALIASES = {"simple": "sequential"}
NOT_THERE = ("redis", "dyn_multi", "dyn_auto_multi", "dyn_redis", "dyn_auto_redis", "hybrid_redis")


@click.command("dispel4py", cls=Command)
@click.argument("references", nargs=-1, required=True, metavar="[MAPPING] WORKFLOW")
@click.option(
    "-i",
    "--iter",
    "iterations",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="How often to call each PE that nothing feeds.",
)
@click.option(
    "-d",
    "--data",
    metavar="JSON",
    help="Inputs by PE name or id: a number of iterations, or a list.",
)
@click.option(
    "-f",
    "--file",
    "data_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The same in a file; goes before -d.",
)
@click.option("-a", "--attr", metavar="NAME", help="The variable that holds the graph.")
@click.option(
    "--mapping",
    envvar="FLOWQUAKE_MAPPING",
    help="How to run the graph: sequential (or simple), multi, mpi.  [default: sequential]",
)
@click.option("--num", type=click.IntRange(min=1), hidden=True)
@workers_option
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    envvar="FLOWQUAKE_ON_ERROR",
    help="When a PE fails on an item: stop, or set the item aside.",
)
@json_option
@click.option(
    "-q", "--quiet", is_flag=True, envvar="FLOWQUAKE_QUIET", help="Keep and print no items."
)
@click.pass_context
def dispel4py_command(
    ctx: click.Context,
    /,
    *,
    references: tuple[str, ...],
    iterations: int,
    data: str | None,
    data_file: Path | None,
    attr: str | None,
    mapping: str | None,
    num: int | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
    **options: Any,  # of a run
) -> int:
    """Run a workflow of dispel4py as it is; dispel4py need not be installed.

    WORKFLOW is a file, or a module that can be imported. The items of outputs
    that nothing takes are printed. MAPPING may stand before it, as in
    dispel4py's own command.
    """
    is_given = ctx.get_parameter_source("mapping") is click.core.ParameterSource.COMMANDLINE
    chosen, reference = _split(references, mapping, is_given=is_given)
    if chosen == "mpi":
        from flowquake.mappings.mpiexec import is_under_mpi, lifeline

        if not is_under_mpi():
            from flowquake.cli.supervising import run_under_mpi

            return run_under_mpi(ctx.obj, num or workers)
        lifeline()
    from flowquake.compat.dispel4py.loading import load_graph
    from flowquake.compat.dispel4py.running import run_graph
    from flowquake.compat.dispel4py.stand_in import stand_in

    path = Path(reference).expanduser()
    # What a workflow prints would be in the way of the document.
    with stand_in(path), _aside() if as_json else nullcontext():
        graph = load_graph(reference, attr)
        done = run_graph(
            graph,
            _inputs(graph, iterations, data, data_file),
            collect=as_json or not quiet,
            mapping=chosen,
            workers=num or workers,
            name=path.stem,
            **options,
        )
    code = 130 if done.result.interrupted else 5 if done.result.rejected else 0
    if is_follower():
        return code
    if as_json:
        print_json(_document(path.stem, done))
    elif not quiet:
        say(f"Outputs: {done.outputs}")
    note(_summary(done))
    return code


@contextmanager
def _aside() -> Iterator[None]:
    """Let all that is printed go to standard error, also by processes that are started."""
    sys.stdout.flush()
    try:
        is_real = sys.stdout.fileno() == 1 and sys.stderr.fileno() == 2
    except (OSError, ValueError):  # another stream has been put in their place
        is_real = False
    kept = os.dup(1) if is_real else None
    try:
        if is_real:
            os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _split(references: tuple[str, ...], mapping: str | None, *, is_given: bool) -> tuple[str, str]:
    """Tell the mapping from the workflow; what is given goes before settings."""
    from flowquake.errors import UsageError, suggest
    from flowquake.mapping import mapping_names

    if len(references) > 2:
        raise UsageError(
            f"there is one WORKFLOW, and {references[2]!r} is left over",
            fix="flowquake dispel4py FILE -i 5, or flowquake dispel4py multi FILE -n 4 -i 5",
        )
    *before, reference = references
    if before and is_given and mapping != before[0]:
        raise UsageError(
            f"the mapping is '{before[0]}' and --mapping {mapping}", fix="leave one of them out"
        )
    word = before[0] if before else mapping or "sequential"
    chosen = ALIASES.get(word, word)
    names = mapping_names()
    if chosen not in names:
        why = "is not offered" if word in NOT_THERE else "is not known"
        raise UsageError(
            f"the mapping '{word}' {why}{suggest(word, [*names, *ALIASES])}",
            fix=f"use one of: {', '.join([*ALIASES, *names])}",
        )
    return chosen, reference


def _inputs(
    graph: WorkflowGraph, iterations: int, data: str | None, data_file: Path | None
) -> dict[Any, Any]:
    from flowquake.compat.dispel4py.inputs import read_json_file, read_json_inputs
    from flowquake.compat.dispel4py.workflow_graph import flatten

    given: dict[Any, Any] = {}
    if data_file is not None:
        given = read_json_file(data_file)
    elif data is not None:
        given = read_json_inputs(data)
    if given:
        return given
    flat = flatten(graph)
    fed = {edge.target for edge in flat.edges}
    return {pe: iterations for pe in flat.pes if pe not in fed}


def _document(name: str, done: GraphResult) -> dict[str, Any]:
    from flowquake.engine.job import item_json

    result = done.result
    status = "interrupted" if result.interrupted else "done"
    return {
        "schema": "flowquake/dispel4py-1",
        "workflow": name,
        "status": status,
        "outputs": item_json(done.outputs),
        "counts": {
            name: {"received": count.received, "emitted": count.emitted}
            for name, count in result.counts.items()
        },
        "rejections": item_json(result.rejections),
        "seconds": round(result.seconds, 3),
    }


def _summary(done: GraphResult) -> str:
    result = done.result
    emitted = sum(sum(count.emitted.values()) for count in result.counts.values())
    lines = [
        f"{'Interrupted' if result.interrupted else 'Done'} in {result.seconds:.2f} s: "
        f"{len(result.counts)} PEs gave {emitted} items."
    ]
    lines += [f"  set aside: {entry['pe']}: {entry['reason']}" for entry in result.rejections[:10]]
    if result.rejected > 10:
        lines.append(f"  and {result.rejected - 10} more")
    return "\n".join(lines)
