import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHILD = """
import json, math, sys
if sys.argv[1] == "numpy":
    sys.modules["numba"] = None
import numpy as np
from flowquake.pes.forecasting import MODELS, fit_failure, simulate_inverse_omori
from flowquake.pes.forecasting._backend import COMPILED
assert COMPILED == (sys.argv[1] == "numba")
rng = np.random.default_rng(7)
found = []
for n, p, failure in ((12, 1.0, 1.3), (60, 0.7, 1.1), (500, 1.0, 1.05), (5000, 1.5, 1.2)):
    times = simulate_inverse_omori(k=1.0, failure_time=failure, p=p, end=1.0, events=n, rng=rng)
    for model in MODELS:
        for given in (None, 1.4):
            fit = fit_failure(times, start=0.0, end=1.0, model=model, failure_time=given)
            found.append([
                fit.status, fit.log_likelihood, *fit.parameters.values(), fit.failure_time,
                *(fit.interval or ()), *(fit.adequacy or ()),
            ])
print(json.dumps(found))
"""
IMPORTS = """
import sys
from flowquake.pes.forecasting import FitFailure, simulate_catalog
FitFailure(model="hyperbolic")
print(sorted(name for name in ("numba", "scipy", "matplotlib", "obspy") if name in sys.modules))
"""


def python(code: str, *arguments: str) -> Any:  # whatever the child printed as JSON
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.replace("'", '"'))


@pytest.mark.numba
def test_compiled_and_plain_kernels_give_the_same_numbers() -> None:
    compiled, plain = python(CHILD, "numba"), python(CHILD, "numpy")
    assert len(compiled) == len(plain) == 32
    for ours, theirs in zip(compiled, plain, strict=True):
        assert ours[0] == theirs[0]
        assert ours[1] == pytest.approx(theirs[1], rel=1e-12)
        # A maximum is flat: where it lies is known to fewer digits than how high it is.
        assert [x is None for x in ours] == [x is None for x in theirs]
        numbers = [x for x in theirs[2:] if x is not None]
        assert [x for x in ours[2:] if x is not None] == pytest.approx(numbers, rel=1e-9)


def test_importing_the_fits_loads_no_heavy_package() -> None:
    assert python(IMPORTS) == []


@pytest.mark.numba
def test_machine_code_is_tied_to_every_source_of_the_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowquake.pes.forecasting import _backend

    folder = Path(_backend.__file__).parent
    for name in _backend.SOURCES:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    monkeypatch.setattr(_backend, "__file__", str(tmp_path / "_backend.py"))
    before = _backend.fingerprint()
    for name in _backend.SOURCES:
        with (tmp_path / name).open("a") as file:
            file.write("# changed\n")
        assert _backend.fingerprint() != before
        before = _backend.fingerprint()


def compiled_functions(module: object) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if hasattr(value, "py_func") and isinstance(value, Callable)  # type: ignore[arg-type]  # Callable is no class for mypy
    }


@pytest.mark.numba
def test_every_compiled_function_stands_in_a_source_that_is_hashed() -> None:
    from flowquake.pes.forecasting import _backend, _kernels, _sums, _tilt

    for module in (_kernels, _sums, _tilt):
        assert compiled_functions(module)
        for name in compiled_functions(module):
            source = Path(getattr(module, name).py_func.__code__.co_filename).name
            assert source in _backend.SOURCES
