"""Every error that flowquake raises on purpose.

::

    FlowquakeError                exit code 1
    ├── WorkflowError             2  the graph is wrong
    ├── ConfigError               2  a parameter or setting is wrong
    │   └── MissingExtraError     2  an optional package is not installed
    ├── UsageError                2  the command line is wrong
    ├── InputError                3  the data is wrong
    │   └── FormatError           3  a file's content, with file, line and reason
    ├── PEError                   1  a processing element failed
    ├── TransportError            4  a worker or broker is lost
    └── Interrupted             130  Ctrl-C or SIGTERM
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class FlowquakeError(Exception):
    """What went wrong, where, and how to fix it.

    Parameters
    ----------
    message : str
        One sentence: what is wrong.
    where : str, optional
        The file, workflow or element it happened in.
    fix : str, optional
        What to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        lines = [self.message]
        if self.where:
            lines.append(f"  Where: {self.where}")
        if self.fix:
            lines.append(f"  Fix:   {self.fix}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class WorkflowError(FlowquakeError):
    """A graph that cannot run."""

    exit_code = 2


class ConfigError(FlowquakeError):
    """A parameter or a setting with a wrong value."""

    exit_code = 2


class MissingExtraError(ConfigError):
    """An optional package that a processing element needs is not installed."""


class UsageError(FlowquakeError):
    """A command line that cannot be understood."""

    exit_code = 2


class InputError(FlowquakeError):
    """Data that cannot be used."""

    exit_code = 3


class FormatError(InputError):
    """A file whose content is not what its format says.

    Parameters
    ----------
    reason : str
        What is wrong there.
    file : str
        The file's name.
    line : int, optional
        The line, from 1; None if the whole file is meant.
    fix : str, optional
        What to do about it.
    """

    def __init__(
        self, reason: str, *, file: str, line: int | None = None, fix: str | None = None
    ) -> None:
        where = file if line is None else f"{file}, line {line}"
        super().__init__(reason, where=where, fix=fix)
        self.reason = reason
        self.file = file
        self.line = line


class PEError(FlowquakeError):
    """A processing element that raised."""


class TransportError(FlowquakeError):
    """A worker or broker that is lost."""

    exit_code = 4


class Interrupted(FlowquakeError):
    """A run that Ctrl-C or SIGTERM ended."""

    exit_code = 130


def _rebuild(
    cls: type[FlowquakeError], args: tuple[object, ...], state: dict[str, object]
) -> FlowquakeError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


def suggest(name: str, choices: Iterable[str]) -> str:
    """Give ``"; did you mean 'x'?"`` for a close misspelling, else an empty text.

    Examples
    --------
    >>> suggest("hyperbolc", ["constant", "hyperbolic"])
    "; did you mean 'hyperbolic'?"
    >>> suggest("zzz", ["constant"])
    ''
    """
    close = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
