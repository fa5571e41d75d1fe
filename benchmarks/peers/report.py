"""The lines of the report, and the files that it is written to."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.cases import ITEM_MB, Case, Measurement, idle
from benchmarks.peers.measuring import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOPS = 3
LEAST = 1e-3  # of what is allowed: less is drawn as this
MET, MISSED, FREE = "#0072b2", "#d55e00", "#999999"

Outcomes = Mapping[Measurement, Sequence[Outcome]]


@dataclass(frozen=True)
class Row:
    """One line: a case and what it gave; medians.

    Attributes
    ----------
    ours, peer : float or None
        In `unit`; None where it was not measured.
    ratio : float or None
        Ours to the peer's; of a share, to what one memcpy per hop gives.
    ours_per_cpu_s, peer_per_cpu_s : float or None
        The rate by CPU time instead of wall time.
    passed : bool or None
        None where nothing is asked or nothing was measured.
    remark : str
        Why something is missing.
    """

    name: str
    kind: str
    unit: str
    ours: float | None = None
    peer: float | None = None
    ratio: float | None = None
    asked: float | None = None
    ours_per_cpu_s: float | None = None
    peer_per_cpu_s: float | None = None
    passed: bool | None = None
    remark: str = ""

    @property
    def verdict(self) -> str:
        """Whether it passed, in a word."""
        if self.passed is None:
            return self.remark or "no bar"
        return "pass" if self.passed else "FAIL"

    @property
    def bar(self) -> str:
        """What was asked, in a few words."""
        if self.asked is None:
            return ""
        if self.kind == "rate":
            return f"≥ {self.asked:g} ×"
        return f"≥ {self.asked:.0%}" if self.kind == "share" else f"≤ {self.asked:g} {self.unit}"

    @property
    def shown_ratio(self) -> str:
        """The ratio, as it is asked for."""
        if self.ratio is None:
            return ""
        return f"{self.ratio:.0%}" if self.kind == "share" else f"{self.ratio:.3g} ×"


def row_of(case: Case, outcomes: Outcomes, remarks: Mapping[Measurement, str]) -> Row:
    """Make the line of a case."""
    if case.kind in ("rate", "share"):
        unit = "MB/s" if case.ours.graph in ITEM_MB else "items/s"
    else:
        unit = "s" if case.kind == "seconds" else "MB"
    remark = "; ".join(dict.fromkeys(remarks[m] for m in case.measurements() if m in remarks))
    value = {"seconds": _seconds, "memory": _growth}.get(case.kind, _rate)
    ours, peer = value(case.ours, outcomes), value(case.peer, outcomes)
    ratio = ours / peer if ours is not None and peer else None
    cpu: dict[str, float | None] = {}
    if case.kind == "rate":
        cpu = {
            "ours_per_cpu_s": _rate(case.ours, outcomes, by_cpu=True),
            "peer_per_cpu_s": _rate(case.peer, outcomes, by_cpu=True),
        }
    if case.kind == "share":
        ratio = _share(case.ours, outcomes)
        peer = None
    passed = None
    if case.asked is not None:
        if case.kind in ("rate", "share"):
            passed = None if ratio is None else ratio >= case.asked
        else:
            passed = None if ours is None else ours <= case.asked
    return Row(
        case.name, case.kind, unit, ours, peer, ratio, case.asked,
        passed=passed, remark=remark, **cpu,
    )  # fmt: skip


def _median(
    measurement: Measurement, outcomes: Outcomes, value: Callable[[Outcome], float]
) -> float | None:
    found = outcomes.get(measurement, ())
    return statistics.median(map(value, found)) if found else None


def _rate(measurement: Measurement, outcomes: Outcomes, *, by_cpu: bool = False) -> float | None:
    amount = measurement.items * ITEM_MB.get(measurement.graph, 1.0)
    return _median(
        measurement, outcomes, lambda o: amount / (o.cpu_seconds if by_cpu else o.seconds)
    )


def _share(measurement: Measurement, outcomes: Outcomes) -> float | None:
    """Give the rate beside that of one copy per hop, both of the same process."""
    amount = measurement.items * ITEM_MB[measurement.graph]
    return _median(
        measurement, outcomes, lambda o: amount / o.seconds * HOPS / (o.memcpy_mb_per_s or 1.0)
    )


def _seconds(measurement: Measurement, outcomes: Outcomes) -> float | None:
    return _median(measurement, outcomes, lambda o: o.seconds)


def _growth(measurement: Measurement, outcomes: Outcomes) -> float | None:
    """Give how far the worker that grew most was above the same one without items."""
    still = outcomes.get(idle(measurement), ())
    if not still:
        return None
    usual = {name: statistics.median(o.peaks_mb[name] for o in still) for name in still[0].peaks_mb}
    return _median(
        measurement, outcomes, lambda o: max(o.peaks_mb[name] - usual[name] for name in usual)
    )


def shown(value: float | None, unit: str) -> str:
    """Write a value with a unit that suits its size.

    Examples
    --------
    >>> shown(0.0123, "s"), shown(1234567.8, "items/s")
    ('12.3 ms', '1,234,568 items/s')
    """
    if value is None:
        return "–"
    if unit == "s":
        return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.0f} {unit}"


def write(rows: Sequence[Row], outcomes: Outcomes, out: Path, repeat: int, peer: str) -> None:
    """Write peers.json, peers.md and peers.png."""
    out.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
    }
    report = {
        "machine": machine,
        "peer": peer,
        "rows": [asdict(row) for row in rows],
        "measurements": [
            asdict(measurement) | {"outcomes": [asdict(outcome) for outcome in found]}
            for measurement, found in outcomes.items()
        ],
    }
    (out / "peers.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (out / "peers.md").write_text(
        f"---\norphan: true\n---\n\n# flowquake beside {peer}\n\n"
        f"Written by `make peers` on {machine['cores']} cores with Python {machine['python']}: "
        f"both sides run in turn in one sitting, {repeat} times each; medians. Times are taken "
        "in the process, without the start of Python and imports, except from the shell. "
        "Only the ratios mean anything on another machine.\n\n" + _tables(rows),
        encoding="utf-8",
    )
    _draw(rows, out / "peers.png", peer)


def _tables(rows: Sequence[Row]) -> str:
    lines = [
        "| case | flowquake | peer | ratio | asked | result | flowquake, a CPU second "
        "| peer, a CPU second |",
        "| --- | --: | --: | --: | --: | --- | --: | --: |",
    ]
    for row in rows:
        cells = [row.name, shown(row.ours, row.unit), shown(row.peer, row.unit), row.shown_ratio]
        cells += [row.bar, row.verdict]
        per_cpu = row.unit.removesuffix("/s")
        cells += [
            "" if value is None else f"{value:,.0f} {per_cpu}"
            for value in (row.ours_per_cpu_s, row.peer_per_cpu_s)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _draw(rows: Sequence[Row], path: Path, peer: str) -> None:
    from matplotlib.figure import Figure

    rates = [row for row in rows if row.kind in ("rate", "share") and row.ratio is not None]
    limits = [row for row in rows if row.kind in ("seconds", "memory") and row.ours is not None]
    if not rates and not limits:
        return
    sizes = [max(1, len(rates)), max(1, len(limits))]
    figure = Figure(figsize=(9, 1.8 + 0.42 * sum(sizes)), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=sizes)
    bars = [row.asked for row in rates]
    _bars(above, rates, [row.ratio or 0.0 for row in rates], bars, bars)
    above.set_xlabel(f"ratio to {peer}, or to a memcpy per hop")
    allowed = [row.asked or 1.0 for row in limits]
    ours = [max(LEAST, (row.ours or 0.0) / bar) for row, bar in zip(limits, allowed, strict=True)]
    peers = [
        None if row.peer is None else max(LEAST, row.peer / bar)
        for row, bar in zip(limits, allowed, strict=True)
    ]
    _bars(below, limits, ours, [1.0] * len(limits), peers)
    for place, value in enumerate(peers):
        if value is not None:
            below.plot(value, place, "D", color="black", markersize=5)
    below.set_xlabel(f"share of what is allowed; diamonds: {peer}")
    figure.savefig(path, dpi=120)


def _bars(
    axes: Axes,
    rows: Sequence[Row],
    values: Sequence[float],
    asked: Sequence[float | None],
    others: Sequence[float | None],
) -> None:
    """Draw a bar for each row, a line where it is asked to be, and what is asked."""
    colours = [FREE if row.passed is None else MET if row.passed else MISSED for row in rows]
    axes.barh(range(len(rows)), values, color=colours, height=0.6)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.invert_yaxis()
    if rows:  # a logarithmic axis needs something to show
        axes.set_xscale("log")
    axes.grid(axis="x", alpha=0.3)
    for place, row in enumerate(rows):
        bar = asked[place]
        if bar is not None:
            axes.vlines(bar, place - 0.42, place + 0.42, color="black", linewidth=2)
            axes.annotate(
                f"asked {row.bar}",
                (max(bar, values[place], others[place] or 0.0), place),
                (7, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    axes.margins(x=0.25)
