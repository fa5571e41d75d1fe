"""Every module has one full name, and the command line starts light."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("pes", "mappings", "registry", "workflows")
HEAVY = ("matplotlib", "networkx", "numpy", "obspy", "pandas", "scipy")


def run_python(program: str, folder: Path) -> str:
    """Run a program in a fresh interpreter outside the checkout and give what it prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_linked_into_the_package_relatively(folder: str) -> None:
    link = REPOSITORY / "flowquake" / folder

    assert link.is_symlink()
    assert str(link.readlink()) == os.path.join("..", folder)
    assert (link / "__init__.py").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_imported_by_its_full_name(folder: str, tmp_path: Path) -> None:
    printed = run_python(f"import flowquake.{folder} as it; print(it.__name__)", tmp_path)

    assert printed.strip() == f"flowquake.{folder}"


def test_a_class_of_a_linked_folder_is_the_same_after_pickling_under_spawn(tmp_path: Path) -> None:
    program = tmp_path / "spawned.py"
    program.write_text(
        "import multiprocessing\n"
        "from flowquake.pes.windows import ExpandingWindows\n"
        "def name_of(cls):\n"
        "    return cls is ExpandingWindows, cls.__module__.split('.')[:3]\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.apply(name_of, (ExpandingWindows,)))\n"
    )

    command = [sys.executable, str(program)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert printed.strip() == "(True, ['flowquake', 'pes', 'windows'])"


@pytest.mark.parametrize("module", ["flowquake", "flowquake.cli"])
def test_importing_the_package_or_its_command_line_loads_nothing_heavy(
    module: str, tmp_path: Path
) -> None:
    program = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"

    loaded = json.loads(run_python(program, tmp_path))

    assert [name for name in HEAVY if name in loaded] == []


def test_help_is_there_in_less_than_a_third_of_a_second(tmp_path: Path) -> None:
    command = shutil.which("flowquake", path=str(Path(sys.executable).parent))
    assert command is not None, "the script flowquake is not installed beside this Python"

    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run([command, "--help"], cwd=tmp_path, check=True, capture_output=True)
        return time.perf_counter() - began

    # The least of several: a machine that is busy with something else is no fault of ours.
    assert min(seconds() for _ in range(7)) < 0.3
