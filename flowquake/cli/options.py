"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from flowquake.loading import LoadedWorkflow
    from flowquake.workflow import Workflow

F = TypeVar("F", bound=Callable[..., Any])  # a command's function

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document to standard output."
)
set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the workflow; repeatable. env:NAME and file:PATH name a secret.",
)
workers_option = click.option(
    "-n",
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    envvar="FLOWQUAKE_WORKERS",
    help="Number of workers; default: one, and all cores under multi and mpi.",
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    envvar="FLOWQUAKE_OUT",
    help="The run's directory; default runs/<id>. An earlier run in it is replaced.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write into a folder that holds something else."
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    envvar="FLOWQUAKE_SEED",
    help="Of every random number.",
)


def workflow_argument(*, required: bool = True) -> Callable[[F], F]:
    """Give the argument WORKFLOW, with completion."""
    return click.argument("workflow", required=required, shell_complete=_complete_workflow)


def complete_described(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of what can be described."""
    from click.shell_completion import CompletionItem

    from flowquake.registry import find_elements, find_mappings, find_workflows

    names = {entry.name for entry in find_elements()}
    names |= {entry.name for entry in find_workflows()}
    names |= {entry.name for entry in find_mappings()}
    found = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
    return [*found, CompletionItem(incomplete, type="file")]


def load(reference: str) -> LoadedWorkflow:
    """Load a workflow by any reference, the registry's too."""
    from flowquake.loading import load_workflow
    from flowquake.registry import resolve

    return load_workflow(reference, resolve=resolve)


def settings_of(loaded: LoadedWorkflow, assignments: tuple[str, ...]) -> dict[str, str]:
    """Gather the settings of a workflow from command line, environment and file."""
    from flowquake.cli.settings import gather
    from flowquake.parameters import parse_assignments

    return gather(loaded.name, loaded.parameters, parse_assignments(assignments))


def build(loaded: LoadedWorkflow, assignments: tuple[str, ...]) -> Workflow:
    """Make a workflow's graph from its settings."""
    return loaded.build_from(settings_of(loaded, assignments))


def _complete_workflow(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from importlib.metadata import entry_points

    from click.shell_completion import CompletionItem

    names = sorted(entry.name for entry in entry_points(group="flowquake.workflows"))
    found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return [*found, CompletionItem(incomplete, type="file")]
