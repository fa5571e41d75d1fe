"""``flowquake describe``."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import click

from flowquake.cli.app import Command
from flowquake.cli.options import complete_described, json_option, load, set_option
from flowquake.cli.standins import build_with_stand_ins
from flowquake.cli.text import print_json, say, table
from flowquake.docstrings import parameter_docs
from flowquake.errors import ConfigError, suggest

if TYPE_CHECKING:
    from flowquake.registry import ElementEntry, PortEntry
    from flowquake.workflow import Workflow


@click.command("describe", cls=Command)
@click.argument("name", shell_complete=complete_described)
@set_option
@json_option
def describe_command(name: str, assignments: tuple[str, ...], as_json: bool) -> None:
    """Describe a processing element or a workflow.

    NAME is an element (FitFailure, forecasting.FitFailure), an installed
    workflow, or a workflow's file.
    """
    from flowquake.registry import find_element, find_elements, find_mappings, find_workflows

    workflows = {entry.name for entry in find_workflows()}
    if name.endswith(".py") or name.startswith("registry:") or name.replace("-", "_") in workflows:
        _describe_workflow(name, assignments, as_json=as_json)
        return
    for mapping in find_mappings():
        if mapping.name == name:
            if as_json:
                print_json({"schema": "flowquake/describe-1", "mapping": mapping.to_json()})
                return
            say(f"{mapping.name}: a mapping of {mapping.package} {mapping.version}")
            say(f"  {mapping.summary}.")
            return
    try:
        entry = find_element(name)
    except ConfigError:
        names = {element.name for element in find_elements()} | workflows
        if name.rpartition(".")[2] in names:
            raise
        raise ConfigError(
            f"there is no processing element or workflow '{name}'{suggest(name, names)}",
            fix="see `flowquake list`",
        ) from None
    if as_json:
        print_json({"schema": "flowquake/describe-1", "element": entry.to_json()})
    else:
        say(element_text(entry))


def element_text(entry: ElementEntry) -> str:
    """Write what the registry knows of an element."""
    lines = [
        f"{entry.name}: {entry.summary}",
        "",
        f"  {entry.kind} of {entry.package} {entry.version}",
        f"  from {entry.module} import {entry.name}",
    ]
    for title, ports in (("Inputs", entry.inputs), ("Outputs", entry.outputs)):
        if ports:
            lines += ["", title, table(["name", "type", "grouping"], [_port(p) for p in ports])]
    if entry.state:
        lines += ["", f"State: {entry.state}"]
    if entry.parameters:
        lines += ["", "Parameters"]
        docs = parameter_docs(entry.description)
        for parameter in entry.parameters:
            default = "required" if parameter.required else f"default {parameter.default}"
            said = docs[parameter.name].type if parameter.name in docs else ""
            kind = re.sub(r", (optional|default .*)$", "", said) or parameter.type
            lines.append(f"  {parameter.name}: {kind}, {default}")
            if parameter.help:
                lines.append(f"      {parameter.help}")
    body = inspect.cleandoc(entry.description).split("\nParameters\n")[0]
    more = body.split("\n\n", 1)[1:] if "\n\n" in body else []
    if more and more[0].strip():
        lines += ["", more[0].rstrip()]
    return "\n".join(lines)


def graph_tree(workflow: Workflow) -> str:
    """Write a graph as a tree; what has been shown before is only named."""
    outgoing: dict[str, list[tuple[str, str]]] = {name: [] for name in workflow.elements}
    for c in workflow.connections:
        outgoing[c.source].append((c.target, f"{c.output} -> {c.input}"))
    reached = {c.target for c in workflow.connections}
    roots = [name for name in workflow.elements if name not in reached] or list(workflow.elements)[
        :1
    ]
    lines: list[str] = []
    shown: set[str] = set()
    # An explicit stack: a long chain must not meet the recursion limit.
    stack: list[tuple[str, str, str, str]] = [(root, "", "", "") for root in reversed(roots)]
    while stack:
        name, before, indent, via = stack.pop()
        kind = type(workflow.elements[name]).__name__
        again = name in shown and bool(outgoing[name])
        lines.append(f"{before}{name} ({kind}){via}{' ...' if again else ''}")
        if again:
            continue
        shown.add(name)
        targets = outgoing[name]
        for number, (target, ports) in reversed(list(enumerate(targets))):
            last = number == len(targets) - 1
            branch = f"{indent}{'└─ ' if last else '├─ '}"
            stack.append((target, branch, f"{indent}{'   ' if last else '│  '}", f"  {ports}"))
    return "\n".join(lines)


def _port(port: PortEntry) -> list[str]:
    return [port.name, port.type, port.grouping]


def _describe_workflow(name: str, assignments: tuple[str, ...], *, as_json: bool) -> None:
    from flowquake.cli.run import parameter_help

    loaded = load(name)
    graph, reason = build_with_stand_ins(loaded, assignments)
    if as_json:
        document = {
            "name": loaded.name,
            "summary": loaded.summary,
            "file": str(loaded.path) if loaded.path else None,
            "package": loaded.package,
            "version": loaded.version,
            "parameters": [parameter.to_json() for parameter in loaded.parameters],
            "graph": _graph_json(graph) if graph is not None else None,
        }
        print_json({"schema": "flowquake/describe-1", "workflow": document})
        return
    where = f"{loaded.package} {loaded.version}" if loaded.package else str(loaded.path)
    say(f"{loaded.name}: {loaded.summary}")
    say(f"\n  workflow of {where}\n")
    if loaded.description:
        say(f"{loaded.description}\n")
    say(parameter_help("", loaded.parameters))
    say()
    say("Graph" if graph is not None else f"Graph: {reason}")
    if graph is not None:
        say(graph_tree(graph))


def _graph_json(workflow: Workflow) -> dict[str, object]:
    return {
        "elements": [
            {"name": name, "class": type(part).__name__} for name, part in workflow.elements.items()
        ],
        "connections": [
            {"from": f"{c.source}.{c.output}", "to": f"{c.target}.{c.input}"}
            for c in workflow.connections
        ],
    }
