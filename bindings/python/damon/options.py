"""The keyword options of functions, for type checkers: a misspelt one is found before the program runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional, TypedDict, Union

if TYPE_CHECKING:
    from .enums import AccessCheck, Action, Ops, SchemeFlags, SimPatternKind, SimRangeFlags
    from .operations import Operations
    from .params import (
        AccessPattern,
        ActionCallback,
        Attrs,
        Filter,
        IntervalsGoal,
        MigrateDest,
        Quota,
        Watermarks,
    )


class OtherAttrsOptions(TypedDict, total=False):
    """The fields of Attrs but its intervals."""

    min_nr_regions: int
    max_nr_regions: int
    intervals_goal: IntervalsGoal
    max_overhead_permil: int
    referenced_us: int
    survey_bp: int


class AttrsOptions(OtherAttrsOptions, total=False):
    """The fields of Attrs."""

    sample_us: int
    aggr_us: int
    ops_update_us: int


class CommitOptions(AttrsOptions, total=False):
    """Single fields that Context.commit() changes."""

    min_region_sz: int
    addr_unit: int


class ContextOptions(TypedDict, total=False):
    """What a Context is made with besides attributes, targets and schemes."""

    ops: Union[Ops, Operations, None]
    access_check: AccessCheck
    seed: int
    min_region_sz: Optional[int]
    addr_unit: int


class RecordOptions(TypedDict, total=False):
    """Of Context.record()."""

    command_line: bool
    labels: Optional[dict[str, str]]
    wall_ns: Optional[int]
    max_bytes: int
    max_seconds: float
    keep: int
    append: bool


class MonitorOptions(AttrsOptions, ContextOptions, total=False):
    """Of monitor_self()."""

    attrs: Attrs
    manual: bool


class SchemeOptions(TypedDict, total=False):
    """The fields of Scheme."""

    action: Union[Action, str]
    pattern: AccessPattern
    apply_interval_us: int
    quota: Quota
    wmarks: Watermarks
    filters: Sequence[Filter]
    target_nid: int
    migrate_dests: Sequence[MigrateDest]
    max_nr_snapshots: int
    callback: Optional[ActionCallback]
    flags: SchemeFlags
    min_age_us: int


class CallingOptions(TypedDict, total=False):
    """The fields of Scheme that Scheme.calling() leaves open."""

    pattern: AccessPattern
    apply_interval_us: int
    quota: Quota
    wmarks: Watermarks
    filters: Sequence[Filter]
    target_nid: int
    migrate_dests: Sequence[MigrateDest]
    max_nr_snapshots: int
    flags: SchemeFlags
    min_age_us: int


class MachineOptions(TypedDict, total=False):
    """The fields of sim.Machine."""

    seed: int
    nr_nodes: int
    page_size: int
    huge_page_size: int
    node_bytes: Sequence[int]
    swap_bytes: int
    fault_ns: int
    refault_ns: int
    young_us: int
    action_ns: Sequence[int]
    sample_ns: int
    batch_ns: int


class MappedRangeOptions(TypedDict, total=False):
    """The fields of sim.MappedRange."""

    start: int
    end: int
    target_idx: int
    flags: SimRangeFlags
    nid: int
    resident_bp: int
    memcg_id: int


class PatternOptions(TypedDict, total=False):
    """The fields of sim.Pattern."""

    start: int
    end: int
    kind: SimPatternKind
    rate_millihz: int
    begin_us: int
    end_us: int
    step_us: int
    period_us: int
    phase_us: int
    hot_us: int
    window_bytes: int
    target_idx: int
    writes_bp: int
    nr_regions: int
