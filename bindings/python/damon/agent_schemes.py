"""Schemes as the agent takes them: see struct damon_agent_scheme_head of tools/agent/agent_page.h."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

from . import agent_layout as layout
from .agent_files import AgentError
from .enums import Action
from .params import Attrs, Filter, QuotaGoal, Scheme


def request_of(schemes: Iterable[Scheme]) -> bytes:
    """The request that replaces all schemes by these. AgentError: they cannot be sent to another process."""
    request = b"".join(_scheme_bytes(scheme, place) for place, scheme in enumerate(schemes))
    if len(request) > layout.REQUEST_BYTES:
        raise AgentError(f"the schemes take {len(request)} bytes; the agent has room for {layout.REQUEST_BYTES}: "
                         "give fewer schemes or filters")
    return request


def attrs_fields(attrs: Attrs) -> layout.AttrsFields:
    """The structure of damon_c.h."""
    goal = attrs.intervals_goal
    return layout.AttrsFields(
        size=ctypes.sizeof(layout.AttrsFields), sample_us=attrs.sample_us, aggr_us=attrs.aggr_us,
        ops_update_us=attrs.ops_update_us, min_nr_regions=attrs.min_nr_regions, max_nr_regions=attrs.max_nr_regions,
        intervals_goal=layout.IntervalsGoalFields(goal.access_bp, goal.aggrs, goal.min_sample_us, goal.max_sample_us),
        max_overhead_permil=attrs.max_overhead_permil, referenced_us=attrs.referenced_us, survey_bp=attrs.survey_bp)


def _scheme_bytes(scheme: Scheme, place: int) -> bytes:
    if scheme.action == Action.CALLBACK or scheme.callback is not None:
        raise AgentError(f"scheme {place} calls a function of this program; another process cannot call it")
    if scheme.migrate_dests:
        raise AgentError(f"scheme {place} has migrate_dests, which the agent does not take: give target_nid")
    pattern, quota, wmarks = scheme.pattern, scheme.quota, scheme.wmarks
    params = layout.ParamsFields(
        size=ctypes.sizeof(layout.ParamsFields), action=int(scheme.action),
        pattern=layout.PatternFields(pattern.min_sz, pattern.max_sz, pattern.min_nr_accesses, pattern.max_nr_accesses,
                                     pattern.min_age, pattern.max_age),
        apply_interval_us=scheme.apply_interval_us,
        quota=layout.QuotaFields(quota.reset_interval_ms, quota.ms, quota.sz, quota.weight_sz, quota.weight_nr_accesses,
                                 quota.weight_age, int(quota.goal_tuner), quota.fail_charge_num, quota.fail_charge_denom),
        wmarks=layout.WmarksFields(int(wmarks.metric), wmarks.high, wmarks.mid, wmarks.low, wmarks.interval_us),
        target_nid=scheme.target_nid, flags=int(scheme.flags), max_nr_snapshots=scheme.max_nr_snapshots,
        min_age_us=scheme.min_age_us)
    head = layout.SchemeHead(params, len(scheme.filters), len(quota.goals))
    return b"".join((bytes(head), *map(_filter_bytes, scheme.filters), *map(_goal_bytes, quota.goals)))


def _filter_bytes(one: Filter) -> bytes:
    return bytes(layout.FilterFields(ctypes.sizeof(layout.FilterFields), int(one.type), int(one.matching), int(one.allow),
                                     one.memcg_id, one.addr_start, one.addr_end, one.min_bytes, one.max_bytes,
                                     one.target_idx))


def _goal_bytes(goal: QuotaGoal) -> bytes:
    return bytes(layout.QuotaGoalFields(ctypes.sizeof(layout.QuotaGoalFields), int(goal.metric), goal.nid, 0,
                                        goal.target_value, goal.current_value, goal.memcg_id))
