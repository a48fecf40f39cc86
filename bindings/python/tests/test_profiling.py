"""Whole programs recorded, regions as parts of arrays, snapshots as tables."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys

import numpy
import pytest
from support import AGGR_US, MIB, ToyMemory, toy_context

import damon

PROGRAM = """
import sys, time
array = bytearray(8 << 20)
begin = time.monotonic()
while time.monotonic() - begin < 1:
    array[: 1 << 20] = bytes(1 << 20)
print(sys.argv[1:], __name__)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("status", [0, 3])
def test_a_program_is_recorded_as_it_is(tmp_path: pathlib.Path, status: int) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    ran = subprocess.run(
        [sys.executable, "-m", "damon", "record", "--aggr-us", "20000", "-o", "out.damon", "program.py", str(status), "-x"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )
    assert ran.returncode == status and ran.stdout == f"['{status}', '-x'] __main__\n", ran.stderr
    assert len(list(damon.read_record(tmp_path / "out.damon"))) > 3
    assert "recorded in out.damon" in ran.stderr and "accessed" in ran.stderr


def test_a_module_is_recorded(tmp_path: pathlib.Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "damon", "record", "-m", "timeit", "-n", "1", "-r", "1", "pass"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )
    assert ran.returncode == 0 and "1 loop" in ran.stdout, ran.stderr
    assert (tmp_path / "profile.damon").exists()


def test_a_record_that_cannot_be_begins_no_program(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "writes.py"
    script.write_text("print('ran')")
    for arguments, words in (
        (["-o", "x.damon", "none.py"], "none.py: No such file or directory"),
        (["-o", str(tmp_path / "none" / "x.damon"), str(script)], "x.damon: No such file or directory"),
        (["--aggr-us", "1", str(script)], "sample_us 5000 must not exceed aggr_us 1"),
    ):
        done = subprocess.run([sys.executable, "-m", "damon", "record", *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
        assert words in done.stderr and not (tmp_path / "x.damon").exists()


def test_a_program_that_ends_before_the_first_window_is_told_so(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text("pass")
    arguments = [sys.executable, "-m", "damon", "record", "--aggr-us", "60000000", str(script)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "try a shorter --aggr-us" in done.stderr and "heatmap" not in done.stderr


def test_a_part_of_a_program_is_recorded(tmp_path: pathlib.Path) -> None:
    array = damon.shared_array(1 << 17)
    with damon.profile(tmp_path / "part.damon", array, sample_us=1_000, aggr_us=10_000) as profile:
        profile.context.wait_snapshot(3, timeout=60)
        assert "snapshot" in profile.summary_text()
    assert not profile.context.is_running and profile.snapshots()[-1].total_bytes == MIB


def test_regions_are_parts_of_an_array() -> None:
    array = damon.shared_array((1 << 10, 1 << 10), dtype=numpy.uint8)
    start = array.ctypes.data
    memory = ToyMemory()
    memory.init = lambda ctx: ctx.set_target_regions(0, [(start - MIB, start + 2 * MIB)])  # type: ignore[method-assign]
    with toy_context(memory) as ctx:
        ctx.advance(AGGR_US)
        parts = ctx.snapshot().slices(array)
    assert parts[0].offset == 0 and parts[0].start == 0 and parts[-1].stop == 1 << 10
    for part, following in zip(parts, parts[1:]):
        assert part.region.end == following.region.start and following.start in (part.stop, part.stop - 1)
    assert sum(len(array[part.slice]) for part in parts) >= 1 << 10


def test_a_snapshot_becomes_a_table() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    for module, make in (("pandas", snapshot.to_pandas), ("polars", snapshot.to_polars), ("pyarrow", snapshot.to_arrow)):
        try:
            __import__(module)
        except ImportError:
            with pytest.raises(ImportError, match=f"needs {module}: pip install {module}"):
                make()
            continue
        table = make()
        assert list(table.columns if module != "pyarrow" else table.column_names)[:2] == ["start", "end"]
        assert len(table) == len(snapshot)


def test_a_context_and_a_snapshot_show_themselves_in_notebooks() -> None:
    with toy_context(ToyMemory(hot=((MIB, 2 * MIB),))) as ctx:
        assert "no window" in ctx.summary_text()
        ctx.advance(AGGR_US)
        text, shown = ctx.summary_text(), ctx._repr_html_()
        assert "accessed       1.0 MiB 100.0 %" in text and "@" * 64 in text
        assert shown == ctx.snapshot()._repr_html_() and "background:#fcffa4" in shown
    ctx.close()
    assert "closed" in ctx._repr_html_()


def test_help_explains_members_with_units() -> None:
    for member in ("time_ns", "window_us", "max_nr_accesses", "unknown_bytes"):
        assert getattr(damon.Snapshot, member).__doc__
    for member in ("idle_us", "age_us", "nr_accesses", "unknown_reason"):
        assert getattr(damon.Region, member).__doc__
    for kind in (damon.Attrs, damon.Stats, damon.SchemeStat, damon.Summary):
        text = kind.__doc__ or ""
        assert all(field.name in text for field in dataclasses.fields(kind)), kind
    with toy_context() as ctx:
        assert repr(ctx.snapshot()) == "<damon.Snapshot: no window has ended yet>"
        ctx.advance(AGGR_US)
        assert "number 1: " in repr(ctx.snapshot()) and "1.0 MiB" in repr(ctx.snapshot())


def test_a_snapshot_is_a_sequence() -> None:
    from collections.abc import Sequence

    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    assert isinstance(snapshot, Sequence) and snapshot[1] in snapshot and "region" not in snapshot
    assert snapshot.index(snapshot[2]) == 2 and snapshot.count(snapshot[0]) == 1
    assert snapshot.index(snapshot[-1], -1) == len(snapshot) - 1
    with pytest.raises(ValueError, match="is not in the snapshot"):
        snapshot.index(snapshot[0], 1)
    assert list(reversed(snapshot)) == list(snapshot)[::-1]


def test_a_live_view_is_drawn_in_place_until_its_time_is_over() -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000), [damon.Target()], ops=ToyMemory())
    with ctx:
        shown, piped = Terminal(), io.StringIO()
        damon.live(ctx, seconds=0.3, file=shown)
        damon.live(ctx, seconds=0.1, file=piped)
    assert shown.getvalue().count("snapshot ") >= 2 and "\x1b[4A\x1b[J" in shown.getvalue()
    assert "\x1b" not in piped.getvalue() and "1.0 MiB in" in piped.getvalue()
