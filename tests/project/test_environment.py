"""What a run of the tests leaves behind: nothing of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flowquake.runindex import data_home


def test_runs_of_tests_stay_out_of_the_users_index() -> None:
    assert data_home().is_relative_to(Path(tempfile.gettempdir()))
