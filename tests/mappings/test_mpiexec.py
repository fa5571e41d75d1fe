"""What the parent of mpiexec says of a lost rank."""

from __future__ import annotations

import pytest

from flowquake.mappings.endings import Ending, read_banner

BANNER = """
===================================================================================
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   PID {pid} RUNNING AT here
=   EXIT CODE: {code}
===================================================================================
"""


def said(pid: int, number: int, name: str = "Killed") -> bytes:
    text = BANNER.format(pid=pid, code=number)
    return (
        f"{text}YOUR APPLICATION TERMINATED WITH THE EXIT STRING: {name} (signal {number})".encode()
    )


@pytest.mark.parametrize(
    ("lost", "banner", "returned", "who", "how"),
    [
        ({1: 11}, said(11, 9), 9, {1}, "it was ended by SIGKILL"),
        ({1: 11}, said(10, 9), 9, {1}, "it ended without a word"),
        ({1: 11}, b"", 3, {1}, "it ended with exit code 3"),
        ({0: 10, 1: 11}, said(11, 11, "Segmentation fault"), 139, {1}, "it was ended by SIGSEGV"),
        ({0: 10, 1: 11}, said(10, 9), 9, {0, 1}, "it ended without a word"),
        ({0: 10, 1: 11}, b"", 3, {0, 1}, "it ended with exit code 3"),
    ],
)
def test_only_what_is_sure_is_said_of_a_lost_rank(
    lost: dict[int, int | None], banner: bytes, returned: int, who: set[int], how: str
) -> None:
    ending = Ending(lost=dict(lost), returned=returned)
    read_banner(ending, banner, killed=False)
    assert (set(ending.lost), ending.how) == (who, how)
