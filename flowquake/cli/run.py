"""``flowquake run``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowquake.cli.app import Command, is_follower
from flowquake.cli.options import (
    json_option,
    load,
    out_option,
    overwrite_option,
    seed_option,
    set_option,
    settings_of,
    workers_option,
    workflow_argument,
)
from flowquake.cli.text import clean, note, print_json, print_json_line, say

if TYPE_CHECKING:
    from flowquake.parameters import Parameter

UNBROKEN = "\N{NON-BREAKING HYPHEN}"


@click.command("run", cls=Command, context_settings={"help_option_names": []})
@workflow_argument(required=False)
@click.option(
    "--mapping",
    default="sequential",
    show_default=True,
    envvar="FLOWQUAKE_MAPPING",
    help="How to run the graph; see `flowquake list mappings`.",
)
@workers_option
@set_option
@out_option
@overwrite_option
@seed_option
@click.option(
    "--on-error",
    default="stop",
    show_default=True,
    metavar="stop|skip|retry:N",
    envvar="FLOWQUAKE_ON_ERROR",
    help="When an element fails on an item: stop, set the item aside, or try again.",
)
@click.option(
    "--restarts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    envvar="FLOWQUAKE_RESTARTS",
    help="How often to go on from the last checkpoint when a worker dies.",
)
@click.option(
    "--no-fuse",
    "fuse",
    flag_value=False,
    default=True,
    help="Let every element be a unit of its own.",
)
@click.option(
    "--stall-timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    envvar="FLOWQUAKE_STALL_TIMEOUT",
    help="Report a worker that is silent for so long, with its stack; 0 for never.",
)
@json_option
@click.option(
    "--json-lines",
    is_flag=True,
    help="Print JSON lines to standard output: metrics every second, at last the run's document.",
)
@click.option(
    "--serve",
    metavar="HOST:PORT",
    envvar="FLOWQUAKE_SERVE",
    help="Serve /metrics for Prometheus, /healthz and /readyz while the run goes on.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    envvar="FLOWQUAKE_TOKEN_FILE",
    help="Holds the token for --serve; needed beyond this machine.",
)
@click.option("-q", "--quiet", is_flag=True, envvar="FLOWQUAKE_QUIET", help="No summary.")
@click.option("-v", "--verbose", is_flag=True, help="Show the log.")
@click.option("-h", "--help", "wants_help", is_flag=True, help="Show this, and WORKFLOW's own.")
@click.pass_context
def run_command(
    ctx: click.Context,
    /,
    workflow: str | None,
    wants_help: bool,
    assignments: tuple[str, ...],
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    json_lines: bool,
    serve: str | None,
    token_file: Path | None,
    quiet: bool,
    verbose: bool,
    **options: Any,  # the fields of RunOptions
) -> int:
    """Run a workflow.

    WORKFLOW is a file if it ends in .py, else registry:NAME@VERSION, else an
    installed name. `flowquake run WORKFLOW --help` shows its parameters.
    """
    if wants_help:
        click.echo(ctx.get_help())
        if workflow is not None:
            loaded = load(workflow)
            say()
            say(parameter_help(f" of {loaded.name}. {loaded.summary}", loaded.parameters))
        return 0
    if workflow is None:
        raise click.UsageError("Missing argument 'WORKFLOW'.", ctx)
    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines exclude each other.", ctx)
    from flowquake.mapping import find_mapping

    mapping = find_mapping(options["mapping"])
    if mapping.name == "mpi":
        from flowquake.mappings.mpiexec import is_under_mpi

        if not is_under_mpi():
            from flowquake.cli.supervising import run_under_mpi

            return run_under_mpi(ctx.obj, options["workers"])

        from flowquake.mappings.mpiexec import lifeline

        lifeline()
    elif hasattr(mapping, "prepare"):
        mapping.prepare(workflow)
    from flowquake.cli.closing import closing_summary
    from flowquake.cli.executing import RunOptions, execute, follow, shows_progress

    loaded = load(workflow)
    if is_follower():
        return follow(loaded, settings_of(loaded, assignments), RunOptions(**options), mapping)
    outcome = execute(
        loaded,
        settings_of(loaded, assignments),
        RunOptions(**options),
        mapping=mapping,
        out=out,
        overwrite=overwrite,
        progress=shows_progress(quiet=quiet),
        lines=json_lines,
        serve=serve,
        token_file=token_file,
        verbose=verbose,
    )
    if json_lines:
        print_json_line(with_forecasts(outcome.record, outcome.directory))
    elif as_json:
        print_json(with_forecasts(outcome.record, outcome.directory))
    if not quiet:
        note(closing_summary(outcome.record, outcome.directory))
    if outcome.error is not None:
        raise outcome.error
    return outcome.exit_code


def with_forecasts(record: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Add the last forecast of each model to the record of a run."""
    from flowquake.cli.forecasts import last_forecasts, read_forecasts

    groups = last_forecasts(read_forecasts(directory / "outputs" / "forecasts.jsonl"))
    return {**record, "forecasts": [forecast for group in groups for forecast in group]}


def parameter_help(of: str, parameters: tuple[Parameter, ...]) -> str:
    """Write the help of a workflow's parameters, `of` after the title."""
    from flowquake.conversion import to_text

    width = min(shutil.get_terminal_size((100, 20)).columns, 100)
    formatter = click.HelpFormatter(width=width)
    formatter.write_text(f"Parameters{of}")
    rows = []
    for parameter in parameters:
        left = f"--set {parameter.name}="
        kind = "required" if parameter.required else f"default {to_text(parameter.default)}"
        rows.append((left, f"({parameter.type_name}; {kind}) {clean(parameter.help)}"))
    # A name such as lab-ae must not be broken at its hyphen.
    rows = [(left, text.replace("-", UNBROKEN)) for left, text in rows]
    with formatter.indentation():
        formatter.write_dl(rows or [("none", "")])
    return formatter.getvalue().rstrip("\n").replace(UNBROKEN, "-")
