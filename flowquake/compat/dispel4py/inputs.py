"""The inputs of a run: how often to call which PE, or with what."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from flowquake.compat.dispel4py.core import GenericPE
from flowquake.errors import ConfigError, FormatError, InputError, UsageError, suggest

# Inputs are of any type: hence Any.

Given = int | list[Any]


def assign_inputs(
    pes: Collection[GenericPE], fed: Collection[GenericPE], inputs: Mapping[Any, Any]
) -> dict[GenericPE, Given]:
    """Say for each PE that nothing feeds what it is called with.

    Parameters
    ----------
    pes : collection of GenericPE
        Of the graph.
    fed : collection of GenericPE
        Those that others feed.
    inputs : mapping
        By PE, name or id: a number, or a list.

    Raises
    ------
    ConfigError
        If a key names no PE, or one that others feed, or a value is neither.
    """
    roots = [pe for pe in pes if pe not in fed]
    # A PE without inputs makes something at each call; others have nothing to take.
    given: dict[GenericPE, Given] = {pe: 0 if pe.inputconnections else 1 for pe in roots}
    for key, value in inputs.items():
        meant = [pe for pe in pes if key is pe or key in (pe.name, pe.id)]
        if not meant:
            named = key.id if isinstance(key, GenericPE) else str(key)
            names = sorted({pe.name for pe in roots} | {pe.id for pe in roots})
            raise ConfigError(
                f"the inputs name the PE '{named}', which is not in the graph"
                + suggest(named, names),
                fix=f"the PEs that take inputs are: {', '.join(names) or 'none'}",
            )
        starts = [pe for pe in meant if pe not in fed]
        if not starts:
            raise ConfigError(
                f"the inputs name the PE '{meant[0].name}', which other PEs feed",
                fix=f"give inputs to: {', '.join(pe.id for pe in roots) or 'none'}",
            )
        for pe in starts:
            given[pe] = _checked(pe, value)
    return given


def iterations(
    graph_pes: Iterable[GenericPE], fed: Collection[GenericPE], n: int
) -> dict[Any, int]:
    """Give every PE that nothing feeds the same number of iterations."""
    return {pe: n for pe in graph_pes if pe not in fed}


def read_json_inputs(text: str) -> dict[str, Any]:
    """Read inputs as they are given on a command line.

    Raises
    ------
    UsageError
        If the text is not a JSON object.
    """
    fix = """for example -d '{"Producer": 5}', or -d '{"Producer": [{"input": 1}]}'"""
    try:
        found = json.loads(text)
    except ValueError as cause:
        raise UsageError(f"-d is not JSON: {cause}", fix=fix) from cause
    if not isinstance(found, dict):
        raise UsageError(f"-d is a JSON {_json_kind(found)}, not an object", fix=fix)
    return found


def read_json_file(path: Path) -> dict[str, Any]:
    """Read inputs from a JSON file.

    Raises
    ------
    InputError
        If it cannot be read.
    FormatError
        If it is not a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not text"
        raise InputError(
            f"the inputs cannot be read: {reason}", where=str(path), fix="check the path of -f"
        ) from cause
    try:
        found = json.loads(text)
    except json.JSONDecodeError as cause:
        raise FormatError(
            f"the inputs are not JSON: {cause.msg} (column {cause.colno})",
            file=str(path),
            line=cause.lineno,
        ) from cause
    if not isinstance(found, dict):
        raise FormatError(
            f"the inputs are a JSON {_json_kind(found)}, not an object",
            file=str(path),
            fix='for example {"Producer": 5}',
        )
    return found


def _checked(pe: GenericPE, value: Any) -> Given:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, (list, tuple)):
        return list(value)
    raise ConfigError(
        f"the inputs of PE '{pe.name}' are {value!r:.60}",
        fix="give a number of iterations, or a list: 5, or [{'input': 1}, {'input': 2}]",
    )


def _json_kind(found: object) -> str:
    kinds = {list: "list", str: "text", bool: "value", type(None): "value"}
    return kinds.get(type(found), "number")
