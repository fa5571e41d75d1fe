"""What an instance keeps for one key, or as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from flowquake.engine.ordering import TimeBuffer

NO_KEY: Final = object()


@dataclass(slots=True)
class Scope:
    """State and waiting rows of one key, or of an instance without keys."""

    key: Any  # a Key, or NO_KEY
    state: Any = None  # the element's own dataclass
    buffer: TimeBuffer = field(default_factory=TimeBuffer)
