"""Which element held a run up, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowquake.cli.live import duration
from flowquake.cli.text import table

SHORTEST_S = 0.1  # of busy time: below, a few samples decide
IDLE = 0.05  # of the time: below, an element is not what the run waits for
CLEAR = 0.5  # of the time: from here on, or at twice the next one's, it is
HANDING_ON = 2_000.0  # items a second and worker, from which handing them on may take the time


@dataclass(frozen=True)
class Bottleneck:
    """What held a run up.

    Attributes
    ----------
    kind : {"bottleneck", "busiest", "handing_on", "idle"}
        Whether one element did, clearly or not, or none was busy: because the
        items are so small that handing them on takes the time, or because the
        sources wait.
    element : str
        The busiest element.
    busy : float
        Part of the time that its workers were busy in it.
    text : str
        In words.
    """

    kind: Literal["bottleneck", "busiest", "handing_on", "idle"]
    element: str
    busy: float
    text: str

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"kind": self.kind, "element": self.element, "busy": self.busy, "text": self.text}


def bottleneck(
    loads: Mapping[str, Mapping[str, Any]],
    *,
    received: Mapping[str, int],
    seconds: float,
    workers: int = 1,
    cores: int | None = None,
) -> Bottleneck | None:
    """Name the element whose workers were busiest with it.

    Parameters
    ----------
    loads : mapping of str to mapping
        ``loads`` of ``run.json``.
    received : mapping of str to int
        Items that each element took.
    seconds : float
        How long the run took.
    workers : int, default 1
        How many there were.
    cores : int, optional
        Of the machine; more workers than these are not advised.

    Returns
    -------
    Bottleneck or None
        None if the run was too short to tell.

    Examples
    --------
    >>> load = {"busy": 0.97, "busy_seconds": 9.7, "queued": 0.0, "queue_longest": 0,
    ...         "instances": 1, "workers": 1, "limit": None}
    >>> bottleneck({"fit": load}, received={"fit": 10}, seconds=10.0).text
    'bottleneck: fit, busy 97 % of the run; with --mapping multi several workers would share it'
    """
    if not loads:
        return None
    order = sorted(loads, key=lambda name: -loads[name]["busy"])
    name, load = order[0], loads[order[0]]
    busy = load["busy"]
    if busy < IDLE:
        if seconds < 1.0:
            return None
        rate = sum(received.values()) / seconds / max(workers, 1)
        if rate >= HANDING_ON:
            text = (
                f"no element is busy (at most {name}, {_percent(busy)}): the time goes into "
                "handing items on; batches or larger items would take less"
            )
            return Bottleneck("handing_on", name, busy, text)
        text = f"no element is busy (at most {name}, {_percent(busy)}): the sources wait"
        return Bottleneck("idle", name, busy, text)
    if load["busy_seconds"] < SHORTEST_S:
        return None
    second = loads[order[1]]["busy"] if len(order) > 1 else 0.0
    if busy < CLEAR and busy < 2 * second:
        others = f", then {order[1]}, {_percent(second)}" if second >= IDLE else ""
        text = f"no single bottleneck; busiest: {name}, {_percent(busy)} of the run{others}"
        return Bottleneck("busiest", name, busy, text)
    parts = [f"bottleneck: {name}, busy {_percent(busy)} of the run"]
    if load["queued"] >= 0.5:
        parts.append(
            f"items waited for it {_percent(load['queued'])} of the time, "
            f"up to {load['queue_longest']:,}"
        )
    parts.append(_advice(load, workers, cores))
    return Bottleneck("bottleneck", name, busy, "; ".join(part for part in parts if part))


def of_record(record: Mapping[str, Any]) -> Bottleneck | None:
    """Name the bottleneck of a run by its ``run.json``."""
    loads = record.get("loads") or {}
    if not loads or not record.get("seconds"):
        return None
    return bottleneck(
        loads,
        received={name: count["received"] for name, count in record["counts"].items()},
        seconds=record["seconds"],
        workers=max(load["workers"] for load in loads.values()),
        cores=record["host"]["cores"],
    )


def loads_table(loads: Mapping[str, Mapping[str, Any]]) -> str:
    """Lay out how busy each element was."""
    rows = [
        [
            name,
            load["instances"],
            _percent(load["busy"]),
            duration(load["latency_s"]),
            f"{load['queue_longest']:,}",
        ]
        for name, load in loads.items()
    ]
    return table(["element", "instances", "busy", "latency", "longest queue"], rows, indent="")


def _advice(load: Mapping[str, Any], workers: int, cores: int | None) -> str:
    instances, places, limit = load["instances"], load["workers"], load["limit"]
    has = "it has one instance" if instances == 1 else f"it has {instances} instances"
    if limit is not None and instances <= places:
        return f"{has}, and more workers make no more: {limit}"
    if places == 1 and workers == 1:
        return "with --mapping multi several workers would share it"
    if cores is not None and workers >= cores:
        return f"the {cores} cores of this machine are in use"
    on = "1 worker" if places == 1 else f"{places} workers"
    return f"{has} on {on}; more workers (-n) would share it"


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"
