"""Elements written for one key: its state, its watermarks, its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    InputError,
    ManualClock,
    Output,
    PEError,
    ProcessingElement,
    State,
    Wait,
    Watermark,
)
from flowquake.ports import Key
from flowquake.records import EventBatch
from flowquake.testing import ElementResult, run_element


@dataclass
class Seen:
    rows: int = 0
    keys: list[Key] = field(default_factory=list)
    version: int = 1


class PerKey(ProcessingElement):
    item = Input(object, by=lambda item: item, order="any")
    out = Output(tuple)
    state = State(Seen)

    def on_item(self, item: object) -> None:
        self.state.rows += 1
        self.state.keys.append(self.key)

    def on_watermark(self, time: int) -> Emissions:
        yield self.out(("mark", time, self.key, self.state.rows))

    def finish(self) -> Emissions:
        yield self.out(("finish", self.key, len(self.state.keys)))


def test_watermarks_and_ends_are_heard_per_key_in_the_order_of_keys() -> None:
    keys: list[object] = [("b", 1), b"x", "b", 2.5, None, 1, True, 1.0, "a", ("a", 2), -1, 1 << 70]
    result = run_element(PerKey(), {"item": [*keys, Watermark(3)]})
    ordered: list[object] = [None, -1, 1, 2.5, 1 << 70, "a", "b", b"x", ("a", 2), ("b", 1)]
    assert [emitted[2] for emitted in result["out"][:10]] == ordered
    assert [emitted[1] for emitted in result["out"][10:]] == ordered
    assert ("finish", 1, 3) in result["out"]


def test_nan_is_no_key() -> None:
    with pytest.raises(InputError, match="NaN"):
        run_element(PerKey(), {"item": [float("nan")]})


def test_a_key_met_later_hears_only_later_watermarks() -> None:
    given = run_element(PerKey(), {"item": ["a", Watermark(1), "b", Watermark(2)]})["out"]
    marks = [emitted for emitted in given if emitted[0] == "mark"]
    assert marks == [("mark", 1, "a", 1), ("mark", 2, "a", 1), ("mark", 2, "b", 1)]


class Groups(ProcessingElement):
    events = Input(EventBatch, by="magnitude_type")
    out = Output(tuple)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out((self.key_as(str), batch.time.tolist()))


def test_rows_of_a_batch_are_split_by_a_column_and_keep_their_order() -> None:
    from flowquake.records import Strings

    events = EventBatch(
        source="etna",
        time=[3, 1, 2, 0],
        magnitude_type=Strings.from_list(["ML", "Md", "ML", "Md"]),
    )
    assert run_element(Groups(), {"events": [events]})["out"] == [("ML", [3, 2]), ("Md", [1, 0])]


def test_what_has_no_such_column_or_attribute_is_refused() -> None:
    class ByNothing(ProcessingElement):
        x = Input(int, by="station")

        def on_x(self, x: int) -> None:
            return None

    with pytest.raises(InputError, match="neither a column nor an attribute 'station'"):
        run_element(ByNothing(), {"x": [1]})


class Outside(ProcessingElement):
    """Asks for what belongs to a key where there is none."""

    x = Input(int, by=lambda x: x, order="any")
    side = Input(int, to="all", order="any")
    state = State(Seen)

    what: str = "key"
    place: str = "setup"

    def setup(self) -> None:
        self._ask("setup")

    def on_x(self, x: int) -> None:
        assert self.key == x
        self.state.rows += 1
        self.rng()

    def on_side(self, item: int) -> None:
        self._ask("side")

    def teardown(self) -> None:
        self._ask("teardown")

    def _ask(self, place: str) -> None:
        if place == self.place:
            getattr(self, self.what)() if self.what == "rng" else getattr(self, self.what)


@pytest.mark.parametrize("what", ["key", "state", "rng"])
@pytest.mark.parametrize("place", ["setup", "side", "teardown"])
def test_what_belongs_to_a_key_is_not_there_outside_its_handlers(what: str, place: str) -> None:
    given: dict[str, list[object]] = {"x": [1], "side": [Wait(1), 2]}
    with pytest.raises(PEError, match="is there only"):
        run_element(Outside(what=what, place=place), given, clock=ManualClock())
    with pytest.raises(RuntimeError, match="is there only"):
        Outside(what=what)._ask("setup")


def test_a_key_of_another_type_is_named() -> None:
    class WantsText(ProcessingElement):
        x = Input(int, by=lambda x: x)

        def on_x(self, x: int) -> None:
            self.key_as(str)

    with pytest.raises(ConfigError, match="is 3, not a str"):
        run_element(WantsText(), {"x": [3]})


def test_side_data_may_not_emit() -> None:
    with pytest.raises(ConfigError, match="may not emit"):

        class Emits(ProcessingElement):
            x = Input(int, by=lambda x: x)
            side = Input(int, to="all", order="any")
            out = Output(int)

            def on_x(self, x: int) -> None:
                return None

            def on_side(self, item: int) -> Emissions:
                yield self.out(item)

    class Returns(ProcessingElement):
        x = Input(int, by=lambda x: x)
        side = Input(int, to="all", order="any")
        out = Output(int)

        def on_x(self, x: int) -> None:
            return None

        def on_side(self, item: int) -> Any:
            return [self.out(item)]

    with pytest.raises(PEError, match="may not emit"):
        run_element(Returns(), {"side": [1]})


def test_random_numbers_depend_on_seed_name_key_and_unit() -> None:
    class Draws(ProcessingElement):
        x = Input(int, by=lambda x: x)
        out = Output(tuple)

        def on_x(self, x: int) -> Emissions:
            yield self.out((x, *(float(self.rng(unit).random()) for unit in range(2))))

    def draw(seed: int) -> ElementResult:
        return run_element(Draws(), {"x": [1, 2, 1]}, seed=seed)

    first, second, again = draw(1)["out"]
    assert first == again
    numbers = {*first[1:], *second[1:], *draw(2)["out"][0][1:]}
    assert len(numbers) == 6
    assert draw(1)["out"] == [first, second, again]
