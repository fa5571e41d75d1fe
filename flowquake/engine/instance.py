"""One instance of a processing element while it runs."""

from __future__ import annotations

import bisect
import copy
from collections.abc import Callable, Iterator
from functools import partial
from inspect import isgeneratorfunction
from typing import Any

from flowquake.batches import Splitter, is_batch
from flowquake.engine.failures import (
    Guard,
    item_failure,
    not_an_emission,
    origin,
    phase_failure,
    placed_splitter,
    without_key,
)
from flowquake.engine.handlers import losing_nothing, taking_side_data
from flowquake.engine.inflow import Inflow
from flowquake.engine.job import InstanceContext, Job
from flowquake.engine.origins import Carried
from flowquake.engine.outlets import Outlet, Receiver
from flowquake.engine.scopes import NO_KEY, Scope
from flowquake.errors import FlowquakeError, PEError
from flowquake.functions import FunctionElement
from flowquake.keys import normalise, sort_key
from flowquake.planning import InstancePlan
from flowquake.ports import Deliver, Emission, Key
from flowquake.signals import END, HALT, Signal, Watermark


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
        original = job.workflow.element(place.element)
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
            name: Outlet(port, self.name, job) for name, port in self.declared.outputs.items()
        }
        self.received_from: list[Callable[[], int]] = []
        self.watermark: int | None = None  # the last that was sent on
        self.ended = False
        self.finished = False
        self.halted = False
        self._inflow = Inflow()
        self._scopes: dict[Any, Scope] = {}
        self._keys: list[tuple[Any, Any]] = []
        self._signals: list[Deliver] = []
        self._ports = list(self.declared.inputs)
        self._handlers: dict[str, Deliver] = {}
        self._delivers = {name: self._make_deliver(name) for name in self.declared.inputs}
        self._is_set_up = False
        self._heard: list[Deliver] = []
        self._released = 0  # rows that waited, as items
        # The method that runs on a signal, and what places its errors.
        self._acting: tuple[str, Callable[[Exception], FlowquakeError]] | None = None

    # Wiring.

    def receiver(self, port: str, channel: int, carried: Carried) -> Receiver:
        """Give what a sender needs to reach an input over one channel."""
        self._inflow.open(channel, carried)

        def signal(sent: Signal) -> Iterator[Emission] | None:
            return self.signal(channel, sent)

        self._heard.append(signal)
        return Receiver(self._delivers[port], signal, self.received_from.append)

    def owns(self) -> dict[Deliver, str]:
        """Give the functions that may raise in the element's name, with their input."""
        return {deliver: port for port, deliver in self._delivers.items()}

    def signal_failure(
        self, deliver: Deliver, cause: Exception | None, yielded: object
    ) -> FlowquakeError | None:
        """Place an error in what a signal set off; None if it came from elsewhere.

        Parameters
        ----------
        deliver : callable
            What took the signal.
        cause : Exception or None
            What was raised; None if `yielded` is no emission.
        yielded : object
            What a method yielded.
        """
        if deliver not in self._heard:
            return None
        return self.acting_failure(cause, yielded)

    def acting_failure(self, cause: Exception | None, yielded: object) -> FlowquakeError | None:
        """Place an error in the method that runs on a signal, as `signal_failure` does."""
        if self._acting is None:
            return None
        method, place = self._acting
        return place(not_an_emission(method, yielded) if cause is None else cause)

    def wire(self) -> None:
        """Install the outputs, once all routes are known."""
        for name, outlet in self.outlets.items():
            collector = self.job.collectors.get((self.name, name))
            if collector is not None:
                outlet.add_collector(collector)
            outlet.install(self.own)
            self._signals.extend(outlet.signals)

    @property
    def received(self) -> int:
        """Items that this instance took so far."""
        return sum(count() for count in self.received_from)

    # Life.

    def setup(self) -> None:
        """Make the state of an element without keys, and open handles."""
        if not self.declared.keyed:
            self._enter(self._scope(NO_KEY))
        self._is_set_up = True
        try:
            self.pe.setup()
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            error = phase_failure(self, "setup()", cause)
            raise error from origin(error, cause)

    def teardown(self) -> None:
        """Close handles; only if setup was called."""
        if not self._is_set_up:
            return
        self._is_set_up = False
        self._leave()
        try:
            self.pe.teardown()
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            error = phase_failure(self, "teardown()", cause)
            raise error from origin(error, cause)

    # Items.

    def _make_deliver(self, name: str) -> Deliver:
        port = self.declared.inputs[name]
        handler = self._handler(name)
        self._handlers[name] = handler
        keyed = self.declared.keyed
        if keyed and callable(port.by):
            return self._by_function(name, handler, port.by, timed=port.order == "time")
        if keyed and port.by is not None:
            split = placed_splitter(self.job, self.name, name, port.by)
            return self._keyed(name, handler, split, timed=port.order == "time")
        if port.order == "time":
            number = self._ports.index(name)
            return lambda item: self._hold(self._scope(NO_KEY), number, item)
        return handler

    def _handler(self, name: str) -> Deliver:
        handler: Deliver = getattr(self.pe, f"on_{name}")
        is_side_data = self.declared.keyed and self.declared.inputs[name].by is None
        if is_side_data:
            handler = taking_side_data(name, handler, self._leave)
        elif self.declared.outputs and not self._surely_iterates(handler):
            handler = losing_nothing(f"on_{name}", handler, list(self.outlets.values()))
        return handler if self.job.on_error.action == "stop" else Guard(self, name, handler)

    def _surely_iterates(self, handler: Callable[..., object]) -> bool:
        return isgeneratorfunction(handler) or isinstance(self.pe, FunctionElement)

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

    def _by_function(
        self, name: str, handler: Deliver, by: Callable[[Any], Key], *, timed: bool
    ) -> Deliver:
        number = self._ports.index(name)
        lost = without_key(self.job, self.name, name)
        scopes, own = self._scopes, self.own
        stateful = self.declared.state is not None

        def deliver(item: object) -> Iterator[Emission] | None:
            try:
                key = by(item)
                scope = scopes.get(key)
                if scope is None:
                    scope = self._scope(normalise(key))
            except Exception as cause:  # noqa: BLE001 - placed and raised again
                lost(item, cause)
                return None
            if timed:
                return self._hold(scope, number, item)
            if stateful:
                own["state"] = scope.state
            own["_key"] = scope.key
            return handler(item)

        return deliver

    def _hold(self, scope: Scope, port: int, item: object) -> Iterator[Emission] | None:
        late = scope.buffer.add(port, item, self.watermark)
        if late is None:
            return None
        self.context.count("late", len(late) if is_batch(late) else 1)
        if "late" not in self.outlets:
            return None
        self._enter(scope)
        return iter((self.own["late"](late),))

    def _scope(self, key: Any) -> Scope:  # a Key, or NO_KEY
        scope = self._scopes.get(key)
        if scope is None:
            state = self.declared.state
            scope = Scope(key, None if state is None else state())
            self._scopes[key] = scope
            bisect.insort(self._keys, (() if key is NO_KEY else sort_key(key), key), key=_first)
        return scope

    def _enter(self, scope: Scope) -> None:
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
        inflow = self._inflow
        news = inflow.take(number, signal)
        if inflow.ended:
            return None if self.ended else self._end()
        if inflow.halted:
            return None if self.halted else iter(self.halt())
        emissions = [] if news is None else self.to_all(news)
        low = inflow.low()
        if low is not None:
            low -= self.declared.lateness_ns
            if self.watermark is None or low > self.watermark:
                return self._advance(low, emissions)
        return iter(emissions) if emissions else None

    def halt(self) -> list[Emission]:
        """Note that the run was stopped, and make the emissions that tell everybody."""
        self.halted = True
        return self.to_all(HALT)

    def to_all(self, signal: Signal) -> list[Emission]:
        """Make the emissions that broadcast a signal on every channel."""
        return [(deliver, signal) for deliver in self._signals]

    def _advance(self, time: int, first: list[Emission]) -> Iterator[Emission]:
        if not (self.declared.timed or self.declared.hears_watermarks):
            self.watermark = time
            return iter(first + self.to_all(Watermark(time)))
        return self._act(time, first)

    def _act(self, time: int, first: list[Emission]) -> Iterator[Emission]:
        yield from first
        for _, key in list(self._keys):
            scope = self._scopes[key]
            if scope.buffer.held:
                yield from self._release(scope, time)
            if self.declared.hears_watermarks:
                self._enter(scope)
                yield from self._call("on_watermark", time)
        self.watermark = time
        yield from self.to_all(Watermark(time))

    def _release(self, scope: Scope, before: int | None) -> Iterator[Emission]:
        try:
            for port, item in scope.buffer.release(before):
                self._enter(scope)
                name = self._ports[port]
                self._released += 1
                place = partial(
                    item_failure, self, name, item, number=self._released, in_order=True
                )
                self._acting = f"on_{name}", place
                emissions = self._handlers[name](item)
                if emissions is not None:
                    yield from emissions
                self._acting = None
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            what = "putting rows in the order of time"
            error = self.acting_failure(cause, None) or phase_failure(self, what, cause)
            raise error from origin(error, cause)

    def _call(self, method: str, *arguments: object) -> Iterator[Emission]:
        call = getattr(self.pe, method)
        self._acting = method, partial(phase_failure, self, f"{method}()")
        try:
            if self.declared.outputs and not isgeneratorfunction(call):
                call = losing_nothing(method, call, list(self.outlets.values()))
            emissions = call(*arguments)
            if emissions is not None:
                yield from emissions
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            error = phase_failure(self, f"{method}()", cause)
            raise error from origin(error, cause)
        self._acting = None

    def _end(self) -> Iterator[Emission]:
        """Act on the end of all channels; what was held comes first, in order."""
        self.ended = True
        last = self._inflow.last()
        if last is not None:
            # The channel that ends last may have been behind the others.
            last -= self.declared.lateness_ns
            if self.watermark is None or last > self.watermark:
                yield from self._advance(last, [])
        for _, key in list(self._keys):
            yield from self._release(self._scopes[key], None)
        yield from self.finish()

    def finish(self) -> Iterator[Emission]:
        """Run ``finish`` for every key, and tell everybody downstream."""
        self.ended = True
        if self.declared.finishes:
            for _, key in list(self._keys):
                self._enter(self._scopes[key])
                yield from self._call("finish")
        self._leave()
        yield from self.to_all(END)
        self.finished = True


def _first(entry: tuple[Any, Any]) -> Any:  # a sort key, of mixed types
    return entry[0]
