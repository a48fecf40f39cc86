"""Probes, and the usual policies in one call; the fields and their defaults are those of damon_c.h."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Union

from . import _core
from .checks import MAX_U64, as_tuples
from .enums import Action, ProbeFilterType, Skip
from .params import Scheme


@dataclasses.dataclass(frozen=True)
class ProbeFilter:
    """The first filter whose property matches decides whether a probe hits."""

    type: ProbeFilterType
    matching: bool = True
    allow: bool = True
    memcg_id: int = 0
    min_bytes: int = 0
    max_bytes: int = MAX_U64


@dataclasses.dataclass(frozen=True)
class Probe:
    """An attribute of memory that is sampled alongside accesses; with weights, instead of them. At most 4."""

    filters: Sequence[ProbeFilter] = ()
    weight: int = 0

    def __post_init__(self) -> None:
        as_tuples(self, "filters")


@dataclasses.dataclass(frozen=True)
class Reclaim:
    """Pages out what has not been accessed for long, while memory is scarce.

    allow_unseen_reads: act also where reads cannot be seen; own_memcg: scarce in this process's memory group.
    """

    skip_anon: bool = False
    min_age_us: int = 120_000_000
    quota_ms: int = 10
    quota_sz: int = 128 << 20
    quota_reset_interval_ms: int = 1_000
    quota_mem_pressure_us: int = 0
    quota_autotune_feedback: int = 0
    wmarks_interval_us: int = 5_000_000
    wmarks_high: int = 500
    wmarks_mid: int = 400
    wmarks_low: int = 200
    autotune_monitoring_intervals: bool = False
    sample_us: int = 5_000
    aggr_us: int = 100_000
    min_nr_regions: int = 10
    max_nr_regions: int = 1_000
    allow_unseen_reads: bool = False
    own_memcg: bool = False


@dataclasses.dataclass(frozen=True)
class LruSort:
    """Sorts memory for reclaim, what is cold first and what is hot last: two schemes.

    allow_unseen_reads, own_memcg: as of Reclaim.
    """

    hot_thres_access_freq: int = 500
    cold_min_age_us: int = 120_000_000
    active_mem_bp: int = 0
    quota_ms: int = 10
    quota_reset_interval_ms: int = 1_000
    wmarks_interval_us: int = 5_000_000
    wmarks_high: int = 200
    wmarks_mid: int = 150
    wmarks_low: int = 50
    filter_young_pages: bool = False
    autotune_monitoring_intervals: bool = False
    sample_us: int = 5_000
    aggr_us: int = 100_000
    min_nr_regions: int = 10
    max_nr_regions: int = 1_000
    allow_unseen_reads: bool = False
    own_memcg: bool = False


@dataclasses.dataclass(frozen=True)
class PresetScheme(Scheme):
    """Stands in Context.schemes for a scheme that the library made."""

    preset: Union[Reclaim, LruSort, None] = None
    part: int = 0


@dataclasses.dataclass(frozen=True)
class Summary:
    """Memory by how long it is idle.

    seq: number of the snapshot; aggr_us: its aggregation interval, microseconds.
    bandwidth: an estimate of the accessed bytes a second.
    known_bytes, unknown_bytes: memory that could be looked at, and that could not: the other members are about the first.
    memory_idle_ms[p]: p percent of it are idle for at most so many milliseconds; negative: in use for so long.
    """

    seq: int
    aggr_us: int
    bandwidth: int
    known_bytes: int
    unknown_bytes: int
    memory_idle_ms: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class ActionStats:
    """What actions did to memory, and what they went over and left as it was."""

    nr_calls: int
    nr_failed_calls: int
    applied_bytes: dict[Action, int]
    skipped_bytes: dict[Skip, int]


def skip_text(skip: int) -> str:
    """Why an action left memory as it was, in words."""
    return _core.skip_text(skip)


def schemes_of(preset: Union[Reclaim, LruSort]) -> list[Scheme]:
    """What stands for the schemes of a preset."""
    if not isinstance(preset, (Reclaim, LruSort)):
        raise TypeError(f"a preset must be a damon.Reclaim or a damon.LruSort, not {type(preset).__name__}")
    return [PresetScheme(preset=preset, part=part) for part in range(1 if isinstance(preset, Reclaim) else 2)]


def add_scheme(core: _core.Ctx, scheme: Scheme, home: _core.Ctx) -> None:
    """Adds one of Context.schemes to a context of the library."""
    if not isinstance(scheme, PresetScheme):
        core.add_scheme(scheme, home)
    elif scheme.part == 0 and isinstance(scheme.preset, Reclaim):
        core.preset_reclaim(scheme.preset)
    elif scheme.part == 0:
        core.preset_lru_sort(scheme.preset)


def action_stats_from(fields: dict[str, Any]) -> ActionStats:
    """Named counters from what the extension read."""
    applied, skipped = fields["applied_bytes"], fields["skipped_bytes"]
    return ActionStats(
        fields["nr_calls"],
        fields["nr_failed_calls"],
        {action: applied[action] for action in Action},
        {skip: skipped[skip] for skip in Skip},
    )
