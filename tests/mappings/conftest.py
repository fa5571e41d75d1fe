"""Sessions under mpiexec, started when a test first asks for their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.mappings.mpi_session import Session


@pytest.fixture(scope="session")
def mpi_session(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Session]:
    """Give the session of so many ranks."""
    sessions: dict[int, Session] = {}

    def of(ranks: int) -> Session:
        if ranks not in sessions:
            from tests.mappings.mpi_session import Session

            sessions[ranks] = Session(ranks, tmp_path_factory.mktemp(f"mpi-{ranks}"))
        return sessions[ranks]

    return of
