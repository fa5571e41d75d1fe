"""What a failing element's error says, and what happens to its item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flowquake.engine.job import describe_item, item_json
from flowquake.errors import FlowquakeError, PEError
from flowquake.ports import Deliver, Emission

if TYPE_CHECKING:
    from flowquake.engine.instance import Instance


def phase_failure(
    instance: Instance, phase: str, cause: Exception, *, item: object = None
) -> FlowquakeError:
    """Name the element, instance, phase and key of an error.

    Errors that flowquake raises on purpose keep their class and exit code and
    are told where they happened; everything else becomes a `PEError`.
    """
    if getattr(cause, "_placed", False) and isinstance(cause, FlowquakeError):
        return cause
    who = _who(instance)
    key = instance.own.get("_key")
    keyed = f", key {key!r}" if "_key" in instance.own else ""
    on = f" on {describe_item(item)}" if item is not None else ""
    if isinstance(cause, FlowquakeError):
        error: FlowquakeError = cause
        error.where = f"{error.where} ({who})" if error.where else who
    else:
        error = PEError(
            f"{who} failed in {phase}{on}{keyed}.\n  Cause: {type(cause).__name__}: {cause}",
            fix="see `flowquake run --debug` for the traceback",
        )
    error._placed = True  # type: ignore[attr-defined]  # said once, by the innermost
    return error


def item_failure(instance: Instance, port: str, item: object, cause: Exception) -> FlowquakeError:
    """Name the element, instance, item and cause of an error in a handler."""
    if isinstance(cause, FlowquakeError):
        return phase_failure(instance, f"on_{port}", cause, item=item)
    key = f", key {instance.own['_key']!r}" if "_key" in instance.own else ""
    error = PEError(
        f"{_who(instance)} failed on item {instance.received}{key} ({describe_item(item)}).\n"
        f"  Cause: {type(cause).__name__}: {cause}",
        fix="mend the input or the element, or see `flowquake run --on-error skip`",
    )
    error._placed = True  # type: ignore[attr-defined]  # said once, by the innermost
    return error


def _who(instance: Instance) -> str:
    of = f" (instance {instance.place.index + 1} of {instance.of})" if instance.of > 1 else ""
    return f"PE '{instance.name}'{of}"


class Guard:
    """A handler under ``--on-error skip`` or ``retry``."""

    def __init__(self, instance: Instance, port: str, handler: Deliver) -> None:
        self.instance = instance
        self.port = port
        self.handler = handler

    def __call__(self, item: object) -> Iterator[Emission]:
        """Run the handler; set the item aside, or try again, when it raises."""
        policy = self.instance.job.on_error
        may_retry = policy.action == "retry" and self.instance.declared.state is None
        attempts = policy.attempts if may_retry else 0
        while True:
            emitted = 0
            try:
                for emission in self.handler(item) or ():
                    emitted += 1
                    yield emission
            except Exception as cause:
                if policy.action == "skip":
                    self._skip(item, cause, emitted)
                    return
                if emitted == 0 and attempts > 0:
                    attempts -= 1
                    self.instance.context.count("retried", 1)
                    continue
                raise item_failure(self.instance, self.port, item, cause) from cause
            return

    def _skip(self, item: Any, cause: Exception, emitted: int) -> None:
        own = self.instance.own
        entry = {
            "pe": self.instance.name,
            "instance": self.instance.place.index,
            "input": self.port,
            "reason": f"{type(cause).__name__}: {cause}",
            "emitted": emitted,
            "item": item_json(item),
        }
        if "_key" in own:
            entry["key"] = item_json(own["_key"])
        self.instance.job.reject(self.instance.name, entry)
