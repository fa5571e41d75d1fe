"""The name dispel4py, for files that import it where it is not installed.

Nothing is put in place by an import of this module: `stand_in` does it, for
the command ``flowquake dispel4py`` and in worker processes that load a graph.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from flowquake.compat.dispel4py import (
    aggregate,
    base,
    core,
    loading,
    monitoring,
    running,
    workflow_graph,
)

NAME = "dispel4py"
EXAMPLES = f"{NAME}.examples"

_MODULES: dict[str, ModuleType | dict[str, object]] = {
    "core": core,
    "base": base,
    "workflow_graph": workflow_graph,
    "GenericPE": core,
    "aggregate": aggregate,
    "new": {},
    "new.aggregate": aggregate,
    "new.monitoring": monitoring,
    "new.mappings": {"config": {"simple": "simple", "multi": "multi", "mpi": "mpi"}},
    "new.simple_process": running,
    "new.processor": running,
    "new.multi_process": {
        "process": running.multi_process,
        "STATUS_TERMINATED": running.STATUS_TERMINATED,
    },
    "new.mpi_process": {
        "process": running.mpi_process,
        "STATUS_TERMINATED": running.STATUS_TERMINATED,
    },
    "simple_process": running,
    "utils": {"load_graph": loading.load_graph, "loadGraph": loading.load_graph},
    "visualisation": {"draw": workflow_graph.draw, "drawDot": workflow_graph.drawDot},
}


class _Finder:
    """Finds the examples of dispel4py where they lie, and nothing else of it."""

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(f"{NAME}.") or name.startswith(f"{EXAMPLES}."):
            return None
        if name == EXAMPLES:
            for folder in (*self.folders, *map(Path, sys.path)):
                found = folder / NAME / "examples"
                if found.is_dir():
                    return spec_from_file_location(
                        name,
                        found / "__init__.py" if (found / "__init__.py").is_file() else None,
                        submodule_search_locations=[str(found)],
                    )
        raise ModuleNotFoundError(f"flowquake has no stand-in for {name}", name=name)


_finder = _Finder()


def is_in_place() -> bool:
    """Whether ``import dispel4py`` gives the stand-in."""
    return _finder in sys.meta_path


def put_in_place(file: Path | None = None) -> None:
    """Let ``import dispel4py`` give the stand-in, in this process from now on.

    Parameters
    ----------
    file : Path, optional
        A workflow file; where it lies inside an installed dispel4py, that
        one's examples are found.
    """
    if file is not None:
        _finder.folders += [
            parent.parent
            for parent in file.resolve().parents
            if parent.name == NAME and parent.parent not in _finder.folders
        ]
    if is_in_place():
        return
    for name in _names():
        del sys.modules[name]
    package = ModuleType(NAME, "What flowquake offers to users of dispel4py.")
    package.__path__ = []
    sys.modules[NAME] = package
    for name, content in _MODULES.items():
        module = content if isinstance(content, ModuleType) else _virtual(f"{NAME}.{name}", content)
        sys.modules[f"{NAME}.{name}"] = module
        parent, _, last = f"{NAME}.{name}".rpartition(".")
        setattr(sys.modules[parent], last, module)
    sys.meta_path.insert(0, _finder)


@contextmanager
def stand_in(file: Path | None = None) -> Iterator[None]:
    """Let ``import dispel4py`` give the stand-in, and afterwards what it gave before."""
    if is_in_place():
        put_in_place(file)
        yield
        return
    before = {name: sys.modules[name] for name in _names()}
    put_in_place(file)
    try:
        yield
    finally:
        sys.meta_path.remove(_finder)
        _finder.folders.clear()
        for name in _names():
            del sys.modules[name]
        sys.modules.update(before)


def _names() -> list[str]:
    return [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]


def _virtual(name: str, content: dict[str, object]) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(content)
    module.__path__ = []
    return module
