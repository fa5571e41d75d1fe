"""``flowquake validate``, ``graph`` and ``plan``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from flowquake.cli.app import Command
from flowquake.cli.options import (
    build,
    json_option,
    load,
    set_option,
    workers_option,
    workflow_argument,
)
from flowquake.cli.standins import build_to_look_at
from flowquake.cli.text import note, print_json, say

ENDINGS = {
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".txt": "mermaid",
    "": "mermaid",
}
PLAN_ENDINGS = {**ENDINGS, ".txt": "text", "": "text"}

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write; default standard output.",
)


@click.command("validate", cls=Command)
@workflow_argument()
@set_option
@json_option
def validate_command(workflow: str, assignments: tuple[str, ...], as_json: bool) -> int:
    """Check a workflow; every fault at once.

    Parameters that change no part of the graph can be left out.
    """
    loaded = load(workflow)
    graph = build_to_look_at(loaded, assignments)
    faults = graph.faults()
    if as_json:
        print_json(
            {
                "schema": "flowquake/validate-1",
                "workflow": loaded.name,
                "valid": not faults,
                "elements": len(graph.elements),
                "connections": len(graph.connections),
                "faults": faults,
            }
        )
        return 2 if faults else 0
    if faults:
        graph.validate()
    say(f"{loaded.name}: ok, {len(graph.elements)} elements, {len(graph.connections)} connections")
    return 0


@click.command("graph", cls=Command)
@workflow_argument()
@set_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg"]),
    default=None,
    help="Default: by the ending of --output, else mermaid.",
)
@output_option
def graph_command(
    workflow: str, assignments: tuple[str, ...], form: str | None, output: Path | None
) -> None:
    """Draw a workflow as Mermaid, DOT or SVG; a faulty one too.

    Parameters that change no part of the graph can be left out.
    """
    chosen = form or _format_of(output, ENDINGS)
    graph = build_to_look_at(load(workflow), assignments)
    drawing = {"mermaid": graph.to_mermaid, "dot": graph.to_dot, "svg": graph.to_svg}[chosen]()
    _write(drawing, output)


@click.command("plan", cls=Command)
@workflow_argument()
@set_option
@workers_option
@click.option("--no-fuse", is_flag=True, help="Make every element a stage of its own.")
@click.option(
    "--partition",
    "partitions",
    multiple=True,
    metavar="NAME,...",
    help="Elements to run together, on workers of their own; repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "dot", "svg"]),
    default=None,
    help="Default: by the ending of --output, else text.",
)
@output_option
@json_option
def plan_command(
    workflow: str,
    assignments: tuple[str, ...],
    workers: int | None,
    no_fuse: bool,
    partitions: tuple[str, ...],
    form: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show how a workflow is laid out over workers; list it or draw it."""
    from flowquake.planning import plan

    if as_json and (form is not None or output is not None):
        raise click.UsageError("--json goes to standard output, without --format and --output")
    chosen = form or _format_of(output, PLAN_ENDINGS)
    graph = build(load(workflow), assignments)
    named = [[name.strip() for name in names.split(",") if name.strip()] for names in partitions]
    laid_out = plan(graph, workers or 1, fuse=not no_fuse, partitions=named)
    if as_json:
        print_json({"schema": "flowquake/plan-1", **laid_out.to_json()})
    elif chosen == "text":
        _write(laid_out.describe(), output)
    else:
        draw = {"mermaid": laid_out.to_mermaid, "dot": laid_out.to_dot, "svg": laid_out.to_svg}
        _write(draw[chosen](graph), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        say(text.rstrip("\n"))
        return
    try:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as cause:
        raise click.UsageError(f"cannot write {output}: {cause.strerror or cause}") from cause
    note(f"wrote {output}")


def _format_of(output: Path | None, endings: Mapping[str, str]) -> str:
    ending = output.suffix.lower() if output is not None else ""
    if ending not in endings:
        raise click.UsageError(
            f"no format is known by the ending '{ending}'\n"
            "  Fix:   end the name with .svg, .dot or .mmd, or give --format"
        )
    return endings[ending]
