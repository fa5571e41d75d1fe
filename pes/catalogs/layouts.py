"""How a text table is laid out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from flowquake.pes.catalogs.dates import ISO

Kind = Literal["time", "part", "elapsed", "number", "text", "any"]
BLANKS: Final = "blanks"
FIXED: Final = "fixed"
TIME_KINDS: Final = ("time", "part", "elapsed")
ANY_NUMBER: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name : str
        The column it becomes.
    place : int or (int, int or None)
        Its number from 0; in a table of fixed width its first character and
        the one after its last.
    kind : str
        ``time`` (by a pattern; several are added, such as a date and a time
        of day), ``part`` (a number called year, month, …), ``elapsed`` (a
        number times ``scale`` nanoseconds), ``number``, ``text``, or ``any``
        (numbers if all are, else text).
    pattern : str
        How a time is written.
    offset : int
        Of a time without its own, nanoseconds east of UTC.
    missing : tuple of str
        What stands for no value, besides nothing at all.
    scale : float
        A number is divided by it (an elapsed time is multiplied).
    low, high : float
        The range of a number after scaling, both ends inclusive.
    decimal : str
        The decimal mark.
    header : str
        What the file calls it.
    """

    name: str
    place: int | tuple[int, int | None]
    kind: Kind
    pattern: str = ISO
    offset: int = 0
    missing: tuple[str, ...] = ()
    scale: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    decimal: str = "."
    header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a table is laid out.

    Parameters
    ----------
    split : str
        One delimiter character, ``blanks`` for any number of blanks, or
        ``fixed`` for columns of fixed width.
    fields : tuple of Field
        The columns that are used.
    header_lines : int
        Lines before the first row.
    least, most : int
        Numbers of columns that a row may have; trailing empty ones are free.
    quotes : bool
        Whether cells may stand in double quotes.
    comment : str
        What a line that is no row begins with; empty for none.
    twice : tuple of str
        Names in the header that stand for one column of the batch, but head
        several of the file.
    """

    split: str
    fields: tuple[Field, ...]
    header_lines: int = 0
    least: int = 1
    most: int = ANY_NUMBER
    quotes: bool = False
    comment: str = ""
    twice: tuple[str, ...] = ()
