from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from flowquake.records.forecasts import load_schema

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake
    from tests.conftest import SharedData


def test_the_demo_forecasts_a_known_failure_and_its_catalog_can_be_inspected_and_run(
    flowquake: Flowquake, folder: Path
) -> None:
    shown = flowquake("demo", "--out", "out", "--save", "demo.csv", "--json")
    assert shown.code == 0
    document = shown.json("demo")
    last = [f for f in document["forecasts"] if f["model"] == "hyperbolic"][-1]
    assert last["status"] == "forecast"
    assert abs(int(last["failure_time"][8:10]) - int(document["failure_time"][8:10])) <= 10
    assert len(document["forecasts"]) == 4 * 10
    for forecast in document["forecasts"]:
        jsonschema.validate(forecast, load_schema())
    assert any(name.startswith("figures/") for name in document["run"]["files"])

    seen = flowquake("inspect", "demo.csv", "--json").json("inspect")
    assert seen["rows"]["read"] == document["events"]
    assert seen["format"] == "delimited"

    ran = flowquake(*shlex.split(seen["command"])[1:], "--json", "-q").json("run")
    assert [forecast["source"] for forecast in ran["forecasts"]] == ["demo"] * 4


def test_the_demo_prints_a_table_and_is_the_same_each_time(
    flowquake: Flowquake, folder: Path
) -> None:
    result = flowquake("demo", "--out", "a", "--seed", 2)
    assert "holds it" in result.out
    assert "2030-04-11 00:00 UTC" in result.out
    assert "Next: flowquake inspect a/outputs/catalog.csv" in result.out

    flowquake("demo", "--out", "b", "--seed", 2)
    first, second = (folder / name / "outputs" / "forecasts.jsonl" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_a_catalog_that_cannot_be_saved_is_an_error(flowquake: Flowquake, folder: Path) -> None:
    (folder / "file").write_text("")
    result = flowquake("demo", "--save", "file/demo.csv")
    assert (result.code, "cannot be written" in result.err) == (2, True)


def test_inspect_accounts_for_every_row_and_quotes_the_line_to_copy(
    flowquake: Flowquake, folder: Path
) -> None:
    (folder / "my catalog.csv").write_text(
        "time,magnitude\n2011-08-01T00:00:00Z,1.2\nnever,1.3\n2011-08-03T00:00:00Z,\n"
    )
    result = flowquake("inspect", "my catalog.csv", "--format", "delimited")
    assert "3 read = 2 kept + 1 skipped" in result.out
    assert "--set 'catalog=my catalog.csv'" in result.out
    assert "--set policy=skip" in result.out


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no file"), (b"", "empty"), (b"\x7fELF\x00\x01\x02", "binary")],
)
def test_inspect_of_what_is_no_catalog_is_an_error(
    flowquake: Flowquake, folder: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder / "file").write_bytes(content)
    result = flowquake("inspect", "file")
    assert (result.code, said in result.err, "Traceback" in result.err) == (3, True, False)


def test_inspect_of_a_folder_is_an_error(flowquake: Flowquake) -> None:
    assert flowquake("inspect", ".").code == 3


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("etna/Etna_INGVCT_C1_99-170214.txt", "ingv-ct"),
        ("el_hierro/Hierro_IGN_C2_11-070114.txt", "ign-web"),
        ("vesuvius/Catalogo_sismico_del_Vesuvio.txt", "vesuvius"),
        ("ucl_lab/DDS7_AE.txt", "lab-ae"),
    ],
)
def test_inspect_recognises_the_catalogs_of_observatories(
    flowquake: Flowquake, shared_data: SharedData, name: str, form: str
) -> None:
    file = shared_data(f"volcano/{name}")
    document = flowquake("inspect", file, "--json").json("inspect")
    rows = document["rows"]
    assert document["format"] == form
    assert rows["read"] == rows["kept"] + rows["skipped"] > 4000
