"""Units: instances of one worker that hand items to each other directly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from flowquake.engine.failures import item_failure, phase_failure
from flowquake.engine.instance import Instance
from flowquake.engine.suspension import AT_ONCE, Condition, Suspended
from flowquake.errors import FlowquakeError, PEError
from flowquake.ports import Deliver, Emission


class _Production:
    """A source's generator, parked between its slices."""

    __slots__ = ("condition", "instance", "root")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.root = instance.produce()
        self.condition = AT_ONCE


class Unit:
    """One explicit stack of live generators, run depth first.

    While the stack waits (for credit, or for whoever reads a stream) nothing
    else enters the unit, so an instance has one live handler at a time.
    """

    def __init__(self, instances: list[Instance]) -> None:
        self.instances = instances
        self.inbox: deque[tuple[Deliver, object, Callable[[], None] | None]] = deque()
        self.sources = [_Production(i) for i in instances if i.declared.is_source]
        self._stack: list[Iterator[Emission]] = []
        self._trail: list[Emission | None] = []
        self._waiting: Condition = AT_ONCE
        self._running: _Production | None = None
        self._after: Callable[[], None] | None = None
        self._owners: dict[Deliver, tuple[Instance, str]] = {
            deliver: (instance, port)
            for instance in instances
            for deliver, port in instance.owns().items()
        }

    @property
    def finished(self) -> bool:
        """Whether every instance has ended and nothing is left to run."""
        return not (self._stack or self.inbox) and all(i.finished for i in self.instances)

    @property
    def busy(self) -> bool:
        """Whether a stack is set aside or an item waits."""
        return bool(self._stack or self.inbox)

    def due(self) -> float | None:
        """Give the earliest monotonic time at which a source wants to go on."""
        conditions = [self._waiting] if self._stack else [s.condition for s in self.sources]
        times = [c.due for c in conditions if c.due is not None]
        return min(times, default=None)

    def stop_sources(self) -> None:
        """Let no source produce any more; what is in flight goes on."""
        for source in self.sources:
            if source is not self._running:
                source.root.close()  # type: ignore[attr-defined]  # produce() is a generator
        self.sources = [source for source in self.sources if source is self._running]

    def step(self, *, stopping: bool = False) -> bool:
        """Run until the stack is empty, waits, or a slice ends.

        Returns
        -------
        bool
            Whether anything was done.
        """
        if self._stack:
            if not self._waiting.ready():
                return False
            if stopping and self._running is not None and len(self._stack) == 1:
                self._drop_running()
                return True
        elif self.inbox:
            deliver, item, self._after = self.inbox.popleft()
            self._push(iter(((deliver, item),)))
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

    def _drop_running(self) -> None:
        self._stack.clear()
        self._trail.clear()
        self._running = None

    def _push(self, root: Iterator[Emission]) -> None:
        self._stack.append(root)
        self._trail.append(None)

    def _next_source(self) -> _Production | None:
        # The one furthest behind in event time goes first, so that buffers
        # which wait for the least watermark stay small.
        ready = [s for s in self.sources if s.condition.ready()]
        if not ready:
            return None
        chosen = min(
            ready,
            key=lambda s: (s.instance.watermark is not None, s.instance.watermark or 0),
        )
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
            raised = getattr(generator, "gi_frame", generator) is None
            trail.append(arrived)
            error = self._failure(cause, arrived if raised else emission, raised=raised)
            self._abandon(generator)
            raise error from (cause if error is not cause else cause.__cause__)
        except BaseException:
            self._abandon(generator)
            raise

    def _abandon(self, generator: Iterator[Emission]) -> None:
        # Closing runs the finally clauses of handlers that will not go on.
        for live in [*self._stack, generator]:
            close = getattr(live, "close", None)
            if close is not None:
                close()
        self._stack.clear()
        self._trail.clear()

    def _failure(self, cause: Exception, emission: Any, *, raised: bool) -> FlowquakeError:
        if getattr(cause, "_placed", False) and isinstance(cause, FlowquakeError):
            return cause
        if not (isinstance(emission, tuple) and len(emission) == 2 and callable(emission[0])):
            return self._not_an_emission(emission)
        owner = self._owners.get(emission[0])
        if owner is not None:
            instance, port = owner
            return item_failure(instance, port, emission[1], cause)
        for above in reversed(self._trail):
            nearest = self._owners.get(above[0]) if above is not None else None
            if nearest is not None:
                return phase_failure(nearest[0], f"on_{nearest[1]}", cause)
        if self._running is not None:
            return phase_failure(self._running.instance, "produce()", cause)
        if isinstance(cause, FlowquakeError):
            return cause
        return PEError(f"the engine failed: {type(cause).__name__}: {cause}")

    def _not_an_emission(self, yielded: object) -> PEError:
        who = "a source"
        for above in reversed(self._trail):
            owner = self._owners.get(above[0]) if above is not None else None
            if owner is not None:
                who = f"PE '{owner[0].name}' in on_{owner[1]}"
                break
        return PEError(
            f"{who} yielded {yielded!r:.60}, which is not an emission",
            fix="yield self.port(item), with the output's name for port",
        )
