"""The name dispel4py is there for the command, and never by an import of flowquake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowquake.compat.dispel4py import base, core, stand_in
from tests.compat.conftest import Flowquake


def names() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "dispel4py"]


def test_an_import_of_flowquake_puts_nothing_in_place() -> None:
    code = (
        "import flowquake.compat.dispel4py.stand_in, flowquake.cli.dispel4py, sys\n"
        "print([n for n in sys.modules if n.startswith('dispel4py')], len(sys.meta_path))\n"
    )
    bare = "import sys; print([], len(sys.meta_path))"
    printed = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        for text in (code, bare)
    ]
    assert printed[0].stdout == printed[1].stdout


def test_modules_are_the_same_objects_while_it_is_in_place() -> None:
    with stand_in.stand_in():
        import dispel4py.base
        import dispel4py.new.aggregate
        from dispel4py.core import GenericPE
        from dispel4py.new.multi_process import (
            process,
        )

        assert dispel4py.base is base
        assert GenericPE is core.GenericPE
        assert callable(process)
        assert callable(dispel4py.new.aggregate.parallel_sum)
        with pytest.raises(ModuleNotFoundError, match=r"no stand-in for dispel4py\.provenance"):
            import dispel4py.provenance
    assert names() == []


def test_what_was_imported_before_comes_back() -> None:
    real = ModuleType("dispel4py")
    sys.modules["dispel4py"] = real
    try:
        with stand_in.stand_in():
            assert sys.modules["dispel4py"] is not real
        assert sys.modules["dispel4py"] is real
    finally:
        del sys.modules["dispel4py"]


def test_the_command_leaves_nothing_in_place(flowquake: Flowquake, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(
        "from dispel4py.base import ProducerPE, WorkflowGraph\n"
        "graph = WorkflowGraph()\ngraph.add(ProducerPE())\n"
    )
    assert flowquake("dispel4py", "old.py").code == 0
    assert names() == []
    assert not stand_in.is_in_place()
