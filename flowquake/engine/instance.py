"""One instance of a processing element while it runs."""

from __future__ import annotations

import bisect
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flowquake.batches import Splitter, splitter
from flowquake.engine.failures import Guard, phase_failure
from flowquake.engine.job import InstanceContext, Job
from flowquake.engine.ordering import TimeBuffer
from flowquake.engine.outlets import Outlet, Receiver
from flowquake.engine.suspension import END_OF_SLICE, Condition, suspend
from flowquake.errors import PEError
from flowquake.keys import sort_key
from flowquake.pe import Source
from flowquake.planning import InstancePlan
from flowquake.ports import Deliver, Emission, Key
from flowquake.signals import END, RESUME, EndOfStream, Resume, Signal, Wait, Watermark

SLICE = 256

NO_KEY = object()


@dataclass(slots=True)
class _Channel:
    """What came last on one channel into the instance."""

    watermark: int | None = None
    idle: bool = False
    ended: bool = False


@dataclass(slots=True)
class _Scope:
    """State and waiting rows of one key, or of an instance without keys."""

    key: Any  # a Key, or NO_KEY
    state: Any = None  # the element's own dataclass
    buffer: TimeBuffer = field(default_factory=TimeBuffer)


class Instance:
    """A copy of an element, with its context, state, buffers and channels.

    Parameters
    ----------
    job : Job
        What the run shares.
    place : InstancePlan
        Which element, instance and split.
    of : int
        How many instances the element has.
    """

    def __init__(self, job: Job, place: InstancePlan, of: int) -> None:
        self.job = job
        self.place = place
        self.of = of
        self.name = place.element
        original = job.workflow.elements[place.element]
        try:
            self.pe = copy.deepcopy(original)
        except Exception as cause:
            raise PEError(
                f"PE '{self.name}' cannot be copied: {cause}",
                fix="open handles in setup(), not in the constructor",
            ) from cause
        self.declared = original._declaration
        self.context = InstanceContext(job, self.name, place.index)
        self.own = vars(self.pe)
        self.own["_context"] = self.context
        self.outlets = {
            name: Outlet(port, self.name) for name, port in self.declared.outputs.items()
        }
        self.received_from: list[Callable[[], int]] = []
        self.ended = False
        self.finished = False
        self._channels: dict[int, _Channel] = {}
        self._forwarded: int | None = None
        self._idle = False
        self._scopes: dict[Any, _Scope] = {}
        self._keys: list[tuple[Any, Any]] = []
        self._broadcast: list[Deliver] = []
        self._ports = list(self.declared.inputs)
        self._handlers: dict[str, Deliver] = {}
        self._delivers = {name: self._make_deliver(name) for name in self.declared.inputs}
        self._is_set_up = False

    # Wiring.

    def receiver(self, port: str, channel: int) -> Receiver:
        """Give what a sender needs to reach an input over one channel."""
        self._channels[channel] = _Channel()

        def signal(sent: Signal) -> Iterator[Emission] | None:
            return self.signal(channel, sent)

        return Receiver(self._delivers[port], signal, self.received_from.append)

    def owns(self) -> dict[Deliver, str]:
        """Give the functions that may raise in the element's name, with their input."""
        return {deliver: port for port, deliver in self._delivers.items()}

    def wire(self) -> None:
        """Install the outputs, once all routes are known."""
        for name, outlet in self.outlets.items():
            collector = self.job.collectors.get((self.name, name))
            if collector is not None:
                outlet.add_collector(collector)
            outlet.install(self.own)
            self._broadcast.extend(outlet.signals)

    @property
    def received(self) -> int:
        """Items taken so far."""
        return sum(count() for count in self.received_from)

    # Life.

    def setup(self) -> None:
        """Make the state of an element without keys, and open handles."""
        if not self.declared.keyed:
            self._scope(NO_KEY)
            self._enter(self._scopes[NO_KEY])
        try:
            self.pe.setup()
        except Exception as cause:
            raise phase_failure(self, "setup()", cause) from cause
        finally:
            self._is_set_up = True

    def teardown(self) -> None:
        """Close handles; only if setup was called."""
        if not self._is_set_up:
            return
        self._is_set_up = False
        self._leave()
        try:
            self.pe.teardown()
        except Exception as cause:
            raise phase_failure(self, "teardown()", cause) from cause

    # Items.

    def _make_deliver(self, name: str) -> Deliver:
        port = self.declared.inputs[name]
        handler: Deliver = getattr(self.pe, f"on_{name}")
        if self.job.on_error.action != "stop":
            handler = Guard(self, name, handler)
        self._handlers[name] = handler
        if port.by is not None:
            return self._keyed(name, handler, splitter(port.by), timed=port.order == "time")
        if port.order == "time":
            number = self._ports.index(name)
            return lambda item: self._hold(self._scope(NO_KEY), number, item)
        return handler

    def _keyed(self, name: str, handler: Deliver, split: Splitter, *, timed: bool) -> Deliver:
        number = self._ports.index(name)

        def run(key: Key, part: object) -> Iterator[Emission] | None:
            scope = self._scope(key)
            if timed:
                return self._hold(scope, number, part)
            self._enter(scope)
            return handler(part)

        def run_all(parts: list[tuple[Key, object]]) -> Iterator[Emission]:
            for key, part in parts:
                emissions = run(key, part)
                if emissions is not None:
                    yield from emissions

        def deliver(item: object) -> Iterator[Emission] | None:
            parts = split(item)
            if len(parts) == 1:
                return run(*parts[0])
            return run_all(parts)

        return deliver

    def _hold(self, scope: _Scope, port: int, item: object) -> Iterator[Emission] | None:
        late = scope.buffer.add(port, item, self._forwarded)
        if late is None:
            return None
        outlet = self.outlets.get("late")
        self.context.count("late", len(late) if hasattr(late, "__len__") else 1)
        if outlet is None:
            return None
        self._enter(scope)
        return iter((self.own["late"](late),))

    def _scope(self, key: Any) -> _Scope:
        scope = self._scopes.get(key)
        if scope is None:
            state = self.declared.state
            scope = _Scope(key, None if state is None else state())
            self._scopes[key] = scope
            bisect.insort(self._keys, (() if key is NO_KEY else sort_key(key), key), key=_first)
        return scope

    def _enter(self, scope: _Scope) -> None:
        if self.declared.state is not None:
            self.own["state"] = scope.state
        if scope.key is not NO_KEY:
            self.own["_key"] = scope.key

    def _leave(self) -> None:
        if self.declared.keyed:
            self.own.pop("state", None)
            self.own.pop("_key", None)

    # Signals.

    def signal(self, number: int, signal: Signal) -> Iterator[Emission] | None:
        """Take a watermark or an end from one channel."""
        channel = self._channels[number]
        if isinstance(signal, EndOfStream):
            channel.ended = True
        elif isinstance(signal, Resume):
            channel.idle = False
        elif signal.time is None:
            channel.idle = True
        else:
            channel.idle = False
            if channel.watermark is None or signal.time > channel.watermark:
                channel.watermark = signal.time
        live = [c for c in self._channels.values() if not c.ended]
        if not live:
            return self._finish() if not self.ended else None
        active = [c for c in live if not c.idle]
        if not active:
            if self._idle:
                return None
            self._idle = True
            return iter(self._to_all(Watermark(None)))
        emissions: list[Emission] = []
        if self._idle:
            self._idle = False
            last: Signal = RESUME if self._forwarded is None else Watermark(self._forwarded)
            emissions = self._to_all(last)
        times = [c.watermark for c in active]
        if None not in times:
            low = min(t for t in times if t is not None) - self.declared.lateness_ns
            if self._forwarded is None or low > self._forwarded:
                if not (self.declared.timed or self.declared.hears_watermarks):
                    self._forwarded = low
                    return iter(emissions + self._to_all(Watermark(low)))
                return self._advance(low, emissions)
        return iter(emissions) if emissions else None

    def _to_all(self, signal: Signal) -> list[Emission]:
        return [(deliver, signal) for deliver in self._broadcast]

    def _advance(self, time: int, first: list[Emission]) -> Iterator[Emission]:
        yield from first
        for _, key in list(self._keys):
            scope = self._scopes[key]
            yield from self._release(scope, time)
            if self.declared.hears_watermarks:
                self._enter(scope)
                yield from self._call("on_watermark", time)
        self._forwarded = time
        yield from self._to_all(Watermark(time))

    def _release(self, scope: _Scope, before: int | None) -> Iterator[Emission]:
        for port, item in scope.buffer.release(before):
            self._enter(scope)
            name = self._ports[port]
            try:
                emissions = self._handlers[name](item)
                if emissions is not None:
                    yield from emissions
            except Exception as cause:
                raise phase_failure(self, f"on_{name}", cause, item=item) from cause

    def _call(self, method: str, *arguments: object) -> Iterator[Emission]:
        try:
            emissions = getattr(self.pe, method)(*arguments)
            if emissions is not None:
                yield from emissions
        except Exception as cause:
            raise phase_failure(self, f"{method}()", cause) from cause

    def _finish(self) -> Iterator[Emission]:
        self.ended = True
        for _, key in list(self._keys):
            yield from self._release(self._scopes[key], None)
        if self.declared.finishes:
            for _, key in list(self._keys):
                self._enter(self._scopes[key])
                yield from self._call("finish")
        self._leave()
        yield from self._to_all(END)
        self.finished = True

    # Production.

    def produce(self) -> Iterator[Emission]:
        """Run a source's split: its items, its signals, and pauses between slices."""
        if not isinstance(self.pe, Source):
            raise TypeError(f"{self.name} is not a source")
        idle = False
        made = 0
        try:
            for produced in self.pe.produce(self.place.split):
                if type(produced) is tuple:
                    if idle:
                        idle = False
                        last = self._forwarded
                        yield from self._to_all(RESUME if last is None else Watermark(last))
                    yield produced  # type: ignore[misc]  # a bare tuple is an emission
                    made += 1
                    if made == SLICE:
                        made = 0
                        yield END_OF_SLICE
                elif isinstance(produced, Watermark):
                    if produced.time is None:
                        if not idle:
                            idle = True
                            yield from self._to_all(produced)
                    elif idle or self._forwarded is None or produced.time > self._forwarded:
                        idle = False
                        self._forwarded = max(produced.time, self._forwarded or produced.time)
                        yield from self._to_all(Watermark(self._forwarded))
                elif isinstance(produced, Wait):
                    due = self.job.clock.monotonic() + produced.seconds
                    yield suspend, Condition(_is_due(self.job, due), due)
                else:
                    raise TypeError(
                        f"produce() yielded {produced!r:.60}; it may yield emissions "
                        "(self.port(item)), Watermark(time) and Wait(seconds)"
                    )
            self.ended = True
            if self.declared.finishes:
                yield from self._call("finish")
        except Exception as cause:
            raise phase_failure(self, "produce()", cause) from cause
        yield from self._to_all(END)
        self.finished = True

    @property
    def watermark(self) -> int | None:
        """The last watermark that was sent on."""
        return self._forwarded


def _first(entry: tuple[Any, Any]) -> Any:
    return entry[0]


def _is_due(job: Job, due: float) -> Callable[[], bool]:
    return lambda: job.clock.monotonic() >= due
