"""The structures of tools/agent/agent_page.h, and of damon_c.h where that file has them, for agent_page.py."""

from __future__ import annotations

import ctypes
from ctypes import Structure, c_char, c_int32, c_uint32, c_uint64

MAGIC = b"DAMONAGT"
VERSION = 1
MAX_SCHEMES = 16
REQUEST_BYTES = 8192

PADDING, WINDOW = 0, 1  # kinds of records


class RegionInfo(Structure):
    _fields_ = [
        *((name, c_uint64) for name in ("start", "end", "age_us", "idle_us")),
        *((name, c_uint32) for name in ("target_idx", "nr_accesses", "age", "flags")),
        ("unknown_reason", c_int32),
        ("reserved", c_uint32),
    ]


class SnapshotInfo(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        *((name, c_uint64) for name in ("seq", "time_ns", "sample_us", "aggr_us", "nr_regions", "passed_sample_intervals")),
        ("max_nr_accesses", c_uint32),
        ("nr_targets", c_uint32),
        ("window_us", c_uint64),
    ]


class IntervalsGoalFields(Structure):
    _fields_ = [(name, c_uint64) for name in ("access_bp", "aggrs", "min_sample_us", "max_sample_us")]


class AttrsFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        *((name, c_uint64) for name in ("sample_us", "aggr_us", "ops_update_us", "min_nr_regions", "max_nr_regions")),
        ("intervals_goal", IntervalsGoalFields),
        *((name, c_uint64) for name in ("max_overhead_permil", "referenced_us", "survey_bp")),
    ]


class StateFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("state", c_int32),
        *((name, c_uint64) for name in ("since_ns", "window_us", "cost_permil")),
        ("reason", c_char * 160),
    ]


class StatsFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        *((name, c_uint64) for name in ("nr_intervals", "nr_skipped_intervals", "nr_wakeups", "nr_samples",
                                        "nr_unknown_samples", "nr_writes_only_samples", "cpu_ns", "nr_lost_reports")),
        ("nr_unknown_by_reason", c_uint64 * 16),
        *((name, c_uint64) for name in ("sampling_cpu_ns", "update_cpu_ns", "action_cpu_ns", "survey_cpu_ns",
                                        "referenced_cpu_ns")),
    ]


class ActionStatsFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("nr_calls", c_uint64),
        ("nr_failed_calls", c_uint64),
        ("applied_bytes", c_uint64 * 16),
        ("skipped_bytes", c_uint64 * 24),
    ]


class PatternFields(Structure):
    _fields_ = [
        *((name, c_uint64) for name in ("min_sz", "max_sz")),
        *((name, c_uint32) for name in ("min_nr_accesses", "max_nr_accesses", "min_age", "max_age")),
    ]


class QuotaFields(Structure):
    _fields_ = [
        *((name, c_uint64) for name in ("reset_interval_ms", "ms", "sz")),
        *((name, c_uint32) for name in ("weight_sz", "weight_nr_accesses", "weight_age")),
        ("goal_tuner", c_int32),
        *((name, c_uint32) for name in ("fail_charge_num", "fail_charge_denom")),
    ]


class WmarksFields(Structure):
    _fields_ = [
        ("metric", c_int32),
        *((name, c_uint32) for name in ("high", "mid", "low")),
        ("interval_us", c_uint64),
    ]


class ParamsFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("action", c_int32),
        ("pattern", PatternFields),
        ("apply_interval_us", c_uint64),
        ("quota", QuotaFields),
        ("wmarks", WmarksFields),
        ("target_nid", c_int32),
        ("flags", c_uint32),
        *((name, c_uint64) for name in ("max_nr_snapshots", "action_fn", "action_data", "min_age_us")),
    ]


class FilterFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("type", c_int32),
        ("matching", c_uint32),
        ("allow", c_uint32),
        *((name, c_uint64) for name in ("memcg_id", "addr_start", "addr_end", "min_bytes", "max_bytes")),
        ("target_idx", c_uint32),
        ("reserved", c_uint32),
    ]


class QuotaGoalFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("metric", c_int32),
        ("nid", c_int32),
        ("reserved", c_uint32),
        *((name, c_uint64) for name in ("target_value", "current_value", "memcg_id")),
    ]


class StatFields(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("active", c_uint32),
        *((name, c_uint64) for name in ("nr_tried", "sz_tried", "nr_applied", "sz_applied", "sz_ops_filter_passed",
                                        "qt_exceeds", "nr_snapshots", "esz")),
    ]


SIZED = (RegionInfo, SnapshotInfo, AttrsFields, StateFields, StatsFields, ParamsFields, StatFields, ActionStatsFields,
         FilterFields, QuotaGoalFields)  # in the order of struct damon_agent_sizes


class Header(Structure):
    _fields_ = [
        ("magic", c_char * 8),
        ("version", c_uint32),
        ("header_bytes", c_uint32),
        ("file_bytes", c_uint64),
        ("pid", c_int32),
        ("uid", c_uint32),
        *((name, c_uint64) for name in ("start_ticks", "made_ns", "made_wall_ns", "mailbox_offset", "snapshot_offset",
                                        "region_cap", "ring_offset", "ring_bytes")),
        ("sizes", c_uint32 * len(SIZED)),
        ("program", c_char * 16),
        ("ended", c_uint32),
        ("reserved", c_uint32),
        *((name, c_uint64) for name in ("ring_head", "ring_tail", "nr_records")),
    ]


class RecordHead(Structure):
    _fields_ = [
        ("bytes", c_uint32),
        ("kind", c_uint32),
        *((name, c_uint64) for name in ("number", "time_ns", "wall_ns", "seq", "window_us", "sample_us", "aggr_us",
                                        "min_nr_regions", "max_nr_regions", "total_bytes", "accessed_bytes",
                                        "unknown_bytes", "rss_bytes", "cpu_ns", "nr_samples", "nr_unknown_samples")),
        *((name, c_uint32) for name in ("nr_regions", "max_nr_accesses", "flags", "nr_targets")),
        ("state", c_int32),
        ("cost_permil", c_uint32),
    ]


class SchemeFields(Structure):
    _fields_ = [("params", ParamsFields), ("stat", StatFields)]


class SnapshotHead(Structure):
    _fields_ = [
        ("lock", c_uint32),
        ("phase", c_int32),
        *((name, c_uint64) for name in ("published_ns", "published_wall_ns", "rss_bytes", "agent_cpu_ns")),
        ("nr_regions", c_uint32),
        ("nr_schemes", c_uint32),
        ("message", c_char * 240),
        ("info", SnapshotInfo),
        ("attrs", AttrsFields),
        ("state", StateFields),
        ("stats", StatsFields),
        ("action_stats", ActionStatsFields),
        ("schemes", SchemeFields * MAX_SCHEMES),
    ]


class SchemeHead(Structure):
    _fields_ = [("params", ParamsFields), ("nr_filters", c_uint32), ("nr_goals", c_uint32)]


class Mailbox(Structure):
    _fields_ = [
        *((name, c_uint32) for name in ("command", "answered", "kind", "bytes")),
        ("result", c_int32),
        ("reserved", c_uint32),
        ("answer", c_char * 232),
        ("request", ctypes.c_ubyte * REQUEST_BYTES),
    ]
