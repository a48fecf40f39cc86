"""What records show, as numbers. Memory that could not be looked at is kept apart everywhere: it has no accesses, which does
not mean that it is idle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ..checks import need_numpy
from ..enums import RegionFlags
from .loading import Loaded
from .model import IDLE_UNKNOWN, Mapping, Window

_CUT_SHARE = 50  # holes above 1 / 50 of what is watched are left out of pictures, but none below this:
_LEAST_CUT_BYTES = 1 << 20
_SECOND = 1_000_000
IDLE_STEPS = ((0, "below 1 s"), (_SECOND, "1 s"), (10 * _SECOND, "10 s"), (60 * _SECOND, "1 min"), (600 * _SECOND, "10 min"),
              (3600 * _SECOND, "1 h"), (24 * 3600 * _SECOND, "1 d"))  # from so many microseconds on


class Spread:
    """The regions of one target in one window, as amounts that lie between any two addresses."""

    def __init__(self, window: Window, target_idx: Optional[int] = None) -> None:
        np = self._np = need_numpy("reports")
        regions = window.regions
        if target_idx is not None and bool((regions["target_idx"] != target_idx).any()):
            regions = regions[regions["target_idx"] == target_idx]
        is_sorted = len(regions) < 2 or bool((regions["start"][1:] >= regions["start"][:-1]).all())
        self.regions = regions if is_sorted else regions[np.argsort(regions["start"], kind="stable")]
        self.is_unknown = (self.regions["flags"] & int(RegionFlags.UNKNOWN)) != 0
        self.share = np.minimum(self.regions["nr_accesses"] / max(window.max_nr_accesses, 1), 1.0)
        self.sizes = (self.regions["end"] - self.regions["start"]).astype(float)
        self._points = np.stack((self.regions["start"], self.regions["end"]), axis=1).reshape(-1).astype(float)

    def between(self, low: Any, high: Any, per_byte: Any) -> Any:
        """Of each range [low, high): the sum of per_byte over the bytes of regions in it."""
        np = self._np
        if len(self.regions) == 0:
            return np.zeros(len(low))
        after = np.cumsum(self.sizes * per_byte)
        sums = np.stack((np.concatenate(([0.0], after[:-1])), after), axis=1).reshape(-1)
        return np.interp(high, self._points, sums) - np.interp(low, self._points, sums)


def spans_of(windows: Sequence[Window], target_idx: int) -> list[tuple[int, int]]:
    """The addresses that regions covered at any time, without large holes."""
    np = need_numpy("reports")
    runs: set[tuple[int, int]] = set()
    for window in windows:
        regions = Spread(window, target_idx).regions
        if len(regions):
            begins = np.concatenate(([True], regions["start"][1:] != regions["end"][:-1]))
            runs.update(zip(regions["start"][begins].tolist(), regions["end"][np.concatenate((begins[1:], [True]))].tolist()))
    watched = _merged(runs, 0)
    return _merged(watched, max(sum(end - start for start, end in watched) // _CUT_SHARE, _LEAST_CUT_BYTES))


def _merged(runs: Iterable[tuple[int, int]], hole_bytes: int) -> list[tuple[int, int]]:
    """The ranges, sorted; those with at most such a hole between them become one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(runs):
        if spans and start <= spans[-1][1] + hole_bytes:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


class Axis:
    """Places in spans that lie side by side."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        np = self._np = need_numpy("reports")
        sizes = np.array([end - start for start, end in spans], float)
        self.total = float(sizes.sum())
        self._starts = np.array([start for start, _ in spans], float)
        self._before = np.concatenate(([0.0], np.cumsum(sizes)[:-1]))
        self._sizes = sizes

    def pieces(self, places: int) -> tuple[Any, Any, Any]:
        """(place, low, high) of the pieces of memory that so many equal places consist of: one in two spans has two."""
        np = self._np
        cuts = np.unique(np.concatenate((np.linspace(0, self.total, places + 1), self._before)))
        cuts = np.concatenate((cuts[cuts < self.total], [self.total]))
        low, high = cuts[:-1], cuts[1:]
        span = np.searchsorted(self._before, (low + high) / 2, side="right") - 1
        place = np.minimum(((low + high) / 2 * places / self.total).astype(int), places - 1)
        offset = self._starts[span] - self._before[span]
        return place, low + offset, high + offset

    def address(self, share: float) -> int:
        """What lies at a share, 0 to 1, of the whole."""
        at = min(max(share, 0.0), 1.0) * self.total
        span = int(self._np.searchsorted(self._before, at, side="right")) - 1
        return int(self._starts[span] + min(at - self._before[span], self._sizes[span]))


@dataclass
class Grid:
    """Cells of equal steps of time and of memory. share[time, place]: of the samples that found it accessed; NaN where
    nothing was watched or could be looked at. hidden[time, place]: of the watched memory, what could not be looked at."""

    axis: Axis
    spans: list[tuple[int, int]]
    begin_ns: int
    end_ns: int
    share: Any
    hidden: Any

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.begin_ns) / 1e9


def grid(found: Loaded, target_idx: int, places: int, times: int) -> Grid:
    """ValueError: the target has no regions."""
    np = need_numpy("reports")
    spans = spans_of(found.windows, target_idx)
    if not spans:
        there = ", ".join(map(str, found.targets)) or "none"
        raise ValueError(f"the record has no region of target {target_idx}; targets with regions: {there}")
    axis, when = Axis(spans), found.times
    begin, end = min(opened for opened, _ in when), max(closed for _, closed in when)
    step = max((end - begin) / times, 1)
    sums = np.zeros((3, times, places))
    place, low, high = axis.pieces(places)
    for window, (opened, closed) in zip(found.windows, when):
        spread = Spread(window, target_idx)
        seen = ~spread.is_unknown
        rows = np.zeros((3, places))
        for row, per_byte in zip(rows, (seen * spread.share, seen * 1.0, spread.is_unknown * 1.0)):
            if per_byte.any():
                row += np.bincount(place, spread.between(low, high, per_byte), places)
        first, last = int((opened - begin) / step), min(int((closed - begin) / step) + 1, times)
        for time in range(first, last):
            overlap = min(closed, begin + (time + 1) * step) - max(opened, begin + time * step)
            if overlap > 0:
                sums[:, time] += rows * (overlap / step)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(sums[1] > 0, sums[0] / sums[1], np.nan)
        hidden = np.where(sums[2] > 0, sums[2] / (sums[1] + sums[2]), 0.0)
    return Grid(axis, spans, begin, end, share, hidden)


@dataclass(frozen=True)
class WorkingSet:
    """Of one window. accessed_bytes is a lower bound where unknown_bytes is not 0."""

    time_ns: int
    accessed_bytes: int
    unknown_bytes: int
    total_bytes: int
    rss_bytes: int


def working_sets(found: Loaded, min_nr_accesses: int = 1) -> list[WorkingSet]:
    """Of each window."""
    return [WorkingSet(window.time_ns, window.working_set_bytes(min_nr_accesses), window.unknown_bytes, window.total_bytes,
                       window.rss_bytes) for window in found.windows]


@dataclass(frozen=True)
class Idle:
    """How much memory is idle for how long: bytes of each of IDLE_STEPS."""

    accessed_bytes: int
    unknown_bytes: int
    idle_bytes: tuple[int, ...]

    def at_least(self, microseconds: int) -> int:
        """Bytes idle for at least so long, where that is one of IDLE_STEPS."""
        return sum(size for size, (step, _) in zip(self.idle_bytes, IDLE_STEPS) if step >= microseconds)


def idle(window: Window) -> Idle:
    """Of one window."""
    np = need_numpy("reports")
    sizes, unknown = window.sizes, window.is_unknown
    is_idle = (window.regions["nr_accesses"] == 0) & ~unknown
    steps = np.array([step for step, _ in IDLE_STEPS], "<u8")
    place = np.searchsorted(steps, window.idle_times_us()[is_idle], side="right") - 1
    sums = np.zeros(len(IDLE_STEPS), "<u8")
    np.add.at(sums, place, sizes[is_idle])
    return Idle(window.working_set_bytes(), window.unknown_bytes, tuple(sums.tolist()))


@dataclass(frozen=True)
class OfMapping:
    """What is known of all mappings of one name."""

    name: str
    total_bytes: int
    accessed_bytes: int
    unknown_bytes: int
    idle_bytes: int  # for at least idle_us


def by_mapping(window: Window, mappings: Sequence[Mapping], idle_us: int = 60 * _SECOND) -> list[OfMapping]:
    """Watched memory by the name of its mapping, the largest first. What lies in no known mapping is "?"."""
    np = need_numpy("reports")
    low = np.array([mapping.start for mapping in mappings], float)
    high = np.array([mapping.end for mapping in mappings], float)
    sums: dict[str, Any] = {}
    whole = np.zeros(4)
    for target in sorted(set(window.regions["target_idx"].tolist())):
        spread = Spread(window, target)
        weights = _weights(spread, idle_us)
        whole += [(spread.sizes * weight).sum() for weight in weights]
        amounts = np.array([spread.between(low, high, weight) for weight in weights]).reshape(len(weights), -1)
        for mapping, of_it in zip(mappings, amounts.T):
            if of_it[0] > 0:
                sums[mapping.name] = sums.get(mapping.name, 0) + of_it
    rest = whole - sum(sums.values())
    if rest[0] >= 1:
        sums["?"] = rest
    rows = [OfMapping(name, *(max(round(float(value)), 0) for value in of_it)) for name, of_it in sums.items()]
    return sorted(rows, key=lambda row: (-row.total_bytes, row.name))


def _weights(spread: Spread, idle_us: int) -> tuple[Any, ...]:
    """Of each region 1 or 0: watched, accessed, unknown, idle for so long."""
    np, regions = need_numpy("reports"), spread.regions
    idle_for = np.where(regions["idle_us"] == np.uint64(IDLE_UNKNOWN), regions["age_us"], regions["idle_us"])
    seen, accessed = ~spread.is_unknown, regions["nr_accesses"] > 0
    return (np.ones(len(regions)), (accessed & seen) * 1.0, spread.is_unknown * 1.0,
            (~accessed & seen & (idle_for >= idle_us)) * 1.0)


def name_at(mappings: Sequence[Mapping], address: int) -> str:
    """Name of the mapping at an address, or ""."""
    for mapping in mappings:
        if mapping.start <= address < mapping.end:
            return mapping.name
    return ""

