"""Elements and composites in a chain."""

from __future__ import annotations

import pytest

from flowquake import Composite, Workflow, WorkflowError, element, run
from flowquake.testing import replay


@element
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def quadruple() -> Composite:
    """Make a composite of two steps."""
    composite = Composite("quadruple")
    first, second = double(), double()
    composite.add(first, name="first")
    composite.add(second, name="second")
    composite.connect(first.out, second.number)
    composite.expose(number=first.number, fourfold=second.out)
    return composite


def test_a_composite_stands_in_a_chain_as_one_step() -> None:
    workflow = Workflow()
    last = double()
    workflow.chain(replay([1, 2]), quadruple(), last)
    assert run(workflow, collect=[last.out])[last.out] == [8, 16]


def test_a_chain_names_the_composite_that_has_several_ports() -> None:
    composite = quadruple()
    composite.expose(twofold=composite.elements["first"].out)  # type: ignore[attr-defined]  # made by element
    with pytest.raises(
        WorkflowError, match=r"composite 'quadruple' has 2 outputs \(fourfold, twofold\)"
    ):
        Workflow().chain(composite, double())
