"""What a failing element's error says, and what happens to its item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flowquake.batches import Splitter, splitter
from flowquake.engine.job import Job, describe_item, item_json
from flowquake.errors import FlowquakeError, Interrupted, PEError, TransportError
from flowquake.ports import By, Deliver, Emission

if TYPE_CHECKING:
    from flowquake.engine.instance import Instance

TRACEBACK = "see the traceback with --debug"
SKIP = "see `flowquake run --on-error skip`"
OF_THE_PROGRAM = "correct the element; the traceback with --debug shows the line"
READ_ONLY = "what is emitted is given away and read-only: change a copy, `array.copy()`"

# Exceptions that speak of the code rather than of an item.
_PROGRAM = (AttributeError, ImportError, NameError, NotImplementedError, SyntaxError, TypeError)


def is_placed(cause: BaseException) -> bool:
    """Whether an error already says in which element it happened."""
    return isinstance(cause, FlowquakeError) and getattr(cause, "_placed", False)


def phase_failure(instance: Instance, phase: str, cause: Exception) -> FlowquakeError:
    """Name the element, instance, phase and key of an error.

    Errors that flowquake raises on purpose keep their class and exit code and
    are told where they happened; everything else becomes a `PEError`.
    """
    return _placed(cause, _who(instance), f"in {phase}{_key(instance)}", TRACEBACK)


def item_failure(
    instance: Instance,
    port: str,
    item: object,
    cause: Exception,
    *,
    number: int,
    in_order: bool = False,
) -> FlowquakeError:
    """Name the element, instance, item, key and cause of an error in a handler.

    Parameters
    ----------
    instance : Instance
        Whose handler it was.
    port : str
        The input.
    item : object
        What it was given.
    cause : Exception
        What it raised.
    number : int
        The place of the item among those that the instance took, from 1; with
        `in_order` among those that its buffers released.
    in_order : bool, default False
        Whether it had waited for the watermark.
    """
    of = f" of input '{port}'" if len(instance.declared.inputs) > 1 else ""
    order = " in order of time" if in_order else ""
    at = f"on item {number}{of}{order}{_key(instance)} ({describe_item(item)})"
    return _placed(cause, _who(instance), at, SKIP)


def key_failure(target: str, port: str, item: object, cause: Exception) -> FlowquakeError:
    """Name the element and item whose key could not be found."""
    at = f"to find the key of an item of input '{port}' ({describe_item(item)})"
    return _placed(cause, f"PE '{target}'", at, SKIP)


def not_an_emission(method: str, given: object) -> PEError:
    """Make the error of a method that yields something else."""
    return PEError(
        f"{method}() yielded {given!r:.60}, which is not an emission",
        fix="yield self.port(item), with the output's name for port",
    )


def origin(error: FlowquakeError, cause: Exception) -> BaseException | None:
    """Give what an error of the functions above is raised from: the user's own exception.

    An error that was only told where it happened keeps what it came from.
    """
    if error is not cause:
        return cause
    if cause.__cause__ is not None or cause.__suppress_context__:
        return cause.__cause__
    return cause.__context__


def _placed(cause: Exception, who: str, at: str, fix: str) -> FlowquakeError:
    if isinstance(cause, FlowquakeError):
        error: FlowquakeError = cause
        if not is_placed(cause):
            # An error that knows a file and line needs no item beside it.
            error.where = f"{error.where} ({who})" if error.where else f"{who}, {at}"
    else:
        if "read-only" in str(cause):
            fix = READ_ONLY
        elif fix == SKIP and isinstance(cause, _PROGRAM):
            fix = OF_THE_PROGRAM
        error = PEError(f"{who} failed {at}.\n  Cause: {type(cause).__name__}: {cause}", fix=fix)
    error._placed = True  # type: ignore[attr-defined]  # said once, by the innermost
    return error


def _key(instance: Instance) -> str:
    return f", key {instance.own['_key']!r}" if "_key" in instance.own else ""


def _who(instance: Instance) -> str:
    of = f" (instance {instance.place.index + 1} of {instance.of})" if instance.of > 1 else ""
    return f"PE '{instance.name}'{of}"


def placed_splitter(job: Job, target: str, port: str, by: By) -> Splitter:
    """Make the function that finds keys; its errors are the receiving element's.

    Under ``--on-error skip`` an item without a valid key is set aside.
    """
    split = splitter(by)
    lost = without_key(job, target, port)

    def find(item: Any) -> list[tuple[Any, Any]]:  # items of every type
        try:
            return split(item)
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            lost(item, cause)
            return []

    return find


def without_key(job: Job, target: str, port: str) -> Callable[[object, Exception], None]:
    """Make what happens to an item whose key cannot be found, as `placed_splitter` has it."""

    def lose(item: object, cause: Exception) -> None:
        if job.on_error.action != "skip":
            raise key_failure(target, port, item, cause) from cause
        job.reject(target, _entry(target, port, item, cause, emitted=0))

    return lose


class Guard:
    """A handler under ``--on-error skip`` or ``retry``."""

    def __init__(self, instance: Instance, port: str, handler: Deliver) -> None:
        self.instance = instance
        self.port = port
        self.handler = handler

    def __call__(self, item: object) -> Iterator[Emission]:
        """Run the handler; set the item aside, or try again, when it raises.

        A lost broker and a stop are no fault of the item: they pass.
        """
        policy = self.instance.job.on_error
        declared = self.instance.declared
        # What is written for an instance may keep anything, in attributes of its own.
        keeps = declared.state is not None or declared.per_instance
        may_retry = policy.action == "retry" and not keeps
        attempts = policy.attempts if may_retry else 0
        while True:
            emitted = 0
            try:
                for emission in self.handler(item) or ():
                    emitted += 1
                    yield emission
            except (TransportError, Interrupted):
                raise
            except Exception as cause:
                if policy.action == "skip":
                    self._skip(item, cause, emitted)
                    return
                if emitted == 0 and attempts > 0:
                    attempts -= 1
                    self.instance.context.count("retried", 1)
                    continue
                raise
            return

    def _skip(self, item: Any, cause: Exception, emitted: int) -> None:  # items of every type
        instance = self.instance
        entry = _entry(instance.name, self.port, item, cause, emitted=emitted)
        entry["instance"] = instance.place.index
        if "_key" in instance.own:
            entry["key"] = item_json(instance.own["_key"])
        instance.job.reject(instance.name, entry)


def _entry(
    name: str, port: str, item: object, cause: Exception, *, emitted: int
) -> dict[str, object]:
    return {
        "pe": name,
        "input": port,
        "reason": f"{type(cause).__name__}: {getattr(cause, 'message', cause)}",
        "emitted": emitted,
        "item": item_json(item),
    }


def unsendable(instance: Instance, output: str, item: object, cause: Exception) -> None:
    """Refuse an item that cannot leave its process; set it aside under ``--on-error skip``.

    Raises
    ------
    PEError
        Names element, instance, output, item and cause.
    """
    if instance.job.on_error.action == "skip":
        entry = _entry(instance.name, output, item, cause, emitted=0)
        del entry["input"]
        instance.job.reject(instance.name, {**entry, "output": output})
        return
    error = PEError(
        f"{_who(instance)} emitted an item on output '{output}' that cannot be sent to another "
        f"worker ({describe_item(item)}).\n  Cause: {type(cause).__name__}: {cause}",
        fix="emit what pickle can write, open handles in setup(), or run with one worker",
    )
    error._placed = True  # type: ignore[attr-defined]  # as in _placed()
    raise error from cause


def close_all(generators: list[Iterator[Emission]]) -> list[Exception]:
    """Close generators, the innermost first; give back what their clean-up raised."""
    failures: list[Exception] = []
    for generator in reversed(generators):
        close: Callable[[], None] | None = getattr(generator, "close", None)
        if close is None:
            continue
        try:
            close()
        except Exception as failure:  # noqa: BLE001 - handed back
            failures.append(failure)
    return failures
