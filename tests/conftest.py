"""What every test may use, and the account of what was skipped and why."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Final

# Before numpy or matplotlib is imported by any test.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# The runs of tests are nobody's business afterwards.
os.environ["FLOWQUAKE_HOME"] = tempfile.mkdtemp(prefix="flowquake-tests-")

import hypothesis
import pytest

IN_CI: Final = os.environ.get("CI", "").lower() in ("1", "true")
REPOSITORY: Final = Path(__file__).parents[1]
SHARED_DATA: Final = REPOSITORY.parent / "shared" / "data"
NO_SHARED_DATA: Final = "no shared data"

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")

SharedData = Callable[[str], Path]
_skips: Counter[tuple[str, str]] = Counter()


@pytest.fixture(scope="session")
def shared_data() -> SharedData:
    """Give the path of a file of the data folder beside the checkout, or skip the test."""

    def find(relative: str) -> Path:
        path = SHARED_DATA / relative
        if not path.exists():
            pytest.skip(f"{NO_SHARED_DATA}: ../shared/data/{relative} is missing")
        return path

    return find


def _missing_mpi() -> str | None:
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    beside = Path(sys.executable).with_name("mpiexec")  # where pip puts it
    return None if beside.exists() or shutil.which("mpiexec") else "there is no mpiexec"


def _missing_module(name: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(name) else f"{name} is not installed"


def _missing_program(*names: str) -> Callable[[], str | None]:
    return lambda: None if any(map(shutil.which, names)) else f"there is no {names[0]}"


# What a group of tests needs from the machine; None means that it is there.
GROUPS: Final[dict[str, Callable[[], str | None]]] = {
    "broker": _missing_program("kafka-server-start.sh", "kafka-server-start"),
    "browser": _missing_program("chromium", "chromium-browser", "google-chrome"),
    "mpi": _missing_mpi,
    "numba": _missing_module("numba"),
}


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared_data")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for group, missing in GROUPS.items():
        if item.get_closest_marker(group) is not None:
            reason = missing()
            if reason is not None:
                pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _account(report, [mark.name for mark in item.iter_markers()])
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _account(report, [])
    return report


def _account(report: pytest.TestReport | pytest.CollectReport, marks: list[str]) -> None:
    """Count a skip; in CI turn it into a failure unless only shared data is missing."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if reason.startswith(NO_SHARED_DATA):
        _skips["shared_data", reason] += 1
        return
    _skips[next((mark for mark in marks if mark in GROUPS), "other"), reason] += 1
    if IN_CI:
        report.outcome = "failed"
        report.longrepr = f"a skip is a failure here (CI=true): {reason}"


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["FLOWQUAKE_HOME"], ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _skips:
        return
    terminalreporter.section("skipped, by group")
    groups: dict[str, Counter[str]] = {}
    for (group, reason), count in _skips.items():
        groups.setdefault(group, Counter())[reason] += count
    for group, reasons in sorted(groups.items()):
        terminalreporter.line(f"{group:<12} {reasons.total():>5}  {_in_short(reasons)}")


def _in_short(reasons: Counter[str]) -> str:
    (first, _), *others = reasons.most_common()
    return first if not others else f"{first} (and {len(others)} other reasons)"
