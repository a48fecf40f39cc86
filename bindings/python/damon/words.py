"""The library's messages speak of C; here they speak of Python."""

from __future__ import annotations

import re

# Functions that are called otherwise here than by their C name without its prefix.
_FUNCTIONS = {
    "damon_commit_ctx": "commit()",
    "damon_set_pause": "pause()",
    "damon_kdamond_tid": "kdamond_tid",
    "damon_snapshot_read": "snapshot()",
    "damon_snapshot_wait": "wait_snapshot()",
    "damon_live_read": "live_snapshot()",
    "damon_ctx_get_state": "state",
    "damon_ctx_set_attrs": "commit()",
    "damon_ctx_set_custom_ops": "ops=",
    "damon_target_set_regions": "set_target_regions()",
    "damos_set_params": "commit_scheme()",
    "damon_stat_read": "summary()",
}

# Beginnings of constants, and the enum here.
_CONSTANTS = {
    "DAMON_DRIVE_MANUAL": "manual=True",
    "DAMON_DRIVE_THREAD": "manual=False",
    "DAMON_SURVEY_DEFAULT": "damon.params.SURVEY_DEFAULT",
    "DAMON_ACCESS_CHECK_": "AccessCheck.",
    "DAMON_OPS_": "Ops.",
    "DAMON_COVER_": "CoverageFlags.",
    "DAMON_RANGE_": "RangeFlags.",
    "DAMON_OPERATIONS_": "OperationsFlags.",
    "DAMON_CALL_": "CallFlags.",
    "DAMON_PROBE_FILTER_": "ProbeFilterType.",
    "DAMON_SIM_PATTERN_": "SimPatternKind.",
    "DAMOS_ALLOW_": "SchemeFlags.ALLOW_",
    "DAMOS_FILTER_": "FilterType.",
    "DAMOS_QUOTA_GOAL_TUNER_": "QuotaGoalTuner.",
    "DAMOS_QUOTA_": "QuotaGoalMetric.",
    "DAMOS_WMARK_": "WmarkMetric.",
    "DAMOS_SKIP_": "Skip.",
    "DAMOS_": "Action.",
}

_CLASSES = {
    "damon_worker_attr.cpu_mask": "WorkerAttr.cpus",
    "damon_attrs": "Attrs",
    "damon_ctx_stats": "Stats",
    "damos_params": "Scheme",
    "damon_operations": "Operations",
    "damon_addr_range": "a range",
    "damos_filter": "Filter",
    "damos_quota_goal": "QuotaGoal",
    "damos_stat": "SchemeStat",
    "damon_call_control": "call()",
    "damos_walk_control": "walk()",
    "damon_worker_attr": "WorkerAttr",
    "damon_range_query": "query_range()",
    "damon_wss_result": "wss()",
    "damon_state_info": "StateInfo",
}

_FUNCTION = re.compile(r"\b(damo[ns]_\w+)\(\)")
_CONSTANT = re.compile(r"\b(?:" + "|".join(map(re.escape, _CONSTANTS)) + r")(?=\w|\b)")
_CLASS = re.compile(r"\b(?:" + "|".join(map(re.escape, _CLASSES)) + r")\b")
_PREFIX = re.compile(r"^damo[ns]_(?:ctx_)?(?:get_)?")


def in_python(text: str) -> str:
    """The message with the names of this package."""
    text = _FUNCTION.sub(lambda found: _FUNCTIONS.get(found[1], _PREFIX.sub("", found[1]) + "()"), text)
    text = _CONSTANT.sub(lambda found: _CONSTANTS[found[0]], text)
    return _CLASS.sub(lambda found: _CLASSES[found[0]], text)
