"""The typed parameters of a workflow, and the settings that fill them."""

from __future__ import annotations

import inspect
import os
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowquake.conversion import convert, example, to_text, type_name
from flowquake.docstrings import parameter_docs
from flowquake.errors import ConfigError, UsageError, WorkflowError, suggest

REQUIRED: Final = inspect.Parameter.empty
_REFERENCE = re.compile(r"(env|file):(.+)", re.DOTALL)


class Secret:
    """A secret that is given by reference, and read only when it is needed.

    A parameter of this type takes ``env:NAME`` or ``file:PATH``. Text, repr
    and pickle hold the reference alone.

    Parameters
    ----------
    reference : str
        ``env:NAME`` or ``file:PATH``.

    Raises
    ------
    ValueError
        If it is anything else; the text is not repeated.
    """

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        if not _REFERENCE.fullmatch(reference):
            raise ValueError("a secret is given as env:NAME or file:PATH")
        self.reference = reference

    def reveal(self) -> str:
        """Read the secret now; one line break at a file's end is dropped.

        Raises
        ------
        ConfigError
            If the variable is not set or the file cannot be read.
        """
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            if name in os.environ:
                return os.environ[name]
            raise ConfigError(
                f"{self.reference}: the environment variable is not set", fix=f"export {name}=..."
            )
        try:
            return Path(name).expanduser().read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as cause:
            reason = getattr(cause, "strerror", None) or "it is not text"
            raise ConfigError(
                f"{self.reference}: the file cannot be read: {reason}", fix="check path and rights"
            ) from cause

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    def __str__(self) -> str:
        return self.reference

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a workflow.

    Attributes
    ----------
    name : str
        As in ``--set name=value``.
    kind : type
        The annotation.
    default : object
        `REQUIRED` if there is none.
    help : str
        From the docstring.
    """

    name: str
    kind: Any = str  # any annotation
    default: object = REQUIRED
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED

    @property
    def type_name(self) -> str:
        """The type in words."""
        return "env:NAME or file:PATH" if self.kind is Secret else type_name(self.kind)

    def read(self, text: str, *, where: str | None = None) -> object:
        """Read a text as a value of this parameter.

        ``env:NAME`` and ``file:PATH`` are references to secrets: for a
        parameter of type `Secret` they stay references, for one that takes
        text they are read here. Nothing of a secret enters an error.

        Raises
        ------
        ConfigError
            If the text is not of the parameter's type.
        """
        secret = _REFERENCE.fullmatch(text) is not None and not _takes_paths(self.kind)
        given = Secret(text).reveal() if secret and self.kind is not Secret else text
        try:
            return convert(given, self.kind)
        except (ValueError, TypeError) as cause:
            hint = "env:PASSWORD" if self.kind is Secret else example(self.kind)
            shown = "the given text" if self.kind is Secret else repr(text)
            raise ConfigError(
                f"parameter '{self.name}' is {shown}, which is not of its type: {self.type_name}"
                + _choice_hint(text, self.kind),
                where=where,
                fix=f"for example --set {self.name}={hint}",
            ) from (None if secret or self.kind is Secret else cause)

    def to_json(self) -> dict[str, object]:
        """Describe the parameter as plain data."""
        return {
            "name": self.name,
            "type": self.type_name,
            "required": self.required,
            "default": None if self.required else to_text(self.default),
            "help": self.help,
        }


def describe_parameters(function: Callable[..., object]) -> tuple[Parameter, ...]:
    """Read the parameters of a workflow's ``build`` function.

    Types come from its annotations, help from the Parameters section of its
    numpydoc docstring.

    Raises
    ------
    WorkflowError
        If it takes ``*args`` or ``**kwargs``, or an annotation has no meaning.
    """
    try:
        hints = typing.get_type_hints(function)
    except (NameError, AttributeError, TypeError) as cause:
        raise WorkflowError(
            f"the annotations of build() cannot be read: {cause}",
            fix="import the types that build() names at the top of the file",
        ) from cause
    docs = parameter_docs(function.__doc__)
    parameters = []
    for name, given in inspect.signature(function).parameters.items():
        if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
            raise WorkflowError(
                f"parameter '{name}' of build() cannot be given by name",
                fix="def build(*, catalog: Path, step: float | None = None) -> Workflow",
            )
        parameters.append(
            Parameter(
                name=name,
                kind=hints.get(name, str),
                default=given.default,
                help=docs[name].text if name in docs else "",
            )
        )
    return tuple(parameters)


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Split ``name=value`` texts; the last one of a name counts.

    Raises
    ------
    UsageError
        If one has no ``=`` or no name.
    """
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UsageError(f"--set {text!r} is not name=value", fix="--set step=7")
        settings[name] = value
    return settings


def read_settings(
    parameters: Sequence[Parameter], settings: Mapping[str, str], *, where: str
) -> dict[str, object]:
    """Turn settings into values; parameters that were not given are left out.

    Parameters
    ----------
    parameters : sequence of Parameter
        What the workflow takes.
    settings : mapping of str to str
        As given.
    where : str
        Names the workflow in errors.

    Raises
    ------
    ConfigError
        If a name is unknown, a required one is missing, or a text is not of
        its parameter's type.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in settings:
        if name not in known:
            names = ", ".join(known) if known else "none: this workflow has no parameters"
            raise ConfigError(
                f"there is no parameter '{name}'{suggest(name, known)}",
                where=where,
                fix=f"the parameters are: {names}",
            )
    missing = [p for p in parameters if p.required and p.name not in settings]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise ConfigError(
            f"parameter{plural} not given: {', '.join(p.name for p in missing)}",
            where=where,
            fix=" ".join(f"--set {p.name}={example(p.kind)}" for p in missing),
        )
    return {name: known[name].read(text, where=where) for name, text in settings.items()}


def _choice_hint(text: str, kind: Any) -> str:  # any annotation
    words = re.split(r" \| ", type_name(kind))
    return suggest(text, words)


def _takes_paths(kind: Any) -> bool:  # any annotation
    return kind is Path or any(_takes_paths(part) for part in typing.get_args(kind))
