"""Ordering of directed graphs, without recursion."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def topological_order(successors: Mapping[N, Iterable[N]]) -> list[N]:
    """Sort nodes so that each comes after all before it (Kahn's algorithm).

    Nodes on a cycle, and those after it, are left out. Ties keep the order of
    the mapping.

    Examples
    --------
    >>> topological_order({"b": [], "a": ["b"]})
    ['a', 'b']
    """
    waiting = dict.fromkeys(successors, 0)
    for targets in successors.values():
        for target in targets:
            waiting[target] += 1
    ready = deque(node for node, count in waiting.items() if count == 0)
    order = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for target in successors[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return order


def find_cycle(successors: Mapping[N, Iterable[N]]) -> list[N]:
    """Give the nodes of one cycle, the first repeated at the end; empty if none.

    Examples
    --------
    >>> find_cycle({"a": ["b"], "b": ["a"], "c": []})
    ['a', 'b', 'a']
    """
    ordered = set(topological_order(successors))
    remaining = [node for node in successors if node not in ordered]
    if not remaining:
        return []
    # Every remaining node has a remaining predecessor: walking backwards from
    # any of them must come to a node twice.
    predecessor: dict[N, N] = {}
    for node in remaining:
        for target in successors[node]:
            if target not in ordered:
                predecessor.setdefault(target, node)
    seen: dict[N, int] = {}
    path: list[N] = []
    node = remaining[0]
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = predecessor[node]
    cycle = path[seen[node] :]
    cycle.reverse()
    start = min(range(len(cycle)), key=lambda i: remaining.index(cycle[i]))
    cycle = cycle[start:] + cycle[:start]
    return [*cycle, cycle[0]]
