"""Partitions: elements that a user wants to run together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from flowquake.errors import ConfigError, suggest
from flowquake.staging import contracted, exchange_reason
from flowquake.topology import find_cycle

if TYPE_CHECKING:
    from flowquake.workflow import Workflow

Partitions = tuple[tuple[str, ...], ...]


def read_partitions(workflow: Workflow, given: Sequence[Sequence[str]] | None) -> Partitions:
    """Check the partitions that were asked for.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    given : sequence of sequences of str, optional
        Names of elements; that of a composite stands for all of its elements.

    Returns
    -------
    tuple of tuple of str
        The elements of each.

    Raises
    ------
    ConfigError
        If there is no such element, one is named twice, or data would leave a
        partition and come back.
    """
    partitions: list[tuple[str, ...]] = []
    owner: dict[str, int] = {}
    for number, names in enumerate(given or ()):
        if isinstance(names, str) or not names:
            raise ConfigError(
                f"a partition is a list of names, not {names!r:.60}",
                where=workflow.where,
                fix='partitions=[["read", "select"], ["fit"]]',
            )
        found = tuple(element for name in names for element in _elements(workflow, name))
        for element in found:
            if element in owner:
                once = owner[element] == number
                raise ConfigError(
                    f"'{element}' is {'twice in one partition' if once else 'in two partitions'}",
                    where=workflow.where,
                    fix="name each element once",
                )
            owner[element] = number
        partitions.append(found)
    _refuse_rounds(workflow, partitions)
    return tuple(partitions)


def partition_count(
    workflow: Workflow, names: Sequence[str], fixed: Mapping[str, int], offered: int
) -> int:
    """Give how many instances each element of a partition has.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    names : sequence of str
        The partition.
    fixed : mapping of str to int
        Instances of the elements whose number cannot be chosen.
    offered : int
        How many there are to be if all can be chosen.

    Raises
    ------
    ConfigError
        If the elements cannot have the same number, or items would have to
        be exchanged between instances.
    """
    decided = [name for name in names if name in fixed]
    for first, second in pairwise(decided):
        if fixed[first] != fixed[second]:
            raise ConfigError(
                f"'{first}' and '{second}' cannot be in one partition: they have "
                f"{fixed[first]} and {fixed[second]} instances",
                where=workflow.where,
                fix="put them into two partitions, or leave one of them out",
            )
    count = fixed[decided[0]] if decided else offered
    # Refused with several instances, refused with one: that must not depend on the workers.
    judged = dict.fromkeys(names, count if decided else max(count, 2))
    inside = set(names)
    for c in workflow.connections:
        if c.source in inside and c.target in inside:
            reason = exchange_reason(workflow, c, judged)
            if reason is not None:
                raise ConfigError(
                    f"'{c.source}' and '{c.target}' cannot be in one partition: {reason}",
                    where=workflow.where,
                    fix="put them into two partitions, or add one of them with instances=1",
                )
    return count


def _elements(workflow: Workflow, name: str) -> list[str]:
    if name in workflow.elements:
        return [name]
    inside = [element for element in workflow if element.startswith(f"{name}.")]
    if not inside:
        raise ConfigError(
            f"there is no element '{name}'{suggest(name, workflow)}",
            where=workflow.where,
            fix=f"name some of: {', '.join(list(workflow)[:20])}",
        )
    return inside


def _refuse_rounds(workflow: Workflow, partitions: Sequence[tuple[str, ...]]) -> None:
    cycle = find_cycle(contracted(workflow, partitions))
    if not cycle:
        return
    node_of = {name: names[0] for names in partitions for name in names}
    links = {
        (node_of.get(c.source, c.source), node_of.get(c.target, c.target)): c
        for c in reversed(workflow.connections)
    }
    way = [links[step] for step in pairwise(cycle)]
    together = [names for names in partitions if names[0] in cycle]
    words = " and ".join("[" + ", ".join(names) + "]" for names in together)
    route = ", ".join(map(str, way))
    if len(together) == 1:
        missing = [name for name in cycle[:-1] if name != together[0][0]]
        raise ConfigError(
            f"the elements {words} cannot be together: data would leave the partition "
            f"and come back ({route})",
            where=workflow.where,
            fix=f"put {', '.join(missing)} into it as well, or take apart what lies on both sides",
        )
    raise ConfigError(
        f"the partitions {words} cannot both be: data would go round between them ({route})",
        where=workflow.where,
        fix="put them into one partition, or take one apart",
    )
