"""Places for the nodes of a drawing: layers from left to right, with few crossings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flowquake.topology import topological_order

SWEEPS = 8
MOST_SWEPT = 2000  # nodes and bends; larger drawings are not improved


@dataclass(frozen=True)
class Layout:
    """Where nodes and bends of long edges are, in layers and rows.

    Attributes
    ----------
    layers : list of list of str
        The nodes and bends of each layer, from top to bottom.
    routes : dict of (str, str) to list of str
        For each pair of connected nodes the bends that its edges run through.
    """

    layers: list[list[str]]
    routes: dict[tuple[str, str], list[str]]


def lay_out(successors: Mapping[str, Sequence[str]]) -> Layout:
    """Put each node one layer after the last of those before it.

    Nodes on a cycle, which only a faulty graph has, go to the first layer.

    Examples
    --------
    >>> lay_out({"a": ["b", "c"], "b": ["c"], "c": []}).layers
    [['a'], ['b', 'a->c:1'], ['c']]
    """
    order = topological_order(successors)
    layer = dict.fromkeys(successors, 0)
    for name in order:
        for target in successors[name]:
            layer[target] = max(layer[target], layer[name] + 1)
    layers: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    ordered = set(order)
    sorted_names = [*order, *(name for name in successors if name not in ordered)]
    for name in sorted_names:
        layers[layer[name]].append(name)
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    routes: dict[tuple[str, str], list[str]] = {}
    for name in sorted_names:
        for target in dict.fromkeys(successors[name]):
            bends = [f"{name}->{target}:{at}" for at in range(layer[name] + 1, layer[target])]
            routes[name, target] = bends
            for offset, bend in enumerate(bends, start=1):
                layers[layer[name] + offset].append(bend)
            path = [name, *bends, target]
            for first, second in pairwise(path):
                after[first].append(second)
                before[second].append(first)
    if sum(map(len, layers)) <= MOST_SWEPT:
        _uncross(layers, before, after)
    return Layout(layers, routes)


def _uncross(
    layers: list[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> None:
    """Sort each layer by the mean row of its neighbours, forth and back."""
    row: dict[str, float] = {}
    for names in layers:
        row.update(_rows(names))
    for sweep in range(SWEEPS):
        neighbours, swept = (before, layers) if sweep % 2 == 0 else (after, layers[::-1])
        for names in swept:
            mean = {
                name: sum(row[n] for n in near) / len(near)
                if (near := neighbours.get(name))
                else row[name]
                for name in names
            }
            names.sort(key=mean.__getitem__)
            row.update(_rows(names))


def _rows(names: Sequence[str]) -> dict[str, float]:
    """Count rows from the middle of a layer."""
    return {name: number - (len(names) - 1) / 2 for number, name in enumerate(names)}
