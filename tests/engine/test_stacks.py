"""The files of silent workers' stacks."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flowquake.engine.stacks import StackFiles


def test_what_a_worker_writes_is_read_by_the_coordinator() -> None:
    with closing(StackFiles(2)) as files:
        opened = files.places.open(1)
        assert opened is not None
        with opened:
            opened.write(b"File x.py, line 1")
        assert files.read(1) == files.places.read(1) == "File x.py, line 1"
        assert files.read(0) == ""


def test_a_file_that_is_not_the_run_s_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("somebody else's")
    with closing(StackFiles(1)) as files:
        assert replace(files.places, paths=(str(other),)).open(0) is None
        assert replace(files.places, host="elsewhere").open(0) is None
    assert other.read_text() == "somebody else's"
    assert files.places.open(0) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they have names")
def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    files = StackFiles(3)
    assert os.listdir(tmp_path) == []
    files.close()
