"""What the repository says of itself agrees, and names no machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import flowquake

REPOSITORY = Path(__file__).parents[2]

# In pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a home folder": re.compile(r"/(?:home|Users|root)/\w"),
    "a folder of one machine": re.compile(r"(?<![\w.])/(?:work|tmp)/\w"),
    "a package index": re.compile("|".join(["index" + "-url", r"pypi\." + "org/simple"])),
}


def tracked_texts() -> list[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.fail("this test needs a git checkout")
    texts = []
    for name in filter(None, listed.stdout.split("\0")):
        path = REPOSITORY / name
        if path.is_file() and not path.is_symlink():
            try:
                texts.append((name, path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue
    return texts


def test_no_tracked_file_names_a_machine_or_a_package_index() -> None:
    found = [
        f"{name}:{number}: {what}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]

    assert found == []


def test_every_module_is_at_most_400_lines() -> None:
    long = {
        name: lines
        for name, text in tracked_texts()
        if name.endswith(".py") and (lines := text.count("\n")) > 400
    }

    assert long == {}


def test_constraints_are_exact_pins_without_an_index() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()

    pins = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+( ?;.+)?", line)] == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {name_of(line) for lines in lists for line in lines} - {"flowquake"}
    pinned = {name_of(line) for line in (REPOSITORY / "constraints.txt").read_text().splitlines()}

    assert wanted - pinned == set()


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]*", requirement)
    return found[0].lower().replace("_", "-") if found else ""


def test_the_version_is_the_same_everywhere() -> None:
    citation = (REPOSITORY / "CITATION.cff").read_text()
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()

    released = re.findall(r"^## (\d\S*)", changelog, flags=re.MULTILINE)

    assert f"\nversion: {flowquake.__version__}\n" in citation
    assert released[0] == flowquake.__version__
    assert version("flowquake") == flowquake.__version__
