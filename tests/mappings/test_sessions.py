"""The mapping multi in sessions and scripts: notebooks have no file, and threads of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STEPS = '''
"""Steps of a workflow, in a module."""

from flowquake import Emissions, Input, Output, ProcessingElement, Production, Source


class Numbers(Source):
    """Give whole numbers."""

    numbers = Output(int)

    def produce(self, split: object) -> Production:
        """Give them."""
        for number in range(50):
            yield self.numbers(number)


class Double(ProcessingElement):
    """Double numbers."""

    number = Input(int)
    doubled = Output(int)

    def on_number(self, number: int) -> Emissions:
        """Double one."""
        yield self.doubled(2 * number)
'''

THREAD = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"

BEGIN = """
import logging, sys
from steps import Double, Numbers
from flowquake import Workflow, element, run
from flowquake.mappings.multi import Multi

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")


class Other(Double):
    pass


@element
def twice(number: int) -> int:
    return 2 * number


def go(part, out, mapping="multi"):
    workflow = Workflow("session")
    workflow.chain(Numbers(), workflow.add(part, instances=2))
    result = run(workflow, mapping=mapping, workers=2, collect=[out])
    print("right" if sorted(result[out]) == list(range(0, 100, 2)) else "wrong")

"""
DOUBLE = "part = Double(); go(part, part.doubled)\n"
OTHER = "part = Other(); go(part, part.doubled)\n"
TWICE = "part = twice(); go(part, part.out)\n"
FORKED = 'part = Double(); go(part, part.doubled, Multi(start="fork"))\n'
SPAWNED = "workers are spawned: this process has more than one thread"

PIPED, COMMAND, INTERACTIVE = ["-"], ["-c"], ["-i", "-q", "-"]
SESSIONS = pytest.mark.parametrize(
    "how", [PIPED, COMMAND, INTERACTIVE], ids=["piped", "command", "interactive"]
)


def session(folder: Path, how: list[str], code: str) -> tuple[int, str, str]:
    """Run code in a main module that has no file."""
    (folder / "steps.py").write_text(STEPS)
    given = [*how, code] if how is COMMAND else how
    return finish(folder, given, None if how is COMMAND else code)


def script(folder: Path, code: str, name: str = "script.py") -> tuple[int, str, str]:
    (folder / "steps.py").write_text(STEPS)
    (folder / name).write_text(code)
    return finish(folder, [name], None)


def finish(folder: Path, arguments: list[str], given: str | None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@SESSIONS
def test_with_threads_workers_are_spawned_and_it_is_said(tmp_path: Path, how: list[str]) -> None:
    _, printed, errors = session(tmp_path, how, THREAD + BEGIN + DOUBLE)

    assert printed.splitlines() == [SPAWNED, "right"], errors


@SESSIONS
@pytest.mark.parametrize(("part", "name"), [(OTHER, "Other"), (TWICE, "twice")])
def test_a_class_of_the_session_is_refused_with_the_fix(
    tmp_path: Path, how: list[str], part: str, name: str
) -> None:
    _, printed, errors = session(tmp_path, how, THREAD + BEGIN + part)

    assert "right" not in printed
    assert f"{name} was made in this session" in errors
    assert "%%writefile steps.py" in errors


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
@SESSIONS
def test_with_one_thread_a_class_of_the_session_is_forked_along(
    tmp_path: Path, how: list[str]
) -> None:
    _, printed, errors = session(tmp_path, how, BEGIN + OTHER + TWICE)

    assert printed.splitlines() == ["right", "right"], errors


def test_to_fork_with_threads_is_refused(tmp_path: Path) -> None:
    code, printed, errors = session(tmp_path, PIPED, THREAD + BEGIN + FORKED)

    assert code
    assert printed == ""
    assert "more than one thread, so it cannot be forked safely" in errors
    assert "Multi(start='spawn')" in errors


def test_the_classes_of_a_script_with_threads_are_found_by_its_file(tmp_path: Path) -> None:
    guarded = f"if __name__ == '__main__':\n    {OTHER}    {TWICE}"
    code, printed, errors = script(tmp_path, THREAD + BEGIN + guarded)

    assert code == 0, errors
    assert printed.splitlines() == [SPAWNED, "right"] * 2


def test_a_script_that_is_not_guarded_is_told_so(tmp_path: Path) -> None:
    code, printed, errors = script(tmp_path, THREAD + BEGIN + OTHER)

    assert code
    assert "right" not in printed
    last = errors[errors.rindex("ConfigError: ") :]
    assert "a worker cannot start workers of its own" in last
    assert last.count("Fix:") == 1
    assert "if __name__ == '__main__':" in last
