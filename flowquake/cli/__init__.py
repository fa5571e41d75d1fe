"""The command line; ``python -m flowquake.cli`` is the command ``flowquake``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the program with its exit code."""
    from flowquake.cli.app import invoke
    from flowquake.threads import use_one_thread

    use_one_thread()  # before any command loads numpy
    code = invoke(sys.argv[1:] if arguments is None else list(arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain
        # when it closes the stream either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
