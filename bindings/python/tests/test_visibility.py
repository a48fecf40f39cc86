"""Memory that could not be looked at is never shown as idle."""

from __future__ import annotations

import dataclasses
import pathlib
import warnings
from typing import Any, Callable, Optional

import pytest
from PIL import Image
from support import AGGR_US, KIB, MIB, ToyMemory, toy_context

import damon
from damon import plots, summaries, views
from damon.__main__ import main
from damon.record import RecordedRegion, RecordedSnapshot
from damon.visibility import Visibility

UNKNOWN = int(damon.RegionFlags.UNKNOWN)


def recorded(seq: int, time_us: int, regions: list[tuple[int, int, int, int]]) -> RecordedSnapshot:
    """Regions are (start, end, nr_accesses, flags)."""
    return RecordedSnapshot(
        seq=seq, time_ns=time_us * 1_000, sample_us=5_000, aggr_us=AGGR_US, max_nr_accesses=20, nr_targets=1,
        flags=int(damon.SnapshotFlags.UNKNOWN) if any(flags & UNKNOWN for *_, flags in regions) else 0,
        regions=tuple(RecordedRegion(start, end, 0, accesses, 0, flags) for start, end, accesses, flags in regions),
    )


HALF_HIDDEN = [(0, 2 * MIB, 0, UNKNOWN), (2 * MIB, 3 * MIB, 0, 0), (3 * MIB, 4 * MIB, 20, 0)]


class Blindfolded(ToyMemory):
    """Of 1 MiB at 1 MiB, what lies at or above `from_` cannot be looked at."""

    def __init__(self, from_: int, hot: tuple[tuple[int, int], ...] = ()) -> None:
        super().__init__(hot)
        self.from_ = from_

    def check_accesses(self, samples: damon.Samples) -> Any:
        return [None if sample.addr >= self.from_ else self.is_hot(sample.addr) for sample in samples]


@pytest.fixture
def recording(tmp_path: pathlib.Path) -> pathlib.Path:
    """The first quarter of 1 MiB is hot, the second idle, and the rest cannot be looked at."""
    path = tmp_path / "half.damon"
    memory = Blindfolded(MIB + 512 * KIB, hot=((MIB, MIB + 256 * KIB),))
    with toy_context(memory) as ctx, ctx.record(path):
        ctx.advance(20 * AGGR_US)
    return path


def test_cells_tell_hidden_memory_from_idle_memory() -> None:
    found = views.heatmap([recorded(1, AGGR_US, HALF_HIDDEN)], places=4, times=2)
    assert found.rows == ((None, None, 0.0, 1.0),) * 2
    assert found.hidden == ((1.0, 1.0, 0.0, 0.0),) * 2
    assert [found.is_hidden(0, place) for place in range(4)] == [True, True, False, False]


def test_a_cell_of_both_has_the_mean_of_what_could_be_seen() -> None:
    found = views.heatmap([recorded(1, AGGR_US, HALF_HIDDEN)], places=1, times=1)
    assert found.rows == ((0.5,),) and found.hidden == ((0.5,),)


def test_the_heatmap_has_real_time_and_leaves_a_pause_blank() -> None:
    hot = [(0, MIB, 20, 0)]
    early = [recorded(seq, seq * AGGR_US, hot) for seq in range(1, 11)]
    late = [recorded(seq, seq * AGGR_US + 4_000_000, hot) for seq in range(11, 21)]
    found = views.heatmap(early + late, places=1, times=60)
    assert found.seconds == pytest.approx(6.0)
    shown = [row[0] is not None for row in found.rows]
    assert shown == [True] * 10 + [False] * 40 + [True] * 10


def test_a_window_that_ended_a_little_late_leaves_no_blank() -> None:
    times = [100_000, 203_000, 301_000, 440_000, 840_000]
    found = views.windows_of([recorded(i + 1, time, HALF_HIDDEN) for i, time in enumerate(times)])
    assert [begin for begin, _ in found] == [0] + [time * 1_000 for time in times[:-1]]


def test_a_window_whose_length_is_known_is_drawn_as_long_as_it_was() -> None:
    snapshots = [dataclasses.replace(recorded(i + 1, time, HALF_HIDDEN), window_us=length)
                 for i, (time, length) in enumerate([(100_000, 100_000), (500_000, 100_000), (700_000, 190_000)])]
    assert views.windows_of(snapshots) == [(0, 100_000_000), (400_000_000, 500_000_000), (500_000_000, 700_000_000)]


def test_unknown_bytes_are_not_in_the_working_set(recording: pathlib.Path) -> None:
    last = list(damon.read_record(recording))[-1]
    assert last.unknown_bytes == pytest.approx(512 * KIB, abs=64 * KIB)
    assert last.total_bytes == MIB
    assert last.working_set_bytes() == pytest.approx(256 * KIB, abs=32 * KIB)
    assert last.working_set_bytes(0) == MIB - last.unknown_bytes
    assert last.idle_bytes() + last.working_set_bytes() + last.unknown_bytes == MIB and last.idle_bytes(99) == 0


def test_a_snapshot_says_how_much_is_unknown() -> None:
    with toy_context(Blindfolded(MIB), targets=[damon.Target()]) as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    assert (snapshot.total_bytes, snapshot.unknown_bytes, snapshot.working_set_bytes()) == (MIB, MIB, 0)
    assert snapshot.working_set_bytes(0) == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["heatmap", "--width", "16", "--height", "8"], ["|????????????????|", "|....", "|@@", "not visible: 5", "could not be"]),
        (["wss"], [">= 2", "lower bounds", "not visible: "]),
        (["snapshot"], ["   ? for", "not visible, which does not mean idle", "not visible: "]),
    ],
)
def test_every_view_in_the_terminal_says_what_is_hidden(
    recording: pathlib.Path, capsys: pytest.CaptureFixture[str], command: list[str], words: list[str]
) -> None:
    assert main([command[0], str(recording), *command[1:]]) == 0
    said = capsys.readouterr().out
    rest = said
    for word in words:  # in this order: high addresses are up, as in the picture
        assert word in rest, (word, said)
        rest = rest.partition(word)[2]


def colours_of(path: pathlib.Path, box: tuple[float, float, float, float]) -> set[tuple[int, ...]]:
    """The colours in a part of the picture, given in shares of its width and height."""
    image = Image.open(path).convert("RGB")
    width, height = image.size
    part = image.crop((int(width * box[0]), int(height * box[1]), int(width * box[2]), int(height * box[3])))
    return {colour for _, colour in part.getcolors(1 << 24)}


@pytest.mark.filterwarnings("ignore")
def test_hidden_memory_is_grey_in_the_picture(recording: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "heat.png"
    plots.save_heatmap(list(damon.read_record(recording)), str(path), 0)
    upper = colours_of(path, (0.2, 0.3, 0.6, 0.4))  # high addresses are up
    assert all(max(colour) - min(colour) <= 2 and min(colour) > 100 for colour in upper) and len(upper) > 1, upper
    lowest = colours_of(path, (0.3, 0.8, 0.6, 0.85))
    assert all(red > 200 and green > 200 and blue < 200 for red, green, blue in lowest), lowest


def test_a_view_without_hidden_memory_does_not_speak_of_it() -> None:
    assert views.notes_on([recorded(1, AGGR_US, [(0, MIB, 0, 0)])]) == []


def warned(operations: damon.Operations) -> Optional[str]:
    """What one is told about what these operations find."""
    visibility = Visibility()
    with toy_context(operations) as ctx, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ctx.advance(5 * AGGR_US)
        for _ in range(3):
            tell(visibility, ctx.snapshot())
    assert len(seen) <= 1
    return f"{seen[0].filename}: {seen[0].message}" if seen else None


def tell(visibility: Visibility, snapshot: damon.Snapshot) -> None:
    visibility.checked(snapshot)


def test_one_warning_says_that_most_cannot_be_seen() -> None:
    said = warned(Blindfolded(MIB))
    assert said is not None and said.startswith(__file__) and "1.0 MiB of the 1.0 MiB that are watched" in said
    assert "damon.shared_array()" in said
    if damon.probe_access_check().available:
        assert "NUMPY_MADVISE_HUGEPAGE=0" in said


def test_no_warning_where_more_is_seen_in_use_than_is_hidden() -> None:
    assert warned(Blindfolded(2 * MIB)) is None
    assert warned(Blindfolded(MIB + 768 * KIB, hot=((MIB, MIB + 768 * KIB),))) is None


def test_memory_of_the_process_is_warned_about_and_the_programs_own_operations_are_not() -> None:
    nothing = (1 << 46, (1 << 46) + MIB)  # not mapped: nothing can be seen there
    with damon.monitor_self(sample_us=1_000, aggr_us=10_000, attrs=damon.Attrs()) as ctx:
        assert not ctx._visibility._is_quiet
    with damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000), targets=[nothing]) as ctx:
        snapshot = ctx._core.snapshot() if ctx._core.snapshot_wait(0, 60_000) else None
        assert snapshot is not None
        if snapshot.unknown_bytes > 0:
            with pytest.warns(damon.VisibilityWarning, match="1.0 MiB of the 1.0 MiB"):
                ctx.wait_snapshot(timeout=60)
    with toy_context(Blindfolded(MIB)) as toy:
        toy.advance(AGGR_US)
        assert toy.snapshot().unknown_bytes == MIB


def test_the_warning_names_the_programs_line_wherever_it_waits() -> None:
    import asyncio

    def told(visibility: Visibility) -> damon.Context:
        ctx = toy_context(Blindfolded(MIB))
        ctx._visibility = visibility
        ctx.start()
        ctx.advance(AGGR_US)
        return ctx

    async def awaited(ctx: damon.Context) -> damon.Snapshot:
        return await ctx.snapshots(after_seq=0).__anext__()

    waits: list[Callable[[damon.Context], Any]] = [
        lambda ctx: ctx.snapshot(), lambda ctx: ctx.wait_snapshot(), lambda ctx: next(ctx.snapshots(after_seq=0)),
        lambda ctx: ctx.summary_text(), lambda ctx: asyncio.run(awaited(ctx)),
    ]
    for wait in waits:
        ctx = told(Visibility())
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            wait(ctx)
        ctx.stop()
        assert [warning.filename for warning in seen] == [__file__]


def test_a_snapshot_in_words_keeps_idle_and_hidden_apart(recording: pathlib.Path) -> None:
    snapshot = list(damon.read_record(recording))[-1]
    text = summaries.snapshot_text(snapshot, width=8)
    assert "|@@..????|" in text and "not visible" in text and "lower bound" in text
    assert "accessed" in text and "idle" in text


def test_idle_bytes_are_looked_at_and_not_accessed() -> None:
    memory = Blindfolded(MIB + 768 * KIB, hot=((MIB, MIB + 256 * KIB),))
    with toy_context(memory) as ctx:
        ctx.advance(30 * AGGR_US)
        snapshot = ctx.snapshot()
    assert snapshot.idle_bytes() == pytest.approx(512 * KIB, abs=96 * KIB)
    assert snapshot.idle_bytes() + snapshot.unknown_bytes + snapshot.working_set_bytes() == MIB
    assert 0 < snapshot.idle_bytes(5) <= snapshot.idle_bytes() and snapshot.idle_bytes(1_000) == 0
    assert 0 < snapshot.idle_bytes(idle_us=5 * AGGR_US) <= snapshot.idle_bytes()
    assert snapshot.idle_bytes(idle_us=3_600_000_000) == 0
