"""Settings outside the command line: FLOWQUAKE_* and flowquake.toml.

The command line goes before the environment, and that before the file::

    [run]
    on-error = "skip"

    [workflows.eruption_forecast]
    box = [37.5, 37.9, 14.7, 15.3]
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flowquake.cli.app import COMMANDS
from flowquake.conversion import to_text
from flowquake.errors import ConfigError, suggest
from flowquake.parameters import Parameter


def settings_file() -> Path | None:
    """Give $FLOWQUAKE_CONFIG, or flowquake.toml of the present directory if it is there.

    Raises
    ------
    ConfigError
        If $FLOWQUAKE_CONFIG names no file.
    """
    named = os.environ.get("FLOWQUAKE_CONFIG")
    path = Path(named).expanduser() if named else Path("flowquake.toml")
    if path.is_file():
        return path
    if named:
        raise ConfigError(f"FLOWQUAKE_CONFIG={named} is not a file", fix="unset it or mend it")
    return None


def load_settings() -> dict[str, Any]:
    """Read the settings file; an absent one is empty.

    Raises
    ------
    ConfigError
        If it is not TOML or has an unknown table.
    """
    path = settings_file()
    if path is None:
        return {}
    import tomllib

    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as cause:
        raise ConfigError(f"the settings cannot be read: {cause}", where=str(path)) from cause
    tables = [*COMMANDS, "workflows"]
    for name, value in settings.items():
        if name not in tables or not isinstance(value, dict):
            raise ConfigError(
                f"there is no table [{name}]{suggest(name, tables)}",
                where=str(path),
                fix="use [run] for options and [workflows.NAME] for parameters",
            )
    return settings


def command_defaults() -> dict[str, Any]:
    """Give the options of the settings file, by command, for click's default map."""
    return {
        name: {key.replace("-", "_"): value for key, value in table.items()}
        for name, table in load_settings().items()
        if name != "workflows"
    }


def gather(
    workflow: str, parameters: Sequence[Parameter], given: Mapping[str, str]
) -> dict[str, str]:
    """Put together the settings of a workflow's parameters.

    Parameters
    ----------
    workflow : str
        Its name.
    parameters : sequence of Parameter
        What it takes; only these are looked for in the environment, as
        ``FLOWQUAKE_SET_<NAME>``.
    given : mapping of str to str
        From the command line.
    """
    table = load_settings().get("workflows", {}).get(workflow, {})
    if not isinstance(table, dict):
        raise ConfigError(f"flowquake.toml: workflows.{workflow} is not a table")
    settings = {name.replace("-", "_"): to_text(value) for name, value in table.items()}
    for parameter in parameters:
        value = os.environ.get(f"FLOWQUAKE_SET_{parameter.name.upper()}")
        if value is not None:
            settings[parameter.name] = value
    return settings | dict(given)
