"""Processing elements: the reusable steps of a workflow."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, dataclass_transform

from flowquake.declaration import Declaration, declare, parameter_faults
from flowquake.errors import ConfigError
from flowquake.ports import Key, Production

if TYPE_CHECKING:
    import numpy as np

    from flowquake.clock import Clock

__all__ = ["Context", "ProcessingElement", "Source", "field", "snake_case"]

K = TypeVar("K")


class Context(Protocol):
    """What the engine lends an instance while it runs."""

    @property
    def name(self) -> str:
        """Give the instance's name in its workflow."""

    @property
    def clock(self) -> Clock:
        """Give the run's clock."""

    def generator(self, key: Key, unit: tuple[Hashable, ...]) -> np.random.Generator:
        """Make the random generator of a key and unit of work."""

    def count(self, name: str, n: int) -> None:
        """Add to a named counter."""

    def reject(self, record: Mapping[str, object], reason: str) -> None:
        """Set a record aside."""

    def progress(self, done: float, total: float) -> None:
        """Say how far a long step is."""

    def run_path(self, parts: tuple[str, ...]) -> Path:
        """Give a path inside the run's directory."""


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
@dataclass(kw_only=True, eq=False)
class ProcessingElement:
    """One step of a workflow: ports, parameters and handlers.

    A subclass declares its ports as class attributes (``events =
    Input(EventBatch)``), its parameters as annotated class attributes
    (``minimum: float = 0.0``), at most one ``state = State(Counts)``, and one
    handler ``on_<port>`` for each input. A handler yields emissions:
    ``yield self.kept(batch)``.

    Raises
    ------
    ConfigError
        When a subclass is made whose handlers do not match its inputs.
    """

    _declaration: ClassVar[Declaration] = Declaration()
    _is_source: ClassVar[bool] = False
    _per_instance: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        try:
            dataclasses.dataclass(kw_only=True, eq=False)(cls)
        except (TypeError, ValueError) as cause:
            raise ConfigError(
                f"the parameters of {cls.__name__} cannot be used: {cause}",
                fix="give a list or dict by field(default_factory=list)",
            ) from cause
        cls._declaration = declare(cls, is_source=cls._is_source, per_instance=cls._per_instance)

    # What a subclass may define.

    def setup(self) -> None:
        """Open handles; called once per instance, before the first item."""

    def teardown(self) -> None:
        """Close handles; called once per instance, also after an error."""

    # What a handler may use.

    @property
    def name(self) -> str:
        """The name in the workflow; by default the class's, in snake case."""
        context: Context | None = self.__dict__.get("_context")
        return context.name if context is not None else snake_case(type(self).__name__)

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self._lent("clock").clock

    @property
    def key(self) -> Key:
        """The key that the handler runs for.

        Raises
        ------
        RuntimeError
            Outside a handler of an element with a ``by`` input.
        """
        try:
            key: Key = self.__dict__["_key"]
        except KeyError:
            raise RuntimeError(
                f"{type(self).__name__}.key is there only inside a handler of an element "
                "with an input that says by=..."
            ) from None
        return key

    def key_as(self, kind: type[K]) -> K:
        """Give the key, checked to be of one type.

        Equal keys are one key (1.0 is 1), so a whole number also serves as a
        float, and 0 and 1 as a bool.
        """
        key: object = self.key
        if isinstance(key, int) and kind is float:
            key = float(key)
        elif key in (0, 1) and kind is bool:
            key = key == 1
        if not isinstance(key, kind):
            raise ConfigError(f"the key of '{self.name}' is {key!r}, not a {kind.__name__}")
        return key

    def rng(self, *unit: Hashable) -> np.random.Generator:
        """Make a random generator seeded by run seed, name, key and unit.

        The same call gives the same numbers on every mapping, with any number
        of workers. Elements that handle several items without a key pass what
        tells these apart: ``self.rng(window.number)``.
        """
        keyed = self._declaration.keyed
        return self._lent("rng").generator(self.key if keyed else None, unit)

    def count(self, name: str, n: int = 1) -> None:
        """Add to a named counter, shown in the run's summary."""
        self._lent("count").count(name, n)

    def reject(self, record: Mapping[str, object], reason: str) -> None:
        """Set a record aside in ``rejected.jsonl``; the run then exits with 5."""
        self._lent("reject").reject(record, reason)

    def progress(self, done: float, total: float) -> None:
        """Say how far a long step is, for those who watch the run."""
        self._lent("progress").progress(done, total)

    def run_path(self, *parts: str) -> Path:
        """Give a path inside the run's directory; its folder is made.

        Raises
        ------
        ConfigError
            If the run has no directory, or the path leaves it.
        """
        return self._lent("run_path").run_path(parts)

    def parameters(self) -> dict[str, object]:
        """Give the parameters and their values."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def _check_types(self, name: str, where: str) -> None:
        for fault, fix in parameter_faults(type(self), self.parameters()):
            who = f"PE '{name}' ({type(self).__name__})"
            raise ConfigError(f"{who}: {fault}", where=where, fix=fix)

    def _lent(self, what: str) -> Context:
        context: Context | None = self.__dict__.get("_context")
        if context is None:
            raise RuntimeError(
                f"{type(self).__name__}.{what} is there only while a run lasts; "
                "use flowquake.testing.run_element to try an element by hand"
            )
        return context


class Source(ProcessingElement):
    """A processing element without inputs that produces items.

    A subclass defines ``produce(split)``, which yields emissions,
    `Watermark` and `Wait`, and may define ``splits()``.
    """

    _is_source: ClassVar[bool] = True

    def splits(self) -> Sequence[Key]:
        """Name the parts (files, partitions) that can be read independently."""
        return (None,)

    def produce(self, split: Key) -> Production:
        """Yield the items of one split; moves its state on before each yield."""
        raise NotImplementedError(f"{type(self).__name__} must define produce(split)")


def snake_case(name: str) -> str:
    """Write a class's name as the name of an element.

    Examples
    --------
    >>> snake_case("ReadCatalog"), snake_case("FDSNClient")
    ('read_catalog', 'fdsn_client')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
