"""The command line; ``python -m flowquake.cli`` is the command ``flowquake``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the program with its exit code."""
    _open_streams()
    try:
        from flowquake.cli.app import invoke, last_words
        from flowquake.threads import use_one_thread

        use_one_thread()  # before any command loads numpy
        code = invoke(sys.argv[1:] if arguments is None else list(arguments))
        if "FLOWQUAKE_MPI_PARENT" in os.environ or "flowquake.mappings.mpi" in sys.modules:
            from flowquake.mappings.mpiexec import farewell

            code = farewell(code, "\n".join(last_words))
    except KeyboardInterrupt:  # so early that nothing could hear it
        print("Interrupted.", file=sys.stderr)
        code = 130
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python must not complain when it closes the stream either. A closed
        # pipe is no error: whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code if isinstance(error, BrokenPipeError) else code or 1
    sys.exit(code)


def _open_streams() -> None:
    """Put the null device in the place of streams that are closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Lowest first: it gets the number of the closed stream, which a
            # file of the run would get otherwise. Open for as long as the program.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open for as long as the program
