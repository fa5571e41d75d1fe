"""The doctor's lines about workers: what it finds, and that nothing makes it fail or wait."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowquake.cli import checks, worker_checks
from flowquake.mappings import mpifound
from tests.cli.conftest import Flowquake

MakeLauncher = Callable[..., Path]
MPICH = "HYDRA build details:\n    Version:     4.2.1"
OPEN_MPI = "mpiexec (OpenRTE) 4.1.4"


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python with no mpiexec beside it, and a path with nothing but these two folders."""
    beside = tmp_path / "environment"
    beside.mkdir()
    python = beside / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(tmp_path / "system"))
    monkeypatch.setattr(checks, "installed", lambda name: "4.1.2")
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MPI_LOCALRANKID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def make_launcher(surroundings: Path) -> MakeLauncher:
    """Write an mpiexec that says it is of some version, and does something else when it runs."""

    def make(version: str, otherwise: str, folder: str = "system") -> Path:
        place = surroundings / folder
        place.mkdir(exist_ok=True)
        file = place / "mpiexec"
        case = f'if [ "$1" = --version ]; then echo "{version}"; exit; fi'
        file.write_text(f"#!/bin/sh\n{case}\n{otherwise}\n")
        file.chmod(0o755)
        return file

    return make


def mpi_line() -> Any:
    *_, last = worker_checks.check_mpi()
    assert not last.required
    return last


def test_two_workers_are_started_and_it_is_said_how(flowquake: Flowquake) -> None:
    result = flowquake("doctor", "--json")
    (line,) = [c for c in result.json("doctor")["checks"] if c["name"] == "multi"]

    assert line["ok"], line
    assert "2 workers start and end in" in line["text"]
    assert ("forked" in line["text"]) or ("spawned" in line["text"])
    assert "cores usable" in line["text"]


@pytest.mark.mpi
def test_two_ranks_are_started_and_it_is_said_what_they_found(flowquake: Flowquake) -> None:
    found = {
        check["name"]: check for check in flowquake("doctor", "--json").json("doctor")["checks"]
    }

    assert found["mpiexec"]["ok"]
    assert found["mpi"]["ok"], found["mpi"]
    assert "2 ranks start in" in found["mpi"]["text"]
    assert "there and back" in found["mpi"]["text"]


def test_nothing_is_said_of_mpi_without_mpi4py(
    surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "installed", lambda name: None)

    assert list(worker_checks.check_mpi()) == []


def test_no_mpiexec_is_a_line_with_a_fix(surroundings: Path) -> None:
    line = mpi_line()

    assert not line.ok
    assert line.text == "there is no mpiexec"
    assert "flowquake[mpi]" in line.fix


def test_an_mpiexec_that_hangs_is_given_up(
    make_launcher: MakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_launcher(MPICH, "exec /bin/sleep 60")
    monkeypatch.setattr(worker_checks, "PATIENCE_S", 0.3)
    monkeypatch.setattr(mpifound, "loaded_library", lambda: mpifound.Library("MPICH", "4.2.1"))
    began = time.monotonic()

    line = mpi_line()

    assert time.monotonic() - began < 5
    assert not line.ok
    assert "2 ranks do not start: nothing within 0.3 s" in line.text


def test_an_mpiexec_that_never_says_its_version_is_given_up(
    make_launcher: MakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_launcher("", "").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(mpifound, "PATIENCE_S", 0.3)

    line = mpi_line()

    assert not line.ok
    assert "does not answer" in line.text


def test_an_mpiexec_that_cannot_run_at_all_is_a_line_with_a_fix(
    make_launcher: MakeLauncher,
) -> None:
    make_launcher("", "").write_bytes(b"\x7fELF nothing")

    line = mpi_line()

    assert not line.ok
    assert "does not start" in line.text


def test_what_a_failing_mpiexec_says_is_shown(
    make_launcher: MakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_launcher(MPICH, "echo 'no slots left' >&2; exit 1")
    monkeypatch.setattr(mpifound, "loaded_library", lambda: mpifound.Library("MPICH", "4.2.1"))

    line = mpi_line()

    assert line.text == "2 ranks do not start: no slots left"
    assert "mpiexec -n 2 hostname" in line.fix


def test_an_mpiexec_of_another_library_is_said_to_make_ranks_of_size_one(
    make_launcher: MakeLauncher,
) -> None:
    alone = '{"size": 1, "library": "MPICH Version: 5.0.2", "mpi4py": "4.1.2"}'
    make_launcher(OPEN_MPI, f"echo '{alone}'; echo '{alone}'")

    line = mpi_line()

    assert not line.ok
    assert line.text == (
        "mpi4py loads MPICH 5.0.2, mpiexec is of Open MPI 4.1.4: "
        "each rank would be alone, a run of size 1"
    )
    assert "MPICH" in line.fix


@pytest.mark.parametrize(("loaded", "chosen"), [("MPICH", "environment"), ("Open MPI", "system")])
def test_of_two_mpiexecs_it_is_the_one_of_the_library_that_is_loaded(
    make_launcher: MakeLauncher, monkeypatch: pytest.MonkeyPatch, loaded: str, chosen: str
) -> None:
    make_launcher(MPICH, "", "environment")
    make_launcher(OPEN_MPI, "", "system")
    monkeypatch.setattr(mpifound, "loaded_library", lambda: mpifound.Library(loaded, "4"))

    found = mpifound.find_launcher()

    assert Path(found.path).parent.name == chosen
    assert found.is_beside_python == (chosen == "environment")


def test_ranks_do_not_start_ranks(surroundings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_RANK", "0")

    line = mpi_line()

    assert line.text == "this is rank 0 of a run already"


@pytest.mark.parametrize(
    ("printed", "library"),
    [
        ("MPICH Version:      5.0.2\nMPICH ABI: 18:2:6", "MPICH 5.0.2"),
        ("Open MPI v5.0.8, package: Open MPI", "Open MPI 5.0.8"),
        ("mpirun (Open MPI) 5.0.8", "Open MPI 5.0.8"),
        ("Intel(R) MPI Library 2021.9 for Linux* OS", "Intel MPI 2021.9"),
        ("a launcher of ours", "a launcher of ours"),
        ("", "unknown"),
    ],
)
def test_libraries_are_told_by_what_they_print(printed: str, library: str) -> None:
    assert str(mpifound.Library.read(printed)) == library


def test_mpich_and_intels_mpi_go_together_and_what_is_unknown_is_not_judged() -> None:
    mpich, intel, ours = (mpifound.Library(name, "1") for name in ("MPICH", "Intel MPI", "ours"))

    assert not mpich.differs_from(intel)
    assert not mpich.differs_from(ours)
    assert mpich.differs_from(mpifound.Library("Open MPI", "5"))
