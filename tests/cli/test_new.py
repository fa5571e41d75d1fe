from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake


ENTRY_POINTS = "[{group}]\n{package} = {package}\n"


@pytest.mark.parametrize(
    ("kind", "name", "package", "group"),
    [
        ("pe", "SelectLarge", "select_large", "flowquake.pes"),
        ("workflow", "big-ones", "big_ones", "flowquake.workflows"),
    ],
)
def test_the_test_of_a_new_package_passes(
    flowquake: Flowquake, folder: Path, kind: str, name: str, package: str, group: str
) -> None:
    assert flowquake("new", kind, name, "--into", "made").code == 0
    root = folder / "made" / package.replace("_", "-")
    # What an installation would put beside the package.
    installed = root / "src" / f"{package}-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS.format(group=group, package=package))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["1st", "class", "json", "a b/c", "flowquake"])
def test_a_name_that_cannot_be_a_package_is_refused(flowquake: Flowquake, name: str) -> None:
    assert flowquake("new", "pe", name).code == 2


def test_nothing_is_overwritten(flowquake: Flowquake) -> None:
    flowquake("new", "pe", "mine")
    result = flowquake("new", "pe", "mine")
    assert (result.code, "is there already" in result.err) == (2, True)
