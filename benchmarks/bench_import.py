"""How long a user waits before anything happens."""

from __future__ import annotations

import subprocess
import sys


class Start:
    """Fresh interpreters, start to end."""

    def time_python_alone(self) -> None:
        """Python itself, for comparison."""
        subprocess.run([sys.executable, "-c", "pass"], check=True)

    def time_import_flowquake(self) -> None:
        """The package, which loads its parts when they are used."""
        subprocess.run([sys.executable, "-c", "import flowquake"], check=True)

    def time_command_line_help(self) -> None:
        """`flowquake --help`; 0.3 s is the limit that a test holds."""
        program = "from flowquake.cli import main; main(['--help'])"
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


class ImportScience:
    """Importing the packages that load numpy, SciPy or ObsPy."""

    params = ("flowquake.records", "flowquake.pes.magnitudes", "flowquake.pes.forecasting")
    param_names = ("module",)

    def time_import(self, module: str) -> None:
        """One package in a fresh interpreter."""
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
