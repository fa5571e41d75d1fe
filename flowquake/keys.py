"""Keys: what may be one, how they sort, and a hash that every process agrees on."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import cast

import numpy as np

from flowquake.errors import InputError
from flowquake.ports import Key


def normalise(value: object) -> Key:
    """Turn a value into a key: one form for all values that are equal.

    Whole numbers become int (``True`` and ``1.0`` are the key ``1``), numpy
    scalars become Python's own.

    Raises
    ------
    InputError
        If the value cannot be a key.

    Examples
    --------
    >>> normalise((1.0, "etna", None))
    (1, 'etna', None)
    """
    kind = type(value)
    if kind is str or kind is int or value is None:
        return cast(Key, value)
    if isinstance(value, np.generic):
        plain = value.item()
        if not isinstance(plain, np.generic):
            return normalise(plain)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if math.isnan(value):
            raise InputError("a key is NaN, which equals nothing", fix="drop or fill missing keys")
        return int(value) if value.is_integer() else float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, tuple):
        return tuple(normalise(part) for part in value)
    raise InputError(
        f"{type(value).__name__} cannot be a key: {value!r:.80}",
        fix="use None, bool, int, float, str, bytes or a tuple of these",
    )


def encode(key: Key) -> bytes:
    """Write a key as bytes, the same on every host.

    Examples
    --------
    >>> encode(("a", 1)) == encode(("a", 1.0))
    True
    """
    key = normalise(key)
    if key is None:
        return b"n"
    if isinstance(key, int):
        return b"i%d;" % key
    if isinstance(key, float):
        return b"f" + struct.pack(">d", key)
    if isinstance(key, str):
        raw = key.encode("utf-8", "surrogatepass")
        return b"s%d:" % len(raw) + raw
    if isinstance(key, bytes):
        return b"b%d:" % len(key) + key
    return b"(" + b"".join(encode(part) for part in key) + b")"


def stable_hash(key: Key) -> int:
    """Hash a key; equal keys agree over processes and hosts."""
    return int.from_bytes(hashlib.blake2b(encode(key), digest_size=8).digest(), "big")


def sort_key(key: Key) -> tuple[object, ...]:
    """Order keys of every kind: None, numbers, text, bytes, tuples.

    Examples
    --------
    >>> sorted(["b", None, 2.5, b"x", 1, ("a",)], key=sort_key)
    [None, 1, 2.5, 'b', b'x', ('a',)]
    """
    if key is None:
        return (0,)
    if isinstance(key, (int, float)):
        return (1, key)
    if isinstance(key, str):
        return (2, key)
    if isinstance(key, bytes):
        return (3, key)
    return (4, tuple(sort_key(part) for part in key))
