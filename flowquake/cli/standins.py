"""Graphs of workflows whose required parameters were not given."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flowquake.cli.options import build, settings_of
from flowquake.errors import FlowquakeError

if TYPE_CHECKING:
    from flowquake.loading import LoadedWorkflow
    from flowquake.workflow import Workflow

# A catalog in place of one that was not given: a graph may depend on its format.
STAND_IN = "time,latitude,longitude,depth,magnitude\n2000-01-01T00:00:00Z,0,0,1,1\n"


def build_with_stand_ins(
    loaded: LoadedWorkflow, assignments: tuple[str, ...]
) -> tuple[Workflow | None, str]:
    """Make a workflow's graph, with stand-ins for required parameters that were not given.

    The graph is good to be looked at, never to be run.

    Returns
    -------
    workflow : Workflow or None
        None where it cannot be made without the parameters.
    reason : str
        Why not.
    """
    settings = settings_of(loaded, assignments)
    missing = [p for p in loaded.parameters if p.required and p.name not in settings]
    if not missing:
        return loaded.build(loaded.read(settings)), ""
    known = {p.name for p in loaded.parameters}
    if any(name not in known for name in settings):
        return loaded.build(loaded.read(settings)), ""  # which says so
    given = {p.name: p.read(settings[p.name]) for p in loaded.parameters if p.name in settings}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "catalog.csv"
        file.write_text(STAND_IN)
        try:
            return loaded.build({**given, **{p.name: _stand_in(p.kind, file) for p in missing}}), ""
        except FlowquakeError:
            needed = " ".join(f"--set {p.name}=..." for p in missing)
            return None, f"it depends on the parameters; add {needed}"


def build_to_look_at(loaded: LoadedWorkflow, assignments: tuple[str, ...]) -> Workflow:
    """Make a workflow's graph, with stand-ins if it can be made so.

    Raises
    ------
    ConfigError
        If a parameter that was not given is needed.
    """
    workflow, _ = build_with_stand_ins(loaded, assignments)
    return build(loaded, assignments) if workflow is None else workflow


def _stand_in(kind: object, file: Path) -> object:
    if kind is Path:
        return file
    return kind() if isinstance(kind, type) and kind in (int, float, bool, str, list) else None
