"""dispel4py's patterns of processing elements, and its composites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flowquake.compat.dispel4py.core import NAME, GenericPE
from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph

# Items are of any type, and so is what a user's function gives: hence Any.


class BasePE(GenericPE):
    """A PE whose connections are named in its constructor.

    Parameters
    ----------
    inputs, outputs : sequence of str, optional
        Names.
    num_inputs, num_outputs : int, default 0
        How many more, called ``input0``, ``input1``, ... and ``output0``, ...
    """

    INPUT_NAME = "input"
    OUTPUT_NAME = "output"

    def __init__(
        self,
        inputs: Iterable[str] | None = None,
        outputs: Iterable[str] | None = None,
        num_inputs: int = 0,
        num_outputs: int = 0,
        *,
        numInputs: int = 0,
        numOutputs: int = 0,
    ) -> None:
        super().__init__()
        numbered_in = [f"{self.INPUT_NAME}{i}" for i in range(num_inputs or numInputs)]
        numbered_out = [f"{self.OUTPUT_NAME}{i}" for i in range(num_outputs or numOutputs)]
        for name in (*numbered_in, *(inputs or ())):
            self.inputconnections[name] = {NAME: name}
        for name in (*numbered_out, *(outputs or ())):
            self.outputconnections[name] = {NAME: name}


class IterativePE(GenericPE):
    """One input, one output: `_process` takes an item and gives one, or None."""

    INPUT_NAME = "input"
    OUTPUT_NAME = "output"

    def __init__(self) -> None:
        super().__init__()
        self._add_input(self.INPUT_NAME)
        self._add_output(self.OUTPUT_NAME)

    def process(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Take an item by `_process`."""
        result = self._process(inputs[self.INPUT_NAME])
        return None if result is None else {self.OUTPUT_NAME: result}


class ProducerPE(GenericPE):
    """No input, one output: `_process` gives an item at each iteration, or None."""

    OUTPUT_NAME = "output"

    def __init__(self) -> None:
        super().__init__()
        self._add_output(self.OUTPUT_NAME)

    def process(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Make an item by `_process`."""
        result = self._process(inputs)
        return None if result is None else {self.OUTPUT_NAME: result}


class ConsumerPE(GenericPE):
    """One input, no output: `_process` takes an item."""

    INPUT_NAME = "input"

    def __init__(self) -> None:
        super().__init__()
        self._add_input(self.INPUT_NAME)

    def process(self, inputs: dict[str, Any]) -> None:
        """Take an item by `_process`."""
        self._process(inputs[self.INPUT_NAME])


class SimpleFunctionPE(IterativePE):
    """A function as a PE.

    Parameters
    ----------
    compute_fn : callable, optional
        Takes an item and `params`; gives an item, or None.
    params : dict, optional
        Keywords of the function.
    """

    def __init__(
        self,
        compute_fn: Callable[..., Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if compute_fn is not None:
            self.name = f"PE_{_name_of(compute_fn)}"
        self.compute_fn = compute_fn
        self.params = dict(params or {})

    def _process(self, data: Any) -> Any:
        return None if self.compute_fn is None else self.compute_fn(data, **self.params)


class CompositePE(WorkflowGraph):
    """A graph with inputs and outputs, to be connected like one PE.

    Parameters
    ----------
    create_graph : callable, optional
        Takes this object and `params`, and fills it.
    params : dict, optional
        Keywords of the function.
    """

    def __init__(
        self,
        create_graph: Callable[..., Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.inputmappings: dict[str, tuple[Any, str]] = {}
        self.outputmappings: dict[str, tuple[Any, str]] = {}
        if create_graph is not None:
            create_graph(self, **(params or {}))

    def _map_input(self, input_name: str, internal_pe: Any, internal_input: str) -> None:
        self.inputmappings[input_name] = (internal_pe, internal_input)

    def _map_output(self, output_name: str, internal_pe: Any, internal_output: str) -> None:
        self.outputmappings[output_name] = (internal_pe, internal_output)


def create_iterative_chain(
    functions: Iterable[Any],
    function_pe_class: Callable[[], Any] = SimpleFunctionPE,
    name_prefix: str = "PE_",
    name_suffix: str = "",
) -> WorkflowGraph:
    """Make a composite of functions, each fed by the one before.

    Parameters
    ----------
    functions : iterable
        Functions of one item, or pairs of a function and its keywords.
    function_pe_class : callable
        Makes the PE of a function.
    name_prefix, name_suffix : str
        Around each function's name.

    Returns
    -------
    WorkflowGraph
        With the input ``input`` and the output ``output``.
    """
    graph = WorkflowGraph()
    chain: list[Any] = []
    for described in functions:
        function, params = described if isinstance(described, (tuple, list)) else (described, {})
        pe = function_pe_class()
        pe.compute_fn, pe.params = function, params
        pe.name = f"{name_prefix}{_name_of(function)}{name_suffix}"
        if chain:
            graph.connect(chain[-1], IterativePE.OUTPUT_NAME, pe, IterativePE.INPUT_NAME)
        else:
            graph.add(pe)
        chain.append(pe)
    graph.name = "chain"
    graph.inputmappings = {"input": (chain[0], IterativePE.INPUT_NAME)}
    graph.outputmappings = {"output": (chain[-1], IterativePE.OUTPUT_NAME)}
    return graph


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
