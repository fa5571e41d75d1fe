"""State that a processing element keeps between items."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from flowquake.errors import ConfigError

if TYPE_CHECKING:
    from typing import Self

    from flowquake.pe import ProcessingElement

S = TypeVar("S")


class State(Generic[S]):
    """The declaration of a processing element's state.

    The engine makes one object per key, split or instance, and puts it in
    ``self.state`` before the handler runs.

    Parameters
    ----------
    kind : type
        A dataclass in which every field has a default, one of them
        ``version: int``; made of numbers, text, bytes, arrays, records and
        containers of them.

    Raises
    ------
    ConfigError
        If the class is not such a dataclass.
    """

    def __init__(self, kind: type[S]) -> None:
        self.kind = kind
        self.name = ""
        if not dataclasses.is_dataclass(kind) or not hasattr(kind, "__mro__"):
            raise ConfigError(
                f"State needs a dataclass, not {kind!r}",
                fix="@dataclass class Counts: version: int = 1; seen: int = 0",
            )
        fields = dataclasses.fields(kind)
        bare = [
            f.name
            for f in fields
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        if bare:
            raise ConfigError(
                f"state {kind.__name__}: field '{bare[0]}' has no default",
                fix="every field of a state needs a default; use field(default_factory=list)",
            )
        if not any(f.name == "version" and isinstance(f.default, int) for f in fields):
            raise ConfigError(
                f"state {kind.__name__} has no version", fix="add the field `version: int = 1`"
            )

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    # Not a data descriptor, for the same reason as Output.
    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: ProcessingElement, owner: type) -> S: ...
    def __get__(self, instance: ProcessingElement | None, owner: type) -> Self | S:
        if instance is None:
            return self
        raise RuntimeError(
            f"{owner.__name__}.state is there only while the engine runs a handler; "
            "a keyed element has none outside its key (use flowquake.testing.run_element by hand)"
        )
