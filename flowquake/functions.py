"""Processing elements made from plain functions."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flowquake.errors import ConfigError
from flowquake.pe import ProcessingElement, field
from flowquake.ports import BoundInput, Emissions, Input, Output


class FunctionElement(ProcessingElement):
    """The base of the elements that `element` makes."""

    out = Output(object)

    if TYPE_CHECKING:
        # The input is named after the function's parameter.
        def __getattr__(self, name: str) -> BoundInput[Any]: ...

        function: typing.ClassVar[Callable[..., Any]]


def element(function: Callable[..., Any]) -> type[FunctionElement]:
    """Turn a typed function into a processing element.

    The function's first parameter is the input, its keyword parameters are the
    element's parameters, what it returns leaves by the output ``out``. A
    generator's items leave one by one; None is not emitted. The plain function
    stays at hand as ``function``.

    Raises
    ------
    ConfigError
        If the function has no parameter or its parameter has no type.

    Examples
    --------
    >>> @element
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> double.function(4)
    8
    """
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())
    name = getattr(function, "__name__", "function")
    if not parameters:
        raise ConfigError(f"{name}() takes no item", fix="give it a parameter: the input")
    first, options = parameters[0], parameters[1:]
    taken = _port_type(hints.get(first.name), name, first.name)
    streams = inspect.isgeneratorfunction(function)

    def handle(self: FunctionElement, item: object) -> Emissions:
        values = {option.name: getattr(self, option.name) for option in options}
        result = function(item, **values)
        if streams:
            return (self.out(made) for made in result)
        return iter(()) if result is None else iter((self.out(result),))

    body: dict[str, Any] = {
        first.name: Input(taken),
        f"on_{first.name}": handle,
        "function": staticmethod(function),
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": getattr(function, "__qualname__", name),
        "__annotations__": {},
    }
    returned = hints.get("return")
    if isinstance(returned, type) and returned is not type(None) and not streams:
        body["out"] = Output(returned)
    for option in options:
        body["__annotations__"][option.name] = hints.get(option.name, object)
        if option.default is not inspect.Parameter.empty:
            mutable = isinstance(option.default, (list, dict, set))
            body[option.name] = (
                field(default_factory=_copier(option.default)) if mutable else option.default
            )
    return type(name, (FunctionElement,), body)


def _copier(value: Any) -> Callable[[], Any]:
    return lambda: value.copy()


def _port_type(hint: object, function: str, parameter: str) -> type:
    origin = typing.get_origin(hint) or hint
    if hint is None:
        raise ConfigError(
            f"parameter '{parameter}' of {function}() has no type", fix=f"{parameter}: float"
        )
    if hint is Any or not isinstance(origin, type) or isinstance(hint, Iterator):
        return object
    return origin
