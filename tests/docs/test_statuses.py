"""The page on forecasts describes every status, in the words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowquake.cli.forecasts import STATUS_WORDS
from flowquake.records import STATUSES

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reading-a-forecast.md"


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_described_in_the_words_of_the_command_line(status: str) -> None:
    words = STATUS_WORDS[status]

    assert f"\n`{status}` (on a terminal: {words})\n: " in PAGE.read_text(encoding="utf-8")
