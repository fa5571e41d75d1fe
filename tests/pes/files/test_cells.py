from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.pes.files.cells import cell, csv_line


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_exactly(number: float) -> None:
    assert float(cell(number)) == number


@given(st.lists(st.text(), min_size=2))
def test_text_comes_back_but_for_the_apostrophe(texts: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(csv_line(texts), newline=""))
    assert len(row) == len(texts)
    assert [back.removeprefix("'") for back in row] == [text.removeprefix("'") for text in texts]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1.5", "+3", "1e5", "Etna", "2011-08-01", "a=b", ""])
def test_numbers_and_plain_text_stay(text: str) -> None:
    assert cell(text) == text


def test_what_is_missing_is_empty() -> None:
    assert [cell(value) for value in (None, float("nan"), float("inf"))] == ["", "", ""]
