"""``flowquake validate``, ``graph`` and ``plan``."""

from __future__ import annotations

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
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write; default standard output.",
)
def graph_command(
    workflow: str, assignments: tuple[str, ...], form: str | None, output: Path | None
) -> None:
    """Draw a workflow as Mermaid, DOT or SVG; a faulty one too.

    Parameters that change no part of the graph can be left out.
    """
    chosen = form or _format_of(output)
    graph = build_to_look_at(load(workflow), assignments)
    drawing = {"mermaid": graph.to_mermaid, "dot": graph.to_dot, "svg": graph.to_svg}[chosen]()
    if output is None:
        say(drawing.rstrip("\n"))
        return
    try:
        output.write_text(drawing.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as cause:
        raise click.UsageError(f"cannot write {output}: {cause.strerror or cause}") from cause
    note(f"wrote {output}")


@click.command("plan", cls=Command)
@workflow_argument()
@set_option
@workers_option
@json_option
def plan_command(workflow: str, assignments: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Show how a workflow is laid out over workers."""
    from flowquake.planning import plan

    laid_out = plan(build(load(workflow), assignments), workers or 1)
    if as_json:
        print_json({"schema": "flowquake/plan-1", **laid_out.to_json()})
    else:
        say(laid_out.describe())


def _format_of(output: Path | None) -> str:
    ending = output.suffix.lower() if output is not None else ""
    if ending not in ENDINGS:
        raise click.UsageError(
            f"no format is known by the ending '{ending}'\n"
            "  Fix:   end the name with .svg, .dot or .mmd, or give --format"
        )
    return ENDINGS[ending]
