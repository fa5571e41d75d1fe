"""From the text of a setting to a value of the type that was annotated."""

from __future__ import annotations

import enum
import math
import types
import typing
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
_EXAMPLES: dict[object, str] = {
    int: "10",
    float: "1.5",
    bool: "true",
    str: "text",
    Path: "catalog.csv",
    datetime: "2011-08-01T00:00:00",
}
_WORDS: dict[object, str] = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Path: "path",
    datetime: "UTC date or time",
    object: "text",
}
_SEQUENCES = (list, tuple, Sequence)


def convert(text: str, kind: Any) -> object:  # any annotation
    """Read a text as a value of an annotated type.

    Parameters
    ----------
    text : str
        As given on the command line. Lists and tuples are comma separated.
    kind : type
        int, float, bool, str, Path, datetime, an enumeration, a Literal, a
        list or tuple of these, Optional (``none`` or nothing gives None) or a
        union. Of a union, text is tried last, and a list only after single
        values unless the text has a comma.

    Returns
    -------
    object
        The value; a datetime is aware and in UTC, a naive text is UTC.

    Raises
    ------
    ValueError
        If the text is not of that type.

    Examples
    --------
    >>> convert("37.5,37.9", tuple[float, float])
    (37.5, 37.9)
    >>> convert("maxc", float | Literal["maxc", "gft"])
    'maxc'
    """
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _of_union(text, typing.get_args(kind))
    if origin is Literal:
        return _of_choices(text, typing.get_args(kind))
    if origin in _SEQUENCES or kind in _SEQUENCES:
        return _of_sequence(text, kind)
    if origin is typing.Annotated:
        return convert(text, typing.get_args(kind)[0])
    if kind is types.NoneType or kind is None:
        if text.strip().lower() in ("none", "null", ""):
            return None
        raise ValueError(text)
    if kind is bool:
        return _of_truth(text)
    if kind is float:
        value = float(text)
        if math.isnan(value):
            raise ValueError(text)
        return value
    if kind is datetime:
        return _of_time(text)
    if kind is Path:
        if not text or "\0" in text:
            raise ValueError(text)
        return Path(text).expanduser()
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(_of_choices(text, [member.value for member in kind]))
    if kind in (str, object, Any):
        return text
    if isinstance(kind, type):
        return kind(text)
    raise ValueError(text)


def type_name(kind: Any) -> str:  # any annotation
    """Say in words what a type is, for help and errors.

    Examples
    --------
    >>> type_name(tuple[float, float] | None)
    'number,number'
    >>> type_name(float | Literal["maxc", "gft"])
    'number | maxc | gft'
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        names = dict.fromkeys(type_name(arg) for arg in args if arg is not types.NoneType)
        return " | ".join(names)
    if origin is Literal:
        return " | ".join(str(arg) for arg in args)
    if origin is typing.Annotated:
        return type_name(args[0])
    if origin is tuple and args[-1:] != (Ellipsis,):
        return ",".join(type_name(arg) for arg in args)
    if origin in _SEQUENCES:
        return f"{type_name(args[0])},..."
    if kind in _SEQUENCES:
        return "text,..."
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return " | ".join(str(member.value) for member in kind)
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def example(kind: Any) -> str:  # any annotation
    """Give a text that is of a type.

    Examples
    --------
    >>> example(tuple[float, float]), example(Literal["maxc"] | None)
    ('1.5,2.5', 'maxc')
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return example(next(arg for arg in args if arg is not types.NoneType))
    if origin is Literal:
        return str(args[0])
    if origin is typing.Annotated:
        return example(args[0])
    if origin is tuple and args[-1:] != (Ellipsis,):
        return ",".join(_count_up(example(arg), n) for n, arg in enumerate(args))
    if origin in _SEQUENCES:
        return ",".join(_count_up(example(args[0]), n) for n in range(2))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return str(next(iter(kind)).value)
    return _EXAMPLES.get(kind, "text")


def _count_up(text: str, n: int) -> str:
    # Equal ends would make an empty range.
    return {"10": str(10 + n), "1.5": str(1.5 + n)}.get(text, text)


def to_text(value: object) -> str:
    """Write a value as the text that `convert` reads back.

    Examples
    --------
    >>> to_text((37.5, 37.9)), to_text(True), to_text(None)
    ('37.5,37.9', 'true', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ",".join(to_text(part) for part in value)
    return str(value)


def _of_union(text: str, kinds: tuple[Any, ...]) -> object:
    comma = "," in text

    def rank(kind: Any) -> tuple[bool, bool]:
        several = (typing.get_origin(kind) or kind) in _SEQUENCES
        return several is not comma, kind in (str, Path)

    for kind in sorted(kinds, key=rank):
        try:
            return convert(text, kind)
        except ValueError:
            continue
    raise ValueError(text)


def _of_choices(text: str, choices: Sequence[object]) -> object:
    for choice in choices:
        if text == to_text(choice):
            return choice
    raise ValueError(text)


def _of_sequence(text: str, kind: Any) -> object:
    origin, args = typing.get_origin(kind) or kind, typing.get_args(kind) or (str, Ellipsis)
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if origin is tuple and args[-1] is not Ellipsis:
        return tuple(convert(part, arg) for part, arg in zip(parts, args, strict=True))
    values = [convert(part, args[0]) for part in parts]
    return tuple(values) if origin is tuple else values


def _of_truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return word in _TRUE


def _of_time(text: str) -> datetime:
    text = text.strip()
    if len(text) < len("2011-08-01") or text[4] != "-":
        raise ValueError(text)  # fromisoformat also takes 20110801 and 2011-W31
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
