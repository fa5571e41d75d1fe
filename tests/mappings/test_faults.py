"""No run hangs: a slice of the random faults of `make faults`, and faults of scripts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.cases import KINDS, Case, draw_all
from benchmarks.faults.trial import run_case

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

SEED = 20
CASES = draw_all(SEED, len(KINDS), least_mpi=8)


def _param(case: Case) -> object:
    marks = [pytest.mark.mpi] if case.mapping == "mpi" else []
    return pytest.param(case, id=f"{case.kind} under {case.mapping}", marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("case", [_param(case) for case in CASES])
def test_a_fault_ends_the_run_as_documented_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    trial = run_case(case, tmp_path / "case")
    assert trial.faults == [], trial.stderr


SCRIPT = '''
import os, signal, subprocess, sys, threading, time
from flowquake import *

class Feed(Source):
    out = Output(int)

    def produce(self, split):
        for number in range(100_000):
            yield self.out(number)
            yield Wait(0.01)

class Step(ProcessingElement):
    x = Input(int)
    y = Output(int)

    def on_x(self, x):
        if {stuck} and x == 20:
            time.sleep(3600)
        yield self.y(x)

STRIKE = """
import os, signal, time
me, parent = os.getpid(), {{parent}}
time.sleep(1.5)
if "{what}" == "launcher":
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        status = open(f"/proc/{{{{pid}}}}/stat").read().rpartition(")")[2].split()
        if pid != me and status[1] == str(parent):
            os.kill(pid, signal.SIGKILL)
for _ in range({times}):
    os.kill(parent, signal.SIGINT)
    time.sleep(0.3)
"""

def main():
    workflow, feed, step = Workflow("w"), Feed(), Step()
    workflow.chain(feed, step)
    if "{what}" == "threads":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    text = STRIKE.format(parent=os.getpid())
    striker = subprocess.Popen([sys.executable, "-c", text])
    try:
        result = run(workflow, mapping="multi", workers=2, collect=[step.y])
        print("interrupted" if result.interrupted else "done", len(result[step.y]) > 0)
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
    except FlowquakeError as error:
        print(type(error).__name__, error)
    striker.wait()
    print("children", len(open(f"/proc/self/task/{{os.getpid()}}/children").read().split()))

if __name__ == "__main__":
    main()
'''
UNGUARDED = """
import threading, time
from flowquake import *

class Feed(Source):
    out = Output(int)

    def produce(self, split):
        yield self.out(1)

threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
workflow, feed = Workflow("w"), Feed()
workflow.add(feed)
run(workflow, mapping="multi", workers=2)
"""


def _script(tmp_path: Path, what: str, *, times: int = 0, stuck: bool = False) -> str:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(what=what, times=times, stuck=stuck))
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_ctrl_c_stops_a_script_s_run_in_order(tmp_path: Path) -> None:
    assert _script(tmp_path, "signal", times=1) == "interrupted True\nchildren 0\n"


def test_a_second_ctrl_c_ends_it_at_once_although_a_worker_is_stuck(tmp_path: Path) -> None:
    said = _script(tmp_path, "signal", times=2, stuck=True)
    assert said == "KeyboardInterrupt\nchildren 0\n"


def test_a_process_with_threads_spawns_its_workers_and_stops_in_order(tmp_path: Path) -> None:
    assert _script(tmp_path, "threads", times=1) == "interrupted True\nchildren 0\n"


def test_a_lost_launcher_is_named(tmp_path: Path) -> None:
    said = _script(tmp_path, "launcher")
    assert said.startswith("TransportError the process that starts the workers is lost")
    assert "Fix:" in said
    assert said.endswith("children 0\n")


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "a worker cannot start workers of its own" in done.stderr
    assert "under `if __name__ == '__main__':`" in done.stderr
    assert done.stderr.count("Fix:") == 1
