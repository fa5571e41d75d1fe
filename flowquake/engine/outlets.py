"""Outlets: what calling an output does while the engine runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowquake.batches import Splitter
from flowquake.engine.failures import placed_splitter, without_key
from flowquake.engine.job import Job
from flowquake.engine.snapshots import ATOMS, may_change, own_copy
from flowquake.errors import PEError
from flowquake.keys import normalise, stable_hash
from flowquake.ports import Deliver, Emission, Input, Key, Output, fits

_LOOKED_AT: Final = 64
_DEALT_AT_ONCE: Final = 64
_REMEMBERED: Final = 100_000  # keys whose receiver is not computed again


@dataclass(slots=True)
class Receiver:
    """One instance's input as seen by a sender.

    Parameters
    ----------
    deliver : callable
        Takes an item.
    signal : callable
        Takes a watermark or an end, for the channel from this sender.
    tell : callable
        Takes a function that counts the items sent to this receiver.
    in_flight : callable, optional
        For a channel, which runs no code of the receiver's: gives how full it
        is, and the items on it.
    """

    deliver: Deliver
    signal: Deliver
    tell: Callable[[Callable[[], int]], None]
    in_flight: Callable[[], tuple[float, int]] | None = None

    @property
    def is_channel(self) -> bool:
        """Whether items go into a channel."""
        return self.in_flight is not None


class Outlet:
    """The runtime side of one output port of one instance."""

    def __init__(self, port: Output[Any], owner: str, job: Job) -> None:
        self.port = port
        self.owner = owner
        self.job = job
        self.made = [0]  # emissions so far, where closures can count them
        self.delivers: list[Deliver] = []
        self._copied: list[bool] = []  # for each of them: whether a channel takes a copy
        self.signals: list[Deliver] = []
        self.wanted: list[tuple[str, type]] = []
        self.targets: list[str] = []
        self.connected = False

    def count(self) -> int:
        """Give the number of emissions so far."""
        return self.made[0]

    def add_route(self, port: Input[Any], target: str, receivers: Sequence[Receiver]) -> None:
        """Send every emission along one connection, by the input's grouping."""
        self.connected = True
        self.targets.append(target)
        self.wanted.append((f"{target}.{port.name}", port.type))
        self.signals.extend(receiver.signal for receiver in receivers)
        before = len(self.delivers)
        self._add(port, target, receivers)
        copied = all(receiver.is_channel for receiver in receivers)
        self._copied += [copied] * (len(self.delivers) - before)

    def _add(self, port: Input[Any], target: str, receivers: Sequence[Receiver]) -> None:
        if len(receivers) == 1 or port.to == "one":
            chosen: Sequence[Receiver] = receivers[:1]
        elif port.to == "all":
            chosen = receivers
        elif port.by is None:
            loads = [r.in_flight for r in receivers if r.in_flight is not None]
            if len(loads) == len(receivers):
                self.delivers.append(_deal_by_load([r.deliver for r in receivers], loads))
            else:
                self.delivers.append(_deal(receivers))
            return
        else:
            self.delivers.append(self._partition(port, target, receivers))
            return
        for receiver in chosen:
            self.delivers.append(receiver.deliver)
            receiver.tell(self.count)

    def _partition(self, port: Input[Any], target: str, receivers: Sequence[Receiver]) -> Deliver:
        assert port.by is not None
        if callable(port.by):
            return _by_key(receivers, port.by, without_key(self.job, target, port.name))
        return _by_rows(receivers, placed_splitter(self.job, target, port.name, port.by))

    def add_collector(self, deliver: Deliver, *, is_channel: bool = False) -> None:
        """Hand every emission to somebody outside the graph as well."""
        self.connected = True
        self.delivers.append(deliver)
        self._copied.append(is_channel)

    def install(self, instance: dict[str, Any]) -> None:
        """Put the function that makes emissions into an instance's dictionary.

        The first item is checked against the port's type; later ones are not.
        """
        kind = self.port.type
        copies = may_change(kind) and not all(self._copied)
        one = len(self.delivers) == 1
        emit = _emitter(
            self._deliver(copies=copies),
            self.made,
            freezes=_may_carry_arrays(kind),
            copies=copies and one,
        )
        name = self.port.name

        checked = False

        def first(item: object) -> Emission:
            # A handler may hold on to this function: it must stay cheap.
            nonlocal checked
            if not checked:
                self._check(item)
                checked = True
                instance[name] = emit
            return emit(item)

        instance[name] = first

    def _deliver(self, *, copies: bool) -> Deliver:
        if not self.delivers:
            return _dropped
        if len(self.delivers) == 1:
            return self.delivers[0]
        if copies:
            each = tuple(zip(self.delivers, self._copied, strict=True))
            return lambda item: iter(
                [(deliver, item if copied else own_copy(item)) for deliver, copied in each]
            )
        targets = tuple(self.delivers)
        return lambda item: iter([(deliver, item) for deliver in targets])

    def _check(self, item: object) -> None:
        kind = type(item)
        if not fits(kind, self.port.type):
            raise PEError(
                f"output '{self.port.name}' of PE '{self.owner}' emitted {_a(kind)}, "
                f"but is declared as Output({self.port.type.__name__})",
                fix=f"emit {self.port.type.__name__}, or declare Output({kind.__name__})",
            )
        for target, wanted in self.wanted:
            if not fits(kind, wanted):
                raise PEError(
                    f"output '{self.port.name}' of PE '{self.owner}' emitted {_a(kind)}, "
                    f"but {target} takes {wanted.__name__}",
                    fix=f"declare Output({wanted.__name__}) and emit that, or convert between them",
                )


def _emitter(
    deliver: Deliver, made: list[int], *, freezes: bool, copies: bool
) -> Callable[[Any], Emission]:
    # Closures, because a call of an instance's __call__ costs three times as
    # much; this is the innermost loop of the engine.
    def emit(item: object) -> Emission:
        made[0] += 1
        return deliver, item

    def emit_frozen(item: object) -> Emission:
        made[0] += 1
        array = item
        # The arrays that a view looks into are given away with it.
        while isinstance(array, np.ndarray):
            array.flags.writeable = False
            array = array.base
        return deliver, item

    def emit_copied(item: Any) -> Emission:  # items of every type
        # What is handed over directly may be kept; its emitter may change it.
        if type(item) is tuple:
            made[0] += 1
            for part in item:
                if type(part) not in ATOMS:
                    return deliver, own_copy(item)
            return deliver, item
        emission = emit_frozen(item)
        return emission if type(item) in ATOMS else (deliver, own_copy(item))

    if copies:
        return emit_copied
    return emit_frozen if freezes else emit


def _may_carry_arrays(kind: type) -> bool:
    return issubclass(kind, np.ndarray) or issubclass(np.ndarray, kind)


def _dropped(item: object) -> None:
    return None


def _deal_by_load(
    delivers: Sequence[Deliver], loads: Sequence[Callable[[], tuple[float, int]]]
) -> Deliver:
    """Deal to the channel with the least on it; the longer the queues, the more at once."""
    deliver = delivers[0]
    turn, left = -1, 0
    count = len(delivers)

    def choose() -> None:
        nonlocal deliver, turn, left
        turn = (turn + 1) % count
        # Of very many, not all are looked at.
        near = [(turn + step) % count for step in range(min(count, _LOOKED_AT))]
        (_, items), _, number = min(
            (loads[place](), step, place) for step, place in enumerate(near)
        )
        deliver = delivers[number]
        left = max(1, min(_DEALT_AT_ONCE, items // 4))

    def deal(item: object) -> Any:  # an iterator of emissions, or None
        nonlocal left
        if not left:
            choose()
        left -= 1
        return deliver(item)

    return deal


def _deal(receivers: Sequence[Receiver]) -> Deliver:
    sent = [0] * len(receivers)
    delivers = [receiver.deliver for receiver in receivers]
    turn = 0
    for number, receiver in enumerate(receivers):
        receiver.tell(lambda number=number: sent[number])  # type: ignore[misc]  # binds the loop's value

    def deal(item: object) -> Any:  # an iterator of emissions, or None
        nonlocal turn
        number, turn = turn, (turn + 1) % len(delivers)
        sent[number] += 1
        # As an emission, so that a failure is the receiver's and not ours.
        return iter(((delivers[number], item),))

    return deal


def _by_key(
    receivers: Sequence[Receiver],
    by: Callable[[Any], Key],
    lost: Callable[[object, Exception], None],
) -> Deliver:
    sent = [0] * len(receivers)
    delivers = [receiver.deliver for receiver in receivers]
    for number, receiver in enumerate(receivers):
        receiver.tell(lambda number=number: sent[number])  # type: ignore[misc]  # binds the loop's value
    numbers: dict[Any, int] = {}  # of the receivers, by keys that were met

    def place(key: Key) -> int:
        if len(numbers) >= _REMEMBERED:
            numbers.clear()
        number = numbers[key] = stable_hash(key) % len(delivers)
        return number

    # The lookup is written out twice: this is the innermost loop of the engine.
    if all(receiver.is_channel for receiver in receivers):

        def send(item: Any) -> Any:  # items of every type
            try:
                key = by(item)
                number = numbers.get(key)
                if number is None:
                    number = place(normalise(key))
            except Exception as cause:  # noqa: BLE001 - placed and raised again
                lost(item, cause)
                return None
            return delivers[number](item)

        return send

    def partition(item: Any) -> Any:  # items of every type
        try:
            key = by(item)
            number = numbers.get(key)
            if number is None:
                number = place(normalise(key))
        except Exception as cause:  # noqa: BLE001 - placed and raised again
            lost(item, cause)
            return None
        sent[number] += 1
        return iter(((delivers[number], item),))

    return partition


def _by_rows(receivers: Sequence[Receiver], split: Splitter) -> Deliver:
    sent = [0] * len(receivers)
    delivers = [receiver.deliver for receiver in receivers]
    for number, receiver in enumerate(receivers):
        receiver.tell(lambda number=number: sent[number])  # type: ignore[misc]  # binds the loop's value

    def partition(item: Any) -> Any:  # items of every type
        shares: dict[int, list[Any]] = {}
        for key, part in split(item):
            shares.setdefault(stable_hash(key) % len(delivers), []).append(part)
        emissions = []
        for number, parts in shares.items():
            sent[number] += 1
            if len(shares) == 1:
                whole = item
            elif len(parts) == 1:
                whole = parts[0]
            else:  # only a batch has several keys
                whole = type(item).concat(parts)
            emissions.append((delivers[number], whole))
        return iter(emissions)

    return partition


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'aeiouAEIO' else 'a'} {kind.__name__}"
