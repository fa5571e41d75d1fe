"""Handlers with a check around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flowquake.engine.outlets import Outlet
from flowquake.errors import PEError
from flowquake.ports import Deliver, Emission


def taking_side_data(port: str, handler: Deliver, leave_key: Callable[[], None]) -> Deliver:
    """Let a handler take side data for all keys: outside any key, and without emitting.

    Parameters
    ----------
    port : str
        The input.
    handler : callable
        The element's.
    leave_key : callable
        Takes the present key and its state from the element.
    """

    def take(item: object) -> None:
        leave_key()
        if handler(item) is not None:
            raise PEError(f"on_{port} takes side data for all keys and may not emit")

    return take


def losing_nothing(
    method: str, handler: Callable[..., Any], outlets: Sequence[Outlet]
) -> Callable[..., Iterator[Emission] | None]:
    """Let a method without `yield` return emissions, but not make and forget them.

    Parameters
    ----------
    method : str
        Its name.
    handler : callable
        The method; what it takes is its own affair.
    outlets : sequence of Outlet
        The element's, which count what is made.
    """
    if len(outlets) == 1:
        return _losing_none_of(method, handler, outlets[0])

    def call(*arguments: object) -> Iterator[Emission] | None:
        before = [outlet.count() for outlet in outlets]
        emissions = handler(*arguments)
        if emissions is not None:
            made: Iterator[Emission] = iter(emissions)
            return made
        if before != [outlet.count() for outlet in outlets]:
            raise _forgotten(method)
        return None

    return call


def _losing_none_of(
    method: str, handler: Callable[..., Any], outlet: Outlet
) -> Callable[..., Iterator[Emission] | None]:
    """Do the same for an element with one output, in less time."""
    made = outlet.made

    def call(*arguments: object) -> Iterator[Emission] | None:
        before = made[0]
        emissions = handler(*arguments)
        if emissions is not None:
            given: Iterator[Emission] = iter(emissions)
            return given
        if before != made[0]:
            raise _forgotten(method)
        return None

    return call


def _forgotten(method: str) -> PEError:
    return PEError(
        f"{method}() made an emission and did not yield it",
        fix="yield self.port(item), not self.port(item) alone",
    )
