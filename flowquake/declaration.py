"""What a processing element's class declares, read once when the class is made."""

from __future__ import annotations

import inspect
import re
import typing
from dataclasses import dataclass, field
from typing import Any

from flowquake.errors import ConfigError, suggest
from flowquake.ports import Input, Output
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


@dataclass(frozen=True)
class Declaration:
    """Ports, state and the kind of handlers of one class."""

    inputs: dict[str, Input[Any]] = field(default_factory=dict)  # items of every type
    outputs: dict[str, Output[Any]] = field(default_factory=dict)
    state: type[Any] | None = None  # the state's dataclass
    is_source: bool = False
    hears_watermarks: bool = False
    finishes: bool = False

    @property
    def keyed(self) -> bool:
        """Whether the element is written for one key."""
        return any(port.by is not None for port in self.inputs.values())

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
        return self.keyed or not (self.remembers or self.timed)

    @property
    def lateness_ns(self) -> int:
        """How far the element's watermark is held back."""
        return max((port.lateness_ns for port in self.inputs.values()), default=0)


def declare(cls: type, *, is_source: bool) -> Declaration:
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
        try:
            hints = typing.get_type_hints(handler)
        except (NameError, TypeError, AttributeError):
            continue
        annotated = hints.get(parameters[0].name)
        if isinstance(annotated, type) and not issubclass(port.type, annotated):
            if port.type is int and annotated is float:
                continue
            faults.append(
                f"{cls.__name__}.on_{name} takes {annotated.__name__}, "
                f"but the port carries {port.type.__name__}"
            )
    return faults


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
