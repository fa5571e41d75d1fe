"""Optional packages, imported where they are used."""

from __future__ import annotations

import importlib
from types import ModuleType

from flowquake.errors import MissingExtraError


def require(module: str, *, extra: str, needed_by: object) -> ModuleType:
    """Import an optional module, or say which extra brings it.

    Parameters
    ----------
    module : str
        The module's import name.
    extra : str
        The extra of flowquake that installs it.
    needed_by : object
        What needs it: a processing element, or a text.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as cause:
        if cause.name is not None and cause.name.split(".")[0] != module.split(".")[0]:
            raise
        who = needed_by if isinstance(needed_by, str) else _describe(needed_by)
        raise MissingExtraError(
            f"{who} needs {module}, which is not installed.",
            fix=f'pip install "flowquake[{extra}]"',
        ) from cause


def _describe(element: object) -> str:
    name = getattr(element, "name", None)
    kind = type(element).__name__
    return f"{kind} '{name}'" if name else kind
