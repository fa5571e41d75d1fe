"""Graphs of dispel4py by reference: a file, or the name of a module."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph
from flowquake.errors import FlowquakeError, WorkflowError, suggest
from flowquake.loading import import_failure, import_file, place_in

# A prefix of its own: these files need the stand-in, which `Origin` puts in place.
PREFIX = "flowquake_dispel4py_"


@dataclass(frozen=True)
class Origin:
    """Where a graph comes from: what a process has to load before it can run a part of it.

    Elements carry it, and give it to pickle first, so that what a user's file
    defines is there when pickle looks for it.

    Attributes
    ----------
    reference : str
        The absolute path of a file, or the name of a module.
    is_file : bool
        Which of them.
    """

    reference: str
    is_file: bool

    def restore(self) -> ModuleType:
        """Load the file or module in this process, once.

        Raises
        ------
        WorkflowError
            If it is not there or cannot be imported.
        """
        module = _loaded.get(self)
        if module is None:
            from flowquake.compat.dispel4py.stand_in import put_in_place

            put_in_place(Path(self.reference) if self.is_file else None)
            module = _loaded[self] = _import(self)
        return module


_loaded: dict[Origin, ModuleType] = {}


def load_graph(graph_source: str, attr: str | None = None) -> WorkflowGraph:
    """Load the graph of a file or module.

    Parameters
    ----------
    graph_source : str
        A file if it ends in ``.py`` or is one, else a module's name.
    attr : str, optional
        The graph's name there; by default there is to be only one, or one
        that is called ``graph``.

    Raises
    ------
    WorkflowError
        If it is not there, cannot be imported or has no graph.
    """
    path = Path(graph_source).expanduser()
    is_file = graph_source.endswith(".py") or path.is_file()
    origin = Origin(str(path.resolve()) if is_file else graph_source, is_file)
    module = _loaded[origin] = _import(origin, shown=path)
    graph = _find(module, attr, str(path) if is_file else graph_source)
    graph.origin = origin
    return graph


def _import(origin: Origin, shown: Path | None = None) -> ModuleType:
    from flowquake.compat.dispel4py.stand_in import is_in_place, stand_in

    if not is_in_place():
        with stand_in(Path(origin.reference) if origin.is_file else None):
            return _import(origin, shown)
    try:
        if origin.is_file:
            return import_file(shown or Path(origin.reference), PREFIX)
        return _import_module(origin.reference)
    except WorkflowError as error:
        cause = error.__cause__
        # With the stand-in in place, only what it lacks can be missing.
        if isinstance(cause, ModuleNotFoundError) and (cause.name or "").startswith("dispel4py"):
            error.message = f"the workflow needs {cause.name}, for which flowquake has no stand-in"
            error.fix = "leave the import out; see docs/how-to/from-dispel4py.md for what there is"
        raise


def _import_module(name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except FlowquakeError:
        raise
    except Exception as cause:
        wanted = getattr(cause, "name", None) if isinstance(cause, ModuleNotFoundError) else None
        if wanted and (name == wanted or name.startswith(f"{wanted}.")):
            raise WorkflowError(
                f"there is no file and no module '{name}'",
                fix="give a file that ends in .py, or the name of a module that can be imported",
            ) from cause
        raise import_failure(cause, _last_line(cause, name)) from cause


def _last_line(cause: BaseException, name: str) -> str:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    return place_in(Path(file), cause) if file else f"module {name}"


def _find(module: ModuleType, attr: str | None, where: str) -> WorkflowGraph:
    known = {
        name: value for name, value in vars(module).items() if isinstance(value, WorkflowGraph)
    }
    if attr is not None:
        found = known.get(attr)
        if found is not None:
            return found
        what = f"no '{attr}'" if attr not in vars(module) else f"'{attr}', which is no graph"
        raise WorkflowError(
            f"the file has {what}{suggest(attr, known)}",
            where=where,
            fix=f"its graphs are: {', '.join(known) or 'none'}",
        )
    graphs = {name: g for name, g in known.items() if "inputmappings" not in vars(g)}
    different = {id(graph): graph for graph in graphs.values()}
    if len(different) == 1:
        return next(iter(different.values()))
    if "graph" in graphs:
        return graphs["graph"]
    if not graphs:
        raise WorkflowError(
            "the file has no graph", where=where, fix="graph = WorkflowGraph(), at its top level"
        )
    raise WorkflowError(
        f"the file has {len(different)} graphs: {', '.join(graphs)}",
        where=where,
        fix=f"say which: -a {next(iter(graphs))}",
    )
