"""What a processing element's class declares, read once when the class is made."""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any, Literal

from flowquake.errors import ConfigError, suggest
from flowquake.ports import Input, Output, fits
from flowquake.state import State

_PORT_NAME = re.compile(r"[a-z][a-z0-9_]*")

# What the engine gives an element, and what an element may define.
GIVEN = frozenset(
    (
        *("key", "key_as", "rng", "clock", "name"),
        *("count", "reject", "progress", "run_path", "parameters"),
    )
)
RESERVED = GIVEN | {"state", "setup", "teardown", "finish", "on_watermark", "splits", "produce"}

# Types of parameters that are judged, and what is accepted for them.
_ACCEPTED: tuple[tuple[type, type], ...] = (
    (int, Integral),
    (float, Real),
    (bool, bool),
    (str, str),
    (Path, PurePath),
    (type(None), type(None)),
)


@dataclass(frozen=True)
class Declaration:
    """Ports, state and the kind of handlers of one class."""

    inputs: dict[str, Input[Any]] = field(default_factory=dict)  # items of every type
    outputs: dict[str, Output[Any]] = field(default_factory=dict)
    state: type[Any] | None = None  # the state's dataclass
    is_source: bool = False
    hears_watermarks: bool = False
    finishes: bool = False
    # Written for an instance: `by` chooses the instance and no more, and each
    # instance finishes once. How many there are is for who adds it to say.
    per_instance: bool = False

    @property
    def keyed(self) -> bool:
        """Whether the element is written for one key."""
        return not self.per_instance and any(port.by is not None for port in self.inputs.values())

    @property
    def side_only(self) -> bool:
        """Whether every input is copied to all instances."""
        return bool(self.inputs) and all(port.to == "all" for port in self.inputs.values())

    @property
    def timed(self) -> bool:
        """Whether an input waits for the watermark."""
        return any(port.order == "time" for port in self.inputs.values())

    @property
    def remembers(self) -> bool:
        """Whether what it does may depend on items that came before."""
        return self.state is not None or self.hears_watermarks or self.finishes

    @property
    def multiplies(self) -> bool:
        """Whether the planner may make several instances of it."""
        if self.is_source or self.side_only:
            return False
        if any(port.to == "one" for port in self.inputs.values()):
            return False
        return self.per_instance or self.keyed or not (self.remembers or self.timed)

    @property
    def lateness_ns(self) -> int:
        """How far the element's watermark is held back."""
        return max((port.lateness_ns for port in self.inputs.values()), default=0)


def declare(cls: type, *, is_source: bool, per_instance: bool = False) -> Declaration:
    """Read and check a class's declaration.

    Raises
    ------
    ConfigError
        If handlers and inputs do not match, or a reserved name is used.
    """
    inputs: dict[str, Input[Any]] = {}
    outputs: dict[str, Output[Any]] = {}
    state: type[Any] | None = None
    for ancestor in reversed(cls.__mro__):
        for name, value in vars(ancestor).items():
            inputs.pop(name, None)
            outputs.pop(name, None)
            if isinstance(value, (Input, Output)):
                _check_port_name(cls, name)
                (inputs if isinstance(value, Input) else outputs)[name] = value  # type: ignore[assignment]  # told apart by the test
            elif isinstance(value, State):
                _check_state_name(cls, name, value)
                state = value.kind
    declared = Declaration(
        inputs=inputs,
        outputs=outputs,
        state=state,
        is_source=is_source,
        hears_watermarks=hasattr(cls, "on_watermark"),
        finishes=hasattr(cls, "finish"),
        per_instance=per_instance,
    )
    _check_parameters(cls)
    _check_given(cls)
    _check_handlers(cls, declared)
    _check_keys(cls, declared)
    return declared


def handler_faults(cls: type, declared: Declaration) -> list[str]:
    """Say which handlers are annotated with another type than their port's."""
    faults = []
    for name, port in declared.inputs.items():
        handler = getattr(cls, f"on_{name}")
        parameters = [p for p in inspect.signature(handler).parameters.values() if p.name != "self"]
        if len(parameters) != 1:
            faults.append(f"{cls.__name__}.on_{name} must take exactly one item")
            continue
        # The item's type alone: others, as Emissions, need not be known.
        annotated = _resolved(parameters[0].annotation, getattr(handler, "__globals__", {}))
        if not _takes(annotated, port.type):
            faults.append(
                f"{cls.__name__}.on_{name} takes {_type_text(annotated)}, "
                f"but the port carries {port.type.__name__}"
            )
    return faults


def parameter_faults(cls: type, values: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """Say which parameters have a value that is plainly of another type.

    Parameters
    ----------
    cls : type
        The element's class.
    values : mapping of str to object
        The parameters' values; a default is taken as it is.

    Yields
    ------
    fault, fix : str
        What is wrong with one parameter, and what to write.
    """
    for name, value in values.items():
        owner = next((c for c in cls.__mro__ if name in inspect.get_annotations(c)), None)
        if owner is None or (name in vars(owner) and vars(owner)[name] is value):
            continue
        module = vars(sys.modules.get(owner.__module__, types))
        kind = _resolved(inspect.get_annotations(owner)[name], module)
        if is_wrong(value, kind):
            fault = f"{name}={value!r:.60} is not of its type: {_type_text(kind)}"
            yield fault, _right_value(name, value, kind)


def is_wrong(value: object, kind: object) -> bool:
    """Whether a value is plainly not of an annotated type.

    Judged are int, float (which an int fits), bool, str, Path, None, a Literal
    and unions of these; of anything else every value is accepted.

    Examples
    --------
    >>> is_wrong("a", float), is_wrong(1, float | None), is_wrong("a", list[int])
    (True, False, False)
    """
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return all(is_wrong(value, part) for part in typing.get_args(kind))
    if origin is Literal:
        plain = isinstance(value, (str, bytes, int, type(None)))
        return not (plain and value in typing.get_args(kind))
    accepted = next((right for judged, right in _ACCEPTED if judged is kind), None)
    return accepted is not None and not isinstance(_held(value), accepted)


def _resolved(annotation: object, names: Mapping[str, object]) -> object:
    """Give the type that an annotation stands for; Any if that cannot be known yet."""
    if annotation is inspect.Parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        hints: dict[str, object] = typing.get_type_hints(holder, dict(names))
    except Exception:  # noqa: BLE001 - an annotation is an expression of any kind
        return Any
    return hints["it"]


def _takes(annotated: object, carried: type) -> bool:
    if annotated is Any:
        return True
    origin = typing.get_origin(annotated) or annotated
    if origin in (typing.Union, types.UnionType):
        return any(_takes(part, carried) for part in typing.get_args(annotated))
    try:
        return not isinstance(origin, type) or fits(carried, origin)
    except TypeError:  # a protocol that cannot be asked
        return True


def _type_text(kind: object) -> str:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " | ".join(_type_text(part) for part in typing.get_args(kind))
    if isinstance(kind, type) and typing.get_origin(kind) is None:
        return "None" if kind is type(None) else kind.__name__
    return str(kind).replace("typing.", "")


def _held(value: Any) -> object:  # any value
    """Give what a scalar of numpy holds; any other value as it is."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if is_scalar else value


def _right_value(name: str, value: object, kind: object) -> str:
    """Write the parameter as it may be meant."""
    from flowquake.conversion import convert, example

    try:
        meant, start = convert(str(value), kind), f"{name}="
    except (ValueError, TypeError):
        meant, start = convert(example(kind), kind), f"for example {name}="
    return start + (f"Path({str(meant)!r})" if isinstance(meant, PurePath) else repr(meant))


def _check_port_name(cls: type, name: str) -> None:
    if name in RESERVED:
        raise ConfigError(
            f"{cls.__name__}.{name}: the name '{name}' is reserved", fix="give the port another"
        )
    if not _PORT_NAME.fullmatch(name):
        raise ConfigError(
            f"{cls.__name__}.{name}: a port's name is lower case letters, digits and '_'",
            fix=f"call it '{re.sub('[^a-z0-9_]', '_', name.lower()).strip('_')}'",
        )


def _check_state_name(cls: type, name: str, state: State[Any]) -> None:
    if name != "state":
        raise ConfigError(
            f"{cls.__name__}.{name}: a state is always called 'state'",
            fix=f"state = State({state.kind.__name__})",
        )


def _check_parameters(cls: type) -> None:
    for name in inspect.get_annotations(cls):
        if name in RESERVED:
            raise ConfigError(
                f"{cls.__name__}.{name}: the name '{name}' is reserved",
                fix="give the parameter another",
            )
        if isinstance(vars(cls).get(name), (Input, Output, State)):
            raise ConfigError(
                f"{cls.__name__}.{name}: ports and state are never annotated",
                fix=f"write `{name} = ...` without a type",
            )


def _check_given(cls: type) -> None:
    for name, value in vars(cls).items():
        if name in GIVEN or (name == "state" and not isinstance(value, State)):
            raise ConfigError(
                f"{cls.__name__}.{name}: the name '{name}' is reserved", fix="choose another"
            )


def _check_handlers(cls: type, declared: Declaration) -> None:
    handlers = {
        name[3:]: value
        for name in dir(cls)
        if name.startswith("on_")
        and name != "on_watermark"
        and callable(value := getattr(cls, name))
    }
    for port in declared.inputs:
        if port not in handlers:
            near = suggest(port, handlers)
            raise ConfigError(
                f"{cls.__name__} has no handler for its input '{port}'{near}",
                fix=f"define on_{port}(self, item)",
            )
    for name in handlers:
        if name not in declared.inputs:
            raise ConfigError(
                f"{cls.__name__}.on_{name} has no input '{name}'{suggest(name, declared.inputs)}",
                fix=f"declare {name} = Input(...), or rename the method",
            )
    if declared.is_source and declared.inputs:
        raise ConfigError(f"{cls.__name__} is a Source and cannot have inputs")
    if declared.is_source and declared.hears_watermarks:
        raise ConfigError(
            f"{cls.__name__} is a Source: it makes watermarks and hears none",
            fix="yield Watermark(time) in produce()",
        )
    for fault in handler_faults(cls, declared):
        raise ConfigError(fault)


def _check_keys(cls: type, declared: Declaration) -> None:
    if not declared.keyed:
        return
    for name, port in declared.inputs.items():
        if port.by is not None:
            continue
        if port.to != "all":
            raise ConfigError(
                f"{cls.__name__}.{name}: the other inputs of an element with a `by` input "
                "need `by` too, or to='all'"
            )
        if port.order == "time":
            raise ConfigError(
                f"{cls.__name__}.{name} takes side data for all keys, which has no order in time "
                "among the rows of each key",
                fix="order='any', or give it a `by` of its own",
            )
        if inspect.isgeneratorfunction(getattr(cls, f"on_{name}")):
            raise ConfigError(
                f"{cls.__name__}.on_{name} takes side data for all keys and may not emit"
            )
