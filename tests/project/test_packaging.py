"""What is built is what is here, once, and under one name."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("pes", "mappings", "registry", "workflows")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sdist from the checkout, and the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build(folder, "sdist", REPOSITORY)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    build(folder, "wheel", folder / sdist.name.removesuffix(".tar.gz"))
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def build(folder: Path, target: str, source: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)


def sources() -> set[str]:
    """List the files of the package as they should be named once installed."""
    names = set()
    for top in ("flowquake", *FOLDERS):
        for path in (REPOSITORY / top).rglob("*"):
            inside = path.relative_to(REPOSITORY)
            is_linked = top == "flowquake" and inside.parts[1] in FOLDERS
            if path.is_file() and "__pycache__" not in inside.parts and not is_linked:
                names.add(inside.as_posix() if top == "flowquake" else f"flowquake/{inside}")
    return names


@pytest.mark.slow
def test_a_wheel_holds_every_module_once_and_only_under_flowquake(
    built: tuple[Path, Path],
) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]

    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert {name.split("/")[0] for name in names} == {"flowquake"}
    assert set(names) == sources()


@pytest.mark.slow
def test_an_sdist_holds_the_real_folders_and_not_the_links(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]

    for folder in FOLDERS:
        assert f"{folder}/__init__.py" in names
        assert [name for name in names if name.startswith(f"flowquake/{folder}")] == []


@pytest.mark.slow
def test_an_installed_wheel_is_used_without_the_checkout(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import flowquake.pes, flowquake.mappings.sequential as sequential\n"
        "print(flowquake.pes.__file__, sequential.__name__)\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.split()

    assert printed == [str(tmp_path / "flowquake/pes/__init__.py"), "flowquake.mappings.sequential"]
