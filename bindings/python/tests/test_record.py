"""Records of a context, and what `python -m damon` shows of them."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from support import AGGR_US, KIB, MIB, ToyMemory, toy_context

import damon
from damon import views
from damon.__main__ import main


@pytest.fixture
def recording(tmp_path: pathlib.Path) -> pathlib.Path:
    """Twenty windows in which the first 256 KiB of 1 MiB are hot."""
    path = tmp_path / "toy.damon"
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),))) as ctx, ctx.record(path):
        ctx.advance(20 * AGGR_US)
    return path


def test_a_recording_has_every_window(recording: pathlib.Path) -> None:
    snapshots = list(damon.read_record(recording))
    assert [snapshot.seq for snapshot in snapshots] == list(range(1, 21))
    assert {snapshot.max_nr_accesses for snapshot in snapshots} == {20}
    assert all(sum(region.size for region in snapshot.regions) == MIB for snapshot in snapshots)
    assert snapshots[-1].working_set_bytes(10) == pytest.approx(256 * KIB, abs=32 * KIB)


def test_a_worker_thread_is_recorded(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "worker.damon"
    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000), [damon.Target()], ops=ToyMemory())
    ctx.record(path)
    with ctx:
        ctx.wait_snapshot(after_seq=2, timeout=60)
    assert list(damon.read_record(path))[-1].seq == ctx.snapshot().seq >= 3


def test_what_was_cut_short_is_left_out_and_told(recording: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording.write_bytes(recording.read_bytes()[:-20])
    assert len(list(damon.read_record(recording))) == 20  # its end, which is no window
    data = recording.read_bytes()
    recording.write_bytes(data[: len(data) * 3 // 4])
    assert 10 <= len(list(damon.read_record(recording))) < 20
    assert "toy.damon: cut short; its last " in capsys.readouterr().err


def test_what_a_snapshot_tells_is_in_its_record(tmp_path: pathlib.Path) -> None:
    path, rows = tmp_path / "same.damon", []
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),))) as ctx, ctx.record(path):
        for _ in range(3):
            ctx.advance(AGGR_US)
            rows.append(ctx.snapshot().rows())
    read = list(damon.read_record(path))
    assert [snapshot.rows() for snapshot in read] == rows
    assert read[0].time_ns == AGGR_US * 1_000 and (read[0].sample_us, read[0].aggr_us, read[0].nr_targets) == (5_000, AGGR_US, 1)


@pytest.mark.parametrize("data", [b"", b"hello\n", b'{"damon_record": 1}\n', b"DAMONREC"])
def test_other_files_are_refused(tmp_path: pathlib.Path, data: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(damon.records.RecordError, match="other is no record"):
        list(damon.read_record(path))
    for command in ("heatmap", "wss", "snapshot"):
        assert main([command, str(path)]) == 1


def test_the_heatmap_is_hot_where_memory_is(recording: pathlib.Path) -> None:
    found = views.heatmap(list(damon.read_record(recording)), places=16, times=5)
    assert found.spans == ((MIB, 2 * MIB),) and len(found.rows) == 5
    last = [cell or 0 for cell in found.rows[-1]]
    assert min(last[:3]) > 0.9 and max(last[6:]) < 0.1


def test_a_region_is_shared_out_to_the_cells_it_touches() -> None:
    row = views.Row(3)
    row.add_region(0.5, 2.25, 1.0)
    assert row.seen == row.shares == [0.5, 1.0, 0.25] and row.hidden == [0.0] * 3
    row.add_region(2.25, 3.0, None)
    assert row.hidden == [0.0, 0.0, 0.75] and row.means() == (1.0, 1.0, 1.0)


def test_a_file_that_cannot_be_read_is_named(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wss", str(tmp_path / "none.damon")]) == 1
    assert f"{tmp_path}/none.damon: No such file" in capsys.readouterr().err


def test_percentiles() -> None:
    assert [views.percentile([3, 1, 2, 4], percent) for percent in (0, 25, 26, 100)] == [1, 1, 2, 4]
    assert views.size_text(1536) == "1.5 KiB" and views.size_text(5) == "5 B"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["heatmap", "--width", "16"], "@@@"),
        (["wss"], "20 snapshots"),
        (["snapshot"], "snapshot 20:"),
        (["snapshot", "--seq", "3"], "snapshot 3:"),
    ],
)
def test_the_terminal_shows_it(recording: pathlib.Path, command: list[str], words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "damon", command[0], str(recording), *command[1:]],
        cwd=recording.parent, capture_output=True, text=True,
    )
    assert ran.returncode == 0 and words in ran.stdout, ran.stderr


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", ["heatmap", "wss", "snapshot"])
def test_pictures_are_drawn(recording: pathlib.Path, tmp_path: pathlib.Path, command: str) -> None:
    for suffix, begins in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
        picture = tmp_path / (command + suffix)
        assert main([command, str(recording), "--output", str(picture)]) == 0
        assert picture.read_bytes().startswith(begins) and picture.stat().st_size > 1_000


def test_a_record_that_cannot_be_written_says_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        toy_context().record(tmp_path / "no" / "such" / "folder")


def test_a_full_disk_is_told_once_and_the_others_are_written(tmp_path: pathlib.Path) -> None:
    ctx = toy_context()
    full, other = ctx.record(tmp_path / "full.damon"), tmp_path / "other.damon"
    ctx.record(other)
    os.dup2(os.open("/dev/full", os.O_WRONLY), full.writer._file)
    ctx.start()
    ctx.advance(3 * AGGR_US)
    with pytest.raises(OSError, match="No space left"):
        ctx.stop()
    assert len(list(damon.read_record(other))) == 3
    full.close()
    ctx.stop()


def test_a_record_of_rust_is_read() -> None:
    """Which libdamon/tests/record.rs wrote: 1 MiB, whose first 128 KiB are accessed, in windows of 5 ms."""
    record = damon.records.open(pathlib.Path(__file__).with_name("rust.rec"))
    windows = list(record)
    assert [window.seq for window in windows] == [1, 2, 3, 4, 5] and record.torn_bytes == 0
    assert {window.total_bytes for window in windows} == {MIB} and windows[0].aggr_us == 5_000
    assert windows[-1].working_set_bytes() == pytest.approx(128 * KIB, abs=64 * KIB)
    assert windows[1].wall_ns - windows[0].wall_ns == 5_000_000 and record.events[-1].name == "end"
