"""Random graphs on random transports end, and give the sequential answer.

A failing example prints what was drawn and can be replayed from it. ``make
soak`` draws more; so do ``FLOWQUAKE_GRAPHS`` (on the simulated transport),
``FLOWQUAKE_MULTI_GRAPHS`` and ``FLOWQUAKE_MPI_GRAPHS``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowquake import TransportError
from flowquake.engine.coordinator import elements_of
from flowquake.mappings.multi import Multi
from flowquake.mappings.sequential import Sequential
from flowquake.mappings.simulated import Simulated
from flowquake.planning import plan
from tests.conftest import IN_CI
from tests.mappings.elements import Identity
from tests.mappings.mpi_session import MPI_GRAPHS, Session
from tests.mappings.random_graphs import Drawn, Node, Origin, answer, graphs

EXAMPLES = int(os.environ.get("FLOWQUAKE_GRAPHS", "5000" if IN_CI else "200"))
MULTI_EXAMPLES = int(os.environ.get("FLOWQUAKE_MULTI_GRAPHS", "50"))


@st.composite
def transports(draw: st.DrawFn) -> dict[str, Any]:  # parameters of Simulated
    """Draw an order of deliveries, delays, channels, and now and then a death or a stop."""
    ending = draw(_ENDING)
    return {
        "order": draw(_ORDER),
        "channel_items": draw(_CHANNEL_ITEMS),
        "slow": draw(_SLOW),
        "death": (draw(_WORKERS), draw(_MOVE)) if ending == 0 else None,
        "stop": draw(_MOVE) if ending == 1 else None,
    }


_ENDING, _ORDER, _WORKERS = st.integers(0, 7), st.integers(0, 2**16), st.integers(1, 5)
_CHANNEL_ITEMS, _SLOW = st.sampled_from([1, 2, 3, 1024]), st.sampled_from([0.0, 0.3])
_MOVE = st.integers(1, 60)


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES)
@given(drawn=graphs(), transport=transports(), workers=_WORKERS, fuse=st.booleans())
def test_a_random_graph_ends_with_the_sequential_answer(
    drawn: Drawn, transport: dict[str, Any], workers: int, fuse: bool
) -> None:
    death = transport["death"]
    try:
        given = answer(drawn, Simulated(**transport), workers=workers, fuse=fuse)
    except TransportError as lost:
        hypothesis.event("a worker died")
        check_loss(lost, drawn, death, workers, fuse=fuse)
        return
    if not given:
        assert transport["stop"] is not None
        hypothesis.event("it was stopped")
        return
    expected = answer(drawn, Sequential())
    hypothesis.note(f"sequential: {expected}")
    assert given == expected


def check_loss(
    lost: TransportError, drawn: Drawn, death: tuple[int, int] | None, workers: int, *, fuse: bool
) -> None:
    assert death is not None
    dead = death[0] % workers
    assert f"worker {dead} of {workers} is lost" in lost.message
    laid_out = plan(drawn.build()[0], workers, fuse=fuse)
    assert lost.where == f"it ran {elements_of(laid_out, dead)}"


@pytest.mark.timeout(900)
@settings(max_examples=MULTI_EXAMPLES)
@given(
    drawn=graphs(),
    workers=st.integers(1, 5),
    fuse=st.booleans(),
    channel_items=st.sampled_from([1, 2, 1024]),
)
def test_a_random_graph_gives_the_same_on_processes(
    drawn: Drawn, workers: int, fuse: bool, channel_items: int
) -> None:
    mapping = Multi(channel_items=channel_items)
    given = answer(drawn, mapping, workers=workers, fuse=fuse)
    assert given == answer(drawn, Sequential())


@pytest.mark.mpi
@pytest.mark.parametrize("number", range(MPI_GRAPHS))
def test_a_random_graph_gives_the_same_on_mpi(
    number: int, mpi_session: Callable[[int], Session]
) -> None:
    drawn, given = mpi_session(4).answer(f"drawn {number}")
    assert given == answer(drawn, Sequential())


def test_a_death_ends_a_run_and_names_the_worker_and_its_elements() -> None:
    drawn = Drawn((Origin(20, 1),), (Node("Identity", 1, (0,)), Node("Total", None, (1,))))
    for move in range(1, 20):
        with pytest.raises(TransportError, match=re.escape("worker 1 of 2 is lost")) as lost:
            answer(
                drawn,
                Simulated(order=move, channel_items=1, death=(1, move)),
                workers=2,
                fuse=False,
            )
        assert Identity.__name__.lower() in str(lost.value)
