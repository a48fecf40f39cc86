"""What schemes would have done to the memory of a recorded run.

Each window's regions are matched with each scheme as the library does it: size, accesses, age, filters by address and target,
what of it could not be looked at, and a quota of bytes, the best fitting regions first. Memory that a scheme has been applied
to is not applied to again until it has been accessed, or does not match any more. The run itself does not change: what was
accessed was accessed whether it would have been there or not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..checks import need_numpy
from ..enums import Action, FilterType, RegionFlags, SchemeFlags
from ..params import Attrs, Filter, Scheme
from .loading import Loaded
from .model import Window

# Of memory that is taken for cold; where reads cannot be seen nothing is known to be.
COLD_ACTIONS = frozenset((Action.PAGEOUT, Action.COLD, Action.LRU_DEPRIO, Action.MIGRATE_COLD))
SOON_US = (1_000_000, 10_000_000, 60_000_000)  # accessed again within so long
_MAX_U32 = 2**32 - 1


class Pieces:
    """Disjoint address ranges, each with the time since which it is there."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._all: list[tuple[int, int, int]] = []
        self.total = 0

    def _between(self, start: int, end: int) -> tuple[int, int]:
        first = bisect_right(self._starts, start)
        if first and self._all[first - 1][1] > start:
            first -= 1
        return first, bisect_left(self._starts, end, lo=first)

    def take(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Removes what lies in [start, end), and gives it."""
        first, last = self._between(start, end)
        taken, left = [], []
        for low, high, since in self._all[first:last]:
            taken.append((max(low, start), min(high, end), since))
            left += [(a, b, since) for a, b in ((low, start), (end, high)) if max(a, low) < min(b, high)]
        self._put(first, last, left)
        self.total -= sum(high - low for low, high, _ in taken)
        return taken

    def add(self, start: int, end: int, since: int) -> int:
        """Adds what of [start, end) is not there yet. Bytes that were added."""
        first, last = self._between(start, end)
        fresh, at = [], start
        for low, high, _ in self._all[first:last]:
            if at < low:
                fresh.append((at, low, since))
            at = max(at, high)
        if at < end:
            fresh.append((at, end, since))
        self._put(first, last, sorted(self._all[first:last] + fresh))
        added = sum(high - low for low, high, _ in fresh)
        self.total += added
        return added

    def missing(self, start: int, end: int) -> int:
        """Bytes of [start, end) that are not there."""
        first, last = self._between(start, end)
        return end - start - sum(min(high, end) - max(low, start) for low, high, _ in self._all[first:last])

    def _put(self, first: int, last: int, pieces: list[tuple[int, int, int]]) -> None:
        self._all[first:last] = pieces
        self._starts[first:last] = [low for low, _, _ in pieces]


@dataclass
class Tried:
    """What one scheme would have done."""

    action: str
    not_tried: list[str]  # what of the scheme a record cannot tell
    nr_windows: int = 0  # in which it looked
    matched_bytes: list[int] = field(default_factory=list)  # of each of them
    held_bytes: list[int] = field(default_factory=list)  # that it had been applied to, at the end of each window
    applied_bytes: int = 0
    over_quota_bytes: int = 0
    unseen_bytes: int = 0  # most that matched in a window, and was spared as its reads cannot be seen
    again_bytes: int = 0  # applied to, and accessed later
    again_soon_bytes: list[int] = field(default_factory=lambda: [0] * len(SOON_US))


def _unsupported(scheme: Scheme) -> list[str]:
    found = []
    if scheme.quota.ms:
        found.append(f"quotas.time_ms {scheme.quota.ms}: how long an action takes")
    found += [f"the goal {goal.metric.name.lower()}" for goal in scheme.quota.goals]
    if scheme.wmarks.metric:
        found.append(f"the watermarks of {scheme.wmarks.metric.name.lower()}")
    found += [f"the filter '{one.type.name.lower()}', which looks at pages" for one in scheme.filters
              if one.type not in (FilterType.ADDR, FilterType.TARGET)]
    return found


class _Trial:
    """One scheme over a run."""

    def __init__(self, scheme: Scheme, attrs: Attrs) -> None:
        self._np = need_numpy("damon sim")
        self._scheme, self._attrs = scheme, attrs
        self._action = Action(int(scheme.action))
        self._held: dict[int, Pieces] = {}
        self._next_ns = self._quota_ends_ns = 0
        self._quota_left = 0
        self.found = Tried(self._action.name.lower(), _unsupported(scheme))

    def look(self, window: Window) -> None:
        """At the next window."""
        matching = self._matching(window)
        self._let_go(window, matching)
        if window.time_ns >= self._next_ns:
            self._next_ns = window.time_ns + self._scheme.apply_interval_us * 1000
            self.found.nr_windows += 1
            matching &= ~self._spared(window, matching)
            self.found.matched_bytes.append(int(window.sizes[matching].sum()))
            self._apply(window, window.regions[matching])
        self.found.held_bytes.append(sum(pieces.total for pieces in self._held.values()))

    def _matching(self, window: Window) -> Any:
        np, pattern, regions = self._np, self._scheme.pattern, window.regions
        of_attrs = max(self._attrs.aggr_us // max(self._attrs.sample_us, 1), 1)
        share = np.minimum(regions["nr_accesses"] / max(window.max_nr_accesses, 1), 1.0)
        # A scheme of the recorded run began the ages of what it was applied to anew; idle times go on.
        age_us = np.maximum(regions["age_us"], window.idle_times_us())
        least = self._scheme.min_age_us or pattern.min_age * self._attrs.aggr_us
        matching = (window.sizes >= pattern.min_sz) & (window.sizes <= pattern.max_sz) & (age_us >= least)
        matching &= share >= min(pattern.min_nr_accesses / of_attrs, 1.0)
        if pattern.max_nr_accesses < of_attrs:
            matching &= share <= pattern.max_nr_accesses / of_attrs
        if pattern.max_age != _MAX_U32:
            matching &= age_us <= pattern.max_age * self._attrs.aggr_us
        return matching & self._allowed(regions)

    def _allowed(self, regions: Any) -> Any:
        """By filters of addresses and targets: the first that concerns a region decides; at the end, the other way."""
        np = self._np
        filters = [one for one in self._scheme.filters if one.type in (FilterType.ADDR, FilterType.TARGET)]
        allowed = np.full(len(regions), not (filters and filters[-1].allow))
        for one in reversed(filters):
            allowed = np.where(self._concerns(one, regions), one.allow, allowed)
        return allowed

    def _concerns(self, one: Filter, regions: Any) -> Any:
        if one.type == FilterType.TARGET:
            inside = regions["target_idx"] == one.target_idx
        else:
            inside = (regions["start"] >= one.addr_start) & (regions["end"] <= one.addr_end)
        return inside == one.matching

    def _spared(self, window: Window, matching: Any) -> Any:
        """What the library leaves alone, since it may be in use."""
        np = self._np
        if self._action not in COLD_ACTIONS:
            return np.zeros(len(matching), bool)
        flags = window.regions["flags"]
        blind = (flags & int(RegionFlags.WRITES_ONLY | RegionFlags.REFERENCED)) == int(RegionFlags.WRITES_ONLY)
        if self._scheme.flags & SchemeFlags.ALLOW_UNSEEN_READS:
            blind[:] = False
        spared = matching & (blind | window.is_unknown)
        self.found.unseen_bytes = max(self.found.unseen_bytes, int(window.sizes[spared].sum()))
        return spared

    def _let_go(self, window: Window, matching: Any) -> None:
        """Memory that is accessed again, or does not match any more, may be applied to again."""
        is_cold = self._action in COLD_ACTIONS
        gone = (window.regions["nr_accesses"] > 0) & ~window.is_unknown if is_cold else ~matching
        for region in window.regions[gone][["target_idx", "start", "end"]].tolist():
            target, start, end = region
            for low, high, since in self._held[target].take(start, end) if target in self._held else ():
                if not is_cold:
                    continue
                self.found.again_bytes += high - low
                for place, soon_us in enumerate(SOON_US):
                    if window.time_ns - since <= soon_us * 1000:
                        self.found.again_soon_bytes[place] += high - low

    def _apply(self, window: Window, regions: Any) -> None:
        quota = self._scheme.quota
        if quota.sz and window.time_ns >= self._quota_ends_ns:
            self._quota_left = quota.sz
            self._quota_ends_ns = window.time_ns + quota.reset_interval_ms * 1_000_000
        for target, start, end in self._ranked(window, regions)[["target_idx", "start", "end"]].tolist():
            held = self._held.setdefault(target, Pieces())
            if not quota.sz:
                self.found.applied_bytes += held.add(start, end, window.time_ns)
                continue
            wanted = held.missing(start, end)
            if wanted > self._quota_left:
                self.found.over_quota_bytes += wanted - self._quota_left
                end = min(end, start + self._quota_left)  # as the library cuts a region
            if self._quota_left and start < end:
                done = held.add(start, end, window.time_ns)
                self.found.applied_bytes += done
                self._quota_left -= done

    def _ranked(self, window: Window, regions: Any) -> Any:
        """The regions that fit the action best first, where there is a quota."""
        np, quota = self._np, self._scheme.quota
        weights = quota.weight_sz, quota.weight_nr_accesses, quota.weight_age
        if not quota.sz or len(regions) == 0:
            return regions
        of_size, of_accesses, of_age = weights if any(weights) else (0, 1, 1)
        heat = np.minimum(regions["nr_accesses"] / max(window.max_nr_accesses, 1), 1.0)
        age = np.log2(regions["age_us"] / max(self._attrs.aggr_us, 1) + 1) / 32
        sizes = (regions["end"] - regions["start"]).astype(float)
        rank = of_size * sizes / max(float(sizes.max()), 1.0)
        cold = self._action in COLD_ACTIONS
        rank = rank + of_accesses * (1 - heat if cold else heat) + of_age * age
        return regions[np.argsort(-rank, kind="stable")]


def attrs_of(found: Loaded) -> Attrs:
    """The intervals that a record was made with, as far as schemes are told in them."""
    window = found.windows[-1]
    return Attrs(sample_us=window.sample_us, aggr_us=window.aggr_us)


def tried(found: Loaded, schemes: Iterable[Scheme], attrs: Attrs,
          tell: Callable[[int], None] = lambda nr_windows: None) -> list[Tried]:
    """What each scheme alone would have done. tell: is told how many windows are done."""
    trials = [_Trial(scheme, attrs) for scheme in schemes]
    for number, window in enumerate(found.windows, 1):
        for trial in trials:
            trial.look(window)
        tell(number)
    return [trial.found for trial in trials]


def mean(values: Sequence[int]) -> float:
    """0 of nothing."""
    return sum(values) / len(values) if values else 0.0
