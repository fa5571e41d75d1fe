"""Units: instances of one worker that hand items to each other directly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from flowquake.engine.failures import (
    close_all,
    is_placed,
    item_failure,
    not_an_emission,
    origin,
    phase_failure,
)
from flowquake.engine.instance import Instance
from flowquake.engine.production import produce
from flowquake.engine.suspension import AT_ONCE, Condition, Suspended
from flowquake.errors import FlowquakeError, PEError
from flowquake.ports import Deliver, Emission


class Arrival(NamedTuple):
    """A parcel that waits for its turn: its emissions, and what to do when they are done."""

    emissions: Iterator[Emission]
    after: Callable[[], None]


class _Production:
    """A source's generator, parked between its slices."""

    __slots__ = ("condition", "instance", "root", "stopped")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.root = produce(instance)
        self.condition = AT_ONCE
        self.stopped = False


class Unit:
    """One explicit stack of live generators, run depth first.

    While the stack waits (for credit, or for whoever reads a stream) nothing
    else enters the unit, so an instance has one live handler at a time.
    """

    def __init__(self, instances: list[Instance]) -> None:
        self.instances = instances
        self.inbox: deque[Arrival] = deque()
        self.sources = [_Production(i) for i in instances if i.declared.is_source]
        self._stack: list[Iterator[Emission]] = []
        # For each generator of the stack the emission that it came from.
        self._trail: list[Emission | None] = []
        self._waiting: Condition = AT_ONCE
        self._running: _Production | None = None
        self._after: Callable[[], None] | None = None
        self._turn = 0
        self._owners: dict[Deliver, tuple[Instance, str]] = {
            deliver: (instance, port)
            for instance in instances
            for deliver, port in instance.owns().items()
        }

    @property
    def finished(self) -> bool:
        """Whether every instance has ended and nothing is left to run."""
        return not (self._stack or self.inbox) and all(
            instance.finished or instance.halted for instance in self.instances
        )

    def due(self) -> float | None:
        """Give the earliest monotonic time at which a source wants to go on."""
        conditions = [self._waiting] if self._stack else [s.condition for s in self.sources]
        times = [c.due for c in conditions if c.due is not None]
        return min(times, default=None)

    def stop_sources(self) -> None:
        """Let no source produce any more; what is in flight goes on."""
        for source in self.sources:
            if source is not self._running and not source.stopped:
                source.root.close()  # type: ignore[attr-defined]  # produce() is a generator
                source.root = iter(source.instance.halt())
                source.condition = AT_ONCE
                source.stopped = True

    def close(self) -> list[Exception]:
        """Run the clean-up of all handlers that will not go on."""
        self.inbox.clear()
        live = [s.root for s in self.sources if s is not self._running] + self._stack
        self.sources.clear()
        self._running = None
        self._stack, self._trail = [], []
        return close_all(live)

    def step(self) -> bool:
        """Run until the stack is empty, waits, or a slice ends.

        Returns
        -------
        bool
            Whether anything was done.
        """
        if self._stack:
            if not self._waiting.ready():
                return False
        elif self.inbox:
            emissions, self._after = self.inbox.popleft()
            self._push(emissions)
        else:
            source = self._next_source()
            if source is None:
                return False
            self._running = source
            self._push(source.root)
        if self._run():
            self._done()
        elif self._running is not None and len(self._stack) == 1:
            # Only the source's own generator is live: others may go first.
            self._running.condition = self._waiting
            self._running = None
            self._stack.clear()
            self._trail.clear()
        return True

    def _push(self, root: Iterator[Emission]) -> None:
        self._stack.append(root)
        self._trail.append(None)

    def _next_source(self) -> _Production | None:
        ready = [s for s in self.sources if s.condition.ready()]
        if not ready:
            return None
        # The one furthest behind in event time goes first, so that buffers
        # which wait for the least watermark stay small. Sources that have no
        # watermark yet go every other time, so that neither kind starves.
        self._turn += 1
        silent = [s for s in ready if s.instance.watermark is None]
        if silent and (self._turn % 2 or len(silent) == len(ready)):
            chosen = silent[0]
        else:
            timed = [s for s in ready if s.instance.watermark is not None]
            chosen = min(timed, key=lambda s: s.instance.watermark or 0)
        self.sources.remove(chosen)
        self.sources.append(chosen)
        return chosen

    def _done(self) -> None:
        if self._running is not None:
            self.sources.remove(self._running)
            self._running = None
        if self._after is not None:
            after, self._after = self._after, None
            after()

    def _run(self) -> bool:
        """Drive the stack; True if it ran empty, False if it was suspended."""
        stack, trail = self._stack, self._trail
        generator, arrived = stack.pop(), trail.pop()
        emission: Any = None
        try:
            while True:
                for emission in generator:
                    child = emission[0](emission[1])
                    if child is not None:
                        stack.append(generator)
                        trail.append(arrived)
                        generator, arrived = child, emission
                        break
                else:
                    if not stack:
                        return True
                    generator, arrived = stack.pop(), trail.pop()
        except Suspended as pause:
            stack.append(generator)
            trail.append(arrived)
            self._waiting = pause.condition
            return False
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            # A generator that raised has no frame any more.
            raised = getattr(generator, "gi_frame", generator) is None
            trail.append(arrived)
            stack.append(generator)
            error = self._failure(cause, arrived if raised else emission, raised=raised)
            for failure in self.close():
                error.add_note(f"Also, in a clean-up: {type(failure).__name__}: {failure}")
            raise error from origin(error, cause)
        except BaseException:
            stack.append(generator)
            raise

    def _failure(self, cause: Exception, emission: Any, *, raised: bool) -> FlowquakeError:
        """Say whose error it is.

        Parameters
        ----------
        cause : Exception
            What was raised.
        emission : object
            What was being delivered, or what had started the generator that
            raised; anything at all if an element yielded nonsense.
        raised : bool
            Whether a generator raised, rather than the call of a receiver.
        """
        if isinstance(cause, FlowquakeError) and is_placed(cause):
            return cause
        is_emission = isinstance(emission, tuple) and len(emission) == 2 and callable(emission[0])
        is_wrong = not (is_emission or raised)
        trail = [e for e in self._trail if e is not None]
        for deliver, item in ([emission] if is_emission else []) + trail[::-1]:
            owner = self._owners.get(deliver)
            if owner is not None:
                instance, port = owner
                if is_wrong:
                    cause = not_an_emission(f"on_{port}", emission)
                return item_failure(instance, port, item, cause, number=instance.received)
            for instance in self.instances:
                error = instance.signal_failure(deliver, None if is_wrong else cause, emission)
                if error is not None:
                    return error
        if self._running is not None:
            instance = self._running.instance
            error = instance.acting_failure(None if is_wrong else cause, emission)
            if error is not None:
                return error
            if is_wrong:
                cause = not_an_emission("produce", emission)
            return phase_failure(instance, "produce()", cause)
        if isinstance(cause, FlowquakeError):
            return cause
        return PEError(f"the engine failed: {type(cause).__name__}: {cause}")
