"""Pages of the reference that are made from the code, so that they cannot disagree with it."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from sphinx.application import Sphinx

from flowquake import ProcessingElement, errors
from flowquake.cli.app import app
from flowquake.records import load_schema


def setup(sphinx: Sphinx) -> dict[str, bool]:
    sphinx.connect("builder-inited", _write_pages)
    sphinx.connect("autodoc-process-docstring", _plain_references)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_pages(sphinx: Sphinx) -> None:
    folder = Path(sphinx.srcdir) / "reference" / "_generated"
    folder.mkdir(exist_ok=True)
    pages: dict[str, Callable[[], Iterator[str]]] = {
        "command-line": _commands,
        "exit-codes": _exit_codes,
        "elements": _elements,
        "workflows": _workflows,
        "forecast": _forecast,
    }
    for name, lines in pages.items():
        page, text = folder / f"{name}.md", "\n".join(lines()) + "\n"
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def _plain_references(
    sphinx: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Write numbered references as plain text: many docstrings share one page, and a number."""
    lines[:] = [re.sub(r"^\.\. \[(\d+)\]", r"\n[\1]", line) for line in lines]
    lines[:] = [re.sub(r"\[(\d+)\]_", r"[\1]", line) for line in "\n".join(lines).split("\n")]


# ---- the command line -----------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield from _command(app, None, ["flowquake"])


def _command(
    command: click.Command, parent: click.Context | None, path: list[str]
) -> Iterator[str]:
    settings = dict(command.context_settings, terminal_width=90, max_content_width=90)
    context = click.Context(command, info_name=path[-1], parent=parent, **settings)
    yield from (f"## `{' '.join(path)}`", "", "```text", command.get_help(context), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _command(child, context, [*path, name])


def _exit_codes() -> Iterator[str]:
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.FlowquakeError)
    ]
    yield "| exit code | error | means |"
    yield "| --- | --- | --- |"
    for value in sorted(classes, key=lambda value: (value.exit_code, value.__name__)):
        yield f"| {value.exit_code} | `{value.__name__}` | {_summary(value)} |"


# ---- processing elements and workflows --------------------------------------------------------


def _elements() -> Iterator[str]:
    for entry in sorted(entry_points(group="flowquake.pes")):
        module = importlib.import_module(entry.module)
        yield from (f"## `{entry.value}`", "", inspect.getdoc(module) or "", "")
        names = [name for name in module.__all__ if _is_documented(getattr(module, name))]
        parts = {name: getattr(module, name) for name in names}
        for name, value in parts.items():
            if inspect.isclass(value) and issubclass(value, ProcessingElement):
                yield from _element(module, name, value)
        for name, value in parts.items():
            if not (inspect.isclass(value) and issubclass(value, ProcessingElement)):
                kind = "autoclass" if inspect.isclass(value) else "autofunction"
                options = [":members:"] if inspect.isclass(value) else []
                yield from _autodoc(kind, f"{module.__name__}.{name}", *options)


def _is_documented(value: object) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


def _element(module: ModuleType, name: str, cls: type[ProcessingElement]) -> Iterator[str]:
    yield from (f"### {name}", "")
    yield from _autodoc("autoclass", f"{module.__name__}.{name}")
    declared = cls._declaration
    if declared.inputs or declared.outputs:
        yield from ("| port | | items |", "| --- | --- | --- |")
        for kind, ports in (("input", declared.inputs), ("output", declared.outputs)):
            for port_name, port in ports.items():
                extra = port.describe() if kind == "input" else ""
                kinds = f"{port.type.__name__}{', ' + extra if extra else ''}"
                yield f"| `{port_name}` | {kind} | {kinds} |"
        yield ""


def _workflows() -> Iterator[str]:
    for entry in sorted(entry_points(group="flowquake.workflows")):
        module = importlib.import_module(entry.module)
        yield from (f"## {entry.name}", "")
        yield from _autodoc("autofunction", f"{module.__name__}.build")


def _autodoc(directive: str, target: str, *options: str) -> Iterator[str]:
    yield from ("```{eval-rst}", f".. {directive}:: {target}")
    yield from (f"   {option}" for option in options)
    yield from ("```", "")


# ---- the forecast record ----------------------------------------------------------------------


def _forecast() -> Iterator[str]:
    schema = load_schema()
    yield from ("| field | type | meaning |", "| --- | --- | --- |")
    for name, part in schema["properties"].items():
        described = part.get("description", "")
        yield f"| `{name}` | {_type(part)} | {described} |"
    yield from ("", "## The schema", "", "```json", json.dumps(schema, indent=2), "```")


def _type(part: dict[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"]).rsplit("/", 1)[-1]
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part or "oneOf" in part:
        return " or ".join(_type(one) for one in part.get("anyOf") or part["oneOf"])
    kinds = part.get("type", "object")
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)


def _summary(value: object) -> str:
    return (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")
