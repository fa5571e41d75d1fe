import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowquake.errors import ConfigError, WorkflowError
from flowquake.loading import load_workflow

GOOD = """
'''A workflow.'''
from flowquake import Output, Source, Workflow

class One(Source):
    one = Output(int)
    def produce(self, split):
        yield self.one(1)
"""


@pytest.fixture(autouse=True)
def _own_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def file(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


def test_a_file_that_defines_a_workflow_is_loaded(tmp_path: Path) -> None:
    text = GOOD + "workflow = Workflow('w')\nworkflow.add(One())\n"
    loaded = load_workflow(file(tmp_path, text))
    assert (loaded.name, loaded.summary, loaded.parameters) == ("mine", "A workflow.", ())
    assert list(loaded.build()) == ["one"]


def test_a_file_that_defines_build_is_given_its_parameters(tmp_path: Path) -> None:
    text = GOOD + "def build(*, name: str = 'w'):\n    return Workflow(name)\n"
    loaded = load_workflow(file(tmp_path, text))
    assert loaded.build_from({"name": "other"}).name == "other"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nx +\n", 2, "not valid Python"),
        ("x = 1\n\nraise ValueError('no')\n", 3, "ValueError: no"),
        ("import nowhere_to_be_found\n", 1, "needs the module 'nowhere_to_be_found'"),
        ("import sys\nsys.exit(0)\n", 2, "ends the program"),
    ],
)
def test_a_file_that_cannot_be_imported_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(WorkflowError, match=said) as caught:
        load_workflow(file(tmp_path, text))
    assert caught.value.where == f"{tmp_path / 'mine.py'}, line {line}"


def test_build_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    loaded = load_workflow(file(tmp_path, "def build():\n    return 1 / 0\n"))
    with pytest.raises(WorkflowError, match="ZeroDivisionError") as caught:
        loaded.build()
    assert str(caught.value.where).endswith("line 2")


def test_flowquake_errors_of_build_keep_their_class(tmp_path: Path) -> None:
    text = (
        "from flowquake.errors import ConfigError\n"
        "def build():\n"
        "    raise ConfigError('two much')\n"
    )
    with pytest.raises(ConfigError, match="two much") as caught:
        load_workflow(file(tmp_path, text)).build()
    assert str(caught.value.where).endswith("line 3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "neither build"),
        ("workflow = 3\n", "as a int"),
        ("def build():\n    return 3\n", "gives a int, not a Workflow"),
    ],
)
def test_a_file_without_a_workflow_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WorkflowError, match=said):
        load_workflow(file(tmp_path, text)).build()


def test_a_missing_file_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    file(tmp_path, GOOD)
    with pytest.raises(WorkflowError, match=r"does not exist; did you mean 'mine\.py'\?"):
        load_workflow(str(tmp_path / "mein.py"))
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(WorkflowError, match="is a folder"):
        load_workflow(str(tmp_path / "folder.py"))


def test_a_misspelt_installed_name_is_suggested() -> None:
    with pytest.raises(WorkflowError, match="did you mean 'eruption_forecast'"):
        load_workflow("eruption_forcast")


def test_modules_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("NAME = 'from beside'\n")
    text = "from beside_it import NAME\nfrom flowquake import Workflow\nworkflow = Workflow(NAME)\n"
    assert load_workflow(file(tmp_path, text)).build().name == "from beside"
