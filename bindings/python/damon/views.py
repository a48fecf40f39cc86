"""What recordings show, as numbers: a heatmap's cells, working set sizes, the regions of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from .record import RecordedSnapshot

# An address space is mostly holes: only what regions cover is shown, and holes above this become a cut.
_CUT_BYTES = 64 << 20


@dataclass(frozen=True)
class Heatmap:
    """rows[time][place]: mean share of the samples that found it accessed, 0 to 1; None: nothing was there then."""

    spans: tuple[tuple[int, int], ...]  # the addresses shown, without the holes between
    begin_ns: int
    end_ns: int
    rows: tuple[tuple[Optional[float], ...], ...]


def spans_of(snapshots: Sequence[RecordedSnapshot], target_idx: int) -> tuple[tuple[int, int], ...]:
    """What the regions of the target covered, joined over small holes."""
    ranges = sorted({(r.start, r.end) for s in snapshots for r in s.regions if r.target_idx == target_idx})
    spans: list[tuple[int, int]] = []
    for start, end in ranges:
        if spans and start <= spans[-1][1] + _CUT_BYTES:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return tuple(spans)


def _positions(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(start, end, bytes shown before it) of each span."""
    placed, before = [], 0
    for start, end in spans:
        placed.append((start, end, before))
        before += end - start
    return placed


def _add_region(row: list[list[float]], begin: float, end: float, share: float) -> None:
    """Spreads a region over the cells that it touches; [begin, end) in cells."""
    for cell in range(int(begin), min(int(end) + 1, len(row))):
        weight = min(end, cell + 1) - max(begin, cell)
        if weight > 0:
            row[cell][0] += share * weight
            row[cell][1] += weight


def _row_of(snapshots: Sequence[RecordedSnapshot], target_idx: int, spans: Sequence[tuple[int, int]], width: int,
            total: int) -> tuple[Optional[float], ...]:
    row = [[0.0, 0.0] for _ in range(width)]
    placed = _positions(spans)
    for snapshot in snapshots:
        for region in snapshot.regions:
            if region.target_idx != target_idx:
                continue
            for start, end, before in placed:
                low, high = max(region.start, start), min(region.end, end)
                if low < high:
                    scale = width / total
                    share = region.nr_accesses / max(snapshot.max_nr_accesses, 1)
                    _add_region(row, (before + low - start) * scale, (before + high - start) * scale, share)
    return tuple(sum_ / weight if weight > 0 else None for sum_, weight in row)


def heatmap(snapshots: Sequence[RecordedSnapshot], *, target_idx: int = 0, width: int = 80, height: int = 40) -> Heatmap:
    """Cells of the target over time; at most height rows, each of one or several snapshots."""
    spans = spans_of(snapshots, target_idx)
    total = sum(end - start for start, end in spans)
    if total == 0:
        raise ValueError(f"the recording has no region of target {target_idx}")
    height = min(height, len(snapshots))
    cuts = [row * len(snapshots) // height for row in range(height + 1)]
    rows = tuple(_row_of(snapshots[a:b], target_idx, spans, width, total) for a, b in zip(cuts, cuts[1:]))
    return Heatmap(spans, snapshots[0].time_ns, snapshots[-1].time_ns, rows)


def working_sets(snapshots: Sequence[RecordedSnapshot], min_nr_accesses: int = 1) -> list[tuple[int, int]]:
    """(time_ns, bytes) of each snapshot."""
    return [(snapshot.time_ns, snapshot.working_set_bytes(min_nr_accesses)) for snapshot in snapshots]


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def size_text(size: int) -> str:
    """Such as "1.5 MiB"."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
