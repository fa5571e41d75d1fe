from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest

from flowquake.errors import ConfigError, InputError, PEError
from flowquake.pes.files import FileState, Row, SortedFile
from flowquake.pes.files.sorted_file import output_path


def rows(n: int) -> list[Row]:
    return [Row(time // 3, f"id{time % 3}", 0, f"row {time}") for time in range(n)]


def test_rows_come_out_in_the_order_of_time_and_id(tmp_path: Path) -> None:
    shuffled = rows(50)
    random.Random(4).shuffle(shuffled)
    file = SortedFile(tmp_path / "a" / "rows.txt", FileState())
    for row in shuffled:
        file.add(row)
    file.write_before(None)
    file.close()
    text = (tmp_path / "a" / "rows.txt").read_text()
    assert text == "".join(f"row {k}\n" for k in range(50))


def test_only_rows_before_the_watermark_are_written_and_at_once(tmp_path: Path) -> None:
    state = FileState()
    file = SortedFile(tmp_path / "rows.txt", state)
    for row in (Row(2, "", 0, "two"), Row(1, "", 0, "one"), Row(3, "", 0, "three")):
        file.add(row)
    file.write_before(3)
    assert (tmp_path / "rows.txt").read_text() == "one\ntwo\n"
    assert state.bytes_written == 8
    assert [row.line for row in state.pending] == ["three"]
    file.close()


def test_a_resumed_file_is_cut_to_its_state_and_repeats_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    state = FileState()
    file = SortedFile(path, state)
    for row in rows(9):
        file.add(row)
    file.write_before(2)
    kept = FileState(
        bytes_written=state.bytes_written,
        pending=[list(row) for row in state.pending],  # type: ignore[misc]  # what a restored state or a stand-in for a full disk holds
        last_time=state.last_time,
    )
    file.write_before(None)
    file.close()
    whole = path.read_bytes()
    with path.open("ab") as torn:
        torn.write(b"half a ro")

    again = SortedFile(path, kept)
    again.write_before(None)
    again.close()
    assert path.read_bytes() == whole


def test_a_fresh_run_replaces_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("old\n")
    file = SortedFile(path, FileState())
    file.add(Row(0, "", 0, "new"))
    file.write_before(None)
    file.close()
    assert path.read_text() == "new\n"


def test_a_row_behind_the_watermark_is_written_and_counted(tmp_path: Path) -> None:
    file = SortedFile(tmp_path / "rows.txt", FileState())
    file.add(Row(5, "", 0, "five"))
    assert file.write_before(6) == 0
    file.add(Row(2, "", 0, "two"))
    assert file.write_before(7) == 1
    file.close()
    assert (tmp_path / "rows.txt").read_text() == "five\ntwo\n"


@pytest.mark.parametrize("content", [None, b"shor"], ids=["missing", "too short"])
def test_a_file_that_lost_rows_is_not_continued(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "rows.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="to continue") as caught:
        SortedFile(path, FileState(bytes_written=100))
    assert str(path) in str(caught.value)


def test_a_folder_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").mkdir()
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        SortedFile(tmp_path / "rows.txt", FileState())
    assert caught.value.fix


def test_a_file_in_the_place_of_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        SortedFile(tmp_path / "outputs" / "rows.txt", FileState())


def test_a_full_disk_stops_the_run_and_keeps_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.txt"
    state = FileState()
    file = SortedFile(path, state)
    file.add(Row(0, "", 0, "first"))
    file.write_before(1)

    class FullDisk:
        def __init__(self, inner: object) -> None:
            self.inner = inner
            self.room = 3

        def write(self, data: memoryview) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            done = self.inner.write(data[: self.room])  # type: ignore[attr-defined]  # what a restored state or a stand-in for a full disk holds
            self.room = 0
            return int(done)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

    monkeypatch.setattr(file, "_file", FullDisk(file._file))
    file.add(Row(1, "", 0, "second"))
    with pytest.raises(PEError, match="No space left") as caught:
        file.write_before(None)
    assert "free space" in str(caught.value)
    assert path.read_text() == "first\n"
    assert [row.line for row in state.pending] == ["second"]
    file.close()


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up.txt", "a/../../b", "nul\0"])
def test_a_path_outside_the_outputs_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="inside the run's outputs"):
        output_path(path)


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    first = SortedFile(tmp_path / "rows.txt", FileState())
    first.write_header("name")
    with pytest.raises(ConfigError, match="writes the same file") as raised:
        SortedFile(tmp_path / "rows.txt", FileState())
    assert raised.value.where == str(tmp_path / "rows.txt")
    assert (tmp_path / "rows.txt").read_text() == "name\n"
    first.close()
    SortedFile(tmp_path / "rows.txt", FileState()).close()
    assert (tmp_path / "rows.txt").read_text() == ""
