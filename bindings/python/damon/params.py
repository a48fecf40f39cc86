"""Parameters as immutable dataclasses; the fields and their defaults are those of damon_c.h.

To change one: `dataclasses.replace(scheme, apply_interval_us=1_000_000)`.
"""

from __future__ import annotations

import dataclasses
import mmap
import operator
import sys
from collections.abc import Iterable
from typing import Any, Callable, Optional, Union

from . import _core
from .checks import MAX_U64, expect, expect_many, many
from .enums import Action, FilterType, QuotaGoalMetric, QuotaGoalTuner, WmarkMetric

MAX_U32 = 2**32 - 1
Range = tuple[int, int]
ActionCallback = Callable[[_core.Region, int], int]
_KEYWORDS = {"kw_only": True} if sys.version_info >= (3, 10) else {}


@dataclasses.dataclass(frozen=True)
class IntervalsGoal:
    """Tunes sample_us and aggr_us until access_bp of the possible samples are positive. aggrs 0: off."""

    access_bp: int = 0
    aggrs: int = 0
    min_sample_us: int = 0
    max_sample_us: int = 0


@dataclasses.dataclass(frozen=True)
class Attrs:
    """How often to look and how many regions to keep."""

    sample_us: int = 5_000
    aggr_us: int = 100_000
    ops_update_us: int = 60_000_000
    min_nr_regions: int = 10
    max_nr_regions: int = 1_000
    intervals_goal: IntervalsGoal = IntervalsGoal()
    max_overhead_permil: int = 10

    def __post_init__(self) -> None:
        expect(self.intervals_goal, IntervalsGoal, "intervals_goal")


@dataclasses.dataclass(frozen=True)
class Target:
    """What is watched: ranges of addresses. None: all mappings of this process."""

    ranges: tuple[Range, ...] = ()
    pid: int = 0
    keep: Any = dataclasses.field(default=None, repr=False, compare=False)  # what must live as long as the target

    @staticmethod
    def of(*buffers: Any) -> Target:
        """The memory of NumPy arrays, bytearrays, mmaps or other buffers, which stays where it is meanwhile. Buffers that
        share a page are one range: accesses are seen page by page."""
        held = [_core.Buffer(buffer) for buffer in buffers]
        ranges: list[Range] = []
        for start, end in sorted((buffer.start, buffer.end) for buffer in held):
            if ranges and start // mmap.PAGESIZE <= (ranges[-1][1] - 1) // mmap.PAGESIZE:
                ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
            else:
                ranges.append((start, end))
        return Target(ranges=tuple(ranges), keep=held)


@dataclasses.dataclass(frozen=True)
class AccessPattern:
    """Which regions a scheme is for; all bounds are inclusive. Default: all regions."""

    min_sz: int = 0
    max_sz: int = MAX_U64
    min_nr_accesses: int = 0
    max_nr_accesses: int = MAX_U32
    min_age: int = 0
    max_age: int = MAX_U32


@dataclasses.dataclass(frozen=True)
class QuotaGoal:
    """What a quota is tuned for."""

    target_value: int
    metric: QuotaGoalMetric = QuotaGoalMetric.USER_INPUT
    current_value: int = 0
    nid: int = -1
    memcg_id: int = 0


@dataclasses.dataclass(frozen=True)
class Quota:
    """How much a scheme may do in a window of reset_interval_ms, and what first. 0: no limit."""

    ms: int = 0
    sz: int = 0
    reset_interval_ms: int = 0
    weight_sz: int = 0
    weight_nr_accesses: int = 0
    weight_age: int = 0
    goals: tuple[QuotaGoal, ...] = ()
    goal_tuner: QuotaGoalTuner = QuotaGoalTuner.CONSIST
    fail_charge_num: int = 0
    fail_charge_denom: int = 0

    def __post_init__(self) -> None:
        expect_many(self.goals, QuotaGoal, "goals", "a goal")


@dataclasses.dataclass(frozen=True)
class Watermarks:
    """When a scheme works: between low and mid, and up to high once it works (permil of free memory)."""

    metric: WmarkMetric = WmarkMetric.NONE
    high: int = 0
    mid: int = 0
    low: int = 0
    interval_us: int = 0


@dataclasses.dataclass(frozen=True)
class Filter:
    """The first filter whose property matches decides whether memory is acted on."""

    type: FilterType
    matching: bool = True
    allow: bool = False
    memcg_id: int = 0
    addr_start: int = 0
    addr_end: int = 0
    min_bytes: int = 0
    max_bytes: int = 0
    target_idx: int = 0


@dataclasses.dataclass(frozen=True)
class MigrateDest:
    """A destination of MIGRATE_HOT and MIGRATE_COLD."""

    nid: int
    weight: int = 1


@dataclasses.dataclass(frozen=True, **_KEYWORDS)
class Scheme:
    """An access pattern and what to do with memory that shows it.

    `callback` (for Action.CALLBACK) is called with (region, position of the scheme) on the worker and returns the bytes
    that it dealt with.
    """

    action: Action = Action.STAT
    pattern: AccessPattern = AccessPattern()
    apply_interval_us: int = 0
    quota: Quota = Quota()
    wmarks: Watermarks = Watermarks()
    filters: tuple[Filter, ...] = ()
    target_nid: int = -1
    migrate_dests: tuple[MigrateDest, ...] = ()
    max_nr_snapshots: int = 0
    callback: Optional[ActionCallback] = None
    min_age_us: int = 0  # not 0: takes the place of pattern.min_age, and tuned intervals do not stretch it

    def __post_init__(self) -> None:
        expect(self.pattern, AccessPattern, "pattern")
        expect(self.quota, Quota, "quota")
        expect(self.wmarks, Watermarks, "wmarks")
        expect_many(self.filters, Filter, "filters", "a filter")
        expect_many(self.migrate_dests, MigrateDest, "migrate_dests", "a destination")

    @staticmethod
    def calling(callback: ActionCallback, **fields: Any) -> Scheme:
        """A scheme whose action is a function of the program's."""
        return Scheme(action=Action.CALLBACK, callback=callback, **fields)


@dataclasses.dataclass(frozen=True)
class Stats:
    """Counters of one context; they only grow."""

    nr_intervals: int
    nr_skipped_intervals: int
    nr_wakeups: int
    nr_samples: int
    nr_unknown_samples: int
    nr_writes_only_samples: int
    cpu_ns: int
    nr_lost_reports: int


@dataclasses.dataclass(frozen=True)
class SchemeStat:
    """What a scheme has done since it was added."""

    active: int
    nr_tried: int
    sz_tried: int
    nr_applied: int
    sz_applied: int
    sz_ops_filter_passed: int
    qt_exceeds: int
    nr_snapshots: int
    esz: int


@dataclasses.dataclass(frozen=True)
class AccessCheckInfo:
    """Whether a way of seeing works here, what it sees, and why not."""

    available: bool
    sees: int
    error: int
    name: str
    reason: str


def attrs_from(fields: dict[str, Any]) -> Attrs:
    """Attributes from what the extension read."""
    return Attrs(**{**fields, "intervals_goal": IntervalsGoal(**fields["intervals_goal"])})


def target_from(given: Union[Target, Range, Any]) -> Target:
    """A target, a range (start, end), or a buffer."""
    if isinstance(given, Target):
        return given
    if isinstance(given, (tuple, list)):
        if not isinstance(given, tuple) or len(given) != 2 or not all(hasattr(end, "__index__") for end in given):
            raise TypeError(f"a range is a pair (start, end) of integers, not {given!r}")
        return Target(ranges=((operator.index(given[0]), operator.index(given[1])),))
    return Target.of(given)


def schemes_from(given: Iterable[Scheme]) -> list[Scheme]:
    """The schemes, each checked to be one."""
    schemes: list[Scheme] = many(given, "schemes")
    for scheme in schemes:
        expect(scheme, Scheme, "a scheme")
    return schemes
