"""The signals that ask a run to stop."""

from __future__ import annotations

import signal


def stop_signals() -> list[signal.Signals]:
    """Name them: Ctrl-C, SIGTERM and the loss of the terminal, the last not under ``nohup``."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers
