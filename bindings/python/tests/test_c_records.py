"""Records that C programs write: tools/record, read by the Python package."""

from __future__ import annotations

import pathlib
import stat
import subprocess

import pytest
from agent_support import PROGRAMS

from damon import records

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    binary = tmp_path_factory.mktemp("c") / "records"
    writer = ROOT / "tools" / "record"
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{writer}", f"-I{ROOT / 'include'}",
                    PROGRAMS / "records.c", writer / "damon_record.c", "-o", binary], check=True)
    return str(binary)


def test_what_a_c_program_wrote_is_what_is_read(program: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "c.rec"
    path.write_bytes(b"an older file, and a longer one" * 100_000)
    path.chmod(0o644)
    subprocess.run([program, path, "whole"], check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record = records.open(path)
    header = record.header
    assert header.program == "records" and header.labels == {"service": 'sea"rch?'} and header.pid > 1
    assert len(header.record_id) == 36 and header.host and header.boot_id
    windows = list(record)
    assert [window.seq for window in windows] == [1, 2, 3]
    first = windows[0]
    assert (first.time_ns, first.window_us, first.sample_us, first.aggr_us, first.max_nr_accesses, first.nr_targets, first.flags) == (
        1000, 100_500, 5_000, 100_000, 20, 2, 3)
    assert first.wall_ns - header.wall_ns == first.time_ns - header.monotonic_ns
    assert [tuple(int(number) for number in row[["start", "end", "target_idx", "nr_accesses", "age", "age_us", "flags", "unknown_reason"]])
            for row in first.regions] == [(0x7F0000000000, 0x7F0000100000, 0, 20, 3, 300_000, 0, 0),
                                          (0x7F0000200000, 0x7FFFFFFF0000, 0, 0, 0, 0, 2, 0), (0x10000, 0x11000, 1, 0, 0, 0, 1, 1)]
    assert [int(idle) for idle in first.regions["idle_us"]] == [0, 1 << 40, 2**64 - 1]
    second = windows[1].regions
    assert len(second) == 3000 and all(int(row["start"]) == at << 20 and int(row["end"]) - int(row["start"]) == 4096 + (at << 8) and
                                       int(row["nr_accesses"]) == at % 21 for at, row in enumerate(second))
    assert len(windows[2].regions) == 0
    assert [event.name for event in record.events] == ["end"]


def test_a_full_disk_leaves_whole_windows(program: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "full.rec"
    subprocess.run([program, path, "full"], check=True)
    record = records.open(path)
    assert [window.seq for window in record] == [1, 3]
    assert [event.name for event in record.events] == ["end"]


def test_a_record_is_never_written_through_a_link(program: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    said = subprocess.run([program, tmp_path / "link", "whole"], check=False, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (1, "not so: a record\n")
    assert (tmp_path / "mine").read_text() == "mine"
