"""The base class of dispel4py's processing elements."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from typing import Any

from flowquake.compat.dispel4py.items import snapshot
from flowquake.errors import WorkflowError, suggest

# What a connection's description holds, by these names.
NAME = "name"
TYPE = "type"
DESCRIPTION = "descr"
META = "meta"
GROUPING = "grouping"
GROUPING_NAME = GROUPING
WRITER = "writer"

# dispel4py describes connections by dicts of anything, items are anything, and
# so is what a method of a user's class returns: hence the Any below.
Connections = dict[str, dict[str, Any]]


class GenericPE:
    """A processing element of dispel4py: named inputs and outputs, and `process`.

    A subclass declares its connections in its constructor, by `_add_input`
    and `_add_output` or in the dicts themselves, and defines ``process`` or
    ``_process``, which takes ``{input: item}`` and gives ``{output: item}``
    or None.

    Parameters
    ----------
    numprocesses : int, default 1
        How many instances to run; 1 leaves it to the engine, which makes
        several only where the result cannot depend on it.
    """

    #: Whether several instances give together what one gives.
    replicates: bool | None = None

    def __init__(self, numprocesses: int = 1) -> None:
        self.inputconnections: Connections = {}
        self.outputconnections: Connections = {}
        self.wrapper: Any = "simple"
        self.pickleIgnore: list[str] = []
        self.numprocesses = numprocesses
        self.name = type(self).__name__
        self.id = f"{self.name}{uuid.uuid4()}"
        self._outbox: list[tuple[str, Any]] = []

    # Declaration.

    def _add_input(
        self, name: str, grouping: Any = None, tuple_type: Sequence[str] | None = None
    ) -> None:
        """Declare an input, with its grouping: 'all', 'global' or a list of indices."""
        self.inputconnections[name] = {NAME: name}
        if grouping:
            self.inputconnections[name][GROUPING] = grouping
        if tuple_type:
            self.inputconnections[name][TYPE] = tuple_type

    def _add_output(self, name: str, tuple_type: Sequence[str] | None = None) -> None:
        """Declare an output."""
        self.outputconnections[name] = {NAME: name}
        if tuple_type:
            self.outputconnections[name][TYPE] = tuple_type

    def set_grouping(self, name: str, grouping: Any) -> None:
        """Give a declared input another grouping.

        Raises
        ------
        WorkflowError
            If there is no such input.
        """
        if name not in self.inputconnections:
            raise WorkflowError(
                f"PE '{self.name}' has no input '{name}'{suggest(name, self.inputconnections)}"
            )
        self.inputconnections[name][GROUPING] = grouping

    def set_input_types(self, types: Any) -> None:
        """Hear the types of what comes in; does nothing unless overridden."""

    def get_output_types(self) -> dict[str, Any]:
        """Give the declared type of each output.

        Raises
        ------
        KeyError
            If one was declared without.
        """
        return {name: output[TYPE] for name, output in self.outputconnections.items()}

    # Life.

    def preprocess(self) -> Any:
        """Begin: called once for each instance, before the first item."""
        return self._preprocess()

    def _preprocess(self) -> Any:
        return None

    def process(self, inputs: dict[str, Any]) -> Any:
        """Take ``{input: item}``; give ``{output: item}`` or None."""
        return self._process(inputs)

    def _process(self, data: Any) -> Any:
        return None

    def postprocess(self) -> Any:
        """End: called once for each instance, after the last item."""
        return self._postprocess()

    def _postprocess(self) -> Any:
        return None

    # What a method may use.

    def write(self, name: str, data: Any, **options: Any) -> None:
        """Emit an item on an output; in `process`, any number of times."""
        self._write(name, data)

    def _write(self, name: str, data: Any, **options: Any) -> None:
        if name not in self.outputconnections:
            raise unknown_output(self, name)
        self._outbox.append((name, snapshot(data)))

    def log(self, message: object) -> None:
        """Write a line, with the element's id and instance, to standard output."""
        rank = getattr(self, "rank", None)
        which = "" if rank is None else f" (rank {rank})"
        sys.stdout.write(f"{self.id}{which}: {message}\n")

    def _attach(self, outbox: list[tuple[str, Any]], rank: int) -> None:
        """Let what is written go to who runs this instance."""
        self._outbox = outbox
        self.rank = rank

    setGrouping = set_grouping
    setInputTypes = set_input_types
    getOutputTypes = get_output_types


def unknown_output(pe: GenericPE, name: object) -> WorkflowError:
    """Make the error of an item that is given on an output that is not declared."""
    known = list(pe.outputconnections)
    return WorkflowError(
        f"PE '{pe.name}' has no output {name!r}{suggest(str(name), map(str, known))}",
        fix=f"its outputs are: {', '.join(map(str, known)) or 'none'}",
    )
