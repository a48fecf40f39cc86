"""damon report: what a record shows, in the terminal, as JSON and as pictures."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy
import pytest
from simulated import BASE, HOT, LATER, MAPPINGS, MIB, simulated
from support import AGGR_US, KIB, ToyMemory, toy_context

import damon
from damon import records
from damon.cli import main
from damon.records import measures, text
from damon.records.loading import load

KINDS = ("heatmap", "wss", "snapshot", "idle", "access", "html")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return simulated(tmp_path_factory.mktemp("reports") / "sim.rec")


def window_with(*regions: tuple[int, ...], seq: int = 1, time_ns: int = 10**9, **values: int) -> records.Window:
    """A window of regions (start, end, nr_accesses, age_us, idle_us, flags)."""
    from damon.records.convert import regions_of

    rows = [(start, end, 0, accesses, 1, flags, age, idle, 0) for start, end, accesses, age, idle, flags in regions]
    given = {"wall_ns": time_ns, "window_us": 100_000, "sample_us": 5_000, "aggr_us": 100_000, "max_nr_accesses": 20,
             "nr_targets": 1, "flags": 0, **values}
    return records.Window(seq=seq, time_ns=time_ns, regions=regions_of(rows), **given)


def json_of(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["report", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def lines_of(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["report", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_heatmap_is_hot_where_memory_is(record: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json_of(capsys, "heatmap", str(record), "--width", "58", "--height", "8")
    share = numpy.array(found["share"], float)
    assert found["spans"] == [[BASE, BASE + 64 * MIB]] and share.shape == (40, 8)
    assert found["addresses"] == [BASE + place * 8 * MIB for place in range(8)]
    assert share[4:, 0].min() > 0.9 and share[4:18, 4].max() < 0.2 and share[24:, 4].min() > 0.8
    assert share[4:, [2, 6, 7]].max() < 0.1


def test_the_heatmap_in_the_terminal_names_mappings(record: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capsys, "heatmap", str(record), "--width", "100", "--height", "8")
    assert lines[1].endswith("| /dev/shm/cache") and lines[5].endswith("| [heap]") and "@@@@" in lines[8]
    assert lines[0].startswith("accesses to 64.0 MiB over 10 s")


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("kind", KINDS[:5])
def test_reports_are_plain_text_of_any_width_where_they_are_piped(
    record: pathlib.Path, kind: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(capsys, kind, str(record), "--width", str(width))
    assert all(line == line.rstrip() and "\x1b" not in line for line in lines)
    if kind == "heatmap" and width >= 40:
        assert max(len(line) for line in lines if "|" in line) <= width


def test_a_pipe_that_closes_ends_a_report_quietly(record: pathlib.Path) -> None:
    with subprocess.Popen([sys.executable, "-B", "-m", "damon.cli", "report", "access", str(record), "--all"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None and ran.stderr is not None
        assert ran.stdout.readline().startswith("window 1:")
        ran.stdout.close()
        assert ran.stderr.read() == "" and ran.wait(60) == 0


def test_working_sets_have_percentiles(record: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json_of(capsys, "wss", str(record))
    late = [one["accessed_bytes"] for one in found[60:]]
    assert len(found) == 100 and abs(sorted(late)[20] - 16 * MIB) < 2 * MIB
    lines = lines_of(capsys, "wss", str(record), "--width", "80")
    assert lines[-1] == "100 windows" and lines[6].startswith("100 %")


def test_idle_memory_is_told_by_how_long_and_by_mapping(capsys: pytest.CaptureFixture[str], record: pathlib.Path) -> None:
    minute = 60_000_000
    window = window_with((BASE, BASE + 10 * MIB, 5, 0, 0, 0), (BASE + 10 * MIB, BASE + 30 * MIB, 0, minute, 2 * minute, 0),
                         (BASE + 30 * MIB, BASE + 40 * MIB, 0, 70 * minute, None, 0),  # type: ignore[arg-type]
                         (BASE + 40 * MIB, BASE + 41 * MIB, 0, 0, 0, int(damon.RegionFlags.UNKNOWN)),
                         (BASE + 80 * MIB, BASE + 81 * MIB, 0, 0, 0, 0))
    found = measures.idle(window)
    assert found.accessed_bytes == 10 * MIB and found.unknown_bytes == MIB
    assert [size // MIB for size in found.idle_bytes] == [1, 0, 0, 20, 0, 10, 0]
    assert found.at_least(minute) == 30 * MIB and found.at_least(60 * minute) == 10 * MIB
    rows = measures.by_mapping(window, MAPPINGS)
    assert [(row.name, row.total_bytes // MIB, row.accessed_bytes // MIB, row.idle_bytes // MIB, row.unknown_bytes // MIB)
            for row in rows] == [("[heap]", 32, 10, 22, 0), ("/dev/shm/cache", 9, 0, 8, 1), ("?", 1, 0, 0, 0)]
    assert json_of(capsys, "idle", str(record))["mappings"][0]["name"] == "/dev/shm/cache"


def test_the_snapshot_and_the_regions_of_a_window_can_be_chosen(
    record: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json_of(capsys, "snapshot", str(record))["seq"] == 100
    found = json_of(capsys, "snapshot", str(record), "--seq", "40")
    assert found["seq"] == 40 and sum(one["end"] - one["start"] for one in found["regions"]) == 64 * MIB
    assert main(["report", "snapshot", str(record), "--seq", "101"]) == 1
    assert "has no window 101; it has 1 to 100" in capsys.readouterr().err
    hot = json_of(capsys, "access", str(record), "--access_rate", "80", "100")[0]["regions"]
    assert hot and all(HOT[0] <= one["start"] < HOT[1] or LATER[0] - MIB <= one["start"] < LATER[1] for one in hot)
    assert len(json_of(capsys, "access", str(record), "--all")) == 100
    assert json_of(capsys, "access", str(record), "--sz_region", "1e12", "2e12")[0]["regions"] == []


def test_what_could_not_be_seen_is_told(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hidden.rec"
    unknown, writes = int(damon.RegionFlags.UNKNOWN), int(damon.SnapshotFlags.WRITES_ONLY)
    with records.Writer(path, records.header_of(monotonic_ns=0, wall_ns=0)) as writer:
        for seq in range(1, 4):
            writer.window(window_with((MIB, 2 * MIB, 20, 0, 0, 0), (2 * MIB, 4 * MIB, 0, 0, 0, unknown), seq=seq,
                                      time_ns=seq * 100_000_000, flags=writes))
        writer.event("lost", nr_windows=7)
    with path.open("ab") as file:
        file.write(b"\x01\x00")
    out = "\n".join(lines_of(capsys, "heatmap", str(path), "--height", "3"))
    assert "not visible: up to 2.0 MiB of 3.0 MiB" in out and "????" in out and "@@@@" in out
    assert "only writes can be seen here" in out and "7 windows were lost" in out and "the last 2 bytes were cut short" in out
    assert ">= 1.0 MiB" in "\n".join(lines_of(capsys, "wss", str(path)))


def test_large_holes_are_left_out_and_time_that_was_not_watched_is_blank(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, far = tmp_path / "holes.rec", 1 << 46
    with records.Writer(path, records.header_of(monotonic_ns=0, wall_ns=0)) as writer:
        for seq in (1, 2, 3, 21, 22):
            writer.window(window_with((MIB, 2 * MIB, 20, 0, 0, 0), (far, far + MIB, 0, 0, 0, 0), seq=seq, time_ns=seq * 10**8))
    found = json_of(capsys, "heatmap", str(path), "--height", "2", "--width", "40")
    assert found["spans"] == [[MIB, 2 * MIB], [far, far + MIB]] and found["addresses"] == [MIB, far]
    share = found["share"]
    assert share[0] == [1.0, 0.0] and share[-1] == [1.0, 0.0] and share[len(share) // 2] == [None, None]


def test_of_long_records_windows_are_left_out_evenly(
    record: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = load(record)
    monkeypatch.setattr("damon.records.loading.MOST_REGIONS", 400)
    found = load(record)
    assert sum(len(window.regions) for window in found.windows) <= 400 and found.nr_windows == 100
    assert 15 <= len(found.windows) <= 50 and found.windows[-1].seq == 100
    assert (found.times[0][0], found.times[-1][1]) == (whole.times[0][0], whole.times[-1][1])
    assert all(before[1] == after[0] for before, after in zip(found.times, found.times[1:]))
    lengths = {round((end - begin) / 1e8) for begin, end in found.times[1:-1]}
    assert len(lengths) == 1, lengths
    share = numpy.array(json_of(capsys, "heatmap", str(record), "--height", "8")["share"], float)
    assert not numpy.isnan(share).any() and share[10:, 0].min() > 0.9
    assert f"{len(found.windows)} of its 100 windows are shown" in "\n".join(lines_of(capsys, "wss", str(record)))


def test_parts_of_another_boot_are_put_on_one_clock(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "boots.rec"
    for began in (10**18, 10**18 + 60 * 10**9):
        with records.Writer(path, records.header_of(monotonic_ns=5, wall_ns=began), append=True) as writer:
            writer.window(window_with((MIB, 2 * MIB, 1, 0, 0, 0), time_ns=10**9 + 5))
    assert [window.time_ns for window in load(path).windows] == [10**18 + 10**9, 10**18 + 61 * 10**9]


def test_what_a_context_recorded_itself_is_reported(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "toy.damon"
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),))) as ctx, ctx.record(path):
        ctx.advance(20 * AGGR_US)
    found = json_of(capsys, "snapshot", str(path))
    assert found["seq"] == 20 and found["accessed_bytes"] == pytest.approx(256 * KIB, abs=32 * KIB)
    for kind in KINDS:
        assert main(["report", kind, str(path)]) == 0


@pytest.mark.filterwarnings("ignore")
def test_pictures_are_drawn(record: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for kind, suffix, begins in (("heatmap", ".png", b"\x89PNG"), ("wss", ".svg", b"<?xml")):
        picture = tmp_path / (kind + suffix)
        assert main(["report", kind, str(record), "-o", str(picture)]) == 0
        assert picture.read_bytes().startswith(begins) and picture.stat().st_size > 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_no_records_are_refused_in_one_line(
    tmp_path: pathlib.Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other, empty = tmp_path / "other", tmp_path / "empty.rec"
    other.write_bytes(b"\x7fELF" + bytes(100))
    records.Writer(empty).close()
    for path, words in ((other, "is no record: it does not begin as a record does"), (empty, "has no window"),
                        (tmp_path / "none", "No such file"), (tmp_path, "it is no regular file")):
        assert main(["report", kind, str(path)]) == 1
        error = capsys.readouterr().err
        assert words in error and str(path) in error and error.count("\n") == 1


def test_a_target_that_is_not_there_is_named(record: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("heatmap", "html"):
        assert main(["report", kind, str(record), "--target", "3"]) == 1
        assert "no region of target 3; targets with regions: 0" in capsys.readouterr().err


def test_durations_and_long_names_fit() -> None:
    assert [text.duration_text(seconds) for seconds in (0.005, 1.5, 90, 7200, 86400)] == ["5 ms", "1.5 s", "1.5 min", "2 h", "1 d"]
    assert text.cut("/usr/lib/libc.so.6", 8) == "…bc.so.6" and text.cut("libc", 8) == "libc" and text.cut("libc", 0) == ""
