"""Files that a run writes."""

from __future__ import annotations

from flowquake.pes.files.elements import WriteCsv, WriteJsonLines
from flowquake.pes.files.sorted_file import FileState, Row, SortedFile

__all__ = ["FileState", "Row", "SortedFile", "WriteCsv", "WriteJsonLines"]
