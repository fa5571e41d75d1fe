import copy
import dataclasses
import itertools
import json
import pickle
import subprocess
import sys
import timeit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.records import (
    UNKNOWN_TIME,
    Batch,
    EruptionBatch,
    EventBatch,
    SampleBatch,
    Strings,
    Window,
)

TEXTS = st.lists(st.none() | st.text(max_size=3), max_size=20)


@st.composite
def event_batches(draw: st.DrawFn, source: str = "etna") -> EventBatch:
    n = draw(st.integers(0, 12))
    numbers = st.lists(st.floats(allow_infinity=False), min_size=n, max_size=n)
    times = draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n))
    texts = st.lists(st.none() | st.sampled_from("abc"), min_size=n, max_size=n)
    extra = draw(st.sampled_from([{}, {"rms": draw(numbers), "agency": draw(texts)}]))
    return EventBatch(
        source=source,
        time=np.array(times, dtype=np.int64),
        magnitude=draw(numbers),
        event_id=Strings.from_list(draw(texts)),
        extra={k: v if k == "rms" else Strings.from_list(v) for k, v in extra.items()},  # type: ignore[arg-type]  # wrong on purpose, or drawn by the test
    )


def sample(n: int) -> EventBatch:
    return EventBatch(
        source="etna",
        time=np.arange(n),
        magnitude=np.linspace(0, 3, n),
        event_id=Strings.from_list([f"e{i}" for i in range(n)]),
        extra={"rms": np.arange(n) % 7},
    )


@given(TEXTS)
def test_strings_keep_every_text(texts: list[str | None]) -> None:
    column = Strings.from_list(texts)
    assert column.to_list() == texts == list(column) == column.to_array().tolist()
    assert [column[i] for i in range(len(texts))] == texts
    assert column.compact() == column == pickle.loads(pickle.dumps(column))
    assert Strings(column.codes, column.values) == column
    for value in {*texts, "zz"}:
        assert column.equals(value).tolist() == [text == value for text in texts]


@given(st.lists(TEXTS, max_size=4))
def test_joined_strings_keep_order(parts: list[list[str | None]]) -> None:
    joined = Strings.concat([Strings.from_list(part) for part in parts])
    assert joined.to_list() == [text for part in parts for text in part]


def test_a_sent_slice_of_strings_leaves_the_other_texts_behind() -> None:
    column = Strings.from_list([f"{i:030d}" for i in range(10_000)]).take(slice(3))
    assert len(pickle.dumps(column)) < 1_000
    assert column.nbytes < 100


@given(event_batches(), st.data())
def test_cut_and_joined_batches_are_the_batch(batch: EventBatch, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch)), max_size=3)))
    edges = [0, *cuts, len(batch)]
    parts = [batch.take(slice(a, b)) for a, b in itertools.pairwise(edges)]
    assert EventBatch.concat(parts) == batch
    assert sum(map(len, parts)) == len(batch)
    assert batch.take(np.arange(len(batch))) == batch == batch.where(np.ones(len(batch), bool))


@given(event_batches())
def test_a_batch_survives_pickle_and_its_own_fields(batch: EventBatch) -> None:
    for protocol in (2, 5):
        again = pickle.loads(pickle.dumps(batch, protocol))
        assert again == batch
        assert not again.time.flags.writeable
        assert not again.magnitude.flags.writeable
    rebuilt = EventBatch(**{f.name: getattr(batch, f.name) for f in dataclasses.fields(batch)})
    assert rebuilt == batch == copy.deepcopy(batch)
    for place in range(len(batch)):
        assert json.loads(json.dumps(batch.row(place), allow_nan=False))["source"] == "etna"


@given(event_batches())
def test_sorted_orders_by_time_then_place(batch: EventBatch) -> None:
    ordered = batch.sorted()
    keys = list(zip(ordered.time.tolist(), ordered.sequence.tolist(), strict=True))
    assert keys == sorted(zip(batch.time.tolist(), batch.sequence.tolist(), strict=True))
    assert ordered.sorted() is ordered


def test_a_slice_is_a_view_and_read_only() -> None:
    batch = sample(10)
    part = batch.take(slice(2, 5))
    assert np.shares_memory(part.time, batch.time)
    for array in (
        part.time,
        part.magnitude,
        batch.take(np.array([1, 2])).depth,
        part.column("rms"),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.source = "x"  # type: ignore[misc]  # wrong on purpose, or drawn by the test
    with pytest.raises(TypeError):
        batch.extra["a"] = np.zeros(10)


def test_given_arrays_are_not_copied_and_become_read_only() -> None:
    times = np.arange(3)
    batch = EventBatch(source="a", time=times)
    assert np.shares_memory(batch.time, times)
    assert not times.flags.writeable


def test_a_slice_takes_a_few_microseconds() -> None:
    batch = sample(1000)
    best = min(timeit.repeat(lambda: batch.take(slice(3, 500)), number=500, repeat=7)) / 500
    assert best < 50e-6  # about 6 us on one core; the bound leaves room for a busy machine


def test_columns_by_name() -> None:
    batch = sample(3)
    assert batch.column("event_id").tolist() == ["e0", "e1", "e2"]
    assert batch.column("source").tolist() == ["etna"] * 3
    assert batch.column("magnitude_type").tolist() == [None] * 3
    assert np.isnan(batch.column("depth")).all()
    with pytest.raises(KeyError, match=r"no column 'rm'.*magnitude.*rms"):
        batch.column("rm")


def test_with_columns_replaces_and_adds() -> None:
    batch = sample(3).with_columns(magnitude=[1, 2, 3], source="b", azimuth=[0.0, 1.0, 2.0])
    assert batch.source == "b"
    assert batch.magnitude.tolist() == [1, 2, 3]
    assert batch.columns[-2:] == ("rms", "azimuth")


def test_an_empty_batch_keeps_its_source() -> None:
    batch = EventBatch.empty("etna")
    assert len(batch) == 0
    assert batch.source == "etna"
    assert batch.sorted() is batch
    assert batch.take([]) == batch
    assert batch.nbytes == 0
    assert len(EventBatch.concat([batch, sample(2)])) == 2


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"time": [1.5]}, TypeError),
        ({"time": [[1]]}, ValueError),
        ({"time": [1], "magnitude": [1, 2]}, ValueError),
        ({"time": [1], "depth": ["deep"]}, TypeError),
        ({"time": [1], "event_id": "a"}, TypeError),
        ({"time": [1], "source": ""}, ValueError),
        ({"time": [1], "timescale": "tai"}, ValueError),
        ({"time": [1], "extra": {"time": [1]}}, ValueError),
        ({"time": np.array(["NaT"], "datetime64[ns]")}, ValueError),
    ],
)
def test_wrong_columns_are_refused(kwargs: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        EventBatch(**{"source": "a", **kwargs})  # type: ignore[arg-type]  # wrong on purpose, or drawn by the test


def test_wrong_indexes_and_joins_are_refused() -> None:
    batch = sample(3)
    with pytest.raises(TypeError, match="where"):
        batch.take(np.array([True, False, True]))
    with pytest.raises(ValueError, match="mask"):
        batch.where(np.array([1, 0, 1]))
    with pytest.raises(ValueError, match="different source"):
        EventBatch.concat([batch, EventBatch.empty("other")])
    with pytest.raises(ValueError, match="no batch"):
        EventBatch.concat([])


def test_a_further_column_that_a_part_lacks_is_missing_there() -> None:
    plain = EventBatch(source="etna", time=[9])
    joined = EventBatch.concat([sample(2), plain])
    np.testing.assert_array_equal(joined.column("rms"), [0, 1, np.nan])


def test_samples_and_eruptions_follow_the_protocol() -> None:
    samples = SampleBatch(
        source="DDS7", time=[0, 5], values={"strain": [0.0, 1.0]}, units={"strain": "%"},
        timescale="elapsed",
    )  # fmt: skip
    eruptions = EruptionBatch(
        source="etna", time=[0, 10], end=[5, UNKNOWN_TIME], kind=["Flank", None]
    )
    batches: list[Batch] = [samples, eruptions]
    for batch in batches:
        halves = [batch.take(slice(0, 1)), batch.take(slice(1, 2))]
        assert type(batch).concat(halves) == batch == pickle.loads(pickle.dumps(batch))
        assert batch.nbytes > 0
        assert len(batch) == 2
    assert samples.column("strain").tolist() == [0.0, 1.0]
    assert eruptions.row(1)["end"] is None
    with pytest.raises(ValueError, match="ends before"):
        EruptionBatch(source="etna", time=[10], end=[5])
    with pytest.raises(ValueError, match="unit"):
        SampleBatch(source="a", time=[0], values={"x": [1]}, units={"y": "m"})


def test_windows_are_equal_by_content_and_survive_pickle() -> None:
    def window() -> Window:
        return Window(
            source="etna", key=None, start=0, end=86_400 * 10**9, events=sample(3),
            rule="expanding", number=0, final=True, settings={"rule": "expanding", "list": [1, 2]},
        )  # fmt: skip

    assert window() == window() == pickle.loads(pickle.dumps(window()))
    assert window().time == window().end
    assert window().duration_days == 1.0
    with pytest.raises(TypeError):
        window().settings["rule"] = "x"  # type: ignore[index]  # wrong on purpose, or drawn by the test
    with pytest.raises(ValueError, match="ends"):
        dataclasses.replace(window(), start=2**60)


def test_records_import_only_numpy_and_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import flowquake.records;"
        "tops = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'numpy', 'flowquake'}));"
        "print(sorted(m for m in sys.modules if m.startswith('flowquake.') "
        "and not m.startswith(('flowquake.records', 'flowquake._'))))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split("\n")[:2] == ["[]", "[]"]
