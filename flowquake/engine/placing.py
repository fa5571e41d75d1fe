"""Log records that say where they come from."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from flowquake.engine.sampling import running_element


class Place(logging.Filter):
    """Tells a log record which worker, element and instance it comes from.

    Parameters
    ----------
    worker : int or None
        The worker of this process; None if it has several.
    owners : mapping of (str, int) to int, optional
        For these the worker of each element's instance.
    """

    def __init__(
        self, worker: int | None, owners: Mapping[tuple[str, int], int] = MappingProxyType({})
    ) -> None:
        super().__init__()
        self._worker = worker
        self._owners = owners

    def filter(self, record: logging.LogRecord) -> bool:
        """Add to the record; those of other processes have their place already."""
        if hasattr(record, "worker"):
            return True
        found = running_element(sys._getframe())
        worker = self._worker
        if found is not None:
            record.pe, record.instance = found
            worker = self._owners.get(found, worker)
        if worker is not None:
            record.worker = worker
        return True


@contextlib.contextmanager
def placing(place: Place) -> Iterator[None]:
    """Let all that is logged from here on say where it comes from."""
    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(place)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(place)
