"""Messages as bytes: a head, a pickle, and the buffers beside it.

Large buffers (arrays) are not copied into the pickle. A transport may put
them where the receiver can read them, and send only the place.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from flowquake.engine.channels import Credit, Message, Note, Parcel, UnsendableError

OUT_OF_BAND: Final = 32 * 2**10  # bytes; smaller buffers go in the pickle

_PARCEL, _CREDIT, _NOTE = range(3)
_CREDIT_FORM: Final = struct.Struct("<qqq")


def encode(
    message: Message, out_of_band: int = OUT_OF_BAND
) -> tuple[int, int, bytes, list[memoryview]]:
    """Write a message.

    Parameters
    ----------
    message : Message
        Any.
    out_of_band : int
        From how many bytes on a buffer goes beside the pickle.

    Returns
    -------
    kind, channel : int
        For the head.
    body : bytes
        The pickle.
    buffers : list of memoryview
        What goes beside it, contiguous bytes.

    Raises
    ------
    UnsendableError
        If an item cannot be pickled.
    """
    if type(message) is Credit:
        return _CREDIT, 0, _CREDIT_FORM.pack(*message), []
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < out_of_band:
            return True
        buffers.append(raw)
        return False

    if type(message) is Parcel:
        content = (message.items, message.signals, message.nbytes)
        try:
            return _PARCEL, message.channel, pickle.dumps(content, 5, buffer_callback=keep), buffers
        except Exception as cause:
            raise _unsendable(message, cause) from cause
    assert isinstance(message, Note)
    return _NOTE, 0, pickle.dumps(tuple(message), 5), []


def decode(kind: int, channel: int, body: Any, buffers: Sequence[Any]) -> Message:
    """Read a message; the arrays of its items look into the buffers.

    A parcel that cannot be read becomes the note ``"unreadable"`` with its
    channel and the exception: who gets it knows whose it was.
    """
    if kind == _CREDIT:
        return Credit(*_CREDIT_FORM.unpack(body))
    try:
        # Written by another worker of the same run: nobody else has the socket.
        content = pickle.loads(body, buffers=buffers)  # noqa: S301 - see above
    except Exception as cause:  # noqa: BLE001 - a user's class may raise anything
        return Note("unreadable", (channel, cause))
    if kind == _NOTE:
        return Note(*content)
    items, signals, nbytes = content
    return Parcel(channel, items, signals, nbytes)


def _unsendable(parcel: Parcel, cause: Exception) -> UnsendableError:
    """Find the item that cannot be pickled."""
    for place, item in enumerate(parcel.items):
        try:
            pickle.dumps(item, 5, buffer_callback=_forget)
        except Exception as own:  # noqa: BLE001 - a user's __reduce__ may raise anything
            return UnsendableError(place, own)
    return UnsendableError(0, cause)


_forget: Callable[[pickle.PickleBuffer], None] = lambda buffer: None  # noqa: E731 - falsy: it is kept out of the pickle
