"""damon export: what damo, an independent tool, makes of a record, and what DuckDB does."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy
import pytest
from simulated import BASE, HOT, LATER, MIB, WALL_NS, simulated
from skipping import declared_skip, module

from damon import records
from damon.cli import main

SECOND = 10**9


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return simulated(tmp_path_factory.mktemp("exports") / "sim.rec")


@pytest.fixture(scope="module")
def exported(record: pathlib.Path) -> pathlib.Path:
    path = record.with_name("damon.data")
    assert main(["export", "--to", "damo", str(record), "-o", str(path)]) == 0
    return path


def damo(*words: str) -> str:
    """What damo prints. It is run as a program of its own."""
    path = shutil.which("damo", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("damo")
    if path is None:
        declared_skip("damo", "damo is not installed")
    env = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONPATH")}
    ran = subprocess.run([path, *words], capture_output=True, text=True, timeout=120, env=env)
    assert ran.returncode == 0, f"damo {' '.join(words)}: {ran.stdout[-500:]} {ran.stderr[-500:]}"
    return ran.stdout


def test_damo_shows_the_same_heat(exported: pathlib.Path) -> None:
    out = damo("report", "heatmap", "--input", str(exported), "--output", "raw", "--resol", "10", "8", "--abs_addr", "--abs_time")
    cells = [(int(time), int(address), float(heat)) for time, address, heat in map(str.split, out.splitlines())]
    assert len(cells) == 80 and {address for _, address, _ in cells} == {BASE + at * 8 * MIB for at in range(8)}
    hottest = max(heat for _, _, heat in cells)
    for time, address, heat in cells:
        seconds = (time - WALL_NS) / SECOND
        is_hot = address == HOT[0] or (address == LATER[0] and seconds > 5.5)
        if 1 < seconds < 4 or seconds > 5.5:  # regions have settled
            assert (heat > hottest / 2) == is_hot, f"{heat} of {hottest} at {seconds:.1f} s, {address:#x}"


def test_damo_finds_the_same_working_set(exported: pathlib.Path, record: pathlib.Path) -> None:
    out = damo("report", "wss", "--input", str(exported), "--raw_number", "--range", "0", "101", "50", "--exclude_samples", "0")
    found = {int(line.split()[0]): int(line.split()[1]) for line in out.splitlines() if not line.startswith("#") and line.strip()}
    sizes = sorted(window.working_set_bytes() for window in records.open(record))
    assert found[0] == sizes[0] and found[100] == sizes[-1] and found[50] in sizes[48:53]


def test_damo_tells_accesses_and_ages(exported: pathlib.Path, record: pathlib.Path) -> None:
    out = damo("report", "access", "--input", str(exported), "--snapshot_idx", "99", "100", "--raw_form")
    lines = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) \(.*\)\s+(\d+)\s+(\d+)$", out.replace(",", ""), re.M)
    regions = list(records.open(record))[-1].regions
    assert [(int(start, 16), int(end, 16), int(accesses), int(age)) for start, end, accesses, age in lines] == [
        tuple(region) for region in regions[["start", "end", "nr_accesses", "age"]].tolist()]


def test_damo_profiles_the_time_in_which_memory_was_hot(exported: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """It asks perf for samples of that time: this perf writes down for which."""
    perf, asked, samples = tmp_path / "perf", tmp_path / "asked", tmp_path / "perf.data"
    perf.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    perf.chmod(0o700)
    samples.touch()
    damo("report", "profile", "--inputs", str(exported), str(samples), "--perf_path", str(perf),
         "--address", str(LATER[0] + 2 * MIB), str(LATER[1] - 2 * MIB), "--access_rate", "50%", "100%")
    words = asked.read_text().split()
    begin, end = (float(time) - WALL_NS / SECOND for time in words[words.index("--time") + 1].split(",")[:2])
    assert begin == pytest.approx(5, abs=0.5) and end == pytest.approx(10, abs=0.5)


def test_what_could_not_be_seen_is_left_out_for_damo(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    from test_page import UNSEEN, with_unseen

    path = with_unseen(simulated(tmp_path / "whole.rec"), tmp_path / "sim.rec")
    assert main(["export", "--to", "damo", str(path), "-o", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out_bytes"] == 90 * 8 * MIB
    out = damo("report", "access", "--input", str(tmp_path / "out"), "--snapshot_idx", "80", "81", "--raw_form")
    ranges = [(int(start, 16), int(end, 16)) for start, end in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) ", out, re.M)]
    assert len(ranges) > 5 and all(end <= UNSEEN[0] or start >= UNSEEN[1] for start, end in ranges)


def test_parquet_has_a_row_for_each_region_and_window(record: pathlib.Path, tmp_path: pathlib.Path) -> None:
    arrow, parquet = module("pyarrow", "parquet"), module("pyarrow.parquet", "parquet")
    folder = tmp_path / "set"
    assert main(["export", "--to", "parquet", str(record), "-o", str(folder)]) == 0
    (path,) = folder.glob("host=*/day=2023-11-14/*.parquet")
    table = parquet.read_table(path, partitioning=None)
    regions = numpy.concatenate([window.regions for window in records.open(record)])
    assert table.num_rows == len(regions) and arrow.types.is_timestamp(table.schema.field("time").type)
    assert table["start"].to_pylist() == regions["start"].tolist()
    assert table["bytes"].to_pylist() == (regions["end"] - regions["start"]).tolist()
    assert set(table["service"].to_pylist()) == {"toy"}
    middles = (regions["start"] + regions["end"]) // 2
    assert table["mapping"].to_pylist() == ["[heap]" if middle < BASE + 32 * MIB else "/dev/shm/cache" for middle in middles.tolist()]


def test_a_record_over_midnight_is_in_two_days_and_idle_times_may_be_missing(tmp_path: pathlib.Path) -> None:
    parquet = module("pyarrow.parquet", "parquet")
    midnight = 20_000 * 86_400 * SECOND
    path = simulated(tmp_path / "night.rec", seconds=2, wall_ns=midnight - SECOND)
    with records.Writer(path, append=True) as writer:
        last = list(records.open(tmp_path / "night.rec.000001"))[-1]
        regions = last.regions.copy()
        regions["idle_us"] = 2**64 - 1
        writer.header = records.open(tmp_path / "night.rec.000001").header
        writer.window(records.Window(**{**last.__dict__, "regions": regions, "time_ns": writer.header.monotonic_ns + 2**31}))
    assert main(["export", "--to", "parquet", str(path), "-o", str(tmp_path / "set")]) == 0
    days = {found.parent.name: parquet.read_table(found, partitioning=None) for found in (tmp_path / "set").rglob("*.parquet")}
    assert {"day=2024-10-03", "day=2024-10-04"} <= set(days)
    assert any(table["idle_us"].null_count for table in days.values())


def test_exports_of_what_is_no_record_are_refused(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").write_text("hello\n")
    for kind in ("damo", "parquet"):
        assert main(["export", "--to", kind, str(tmp_path / "other"), "-o", str(tmp_path / "out")]) == 1
        assert "is no record" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
