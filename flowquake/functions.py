"""Processing elements made from plain functions."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flowquake.errors import ConfigError
from flowquake.pe import ProcessingElement, field
from flowquake.ports import BoundInput, Emissions, Input, Output, is_concrete

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class FunctionElement(ProcessingElement):
    """The base of the elements that `element` makes."""

    out = Output[Any](object)  # of the type that the function returns

    if TYPE_CHECKING:
        # Parameters and input are named after the function's parameters, which
        # are known only when it is there.
        def __init__(self, **parameters: Any) -> None: ...
        def __getattr__(self, name: str) -> BoundInput[Any]: ...

        function: typing.ClassVar[Callable[..., Any]]


def element(function: Callable[..., Any]) -> type[FunctionElement]:
    """Turn a typed function into a processing element.

    The function's first parameter is the input, its other parameters are the
    element's parameters, what it returns leaves by the output ``out``. A
    generator's items leave one by one; None is not emitted. The plain function
    stays at hand as ``function``.

    Raises
    ------
    ConfigError
        If the function has no parameter, its first has no type, or a
        parameter cannot be given by name.

    Examples
    --------
    >>> @element
    ... def scaled(x: int, factor: int = 2) -> int:
    ...     return factor * x
    >>> scaled.function(4)
    8
    >>> from flowquake.testing import run_element
    >>> run_element(scaled(factor=3), {"x": [1, 2]})["out"]
    [3, 6]
    """
    name = getattr(function, "__name__", "function")
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError) as cause:
        raise ConfigError(
            f"the types of {name}() cannot be read: {cause}",
            fix="import them at the top of the module, not under TYPE_CHECKING",
        ) from cause
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise ConfigError(f"{name}() takes no item", fix="give it a parameter: the input")
    first, options = parameters[0], parameters[1:]
    _check(name, first, options)
    returned = hints.get("return")
    streams = inspect.isgeneratorfunction(function)
    body: dict[str, Any] = {
        first.name: Input(_port_type(hints.get(first.name), name, first.name)),
        f"on_{first.name}": _handler(function, [o.name for o in options], streams=streams),
        "function": staticmethod(function),
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__qualname__": getattr(function, "__qualname__", name),
        "__annotations__": {},
    }
    if isinstance(returned, type) and returned is not type(None) and not streams:
        body["out"] = Output(returned if is_concrete(returned) else object)
    for option in options:
        body["__annotations__"][option.name] = hints.get(option.name, object)
        if option.default is not inspect.Parameter.empty:
            mutable = isinstance(option.default, (list, dict, set))
            body[option.name] = (
                field(default_factory=option.default.copy) if mutable else option.default
            )
    return type(name, (FunctionElement,), body)


def _check(name: str, first: inspect.Parameter, options: list[inspect.Parameter]) -> None:
    if first.name == "out":
        raise ConfigError(
            f"{name}(): 'out' is the name of the output", fix="rename the first parameter"
        )
    if first.kind not in (*_BY_NAME, inspect.Parameter.POSITIONAL_ONLY):
        raise ConfigError(f"{name}() takes no single item", fix="give it one first parameter")
    for option in options:
        if option.kind not in _BY_NAME:
            raise ConfigError(
                f"{name}(): parameter '{option}' cannot be given by name",
                fix="list the parameters one by one",
            )


def _handler(
    function: Callable[..., Any], options: list[str], *, streams: bool
) -> Callable[[FunctionElement, object], Emissions | None]:
    def handle_many(self: FunctionElement, item: object) -> Emissions:
        values = {option: getattr(self, option) for option in options}
        for made in function(item, **values):
            yield self.out(made)

    def handle(self: FunctionElement, item: object) -> Emissions | None:
        values = {option: getattr(self, option) for option in options}
        result = function(item, **values)
        return None if result is None else iter((self.out(result),))

    def handle_plain(self: FunctionElement, item: object) -> Emissions | None:
        result = function(item)
        return None if result is None else iter((self.out(result),))

    if streams:
        return handle_many
    return handle if options else handle_plain


def _port_type(hint: object, function: str, parameter: str) -> type:
    if hint is None:
        raise ConfigError(
            f"parameter '{parameter}' of {function}() has no type", fix=f"{parameter}: float"
        )
    origin = typing.get_origin(hint) or hint
    return origin if isinstance(origin, type) and is_concrete(origin) else object
