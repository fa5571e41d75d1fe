"""Numerical libraries get one thread before they are loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowquake.threads import VARIABLES

SAYS_ITS_THREADS = """
import os
from flowquake import Workflow, element
from flowquake.testing import replay


@element
def same(number: int) -> int:
    return number


workflow = Workflow(os.environ["OPENBLAS_NUM_THREADS"])
workflow.chain(replay([1]), same())
print("threads", os.environ["OPENBLAS_NUM_THREADS"])
"""


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("2", "2")])
def test_a_workflow_is_loaded_with_one_thread_unless_the_user_says_otherwise(
    given: str | None, used: str, tmp_path: Path
) -> None:
    file = tmp_path / "threads.py"
    file.write_text(SAYS_ITS_THREADS)
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if given is not None:
        environment["OPENBLAS_NUM_THREADS"] = given
    done = subprocess.run(
        [sys.executable, "-m", "flowquake.cli", "validate", str(file)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"threads {used}" in done.stdout
