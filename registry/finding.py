"""What is installed, found by entry points and read without importing it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from flowquake.docstrings import parameter_docs, summary
from flowquake.errors import ConfigError, WorkflowError, suggest
from flowquake.registry.entries import (
    ElementEntry,
    Entry,
    MappingEntry,
    ParameterEntry,
    PortEntry,
    WorkflowEntry,
)
from flowquake.registry.locating import locate, modules
from flowquake.registry.reading import (
    ClassSource,
    ModuleSource,
    read_arguments,
    read_module,
)

ROOTS = {"ProcessingElement": "element", "Source": "source", "Composite": "composite"}


def find_elements() -> list[ElementEntry]:
    """List the processing elements of all installed packages, by subject and name."""
    sources = {point.module: _sources_of(point) for point in _points("flowquake.pes")}
    # An element may derive from one of another package.
    known = {
        c.name: c for package in sources.values() for source in package for c in source.classes
    }
    found = [
        entry
        for point in _points("flowquake.pes")
        for entry in _elements_of(point, sources[point.module], known)
    ]
    return sorted(found, key=lambda entry: (entry.subject, entry.name, entry.package))


def find_workflows() -> list[WorkflowEntry]:
    """List the installed workflows, by name."""
    return sorted(map(_workflow_of, _points("flowquake.workflows")), key=lambda e: e.name)


def find_mappings() -> list[MappingEntry]:
    """List the installed mappings, by name."""
    found = []
    for point in _points("flowquake.mappings"):
        name, version = _distribution(point)
        source = _source(point.module)
        found.append(
            MappingEntry(
                name=point.name,
                module=point.module,
                package=name,
                version=version,
                summary=summary(source.docstring).rstrip("."),
            )
        )
    return sorted(found, key=lambda entry: entry.name)


def search(entries: Iterable[Entry], words: str) -> list[Entry]:
    """Keep the entries in which every word occurs, whatever its case.

    Looked at are name, subject, module, summary, ports and parameters.
    """
    wanted = words.lower().split()
    return [entry for entry in entries if all(word in _haystack(entry) for word in wanted)]


def find_element(name: str) -> ElementEntry:
    """Give the element of a name.

    Parameters
    ----------
    name : str
        The class, in either spelling (``FitFailure``, ``fit_failure``), alone
        or after its subject or module (``forecasting.FitFailure``).

    Raises
    ------
    ConfigError
        If there is none, or several packages have one.
    """
    elements = find_elements()
    qualifier, _, last = name.rpartition(".")
    plain = last.replace("_", "").lower()
    fitting = [
        entry
        for entry in elements
        if entry.name.lower() == plain
        and qualifier in ("", entry.subject, entry.module, entry.package)
    ]
    exact = [entry for entry in fitting if entry.name == last] or fitting
    if len(exact) == 1:
        return exact[0]
    if exact:
        places = ", ".join(f"{entry.module}.{entry.name}" for entry in exact)
        raise ConfigError(f"'{name}' is in several packages", fix=f"use one of: {places}")
    names = {entry.name for entry in elements}
    raise ConfigError(
        f"there is no processing element '{name}'{suggest(last, names)}",
        fix="see `flowquake list pes`",
    )


def resolve(reference: str) -> EntryPoint:
    """Give the entry point of ``registry:NAME@V``; without ``@V`` the installed version.

    Raises
    ------
    WorkflowError
        If that name, or that version of it, is not installed.
    """
    name, _, version = reference.removeprefix("registry:").partition("@")
    points = [point for point in _points("flowquake.workflows") if point.name == name]
    if not points:
        names = [point.name for point in _points("flowquake.workflows")]
        raise WorkflowError(
            f"the registry has no workflow '{name}'{suggest(name, names)}",
            fix="see `flowquake list workflows`",
        )
    for point in points:
        if version in ("", _distribution(point)[1]):
            return point
    package, installed = _distribution(points[0])
    raise WorkflowError(
        f"workflow '{name}' is installed in version {installed}, not {version}",
        fix=f'pip install "{package}=={version}", or ask for registry:{name}@{installed}',
    )


def _sources_of(point: EntryPoint) -> list[ModuleSource]:
    place = locate(point.module)
    if place is None:
        return []
    return [read_module(name, path) for name, path in modules(point.module, place)]


def _elements_of(
    point: EntryPoint, sources: list[ModuleSource], everywhere: dict[str, ClassSource]
) -> list[ElementEntry]:
    own = {known.name: known for source in sources for known in source.classes}
    classes = everywhere | own
    constants = {name: text for source in sources for name, text in source.constants.items()}
    package, version = _distribution(point)
    front = next((source for source in sources if source.name == point.module), None)
    entries = []
    for known in own.values():
        kind = _kind(known, classes)
        whole = _with_inherited(known, classes)
        if (
            kind is None
            or known.name.startswith("_")
            or not (whole.inputs or whole.outputs or kind == "composite")
        ):
            continue
        exported = front is not None and known.name in front.exports
        if kind == "element" and not whole.outputs:
            kind = "sink"
        entries.append(
            ElementEntry(
                name=known.name,
                module=point.module if exported else known.module,
                subject=point.name,
                package=package,
                version=version,
                kind=kind,
                summary=summary(known.docstring),
                description=inspect.cleandoc(known.docstring),
                inputs=whole.inputs,
                outputs=whole.outputs,
                state=whole.state,
                parameters=tuple(
                    replace(p, default=constants.get(p.default or "", p.default))
                    for p in whole.parameters
                ),
            )
        )
    return entries


def _kind(known: ClassSource, classes: dict[str, ClassSource]) -> str | None:
    seen, waiting = set(), [known]
    while waiting:
        current = waiting.pop()
        for base in current.bases:
            if base in ROOTS:
                return ROOTS[base]
            if base in classes and base not in seen:
                seen.add(base)
                waiting.append(classes[base])
    return None


def _with_inherited(known: ClassSource, classes: dict[str, ClassSource]) -> ClassSource:
    """Add what the bases in the same package declare; a class's own come after theirs."""
    inputs: dict[str, PortEntry] = {}
    outputs: dict[str, PortEntry] = {}
    parameters: dict[str, ParameterEntry] = {}
    state = None
    for current in _ancestry(known, classes):
        inputs |= {port.name: port for port in current.inputs}
        outputs |= {port.name: port for port in current.outputs}
        for parameter in current.parameters:
            before = parameters.get(parameter.name)
            if before is not None and not parameter.help:
                parameter = replace(parameter, help=before.help)
            parameters[parameter.name] = parameter
        state = current.state or state
    # A class may explain what its base declares.
    docs = parameter_docs(known.docstring)
    for name, parameter in parameters.items():
        if name in docs:
            parameters[name] = replace(parameter, help=docs[name].text)
    return ClassSource(
        name=known.name,
        module=known.module,
        bases=known.bases,
        docstring=known.docstring,
        inputs=tuple(inputs.values()),
        outputs=tuple(outputs.values()),
        state=state,
        parameters=tuple(parameters.values()),
    )


def _ancestry(known: ClassSource, classes: dict[str, ClassSource]) -> list[ClassSource]:
    line: list[ClassSource] = []
    waiting = [known]
    while waiting:
        current = waiting.pop(0)
        if current not in line:
            line.append(current)
            waiting += [classes[base] for base in current.bases if base in classes]
    return line[::-1]


def _workflow_of(point: EntryPoint) -> WorkflowEntry:
    package, version = _distribution(point)
    source = _source(point.module)
    build = source.functions.get(point.attr or "build")
    docstring = source.docstring
    parameters: tuple[ParameterEntry, ...] = ()
    if build is not None:
        parameters = tuple(read_arguments(build))
        # A module may hold several workflows, each with its own function.
        if point.attr:
            docstring = ast.get_docstring(build) or docstring
    return WorkflowEntry(
        name=point.name,
        module=point.module,
        package=package,
        version=version,
        summary=summary(docstring),
        parameters=parameters,
    )


def _source(module: str) -> ModuleSource:
    place = locate(module)
    if place is None:
        return ModuleSource(name=module)
    file = place / "__init__.py" if place.is_dir() else place
    return read_module(module, file)


def _points(group: str) -> list[EntryPoint]:
    return list({(p.name, p.value): p for p in entry_points(group=group)}.values())


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("", "")


def _haystack(entry: Entry) -> str:
    return " ".join(str(value) for value in entry.to_json().values()).lower()
