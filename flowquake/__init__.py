"""flowquake: streaming dataflow workflows for seismology, volcanology and rock physics.

A user wires processing elements into a `Workflow` once; the same graph runs on
a laptop, on all cores, on a cluster and on live feeds, with the same answer.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from flowquake._version import __version__

if TYPE_CHECKING:
    from flowquake.clock import Clock, ManualClock, SystemClock
    from flowquake.errors import (
        ConfigError,
        FlowquakeError,
        FormatError,
        InputError,
        MissingExtraError,
        PEError,
        TransportError,
        WorkflowError,
    )
    from flowquake.extras import require
    from flowquake.functions import element
    from flowquake.pe import ProcessingElement, Source, field
    from flowquake.planning import Plan, plan
    from flowquake.ports import Emissions, Input, Output, Production
    from flowquake.running import RunResult, run, stream
    from flowquake.signals import Wait, Watermark
    from flowquake.state import State
    from flowquake.workflow import Composite, Workflow

_HOMES = {
    "Clock": "clock",
    "ManualClock": "clock",
    "SystemClock": "clock",
    "ProcessingElement": "pe",
    "Source": "pe",
    "field": "pe",
    "ConfigError": "errors",
    "FlowquakeError": "errors",
    "FormatError": "errors",
    "InputError": "errors",
    "MissingExtraError": "errors",
    "PEError": "errors",
    "TransportError": "errors",
    "WorkflowError": "errors",
    "require": "extras",
    "element": "functions",
    "Plan": "planning",
    "plan": "planning",
    "Emissions": "ports",
    "Input": "ports",
    "Output": "ports",
    "Production": "ports",
    "RunResult": "running",
    "run": "running",
    "stream": "running",
    "Wait": "signals",
    "Watermark": "signals",
    "State": "state",
    "Composite": "workflow",
    "Workflow": "workflow",
}

__all__ = [
    "Clock",
    "Composite",
    "ConfigError",
    "Emissions",
    "FlowquakeError",
    "FormatError",
    "Input",
    "InputError",
    "ManualClock",
    "MissingExtraError",
    "Output",
    "PEError",
    "Plan",
    "ProcessingElement",
    "Production",
    "RunResult",
    "Source",
    "State",
    "SystemClock",
    "TransportError",
    "Wait",
    "Watermark",
    "Workflow",
    "WorkflowError",
    "__version__",
    "element",
    "field",
    "plan",
    "require",
    "run",
    "stream",
]


def __getattr__(name: str) -> object:
    # Imported on first use, so that the command line starts at once.
    if name not in _HOMES:
        raise AttributeError(f"module 'flowquake' has no attribute '{name}'")
    value: object = getattr(importlib.import_module(f"flowquake.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
