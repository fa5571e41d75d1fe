"""Keys: one form for equal values, one order, one hash everywhere."""

from __future__ import annotations

import math
import subprocess
import sys
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake import InputError
from flowquake.keys import encode, normalise, sort_key, stable_hash

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5)
)
keys = st.recursive(plain, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)


class Colour(str, Enum):  # noqa: UP042 - a text that is an Enum too
    RED = "red"


class Number(IntEnum):
    ONE = 1


@given(keys, keys)
def test_hash_and_bytes_agree_with_equality(a: Any, b: Any) -> None:
    assert (normalise(a) == normalise(b)) == (encode(a) == encode(b))
    if a == b:
        assert encode(a) == encode(b)
        assert stable_hash(a) == stable_hash(b)


@given(st.lists(keys, max_size=6))
def test_keys_of_every_kind_have_one_order(drawn: list[Any]) -> None:
    normal = [normalise(key) for key in drawn]
    reversed_keys = normal[::-1]
    assert sorted(normal, key=sort_key) == sorted(reversed_keys, key=sort_key)


@given(keys)
def test_normal_keys_stay_as_they_are(key: Any) -> None:
    once = normalise(key)
    assert normalise(once) == once == key
    assert type(normalise(once)) is type(once)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (True, 1),
        (1.0, 1),
        (-0.0, 0),
        (np.float64(2.0), 2),
        (np.int8(3), 3),
        (np.str_("a"), "a"),
        (np.bool_(True), 1),
        (Colour.RED, "red"),
        (Number.ONE, 1),
        ((1.0, (True, np.str_("b"))), (1, (1, "b"))),
        (math.inf, math.inf),
    ],
)
def test_equal_values_are_one_key(value: Any, key: Any) -> None:
    assert normalise(value) == key
    assert type(normalise(value)) is type(key)


@pytest.mark.parametrize(
    "value", [math.nan, np.float32("nan"), (1, math.nan), [1], {1}, {}, range(3), object(), 1j]
)
def test_what_cannot_be_a_key_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="key"):
        normalise(value)


def test_the_widest_of_numpys_floats_is_refused_not_followed_for_ever() -> None:
    value = np.longdouble(1)
    if isinstance(value.item(), np.generic):
        with pytest.raises(InputError):
            normalise(value)


def test_the_hash_of_a_text_is_the_same_in_another_process() -> None:
    code = "from flowquake.keys import stable_hash; print(stable_hash(('etna', 1, None)))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{stable_hash(('etna', 1.0, None))}\n"}
