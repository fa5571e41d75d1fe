"""Try one processing element by hand, as the engine would run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowquake.clock import Clock
from flowquake.errors import ConfigError, suggest
from flowquake.pe import ProcessingElement, Source
from flowquake.ports import BoundInput, BoundOutput, Key, Output, Production
from flowquake.running import run
from flowquake.signals import Wait, Watermark
from flowquake.workflow import Workflow

__all__ = ["ElementResult", "Replay", "replay", "run_element"]


class _Items:
    """Items that are shared, not copied, when an element is."""

    def __init__(self, items: Iterable[object]) -> None:
        self.items = tuple(items)

    def __deepcopy__(self, memo: object) -> _Items:
        return self


class Replay(Source):
    """Give a list of items, watermarks and waits, one after the other.

    Parameters
    ----------
    items : _Items
        Made by `replay`.
    """

    out = Output[Any](object)  # items of every type

    items: _Items

    def produce(self, split: Key) -> Production:
        """Yield the items as they stand."""
        for item in self.items.items:
            yield item if isinstance(item, (Watermark, Wait)) else self.out(item)


def replay(items: Iterable[object]) -> Replay:
    """Make a source that gives these items, `Watermark` and `Wait` in their order."""
    return Replay(items=_Items(items))


@dataclass(frozen=True)
class ElementResult:
    """What an element gave.

    Attributes
    ----------
    emitted : dict of str to list
        By output; also as ``result["kept"]``.
    counters : dict of str to int
        What it counted.
    rejected : list of dict
        What it set aside.
    """

    emitted: dict[str, list[Any]]
    counters: dict[str, int]
    rejected: list[dict[str, Any]]

    def __getitem__(self, output: str) -> list[Any]:
        """Give the items of one output.

        Raises
        ------
        KeyError
            If there is no such output.
        """
        if output not in self.emitted:
            raise KeyError(f"there is no output '{output}'{suggest(output, self.emitted)}")
        return self.emitted[output]


def run_element(
    element: ProcessingElement,
    inputs: Mapping[str, Iterable[object]] | None = None,
    *,
    seed: int = 0,
    on_error: str = "stop",
    out: Path | None = None,
    clock: Clock | None = None,
) -> ElementResult:
    """Run one element alone: feed its inputs, collect its outputs.

    Parameters
    ----------
    element : ProcessingElement
        What to try; a copy of it is run.
    inputs : mapping of str to iterable, optional
        For each input the items, `Watermark` and `Wait` in the order in
        which they come; the input then ends. An input that is left out ends
        at once. Of several inputs the one whose watermark is furthest behind
        goes first.
    seed : int, default 0
        The run's seed.
    on_error : str, default "stop"
        As for `flowquake.run`.
    out : path, optional
        The run's directory, for elements that write files.
    clock : Clock, optional
        In place of the machine's own.

    Returns
    -------
    ElementResult
        What it emitted, counted and set aside.

    Raises
    ------
    ConfigError
        If there is no input of a name.
    PEError
        If the element raises.

    Examples
    --------
    >>> from flowquake import element
    >>> @element
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> run_element(double(), {"x": [1, 2]})["out"]
    [2, 4]
    """
    workflow = Workflow(f"try {type(element).__name__}")
    workflow.add(element)
    declared = element._declaration
    given = inputs or {}
    for name in given:
        if name not in declared.inputs:
            raise ConfigError(
                f"{type(element).__name__} has no input '{name}'{suggest(name, declared.inputs)}"
            )
    for name, port in declared.inputs.items():
        if name in given or not port.optional:
            source = workflow.add(replay(given.get(name, ())), name=f"replay_{name}")
            target: BoundInput[Any] = getattr(element, name)
            workflow.connect(source.out, target)
    outputs: list[BoundOutput[Any]] = [getattr(element, name) for name in declared.outputs]
    result = run(workflow, collect=outputs, seed=seed, on_error=on_error, out=out, clock=clock)
    return ElementResult(
        emitted={output.port.name: result[output] for output in outputs},
        counters=result.counts[workflow.name_of(element)].counters,
        rejected=result.rejections,
    )
