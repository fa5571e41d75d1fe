import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowquake.errors import ConfigError, WorkflowError
from flowquake.registry import (
    find_element,
    find_elements,
    find_mappings,
    find_workflows,
    resolve,
    search,
)

SOURCE = '''
"""Elements that need what is not installed."""
import nowhere_to_be_found
from flowquake import Input, Output, ProcessingElement, State, element, field
from flowquake.pes.files import WriteCsv

WIDTH = 0.5


class _Base(ProcessingElement):
    """A base.

    Parameters
    ----------
    width : float
        How wide.
    """

    events = Input(dict, by="source", order="time", lateness=60.0)
    width: float = WIDTH


class Narrow(_Base):
    """Narrow things.

    More on it.
    """

    kept = Output(dict)
    state = State(Counts)
    names: list[str] = field(default_factory=list)
    needed: int
    _hidden: int = 1


class MyCsv(WriteCsv):
    """A sink of another package."""


class Helper:
    """No element."""


@element
def double(x: float, factor: float = 2.0) -> float:
    """Multiply."""
    return factor * x
'''


@pytest.fixture
def extra(tmp_path: Path) -> Iterator[None]:
    package = tmp_path / "fq_extra"
    package.mkdir()
    (package / "__init__.py").write_text("from fq_extra.things import Narrow\n")
    (package / "things.py").write_text(SOURCE)
    (package / "broken.py").write_text("def (:\n")
    info = tmp_path / "fq_extra-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fq-extra\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(
        "[flowquake.pes]\nextra = fq_extra\n[flowquake.workflows]\nthing = fq_extra.things\n"
    )
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))


def test_elements_are_read_without_importing_them(extra: None) -> None:
    narrow = find_element("Narrow")
    assert (narrow.package, narrow.version, narrow.module) == ("fq-extra", "2.5", "fq_extra")
    assert narrow.summary == "Narrow things."
    assert [(p.name, p.grouping) for p in narrow.inputs] == [
        ("events", "by source, order time, lateness 60.0")
    ]
    assert narrow.state == "Counts"
    assert [(p.name, p.default) for p in narrow.parameters] == [
        ("width", "0.5"),
        ("names", "[]"),
        ("needed", None),
    ]
    assert narrow.parameters[0].help == "How wide."
    assert "fq_extra" not in sys.modules


def test_bases_of_other_packages_functions_and_private_classes_are_known(extra: None) -> None:
    names = {entry.name: entry.kind for entry in find_elements() if entry.subject == "extra"}
    assert names == {"Narrow": "element", "MyCsv": "sink", "double": "element"}
    assert [p.name for p in find_element("MyCsv").inputs] == ["items"]
    assert [p.name for p in find_element("double").parameters] == ["factor"]


def test_every_element_of_the_library_is_found_with_a_summary_and_its_docs() -> None:
    entries = find_elements()
    assert {e.name for e in entries} >= {"ReadCatalog", "WriteJsonLines", "ExpandingWindows"}
    assert [e.name for e in entries if not e.summary] == []
    undocumented = [f"{e.name}.{p.name}" for e in entries for p in e.parameters if not p.help]
    assert undocumented == []


def test_what_the_source_says_is_what_the_class_declares() -> None:
    import importlib

    for entry in find_elements():
        declared = getattr(importlib.import_module(entry.module), entry.name)._declaration
        assert {p.name for p in entry.inputs} == set(declared.inputs), entry.name
        assert {p.name for p in entry.outputs} == set(declared.outputs), entry.name


def test_search_wants_every_word_whatever_its_case() -> None:
    found = search(find_elements(), "JSON event")
    assert "WriteJsonLines" in {entry.name for entry in found}
    assert search(find_elements(), "json xyzzy") == []


@pytest.mark.parametrize("name", ["WriteCsv", "write_csv", "files.WriteCsv"])
def test_an_element_has_several_spellings(name: str) -> None:
    assert find_element(name).name == "WriteCsv"


def test_an_unknown_element_is_suggested() -> None:
    with pytest.raises(ConfigError, match="did you mean 'WriteCsv'"):
        find_element("WriteCvs")


def test_workflows_and_mappings_are_found() -> None:
    assert "eruption_forecast" in {entry.name for entry in find_workflows()}
    assert "sequential" in {entry.name for entry in find_mappings()}


def test_a_reference_names_an_installed_version() -> None:
    [entry] = [entry for entry in find_workflows() if entry.name == "eruption_forecast"]
    assert resolve(entry.reference).name == "eruption_forecast"
    assert resolve("registry:eruption_forecast").name == "eruption_forecast"
    with pytest.raises(WorkflowError, match=r"installed in version .*, not 99"):
        resolve("registry:eruption_forecast@99")
    with pytest.raises(WorkflowError, match="did you mean 'eruption_forecast'"):
        resolve("registry:eruption_forcast@1")
