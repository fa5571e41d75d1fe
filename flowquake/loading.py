"""Workflows by reference: a file, an installed name, or one of the registry."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flowquake.docstrings import body, summary
from flowquake.errors import FlowquakeError, WorkflowError, suggest
from flowquake.parameters import Parameter, describe_parameters, read_settings

if TYPE_CHECKING:
    from flowquake.workflow import Workflow

GROUP = "flowquake.workflows"
Resolver = Callable[[str], EntryPoint]


@dataclass(frozen=True, kw_only=True)
class LoadedWorkflow:
    """A workflow that can be built.

    Attributes
    ----------
    name : str
        The file's stem, or the installed name.
    reference : str
        What it was asked for by.
    path : Path or None
        The file that defines it.
    package, version : str
        The distribution it comes with; empty for a file.
    summary : str
        The first paragraph of its docstring.
    description : str
        What the docstring of ``build`` says beyond its first paragraph, before
        the parameters.
    parameters : tuple of Parameter
        What it takes.
    """

    name: str
    reference: str
    path: Path | None
    package: str = ""
    version: str = ""
    summary: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    maker: Callable[..., object]

    def build(self, values: Mapping[str, object] | None = None) -> Workflow:
        """Make the graph.

        Parameters
        ----------
        values : mapping of str to object
            By name of parameter, of the parameters' types.

        Raises
        ------
        WorkflowError
            If ``build`` fails, or gives something that is no workflow.
        """
        from flowquake.workflow import Workflow

        try:
            workflow = self.maker(**(values or {}))
        except FlowquakeError as error:
            error.where = error.where or self._where(error)
            raise
        except Exception as cause:
            raise WorkflowError(
                f"build() failed: {type(cause).__name__}: {cause}", where=self._where(cause)
            ) from cause
        if not isinstance(workflow, Workflow):
            raise WorkflowError(
                f"build() gives a {type(workflow).__name__}, not a Workflow",
                where=str(self.path or self.reference),
                fix="end it with `return workflow`",
            )
        return workflow

    def build_from(self, settings: Mapping[str, str]) -> Workflow:
        """Make the graph from settings as given on the command line."""
        return self.build(self.read(settings))

    def read(self, settings: Mapping[str, str]) -> dict[str, object]:
        """Turn settings into values of the parameters' types."""
        return read_settings(self.parameters, settings, where=f"workflow '{self.name}'")

    def _where(self, cause: BaseException) -> str:
        if self.package and isinstance(cause, FlowquakeError):
            return f"workflow '{self.name}'"  # a line of installed code helps nobody
        if self.path is None:
            return self.reference
        return place_in(self.path, cause)


def load_workflow(reference: str, *, resolve: Resolver | None = None) -> LoadedWorkflow:
    """Find a workflow and read its parameters; nothing is built yet.

    Parameters
    ----------
    reference : str
        A file if it ends in ``.py``, else ``registry:NAME@V``, else the name
        of an installed workflow.
    resolve : callable, optional
        Finds the entry point of a ``registry:`` reference.

    Raises
    ------
    WorkflowError
        If it is not there, cannot be imported or defines no workflow.
    """
    if reference.endswith(".py"):
        return _from_file(Path(reference).expanduser(), reference)
    if reference.startswith("registry:"):
        if resolve is None:
            raise WorkflowError(f"'{reference}' needs the registry", fix="use an installed name")
        return _from_entry(resolve(reference), reference)
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    entry = entries.get(reference) or entries.get(reference.replace("-", "_"))
    if entry is None:
        file = Path(f"{reference}.py")
        fix = f"installed are: {', '.join(sorted(entries)) or 'none'}; a file ends in .py"
        raise WorkflowError(
            f"there is no workflow '{reference}'{suggest(reference, entries)}",
            fix=f"use {file}, the file" if file.is_file() else fix,
        )
    return _from_entry(entry, reference)


def place_in(path: Path, cause: BaseException) -> str:
    """Name the last line of a file that led to an error."""
    if isinstance(cause, SyntaxError) and cause.filename and cause.lineno:
        return f"{cause.filename}, line {cause.lineno}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(cause.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    return f"{path}, line {lines[-1]}" if lines and lines[-1] else str(path)


def _from_file(path: Path, reference: str) -> LoadedWorkflow:
    module = import_file(path)
    return _describe(module, None, name=path.stem, reference=reference, path=path)


def import_file(path: Path, prefix: str = "flowquake_workflow_") -> ModuleType:
    """Import a workflow's file, as the module ``<prefix><stem>``.

    Parameters
    ----------
    path : Path
        The file.
    prefix : str
        Modules that begin with the default are imported by worker processes,
        too, before they read their part of the workflow.

    Raises
    ------
    WorkflowError
        If it is not there or cannot be imported.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        beside = path.parent if path.parent.is_dir() else Path()
        near = suggest(path.name, [file.name for file in beside.glob("*.py") if file.is_file()])
        raise WorkflowError(f"the workflow file {path} {kind}{near}", fix="check the path")
    # A stable name, so that classes of the file can be found again by pickle.
    name = f"{prefix}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise WorkflowError(f"the workflow file {path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as when Python runs the file itself
    sys.modules[name] = module
    try:
        with _forgotten_on_failure(name):
            spec.loader.exec_module(module)
    except FlowquakeError as error:
        error.where = error.where or place_in(path, error)
        raise
    except Exception as cause:
        raise import_failure(cause, place_in(path, cause)) from cause
    except SystemExit as cause:
        raise WorkflowError(
            "the workflow file ends the program when it is imported",
            where=place_in(path, cause),
            fix="put what runs it under `if __name__ == '__main__':`",
        ) from cause
    return module


@contextlib.contextmanager
def _forgotten_on_failure(name: str) -> Iterator[None]:
    """Leave no half-made module for others to find, as worker processes do."""
    try:
        yield
    except BaseException:
        sys.modules.pop(name, None)
        raise


def _from_entry(entry: EntryPoint, reference: str) -> LoadedWorkflow:
    try:
        module = importlib.import_module(entry.module)
    except FlowquakeError:
        raise
    except Exception as cause:
        last = traceback.extract_tb(cause.__traceback__)[-1]
        where = f"{entry.module} ({last.filename}, line {last.lineno})"
        if isinstance(cause, SyntaxError):
            where = f"{cause.filename}, line {cause.lineno}"
        raise import_failure(cause, where) from cause
    file = getattr(module, "__file__", None)
    dist = entry.dist
    return _describe(
        module,
        entry.attr or None,
        name=entry.name,
        reference=reference,
        path=Path(file) if file else None,
        package=dist.name if dist else "",
        version=dist.version if dist else "",
    )


def import_failure(cause: Exception, where: str) -> WorkflowError:
    """Say why a workflow's module could not be imported."""
    if isinstance(cause, ModuleNotFoundError) and cause.name:
        if cause.name.split(".")[0] == "dispel4py":
            return WorkflowError(
                "this is a workflow of dispel4py",
                where=where,
                fix="flowquake dispel4py FILE, which needs no dispel4py",
            )
        return WorkflowError(
            f"the workflow needs the module '{cause.name}', which is not installed",
            where=where,
            fix="install the package that has it, or check the spelling",
        )
    if isinstance(cause, SyntaxError):
        return WorkflowError(f"the workflow is not valid Python: {cause.msg}", where=where)
    return WorkflowError(
        f"the workflow cannot be imported: {type(cause).__name__}: {cause}", where=where
    )


def _describe(
    module: ModuleType,
    attribute: str | None,
    *,
    name: str,
    reference: str,
    path: Path | None,
    package: str = "",
    version: str = "",
) -> LoadedWorkflow:
    from flowquake.workflow import Workflow

    # What a user's module defines can be anything.
    found: Any = (
        getattr(module, attribute, None)
        if attribute
        else getattr(module, "build", None) or getattr(module, "workflow", None)
    )
    about = module.__doc__ or getattr(found, "__doc__", None)
    parameters: tuple[Parameter, ...] = ()
    if isinstance(found, Workflow):
        workflow = found
        about = module.__doc__

        def maker() -> object:
            return workflow

    elif callable(found):
        maker = found
        try:
            parameters = describe_parameters(found)
        except WorkflowError as error:
            error.where = str(path or reference)
            raise
    else:
        what = "neither build() nor workflow" if found is None else f"'{attribute or 'workflow'}'"
        wrong = "" if found is None else f" as a {type(found).__name__}"
        raise WorkflowError(
            f"the file defines {what}{wrong}",
            where=str(path or reference),
            fix="def build(*, ...) -> Workflow, or workflow = Workflow('name')",
        )
    return LoadedWorkflow(
        name=name,
        reference=reference,
        path=path,
        package=package,
        version=version,
        summary=summary(about),
        description="" if isinstance(found, Workflow) else body(getattr(found, "__doc__", None)),
        parameters=parameters,
        maker=maker,
    )
