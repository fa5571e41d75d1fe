"""Finding the source files of a module without importing it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path


def locate(module: str) -> Path | None:
    """Give the file of a module, or the folder of a package; None if there is none.

    Only the first part of the name is asked of Python's import system, which
    imports nothing for it.
    """
    head, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(head)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        if spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
        return Path(spec.origin) if spec.origin else None
    for root in spec.submodule_search_locations or ():
        path = Path(root).joinpath(*rest)
        if path.is_dir():
            return path
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
    return None


def modules(name: str, place: Path) -> Iterator[tuple[str, Path]]:
    """Give name and file of a module, or of a package and all its modules."""
    if place.is_file():
        yield name, place
        return
    for path in sorted(place.rglob("*.py")):
        parts = path.relative_to(place).with_suffix("").parts
        if any(part.startswith(("test_", ".")) or part == "tests" for part in parts):
            continue
        if parts[-1] == "__init__":
            parts = parts[:-1]
        yield ".".join((name, *parts)), path
