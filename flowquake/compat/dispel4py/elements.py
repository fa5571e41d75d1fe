"""dispel4py's PEs as elements of the engine.

An element holds the user's object. Its class has the ports that the object
declares, so there is one class for each shape of PE, made when it is first
needed; pickle makes it again from the shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from flowquake.compat.dispel4py.base import ConsumerPE, IterativePE
from flowquake.compat.dispel4py.core import GenericPE, unknown_output
from flowquake.compat.dispel4py.feeding import PATIENCE_S, Given, Handover
from flowquake.compat.dispel4py.grouping import ALL, GroupBy, Grouping
from flowquake.compat.dispel4py.items import PLAIN, snapshot, taken
from flowquake.compat.dispel4py.statelessness import names_in_methods
from flowquake.declaration import RESERVED
from flowquake.errors import PEError
from flowquake.pe import ProcessingElement, Source, field
from flowquake.ports import Emission, Emissions, Input, Key, Output, Production
from flowquake.signals import Wait

if TYPE_CHECKING:
    from flowquake.compat.dispel4py.loading import Origin

# Items are of any type, and so is what a user's method returns: hence Any.

Handler = Callable[[Any, Any], Iterator[Emission]]
_WRITES = frozenset(("write", "_write"))


@dataclass(frozen=True, slots=True)
class Port:
    """A connection of a PE: its name there, and the name of the element's port."""

    name: Any  # a str, or what else a dict may have for a key
    port: str
    grouping: Grouping = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What an element's class is made from.

    Attributes
    ----------
    title : str
        The name of the user's class.
    inputs, outputs : tuple of Port
        In the order of their declaration; a source has no inputs.
    calls : {"process", "_process"}
        What takes an item: ``_process`` gets the item itself and gives one.
    """

    title: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    calls: Literal["process", "_process"] = "process"


class Held:
    """What elements of both kinds do: hold a PE, and hand on what it gives."""

    shape: ClassVar[Shape]
    ports: ClassVar[dict[Any, str]]  # the element's port by the PE's name of an output

    if TYPE_CHECKING:
        pe: GenericPE
        origin: Origin | None

    # Of the copy that runs alone.
    _written: list[Given]
    _by_write: bool

    def __reduce__(self) -> tuple[object, ...]:
        state = {name: value for name, value in vars(self).items() if name != "_context"}
        return _remake, (self.origin, isinstance(self, Source), self.shape), state

    def _begin(self, written: Any) -> None:  # a list, or a Handover
        # An element that is run by hand is the first and only instance.
        rank = getattr(vars(self).get("_context"), "index", 0)
        self._by_write = type(self.pe).write is not GenericPE.write
        self.pe._attach(written, rank)
        self.pe.preprocess()

    def _hand_on(self, given: list[Given]) -> Emissions:
        """Emit what was written, in its order."""
        own, ports = vars(self), self.ports
        # Nothing is added meanwhile: the PE is called again when all is handed on.
        for name, item in given:
            yield own[ports[name]](item)
        given.clear()

    def _read(self, result: Any) -> Mapping[Any, Any]:
        """Read what `process` returned; what the PE writes itself is written."""
        if not isinstance(result, Mapping):
            raise PEError(
                f"process() of {type(self.pe).__name__} returned {_a(result)}, "
                "not a dict of outputs",
                fix="return {'output': item}, or None",
            )
        if not self._by_write:
            return result
        for name, item in result.items():
            self.pe.write(name, item)
        return {}


class Step(Held, ProcessingElement):
    """A PE that is fed by others.

    Parameters
    ----------
    pe : GenericPE
        The user's object.
    origin : Origin, optional
        The file that its class comes from.
    shared : frozenset
        Inputs whose items others get as well.
    """

    _per_instance: ClassVar[bool] = True

    pe: GenericPE
    origin: Any = None  # an Origin, known to type checkers only
    shared: frozenset[str] = field(default=frozenset())

    def setup(self) -> None:
        """Begin."""
        self._written = []
        self._begin(self._written)

    def finish(self) -> Emissions:
        """End, and hand on what the PE writes then."""
        self.pe.postprocess()
        yield from self._hand_on(self._written)


class Root(Held, Source):
    """A PE that nothing feeds: it is called for each of the inputs that the run is given.

    Parameters
    ----------
    pe : GenericPE
        The user's object.
    origin : Origin, optional
        The file that its class comes from.
    given : int or list
        How many iterations, or the inputs of each.
    """

    pe: GenericPE
    origin: Any = None  # an Origin, known to type checkers only
    given: Any = 0  # int, or list of what `process` takes

    def produce(self, split: Key) -> Production:
        """Call the PE so often, and end it."""
        if not _WRITES.isdisjoint(names_in_methods(self.pe)):
            yield from self._stream()
            return
        written: list[Given] = []
        self._begin(written)
        process, write = self.pe.process, self.pe._write
        for inputs in self._iterations():
            result = process(inputs)
            if result is not None:
                if type(result) is not dict or self._by_write:
                    result = self._read(result)
                for name, item in result.items():
                    write(name, item)
            if written:
                yield from self._hand_on(written)
        self.pe.postprocess()
        yield from self._hand_on(written)

    def _stream(self) -> Production:
        """Hand on what is written while it is written: one call may write without end."""
        for portion in Handover(self._live).portions():
            if portion:
                yield from self._hand_on(portion)
            else:
                yield Wait(PATIENCE_S / 4)

    def _live(self, written: Handover) -> None:
        self._begin(written)
        for inputs in self._iterations():
            if written.abandoned:
                return
            result = self.pe.process(inputs)
            if result is not None:
                for name, item in self._read(result).items():
                    self.pe._write(name, item)
        self.pe.postprocess()

    def _iterations(self) -> Iterator[Any]:
        if isinstance(self.given, int):
            return ({} for _ in range(self.given))
        return iter(self.given)


@cache
def element_class(kind: type[Step] | type[Root], shape: Shape) -> type[Any]:  # of that kind
    """Make the class of the elements that hold PEs of one shape."""
    body: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"{shape.title}, a PE of dispel4py.",
        "shape": shape,
        "ports": {port.name: port.port for port in shape.outputs},
    }
    for port in shape.inputs:
        body[port.port] = _input(port.grouping)
        bare = shape.calls == "_process"
        handler = _taking_bare(port, shape.outputs) if bare else _processing(port)
        body[f"on_{port.port}"] = handler
    for port in shape.outputs:
        body[port.port] = Output(object)
    return type(shape.title, (kind,), body)


def _input(grouping: Grouping) -> Input[object]:
    if isinstance(grouping, GroupBy):
        return Input(object, by=grouping, optional=True)
    if grouping is not None:
        return Input(object, to="all" if grouping == ALL else "one", optional=True)
    return Input(object, optional=True)


def _processing(port: Port) -> Handler:
    """Make the handler that hands `process` a dict."""
    name, own_name = port.name, port.port

    def handle(self: Step, item: Any) -> Emissions:
        if type(item) not in PLAIN:
            item = taken(item, shared=own_name in self.shared)
        try:
            result = self.pe.process({name: item})
        except Exception:
            yield from self._hand_on(self._written)
            raise
        if self._written:
            yield from self._hand_on(self._written)
        if result is not None:
            if type(result) is not dict or self._by_write:
                result = self._read(result)
            own, ports = self.__dict__, self.ports
            for output, given in result.items():
                if output not in ports:
                    raise unknown_output(self.pe, output)
                yield own[ports[output]](given if type(given) in PLAIN else snapshot(given))
            if self._written:
                yield from self._hand_on(self._written)

    return handle


def _taking_bare(port: Port, outputs: tuple[Port, ...]) -> Handler:
    """Make the handler of what has one input and at most one output: no dicts in between."""
    own_name = port.port
    out = outputs[0].port if outputs else None

    def handle(self: Step, item: Any) -> Emissions:
        if type(item) not in PLAIN:
            item = taken(item, shared=own_name in self.shared)
        try:
            result = self.pe._process(item)
        except Exception:
            yield from self._hand_on(self._written)
            raise
        if self._written:
            yield from self._hand_on(self._written)
        if result is not None and out is not None:
            emit = self.__dict__[out]
            yield emit(result if type(result) in PLAIN else snapshot(result))

    return handle


def shape_of(pe: GenericPE, groupings: Mapping[Any, Grouping] | None) -> Shape:
    """Read the shape of a PE; without groupings, that of a root."""
    taken_names: set[str] = set()
    inputs = tuple(
        Port(name, _port_name(name, taken_names), grouping)
        for name, grouping in (groupings or {}).items()
    )
    outputs = tuple(Port(n, _port_name(n, taken_names)) for n in pe.outputconnections)
    bare = _takes_bare_items(pe, [port.name for port in inputs], [port.name for port in outputs])
    return Shape(type(pe).__name__, inputs, outputs, "_process" if bare else "process")


def _takes_bare_items(pe: Any, inputs: list[Any], outputs: list[Any]) -> bool:
    """Whether `_process` may be called at once: what `process` does is known."""
    kind = type(pe)
    if kind.write is not GenericPE.write or "process" in vars(pe):
        return False
    if kind.process is IterativePE.process:
        return inputs == [pe.INPUT_NAME] and outputs == [pe.OUTPUT_NAME]
    return kind.process is ConsumerPE.process and inputs == [pe.INPUT_NAME] and not outputs


def _port_name(name: object, taken_names: set[str]) -> str:
    """Make the name of a port of the engine, of any name that a PE gives its own."""
    plain = re.sub(r"[^a-z0-9_]", "_", str(name).lower()).strip("_") or "port"
    if not plain[0].isalpha() or plain.startswith("on_"):
        plain = f"port_{plain}"
    if plain in _OWN_NAMES:
        plain = f"{plain}_port"
    unique, number = plain, 2
    while unique in taken_names:
        unique, number = f"{plain}_{number}", number + 1
    taken_names.add(unique)
    return unique


def _remake(origin: Origin | None, is_root: bool, shape: Shape) -> Step | Root:
    """Make the element that pickle or a copy then fills."""
    if origin is not None:
        origin.restore()
    cls: Any = element_class(Root if is_root else Step, shape)
    made: Step | Root = cls.__new__(cls)
    return made


def _a(thing: object) -> str:
    name = type(thing).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


_OWN_NAMES = RESERVED | frozenset(dir(Step)) | frozenset(dir(Root)) | {"pe", "given", "late"}
