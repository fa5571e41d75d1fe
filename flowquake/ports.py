"""Ports: what a processing element takes and gives."""

from __future__ import annotations

import inspect
from abc import ABC, ABCMeta
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, is_typeddict, overload

from flowquake.errors import ConfigError
from flowquake.signals import Wait, Watermark

if TYPE_CHECKING:
    from typing import Self

    from flowquake.pe import ProcessingElement
    from flowquake.workflow import Composite

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

# What the engine calls to hand an item on; it gives the receiver's handler to
# run, or None if there is nothing to run. Items of every type pass through.
Deliver: TypeAlias = Callable[[Any], Iterator[Any] | None]
Emission: TypeAlias = tuple[Deliver, object]
Emissions: TypeAlias = Iterator[Emission]
Production: TypeAlias = Iterator[Emission | Watermark | Wait]

Key: TypeAlias = "None | bool | int | float | str | bytes | tuple[Key, ...]"
By: TypeAlias = str | Callable[[Any], Key]


class Input(Generic[T]):
    """An input port.

    Parameters
    ----------
    type : type
        The concrete class of the items, not subscripted; object for all.
    by : str or callable, optional
        Keep together what has the same key: a column of a batch (its rows are
        split), an attribute of an item, or a function of the whole item.
    to : {"one", "all"}, optional
        Gather everything on one instance, or copy it to every instance.
        By default items are dealt out.
    order : {"time", "any"}, optional
        ``"time"`` buffers until the watermark and releases rows by (event
        time, sequence, port); ``"any"`` says that the order does not matter.
    lateness : float or timedelta, default 0
        With ``order="time"``: how far the watermark is held back, seconds.
    optional : bool, default False
        The port may stay unconnected.

    Raises
    ------
    ConfigError
        If the settings exclude each other.
    """

    def __init__(
        self,
        type: type[T],  # noqa: A002 - the word that users know
        *,
        by: By | None = None,
        to: Literal["one", "all"] | None = None,
        order: Literal["time", "any"] | None = None,
        lateness: float | timedelta = 0.0,
        optional: bool = False,
    ) -> None:
        self.type = _concrete(type)
        self.by = by
        self.to = to
        self.order = order
        seconds = lateness.total_seconds() if isinstance(lateness, timedelta) else float(lateness)
        self.lateness_ns = round(seconds * 1e9)
        self.optional = optional
        self.name = ""
        if by is not None and to is not None:
            raise ConfigError(f"an input cannot have both by={by!r} and to={to!r}", fix="keep one")
        if to not in (None, "one", "all"):
            raise ConfigError(f"to={to!r} is not known", fix="use to='one' or to='all'")
        if order not in (None, "time", "any"):
            raise ConfigError(f"order={order!r} is not known", fix="use order='time' or 'any'")
        if self.lateness_ns < 0 or (self.lateness_ns and order != "time"):
            raise ConfigError(
                f"lateness={lateness!r} needs order='time' and must not be negative",
                fix="Input(T, order='time', lateness=60.0)",
            )

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: ProcessingElement, owner: type) -> BoundInput[T]: ...
    def __get__(self, instance: ProcessingElement | None, owner: type) -> Self | BoundInput[T]:
        return self if instance is None else BoundInput(instance, self)

    def describe(self) -> str:
        """Say how items are grouped, in words of the declaration."""
        parts = []
        if self.by is not None:
            by = self.by if isinstance(self.by, str) else getattr(self.by, "__name__", "function")
            parts.append(f"by {by}")
        if self.to is not None:
            parts.append(f"to {self.to}")
        if self.order is not None:
            parts.append(f"order {self.order}")
        if self.lateness_ns:
            parts.append(f"lateness {self.lateness_ns / 1e9:g} s")
        return ", ".join(parts)


class Output(Generic[T]):
    """An output port; calling it in a handler makes an emission.

    Parameters
    ----------
    type : type
        The concrete class of the items, not subscripted; object for all.
    """

    def __init__(self, type: type[T]) -> None:  # noqa: A002 - the word that users know
        self.type = _concrete(type)
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    # Not a data descriptor: the engine puts its emitter into the instance's
    # own dictionary, which Python then finds first and calls without detour.
    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: ProcessingElement, owner: type) -> BoundOutput[T]: ...
    def __get__(self, instance: ProcessingElement | None, owner: type) -> Self | BoundOutput[T]:
        return self if instance is None else BoundOutput(instance, self)


class BoundInput(Generic[T_contra]):
    """The input port of one processing element, to connect to.

    Parameters
    ----------
    element : ProcessingElement
        Whose port it is.
    port : Input
        Its declaration.
    through : Composite, optional
        The composite that shows it to the outside.
    """

    __slots__ = ("element", "port", "through")

    def __init__(
        self,
        element: ProcessingElement,
        port: Input[T_contra],
        through: Composite | None = None,
    ) -> None:
        self.element = element
        self.port = port
        self.through = through

    def accepts(self, item: T_contra) -> bool:
        """Whether an item has the port's type."""
        return fits(type(item), self.port.type)

    def __repr__(self) -> str:
        return f"{type(self.element).__name__}.{self.port.name}"


class BoundOutput(Generic[T]):
    """The output port of one processing element, to connect from and to call.

    Parameters
    ----------
    element : ProcessingElement
        Whose port it is.
    port : Output
        Its declaration.
    through : Composite, optional
        The composite that shows it to the outside.
    """

    __slots__ = ("element", "port", "through")

    def __init__(
        self, element: ProcessingElement, port: Output[T], through: Composite | None = None
    ) -> None:
        self.element = element
        self.port = port
        self.through = through

    def __call__(self, item: T) -> Emission:
        """Make the emission of an item; outside a run it goes nowhere."""
        return _nowhere, item

    def __repr__(self) -> str:
        return f"{type(self.element).__name__}.{self.port.name}"


def fits(given: type, wanted: type) -> bool:
    """Whether items of one type may enter a port of another; int fits float.

    Examples
    --------
    >>> fits(bool, int), fits(int, float), fits(float, int)
    (True, True, False)
    """
    return issubclass(given, wanted) or (wanted is float and issubclass(given, int))


def _nowhere(item: object) -> None:
    return None


def is_concrete(kind: type) -> bool:
    """Whether objects can be of exactly this class: no protocol, no abstract base class.

    A class that itself derives from `ABC` is one although it has no abstract
    method; `object` is none.

    Examples
    --------
    >>> import collections.abc
    >>> is_concrete(dict), is_concrete(object), is_concrete(collections.abc.Sequence)
    (True, True, False)
    """
    if kind is Any or is_typeddict(kind) or getattr(kind, "_is_protocol", False):
        return False
    is_base = isinstance(kind, ABCMeta) and all(b in (object, ABC) for b in kind.__bases__)
    return not (is_base or inspect.isabstract(kind))


def _concrete(kind: type[T]) -> type[T]:
    if not isinstance(kind, type):
        raise ConfigError(
            f"a port's type must be a plain class, not {kind!r}",
            fix="use for example Input(dict) instead of Input(dict[str, int])",
        )
    if not is_concrete(kind):
        raise ConfigError(
            f"a port's type must be a concrete class, not the abstract {kind.__name__}",
            fix="give the class of the items, or object for items of every class",
        )
    return kind
