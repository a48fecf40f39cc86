"""Parameters as immutable dataclasses; the fields and their defaults are those of damon_c.h.

To change one: `dataclasses.replace(scheme, apply_interval_us=1_000_000)`.
"""

from __future__ import annotations

import dataclasses
import errno
import mmap
import operator
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import _core
from .checks import MAX_U64, as_tuples, expect, expect_many, many, member_of, microseconds, named
from .enums import Action, FilterType, QuotaGoalMetric, QuotaGoalTuner, SchemeFlags, UnknownReason, WmarkMetric
from .errors import error_for
from .memory import has_memory, parts_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import CallingOptions, OtherAttrsOptions

MAX_U32 = 2**32 - 1


class _Named(int):
    """A number that shows itself by its name."""

    def __repr__(self) -> str:
        return "SURVEY_DEFAULT"


SURVEY_DEFAULT = _Named(MAX_U64)  # Attrs.survey_bp: the library's choice
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
    """How often to look and how many regions to keep.

    sample_us: sampling interval in microseconds: one page of each region is looked at.
    aggr_us: aggregation interval in microseconds: a snapshot each.
    ops_update_us: how often mappings are read again, microseconds.
    min_nr_regions, max_nr_regions: the lower bound of accuracy, the upper bound of cost.
    intervals_goal: tunes the intervals.
    max_overhead_permil: most that monitoring may cost, 1/1,000 of one CPU; windows have fewer samples then, and
        take longer where that is not enough. 0: no limit.
    referenced_us: how often accessed bits of stable memory are read, microseconds, at most a minute. 0: never.
    survey_bp: budget of surveys, which find small hot sets, 1/10,000 of one CPU; SURVEY_DEFAULT: 10 where the operations
        can serve them, else 0. 0: none.
    """

    sample_us: int = 5_000
    aggr_us: int = 100_000
    ops_update_us: int = 1_000_000
    min_nr_regions: int = 10
    max_nr_regions: int = 1_000
    intervals_goal: IntervalsGoal = IntervalsGoal()
    max_overhead_permil: int = 10
    referenced_us: int = 0
    survey_bp: int = SURVEY_DEFAULT

    def __post_init__(self) -> None:
        expect(self.intervals_goal, IntervalsGoal, "intervals_goal")

    @staticmethod
    def of(
        *,
        sample: Union[float, timedelta] = 0.005,
        aggr: Union[float, timedelta] = 0.1,
        ops_update: Union[float, timedelta] = 1.0,
        **others: Unpack[OtherAttrsOptions],
    ) -> Attrs:
        """With intervals in seconds or as timedelta: `Attrs.of(sample=0.001, aggr=0.02, max_nr_regions=500)`."""
        names = (field.name for field in dataclasses.fields(Attrs)[3:])
        named(others, ("sample", "aggr", "ops_update", *names), "Attrs.of()")
        return Attrs(microseconds(sample, "sample"), microseconds(aggr, "aggr"), microseconds(ops_update, "ops_update"),
                     **others)


@dataclasses.dataclass(frozen=True)
class Target:
    """What is watched: ranges of addresses. None: all mappings of this process."""

    ranges: Sequence[Range] = ()
    pid: int = 0
    keep: Any = dataclasses.field(default=None, repr=False, compare=False)  # of Target.of(): the buffers' objects

    @staticmethod
    def of(*buffers: Any) -> Target:
        """The memory of NumPy arrays, bytearrays, mmaps or other buffers. It is held where it is while a context that
        watches it runs. Buffers that share a page are one range: accesses are seen page by page."""
        return buffers_target(Kept(buffers))

    def __post_init__(self) -> None:
        as_tuples(self, "ranges")


class Kept:
    """The objects whose memory a target is: kept alive by the target, held in place by the contexts that run."""

    def __init__(self, objects: Iterable[Any]) -> None:
        self.objects = tuple(objects)

    def hold(self) -> list[_core.Buffer]:
        """Their memory, which cannot move until the buffers are released."""
        held: list[_core.Buffer] = []
        try:
            for given in self.objects:
                held += [_core.Buffer(part) for part in parts_of(given)]
        except BaseException:
            for buffer in held:
                buffer.release()  # the exception's traceback would keep them
            raise
        if self.objects and not held:
            raise error_for(errno.EINVAL, "the buffer is empty; it must have at least one byte")
        return held

    def __reduce__(self) -> Any:
        raise TypeError("the target has a buffer of this process; it cannot be copied or sent to another one")


def buffers_target(kept: Kept) -> Target:
    """The target of these objects, where their memory is now."""
    held = kept.hold()
    try:
        return Target(ranges=ranges_of(held), keep=kept)
    finally:
        for buffer in held:
            buffer.release()


def ranges_of(buffers: Iterable[_core.Buffer]) -> tuple[Range, ...]:
    """Where they are: sorted, those that share a page as one."""
    ranges: list[Range] = []
    for start, end in sorted((buffer.start, buffer.end) for buffer in buffers):
        if ranges and start // mmap.PAGESIZE <= (ranges[-1][1] - 1) // mmap.PAGESIZE:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return tuple(ranges)


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
    """How much a scheme may do in a window of reset_interval_ms (milliseconds), and what first.

    ms: milliseconds of the worker's time in a window; sz: bytes in a window. 0: no limit.
    weight_sz, weight_nr_accesses, weight_age: what counts for the priority of a region.
    goals: tune the quota, as goal_tuner says.
    fail_charge_num, fail_charge_denom: the part of what failed that counts against the quota.
    """

    ms: int = 0
    sz: int = 0
    reset_interval_ms: int = 0
    weight_sz: int = 0
    weight_nr_accesses: int = 0
    weight_age: int = 0
    goals: Sequence[QuotaGoal] = ()
    goal_tuner: QuotaGoalTuner = QuotaGoalTuner.CONSIST
    fail_charge_num: int = 0
    fail_charge_denom: int = 0

    def __post_init__(self) -> None:
        expect_many(self.goals, QuotaGoal, "goals", "a goal")
        as_tuples(self, "goals")


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

    action: Union[Action, str] = Action.STAT  # "pageout" is Action.PAGEOUT
    pattern: AccessPattern = AccessPattern()
    apply_interval_us: int = 0
    quota: Quota = Quota()
    wmarks: Watermarks = Watermarks()
    filters: Sequence[Filter] = ()
    target_nid: int = -1
    migrate_dests: Sequence[MigrateDest] = ()
    max_nr_snapshots: int = 0
    callback: Optional[ActionCallback] = None
    flags: SchemeFlags = SchemeFlags(0)
    min_age_us: int = 0  # not 0: takes the place of pattern.min_age, and tuned intervals do not stretch it

    def __post_init__(self) -> None:
        object.__setattr__(self, "action", member_of(self.action, Action, "action"))
        expect(self.pattern, AccessPattern, "pattern")
        expect(self.quota, Quota, "quota")
        expect(self.wmarks, Watermarks, "wmarks")
        expect_many(self.filters, Filter, "filters", "a filter")
        expect_many(self.migrate_dests, MigrateDest, "migrate_dests", "a destination")
        as_tuples(self, "filters", "migrate_dests")

    @staticmethod
    def calling(callback: ActionCallback, **fields: Unpack[CallingOptions]) -> Scheme:
        """A scheme whose action is a function of the program's."""
        return Scheme(action=Action.CALLBACK, callback=callback, **fields)


@dataclasses.dataclass(frozen=True)
class Stats:
    """Counters of one context; they only grow.

    nr_intervals: sampling intervals done.
    nr_skipped_intervals: deadlines left out, by a late worker or to keep max_overhead_permil.
    nr_wakeups: times the worker woke up.
    nr_samples: questions asked, one for each region and interval.
    nr_unknown_samples: those that could not be answered; nr_unknown_by_reason: the same by reason.
    nr_writes_only_samples: those whose answer could see writes only.
    cpu_ns: CPU time of the worker, nanoseconds, all runs; sampling_cpu_ns, update_cpu_ns (reading mappings), action_cpu_ns
    (schemes and callbacks), survey_cpu_ns and referenced_cpu_ns are parts of it.
    nr_lost_reports: report_access() calls that found the queue full.
    """

    nr_intervals: int
    nr_skipped_intervals: int
    nr_wakeups: int
    nr_samples: int
    nr_unknown_samples: int
    nr_writes_only_samples: int
    cpu_ns: int
    nr_lost_reports: int
    nr_unknown_by_reason: dict[UnknownReason, int]
    sampling_cpu_ns: int
    update_cpu_ns: int
    action_cpu_ns: int
    survey_cpu_ns: int
    referenced_cpu_ns: int


@dataclasses.dataclass(frozen=True)
class SchemeStat:
    """What a scheme has done since it was added.

    active: 1 if its watermarks let it work.
    nr_tried, sz_tried: regions handed to the action, and their bytes.
    nr_applied, sz_applied: regions and bytes on which it was done.
    sz_ops_filter_passed: bytes that passed the filters that look at pages.
    qt_exceeds: windows of the quota that ended with it used up.
    nr_snapshots: complete passes.
    esz: effective size quota now, bytes; 0: none set, or nothing allowed.
    """

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
    """Whether an access check works here, what it sees, and why not."""

    available: bool
    sees: int
    error: int
    name: str
    reason: str


def attrs_from(fields: dict[str, Any]) -> Attrs:
    """Attributes from what the extension read."""
    survey_bp = SURVEY_DEFAULT if fields["survey_bp"] == SURVEY_DEFAULT else fields["survey_bp"]
    return Attrs(**{**fields, "survey_bp": survey_bp, "intervals_goal": IntervalsGoal(**fields["intervals_goal"])})


def stats_from(fields: dict[str, Any]) -> Stats:
    """Counters from what the extension read."""
    by_reason = fields["nr_unknown_by_reason"]
    return Stats(**{**fields, "nr_unknown_by_reason": {reason: by_reason[reason] for reason in UnknownReason}})


def target_from(given: Union[Target, Range, Any]) -> Target:
    """A target, a range (start, end), or a buffer."""
    if isinstance(given, Target):
        return given
    if isinstance(given, (tuple, list)):
        if not isinstance(given, tuple) or len(given) != 2 or not all(hasattr(end, "__index__") for end in given):
            raise TypeError(f"a range is a pair (start, end) of integers, not {given!r}")
        return Target(ranges=((operator.index(given[0]), operator.index(given[1])),))
    if hasattr(given, "__index__") and not has_memory(given):
        raise TypeError(f"a target must be a damon.Target, a range (start, end) or a buffer, not {type(given).__name__}")
    return Target.of(given)


def schemes_from(given: Iterable[Scheme]) -> list[Scheme]:
    """The schemes, each checked to be one."""
    schemes: list[Scheme] = many(given, "schemes")
    for scheme in schemes:
        expect(scheme, Scheme, "a scheme")
    return schemes
