"""``flowquake new``."""

from __future__ import annotations

import keyword
import re
import shlex
import sys
from importlib.resources import files
from pathlib import Path
from string import Template

import click

from flowquake._version import __version__
from flowquake.cli.app import Group
from flowquake.cli.text import note
from flowquake.errors import UsageError

into_option = click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="The folder in which the package's own is made; default here.",
)


@click.group("new", cls=Group)
def new_command() -> None:
    """Make a package with an element or a workflow of your own."""


@new_command.command("pe")
@click.argument("name")
@into_option
def new_pe(name: str, into: Path) -> None:
    """Make an installable package with a processing element NAME and its test."""
    make_package("pe", name, into)


@new_command.command("workflow")
@click.argument("name")
@into_option
def new_workflow(name: str, into: Path) -> None:
    """Make an installable package with a workflow NAME and its test."""
    make_package("workflow", name, into)


def make_package(kind: str, name: str, into: Path) -> Path:
    """Make the package and say what to do next.

    Raises
    ------
    UsageError
        If the name cannot be that of a package, or its folder is there.
    """
    package = snake(name)
    if not package.isidentifier() or keyword.iskeyword(package) or not package.isascii():
        raise UsageError(
            f"'{name}' cannot be the name of a Python package",
            fix="use letters, digits and '_', and begin with a letter",
        )
    if package in sys.stdlib_module_names or package in ("flowquake", "numpy", "tests"):
        raise UsageError(f"'{package}' is the name of another package", fix="choose another")
    class_name = "".join(part.capitalize() for part in package.split("_"))
    if name[:1].isupper() and "_" not in name and "-" not in name:
        class_name = name
    words = {
        "package": package,
        "distribution": package.replace("_", "-"),
        "class_name": class_name,
        "summary": f"{class_name}, a processing element."
        if kind == "pe"
        else f"{package}, a workflow.",
        "group": "flowquake.pes" if kind == "pe" else "flowquake.workflows",
        "flowquake_version": __version__,
    }
    root = into / words["distribution"]
    layout = {
        "pyproject.toml.tmpl": "pyproject.toml",
        "gitignore.tmpl": ".gitignore",
        f"{kind}-README.md.tmpl": "README.md",
        f"{kind}-module.py.tmpl": f"src/{package}/__init__.py",
        f"{kind}-test.py.tmpl": f"tests/test_{package}.py",
    }
    if root.exists():
        raise UsageError(f"{root} is there already", fix="choose another name or --into")
    templates = files("flowquake.cli").joinpath("templates")
    try:
        for template, place in layout.items():
            text = templates.joinpath(template).read_text(encoding="utf-8")
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(text).substitute(words), encoding="utf-8")
        (root / "src" / package / "py.typed").touch()
    except OSError as cause:
        raise UsageError(
            f"{root} cannot be made: {cause.strerror or cause}", fix="give another --into"
        ) from cause
    shown = class_name if kind == "pe" else package
    note(f"made {root}\n  cd {shlex.quote(str(root))}")
    note('  pip install -e ".[test]" && pytest')
    note(f"  flowquake describe {shown}")
    return root


def snake(name: str) -> str:
    """Give a name in snake case.

    Examples
    --------
    >>> snake("SelectLarge"), snake("my-workflow")
    ('select_large', 'my_workflow')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[-. ]+", "_", parted).lower()
