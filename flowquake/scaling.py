"""How a workflow would scale: the cost model over numbers of workers, and where it bends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowquake.costs import CostTable, Prediction, predict
from flowquake.planning import plan

if TYPE_CHECKING:
    from flowquake.plans import Plan
    from flowquake.workflow import Workflow

HALF = 0.5


@dataclass(frozen=True, slots=True)
class ScalePoint:
    """What is predicted for one number of workers."""

    workers: int
    queues: int
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Bend:
    """Where more workers stop to pay.

    Attributes
    ----------
    workers : int
        The first number at which a worker gives less than half of what the
        first gave.
    element : str
        What sets the pace there.
    bound : str
        Why; see `Prediction`.
    """

    workers: int
    element: str
    bound: str


def scale(
    workflow: Workflow,
    costs: CostTable | Callable[[Plan], CostTable],
    workers: Sequence[int],
    *,
    cores: float | None = None,
) -> list[ScalePoint]:
    """Predict a workflow on several numbers of workers.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    costs : CostTable or callable
        Prices; a callable gives those of a plan, where shares depend on it.
    workers : sequence of int
        Numbers of workers.
    cores : float, optional
        How many can run at once; default: each has a core of its own.

    Returns
    -------
    list of ScalePoint
        One for each number.
    """
    points = []
    for number in workers:
        laid_out = plan(workflow, number)
        table = costs(laid_out) if callable(costs) else costs
        found = predict(laid_out, workflow, table, cores=cores)
        points.append(ScalePoint(number, sum(map(len, laid_out.channels)), found))
    return points


def find_bend(points: Sequence[ScalePoint]) -> Bend | None:
    """Give where a curve leaves the straight line from its first point, or None if it does not."""
    if not points:
        return None
    first = points[0].prediction.throughput / points[0].workers
    for point in points:
        if point.prediction.throughput < HALF * first * point.workers:
            return Bend(point.workers, point.prediction.bottleneck, point.prediction.bound)
    return None
