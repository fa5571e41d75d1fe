"""Mappings: ways of running a graph, found by entry point."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from flowquake.errors import ConfigError, suggest

if TYPE_CHECKING:
    from flowquake.engine.job import Job
    from flowquake.planning import Plan

GROUP = "flowquake.mappings"


@runtime_checkable
class Mapping(Protocol):
    """One way of running a plan."""

    name: str

    def workers(self, asked: int | None) -> int:
        """Give the number of workers: as asked for, or the mapping's own choice.

        Raises
        ------
        ConfigError
            If it cannot have as many.
        """

    def execute(self, job: Job, plan: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there."""


def mapping_names() -> list[str]:
    """Name the mappings that are installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_mapping(mapping: str | Mapping) -> Mapping:
    """Give a mapping by name; only the one asked for is imported.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if not isinstance(mapping, str):
        return mapping
    for entry in entry_points(group=GROUP):
        if entry.name == mapping:
            found: Mapping = entry.load()()
            return found
    names = mapping_names()
    raise ConfigError(
        f"there is no mapping '{mapping}'{suggest(mapping, names)}",
        fix=f"use one of: {', '.join(names)}",
    )
