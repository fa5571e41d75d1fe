"""Reading numpydoc docstrings: the summary and the Parameters section."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import NamedTuple

_UNDERLINE = re.compile(r"-{3,}\s*")


class ParameterDoc(NamedTuple):
    """What a docstring says about one parameter."""

    type: str
    text: str


def summary(docstring: str | None) -> str:
    r"""Give the first paragraph of a docstring on one line.

    Examples
    --------
    >>> summary("Keep the events\n    at or above a magnitude.\n\n    More.")
    'Keep the events at or above a magnitude.'
    """
    first = inspect.cleandoc(docstring or "").split("\n\n")[0]
    return " ".join(first.split())


def body(docstring: str | None) -> str:
    r"""Give what follows the first paragraph, up to the first section.

    Examples
    --------
    >>> body("Do.\n\nOne\nstep.\n\nTwo.\n\nParameters\n----------\na : int\n    One.\n")
    'One\nstep.\n\nTwo.'
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    for number, (name, rule) in enumerate(itertools.pairwise(lines)):
        if name.strip() and _UNDERLINE.fullmatch(rule):
            lines = lines[:number]
            break
    return "\n\n".join("\n".join(lines).split("\n\n")[1:]).strip()


def parameter_docs(docstring: str | None) -> dict[str, ParameterDoc]:
    r"""Give what the Parameters section says, by name of parameter.

    Examples
    --------
    >>> doc = "Do.\n\nParameters\n----------\na, b : float\n    Two\n    numbers.\n"
    >>> parameter_docs(doc)["b"]
    ParameterDoc(type='float', text='Two numbers.')
    """
    docs: dict[str, ParameterDoc] = {}
    names: list[str] = []
    kind = ""
    text: list[str] = []

    def close() -> None:
        for name in names:
            docs[name] = ParameterDoc(kind, " ".join(" ".join(text).split()))

    for line in _section(docstring, "Parameters"):
        if line and not line[0].isspace():
            close()
            head, _, kind = (part.strip() for part in line.partition(":"))
            names = [name.strip().lstrip("*") for name in head.split(",")]
            text = []
        else:
            text.append(line)
    close()
    return docs


def _section(docstring: str | None, title: str) -> list[str]:
    lines = inspect.cleandoc(docstring or "").splitlines()
    for number, line in enumerate(lines[:-1]):
        if line.strip() == title and _UNDERLINE.fullmatch(lines[number + 1]):
            body = lines[number + 2 :]
            for end, (name, rule) in enumerate(itertools.pairwise(body)):
                if name.strip() and _UNDERLINE.fullmatch(rule):
                    return body[:end]
            return body
    return []
