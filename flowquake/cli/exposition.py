"""How far a run is, in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowquake.running import Progress

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, Mapping[str, str], float]  # what follows the name, labels, value


def exposition(progress: Progress | None, info: Mapping[str, str]) -> str:
    r"""Write the metrics of a run.

    Parameters
    ----------
    progress : Progress or None
        How far it is; None if it has not begun.
    info : mapping of str to str
        Labels of ``flowquake_run_info``.

    Examples
    --------
    >>> print(exposition(None, {"run": "a\"b"}), end="")
    # HELP flowquake_run_info The run.
    # TYPE flowquake_run_info gauge
    flowquake_run_info{run="a\"b"} 1
    """
    lines = _family("run_info", "gauge", "The run.", [("", info, 1)])
    if progress is None:
        return "".join(lines)
    counts, loads = progress.counts, progress.loads
    lines += _family(
        "run_seconds", "gauge", "Seconds since the run began.", [("", {}, progress.seconds)]
    )
    lines += _family(
        "items_received_total",
        "counter",
        "Items sent to an element, over all inputs.",
        [("", {"pe": name}, count.received) for name, count in counts.items()],
    )
    lines += _family(
        "items_emitted_total",
        "counter",
        "Items given, by output.",
        [
            ("", {"pe": name, "port": port}, number)
            for name, count in counts.items()
            for port, number in count.emitted.items()
        ],
    )
    lines += _family(
        "items_rejected_total",
        "counter",
        "Items and records set aside.",
        [("", {"pe": name}, count.rejected) for name, count in counts.items()],
    )
    lines += _family(
        "counted_total",
        "counter",
        "What an element counts itself, by name.",
        [
            ("", {"pe": name, "name": counter}, number)
            for name, count in counts.items()
            for counter, number in count.counters.items()
        ],
    )
    lines += _family(
        "busy_seconds_total",
        "counter",
        "Seconds in an element's code, by samples, summed over its instances.",
        [("", {"pe": name}, max(load.busy, 0.0)) for name, load in loads.items()],
    )
    lines += _family(
        "queue_items",
        "gauge",
        "Items that have arrived from other workers and wait.",
        [("", {"pe": name}, max(load.queue, 0)) for name, load in loads.items()],
    )
    lines += _family(
        "latency_seconds",
        "summary",
        "Seconds from arrival until done, of items that come from other workers.",
        [
            sample
            for name, load in loads.items()
            for sample in (
                ("_sum", {"pe": name}, load.waited),
                ("_count", {"pe": name}, load.crossed),
            )
        ],
    )
    lines += _family(
        "instances",
        "gauge",
        "Instances of an element.",
        [("", {"pe": name}, number) for name, number in progress.instances.items()],
    )
    return "".join(lines)


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> list[str]:
    found = [
        f"flowquake_{name}{ending}{_labels(labels)} {_number(value)}\n"
        for ending, labels, value in samples
    ]
    head = [f"# HELP flowquake_{name} {text}\n", f"# TYPE flowquake_{name} {kind}\n"]
    return head + found if found else []


def _labels(labels: Mapping[str, str]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    plain = value.encode("utf-8", "replace").decode("utf-8")
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(round(value, 6))
