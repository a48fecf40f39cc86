"""What recordings show, as numbers: a heatmap's cells, working set sizes, the regions of one snapshot.

Memory that could not be looked at is kept apart everywhere: it has no accesses, which does not mean that it is idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from .enums import RegionFlags, SnapshotFlags, UnknownReason
from .record import RecordedSnapshot

# An address space is mostly holes: only what regions cover is shown, and holes above this become a cut.
_CUT_BYTES = 64 << 20

# By how much max_overhead_permil usually lengthens a window at most.
_MOST_STRETCHED = 8

REASON_WORDS = {
    UnknownReason.HUGE_PAGE: "huge pages",
    UnknownReason.NOT_REGISTERED: "not registered with the access check",
    UnknownReason.OTHER_USERFAULTFD: "registered with a userfaultfd of the program's own",
    UnknownReason.PERMISSION: "protected, or a right is missing",
    UnknownReason.UNMAPPED: "nothing is mapped there",
    UnknownReason.EXCLUDED: "excluded",
    UnknownReason.SHARED_WITH_CHILD: "shared with a forked child",
    UnknownReason.LOCKED: "locked",
    UnknownReason.RECLAIMED: "may have been reclaimed",
    UnknownReason.PAUSED: "paused",
    UnknownReason.NOT_EXAMINED: "not looked at yet",
    UnknownReason.LOST_DESCRIPTOR: "the program closed the library's descriptors",
    UnknownReason.NO_ACCESS_CHECK: "no access check works there",
}
_REASONS = frozenset(map(int, UnknownReason))

Cells = tuple[tuple[Optional[float], ...], ...]


@dataclass(frozen=True)
class Heatmap:
    """Equal steps of real time, and of the watched addresses.

    rows[time][place]: mean share of the samples that found it accessed, 0 to 1, of what could be looked at; None: nothing
    was watched there then, or none of it could be looked at. hidden[time][place]: share of the watched memory that could
    not be looked at, 0 to 1.
    """

    spans: tuple[tuple[int, int], ...]  # the addresses shown, without the holes between
    begin_ns: int
    end_ns: int
    rows: Cells
    hidden: tuple[tuple[float, ...], ...]

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.begin_ns) / 1e9

    def is_hidden(self, time: int, place: int) -> bool:
        """Whether most of the cell could not be looked at."""
        return self.hidden[time][place] >= 0.5


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


def windows_of(snapshots: Sequence[RecordedSnapshot]) -> list[tuple[int, int]]:
    """(begin, end) in nanoseconds of the window of each snapshot. Time between two windows was not watched: the context
    was paused or stopped, or the snapshot was left out."""
    windows: list[tuple[int, int]] = []
    for before, snapshot in zip((None, *snapshots), snapshots):
        nominal = (snapshot.window_us or max(snapshot.aggr_us, snapshot.sample_us, 1)) * 1_000
        begin = snapshot.time_ns - nominal
        if before is not None:
            gap = begin - before.time_ns
            # A window may come late. Where its real length is not known, it may also have been stretched.
            most = nominal // 2 if snapshot.window_us else nominal * _MOST_STRETCHED
            if gap <= most and (gap < 0 or snapshot.seq == before.seq + 1):
                begin = min(before.time_ns, snapshot.time_ns)
        windows.append((begin, snapshot.time_ns))
    return windows


class Row:
    """Sums of one row of cells."""

    def __init__(self, places: int) -> None:
        self.shares = [0.0] * places
        self.seen = [0.0] * places
        self.hidden = [0.0] * places

    def add_region(self, begin: float, end: float, share: Optional[float]) -> None:
        """Spreads a region over the cells that it touches; [begin, end) in cells. share None: it could not be looked at."""
        for cell in range(int(begin), min(int(end) + 1, len(self.seen))):
            weight = min(end, cell + 1) - max(begin, cell)
            if weight <= 0:
                continue
            if share is None:
                self.hidden[cell] += weight
            else:
                self.seen[cell] += weight
                self.shares[cell] += share * weight

    def add(self, other: Row, weight: float) -> None:
        for mine, theirs in ((self.shares, other.shares), (self.seen, other.seen), (self.hidden, other.hidden)):
            for cell, value in enumerate(theirs):
                mine[cell] += value * weight

    def means(self) -> tuple[Optional[float], ...]:
        return tuple(share / seen if seen > 0 else None for share, seen in zip(self.shares, self.seen))

    def hidden_shares(self) -> tuple[float, ...]:
        return tuple(hidden / (seen + hidden) if hidden > 0 else 0.0 for seen, hidden in zip(self.seen, self.hidden))


def share_of(nr_accesses: int, max_nr_accesses: int) -> float:
    """Share of the samples that found a region accessed, at most 1."""
    return min(nr_accesses / max(max_nr_accesses, 1), 1.0)


def _row_of(snapshot: RecordedSnapshot, target_idx: int, spans: Sequence[tuple[int, int]], places: int) -> Row:
    row = Row(places)
    scale = places / sum(end - start for start, end in spans)
    for region in snapshot.regions:
        if region.target_idx != target_idx:
            continue
        share = None if region.unknown else share_of(region.nr_accesses, snapshot.max_nr_accesses)
        before = 0  # bytes shown before the span
        for start, end in spans:
            low, high = max(region.start, start), min(region.end, end)
            if low < high:
                row.add_region((before + low - start) * scale, (before + high - start) * scale, share)
            before += end - start
    return row


def heatmap(snapshots: Sequence[RecordedSnapshot], *, target_idx: int = 0, places: int = 40, times: int = 80) -> Heatmap:
    """Cells of the target over real time."""
    spans = spans_of(snapshots, target_idx)
    if not spans:
        known = sorted({region.target_idx for snapshot in snapshots for region in snapshot.regions})
        there = ", ".join(map(str, known)) or "none"
        raise ValueError(f"the recording has no region of target {target_idx}; targets with regions: {there}")
    windows = windows_of(snapshots)
    begin, end = windows[0][0], max(window[1] for window in windows)
    step = max((end - begin) / times, 1)
    sums = [Row(places) for _ in range(times)]
    for snapshot, (opened, closed) in zip(snapshots, windows):
        row = _row_of(snapshot, target_idx, spans, places)
        for time in range(int((opened - begin) / step), min(int((closed - begin) / step) + 1, times)):
            overlap = min(closed, begin + (time + 1) * step) - max(opened, begin + time * step)
            if overlap > 0:
                sums[time].add(row, overlap / step)
    rows = tuple(row.means() for row in sums)
    return Heatmap(spans, begin, end, rows, tuple(row.hidden_shares() for row in sums))


def working_sets(snapshots: Sequence[RecordedSnapshot], min_nr_accesses: int = 1) -> list[tuple[int, int]]:
    """(time_ns, bytes) of each snapshot: lower bounds where a snapshot has unknown bytes."""
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


def unknown_by_reason(rows: Iterable[Sequence[Any]]) -> dict[UnknownReason, int]:
    """Bytes of the regions (as of Snapshot.rows()) that could not be looked at, the most frequent reason first."""
    found: dict[UnknownReason, int] = {}
    for row in rows:
        if row[5] & RegionFlags.UNKNOWN:
            reason = UnknownReason(row[8]) if row[8] in _REASONS else UnknownReason.OTHER
            found[reason] = found.get(reason, 0) + row[1] - row[0]
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def reasons_text(by_reason: dict[UnknownReason, int]) -> str:
    """The known reasons, such as " (huge pages 5.0 MiB)"."""
    known = [f"{REASON_WORDS[reason]} {size_text(size)}" for reason, size in by_reason.items() if reason in REASON_WORDS]
    return f" ({', '.join(known[:3])})" if known else ""


def hidden_text(by_reason: dict[UnknownReason, int], total_bytes: int) -> str:
    """A line for memory that could not be looked at; empty where there is none."""
    unknown = sum(by_reason.values())
    if unknown == 0:
        return ""
    return (f"not visible: {size_text(unknown)} of {size_text(total_bytes)} could not be looked at"
            f"{reasons_text(by_reason)}; it may be in use")


def writes_only_text(flags: int) -> str:
    """A line for a snapshot whose reads cannot all be seen; else empty."""
    return "only writes can be seen here: idle means not written" if flags & SnapshotFlags.WRITES_ONLY else ""


def notes_on(snapshots: Iterable[RecordedSnapshot], target_idx: Optional[int] = None) -> list[str]:
    """Lines that say what the snapshots could not see: where it was most."""
    text, most, flags = "", 0, 0
    for snapshot in snapshots:
        regions = [r for r in snapshot.regions if target_idx is None or r.target_idx == target_idx]
        by_reason = unknown_by_reason(regions)
        if sum(by_reason.values()) > most:
            most = sum(by_reason.values())
            text = hidden_text(by_reason, sum(region.size for region in regions))
        if any(region.flags & RegionFlags.WRITES_ONLY for region in regions):
            flags |= SnapshotFlags.WRITES_ONLY
    return [line for line in (text, writes_only_text(flags)) if line]
