"""Schemes as DAMON's user-space tool writes and reads them, JSON or YAML: a list of schemes, or a whole tree of kdamonds.

Times and sizes have units, nr_accesses are shares of a window, ages are times. Every field is read, or named in an error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable
from typing import Any, Optional

from ..enums import Action, FilterType, QuotaGoalMetric, QuotaGoalTuner, SchemeFlags, WmarkMetric
from ..params import AccessPattern, Attrs, Filter, IntervalsGoal, Quota, QuotaGoal, Scheme, Watermarks
from . import units
from .command import CommandError

# What other versions write and what says nothing here, where it has the value that means "not used".
_UNUSED: dict[str, tuple[Any, ...]] = {
    "dests": ([], None), "tried_regions": ([], None), "stats": ({}, None), "tried_regions_bytes": (None, 0),
    "name": (), "comments": (),
}


def read_file(path: str, attrs: Attrs, *, takes_attrs: bool = True) -> tuple[list[Scheme], Optional[Attrs]]:
    """(the schemes, the monitoring attributes that the file has, if any). `attrs` says how long a window is, unless the file
    does; not takes_attrs: always, since the monitor runs with them."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no text") from error
    return read_text(text, os.path.basename(path), attrs, takes_attrs=takes_attrs)


def read_text(text: str, name: str, attrs: Attrs, *, takes_attrs: bool = True) -> tuple[list[Scheme], Optional[Attrs]]:
    """The same of a file's text."""
    try:
        value = _parsed(text, name)
        found, context = _schemes_in(value)
        given = _attrs_from(context, attrs) if context is not None and takes_attrs else None
        schemes = [_scheme_from(_dictionary(one, f"schemes[{place}]"), f"schemes[{place}]", given or attrs)
                   for place, one in enumerate(found)]
    except ValueError as error:
        raise CommandError(f"{name}: {error}") from error
    return schemes, given


def _parsed(text: str, name: str) -> Any:
    if text.lstrip()[:1] in "[{":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if not name.endswith((".yaml", ".yml")):
                raise ValueError(f"is no JSON: {error}") from error
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise ValueError("is YAML, which needs PyYAML: pip install pyyaml; or give it as JSON") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"is neither JSON nor YAML: {str(error).splitlines()[0]}") from error


def _schemes_in(value: Any) -> tuple[list[Any], Optional[dict[str, Any]]]:
    """(the schemes, the context that they stand in)."""
    if isinstance(value, list):
        return value, None
    value = _dictionary(value, "the file")
    if "kdamonds" in value:
        _only(value, "the file", ("kdamonds",))
        kdamonds = [_dictionary(kdamond, "a kdamond") for kdamond in _list(value["kdamonds"], "kdamonds")]
        for kdamond in kdamonds:
            _only(kdamond, "a kdamond", ("state", "pid", "refresh_ms", "contexts"))
        contexts = [context for kdamond in kdamonds for context in _list(kdamond.get("contexts", []), "contexts")]
        if len(contexts) != 1:
            raise ValueError(f"has {len(contexts)} contexts; it must have one")
        value = _dictionary(contexts[0], "the context")
    if "action" in value:
        return [value], None
    _only(value, "the context", ("ops", "addr_unit", "targets", "intervals", "nr_regions", "probes", "sample_control", "pause",
                                 "schemes"))
    _check_what_is_watched(value)
    return _list(value.get("schemes", []), "schemes"), value


def _check_what_is_watched(context: dict[str, Any]) -> None:
    """The agent watches the memory of its program, as it sees it; a file that says otherwise is not obeyed in silence."""
    ops = str(context.get("ops") or "vaddr")
    if ops not in ("vaddr", "fvaddr", "paddr"):
        raise ValueError(f"ops is '{ops}'; it must be one of vaddr, fvaddr, paddr")
    if context.get("probes"):
        raise ValueError("probes are not supported by the agent: leave them out")
    if context.get("pause"):
        raise ValueError("pause is not taken from a file: leave it out, and give --paused")
    control = _of(context, "sample_control", "the context", ("primitives_enabled", "sample_filters"))
    primitives = _of(control, "primitives_enabled", "sample_control", ("page_table", "page_fault"))
    if control.get("sample_filters") or primitives.get("page_fault") or not primitives.get("page_table", True):
        raise ValueError("sample_control is not supported by the agent, which chooses how it looks by itself: leave it out")
    if ops == "paddr":
        print("note: ops is paddr, physical memory; what is watched here is the memory of the program", file=sys.stderr)
        return
    if units.size(context.get("addr_unit") or 1, "addr_unit") != 1:
        raise ValueError(f"addr_unit is '{context['addr_unit']}'; addresses of a program have the unit 1")
    for place, one in enumerate(_list(context.get("targets") or [], "targets")):
        if _dictionary(one, f"targets[{place}]").get("regions"):
            raise ValueError(f"targets[{place}].regions is not supported by the agent, which watches all memory of the program: "
                             "leave it out, or give the schemes a filter of addresses")


def _dictionary(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {type(value).__name__}; it must have named fields")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is {type(value).__name__}; it must be a list")
    return value


def _only(fields: dict[str, Any], where: str, known: Iterable[str]) -> None:
    for name in fields:
        if name not in known:
            raise ValueError(f"{where} has a field '{name}', which is not known; known are {', '.join(known)}")


def _of(fields: dict[str, Any], name: str, where: str, known: Iterable[str]) -> dict[str, Any]:
    """The fields of a part; empty where it is missing."""
    part = fields.get(name)
    part = {} if part is None else _dictionary(part, f"{where}.{name}")
    _only(part, f"{where}.{name}", known)
    return part


def _member(kind: Any, text: Any, what: str) -> Any:
    found = kind.__members__.get(str(text).upper())
    if found is None:
        raise ValueError(f"{what} is '{text}'; it must be one of {', '.join(name.lower() for name in kind.__members__)}")
    return found


def _attrs_from(context: dict[str, Any], base: Attrs) -> Attrs:
    intervals = _of(context, "intervals", "the context", ("sample_us", "aggr_us", "ops_update_us", "intervals_goal"))
    goal = _of(intervals, "intervals_goal", "intervals", ("access_bp", "aggrs", "min_sample_us", "max_sample_us"))
    regions = _of(context, "nr_regions", "the context", ("min", "max"))
    return Attrs(
        sample_us=units.microseconds(intervals.get("sample_us", base.sample_us), "sample_us"),
        aggr_us=units.microseconds(intervals.get("aggr_us", base.aggr_us), "aggr_us"),
        ops_update_us=units.microseconds(intervals.get("ops_update_us", base.ops_update_us), "ops_update_us"),
        min_nr_regions=units.number(regions.get("min", base.min_nr_regions), "nr_regions.min"),
        max_nr_regions=units.number(regions.get("max", base.max_nr_regions), "nr_regions.max"),
        intervals_goal=IntervalsGoal(
            units.share(goal.get("access_bp", 0), "access_bp", whole=10_000),
            units.number(goal.get("aggrs", 0), "aggrs"),
            units.microseconds(goal.get("min_sample_us", 0), "min_sample_us"),
            units.microseconds(goal.get("max_sample_us", 0), "max_sample_us"),
        ),
        max_overhead_permil=base.max_overhead_permil,
        referenced_us=base.referenced_us,
    )


_SCHEME_FIELDS = ("action", "target_nid", "access_pattern", "apply_interval_us", "quotas", "watermarks", "filters",
                  "core_filters", "ops_filters", "max_nr_snapshots", "allow_unseen_reads", *_UNUSED)


def _scheme_from(fields: dict[str, Any], where: str, attrs: Attrs) -> Scheme:
    _only(fields, where, _SCHEME_FIELDS)
    if fields.get("dests"):
        raise ValueError(f"{where}.dests is not supported by the agent: name one node as target_nid")
    if "action" not in fields:
        raise ValueError(f"{where} has no action")
    pattern, min_age_us = _pattern_from(fields, where, attrs)
    nid = fields.get("target_nid")
    filters = [one for name in ("core_filters", "ops_filters", "filters") for one in fields.get(name) or []]
    return Scheme(
        action=_member(Action, fields["action"], f"{where}.action"),
        pattern=pattern,
        apply_interval_us=units.microseconds(fields.get("apply_interval_us") or 0, f"{where}.apply_interval_us"),
        quota=_quota_from(fields, where),
        wmarks=_wmarks_from(fields, where),
        filters=tuple(_filter_from(_dictionary(one, f"{where}.filters"), f"{where}.filters[{place}]")
                      for place, one in enumerate(filters)),
        target_nid=-1 if nid is None else units.number(nid, f"{where}.target_nid", units.MAX_U32),
        max_nr_snapshots=units.number(fields.get("max_nr_snapshots") or 0, f"{where}.max_nr_snapshots"),
        flags=SchemeFlags.ALLOW_UNSEEN_READS if fields.get("allow_unseen_reads") else SchemeFlags(0),
        min_age_us=min_age_us,
    )


def accesses(text: Any, what: str, attrs: Attrs) -> int:
    """Samples of a window: a share of it, or a number."""
    return min(units.share(text, what, whole=max(attrs.aggr_us // max(attrs.sample_us, 1), 1)), units.MAX_U32)


def _age_us(text: Any, what: str) -> int:
    if isinstance(text, (int, float)) and text != 0 or isinstance(text, str) and text.strip().isdecimal() and int(text) != 0:
        raise ValueError(f"{what} is {text} without a unit; it must be such as 10s")
    return units.microseconds(text, what)


def _pattern_from(fields: dict[str, Any], where: str, attrs: Attrs) -> tuple[AccessPattern, int]:
    """(the pattern, the least age as time)."""
    pattern = _of(fields, "access_pattern", where, ("sz_bytes", "nr_accesses", "age"))
    where = f"{where}.access_pattern"
    sizes, counts, ages = (_of(pattern, name, where, ("min", "max")) for name in ("sz_bytes", "nr_accesses", "age"))
    max_age_us = _age_us(ages.get("max", "max"), f"{where}.age.max")
    max_age = units.MAX_U32 if max_age_us >= units.MAX_U64 else min(max_age_us // max(attrs.aggr_us, 1), units.MAX_U32)
    return AccessPattern(
        min_sz=units.size(sizes.get("min", 0), f"{where}.sz_bytes.min"),
        max_sz=units.size(sizes.get("max", "max"), f"{where}.sz_bytes.max"),
        min_nr_accesses=accesses(counts.get("min", 0), f"{where}.nr_accesses.min", attrs),
        max_nr_accesses=accesses(counts.get("max", "max"), f"{where}.nr_accesses.max", attrs),
        max_age=max_age,
    ), _age_us(ages.get("min", 0), f"{where}.age.min")


def _memcg_id(path: Any, what: str) -> int:
    """The inode of a memory group's folder."""
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory"):
        try:
            return os.stat(mount + "/" + str(path).lstrip("/")).st_ino
        except OSError:
            continue
    raise ValueError(f"{what} is '{path}'; there is no such memory group below /sys/fs/cgroup")


def _quota_from(fields: dict[str, Any], where: str) -> Quota:
    quota = _of(fields, "quotas", where, ("time_ms", "sz_bytes", "reset_interval_ms", "weights", "goals", "goal_tuner",
                                          "effective_sz_bytes", "fail_charge_num", "fail_charge_denom"))
    where = f"{where}.quotas"
    weights = _of(quota, "weights", where, ("sz_permil", "nr_accesses_permil", "age_permil"))
    permil = [units.share(weights.get(name, 0), f"{where}.weights.{name}", whole=1000)
              for name in ("sz_permil", "nr_accesses_permil", "age_permil")]
    return Quota(
        ms=units.milliseconds(quota.get("time_ms", 0), f"{where}.time_ms"),
        sz=units.size(quota.get("sz_bytes", 0), f"{where}.sz_bytes"),
        reset_interval_ms=units.milliseconds(quota.get("reset_interval_ms", 0), f"{where}.reset_interval_ms"),
        weight_sz=permil[0],
        weight_nr_accesses=permil[1],
        weight_age=permil[2],
        goals=tuple(_goal_from(_dictionary(one, f"{where}.goals"), f"{where}.goals[{place}]")
                    for place, one in enumerate(_list(quota.get("goals") or [], f"{where}.goals"))),
        goal_tuner=_member(QuotaGoalTuner, quota.get("goal_tuner") or "consist", f"{where}.goal_tuner"),
        fail_charge_num=units.number(quota.get("fail_charge_num") or 0, f"{where}.fail_charge_num", units.MAX_U32),
        fail_charge_denom=units.number(quota.get("fail_charge_denom") or 0, f"{where}.fail_charge_denom", units.MAX_U32),
    )


def _goal_from(goal: dict[str, Any], where: str) -> QuotaGoal:
    _only(goal, where, ("metric", "complement", "nid", "memcg_path", "target_value", "current_value"))
    if goal.get("complement"):
        raise ValueError(f"{where}.complement is not supported: give the goal of the other part")
    if "target_value" not in goal:
        raise ValueError(f"{where} has no target_value")
    path, nid = goal.get("memcg_path"), goal.get("nid")
    return QuotaGoal(
        target_value=units.share(goal["target_value"], f"{where}.target_value", whole=10_000),
        metric=_member(QuotaGoalMetric, goal.get("metric", "user_input"), f"{where}.metric"),
        current_value=units.share(goal.get("current_value") or 0, f"{where}.current_value", whole=10_000),
        nid=-1 if nid is None else units.number(nid, f"{where}.nid", units.MAX_U32),
        memcg_id=_memcg_id(path, f"{where}.memcg_path") if path else 0,
    )


def _wmarks_from(fields: dict[str, Any], where: str) -> Watermarks:
    marks = _of(fields, "watermarks", where, ("metric", "interval_us", "high_permil", "mid_permil", "low_permil"))
    where = f"{where}.watermarks"
    high, mid, low = (units.share(marks.get(name, 0), f"{where}.{name}", whole=1000)
                      for name in ("high_permil", "mid_permil", "low_permil"))
    return Watermarks(
        metric=_member(WmarkMetric, marks.get("metric") or "none", f"{where}.metric"),
        high=high, mid=mid, low=low,
        interval_us=units.microseconds(marks.get("interval_us", 0), f"{where}.interval_us"),
    )


def _filter_from(one: dict[str, Any], where: str) -> Filter:
    _only(one, where, ("filter_type", "type", "matching", "allow", "memcg_path", "address_range", "damon_target_idx",
                       "hugepage_size", "probe_hits_wsum_range"))
    kind = one.get("filter_type", one.get("type"))
    addresses, sizes = one.get("address_range"), one.get("hugepage_size")
    start, end = ((addresses or {}).get("start", 0), (addresses or {}).get("end", 0)) if not isinstance(addresses, list) else addresses
    low, high = sizes or (0, 0)
    path = one.get("memcg_path")
    return Filter(
        type=_member(FilterType, kind, f"{where}.filter_type"),
        matching=bool(one.get("matching", True)),
        allow=bool(one.get("allow", False)),
        memcg_id=_memcg_id(path, f"{where}.memcg_path") if path else 0,
        addr_start=units.size(start, f"{where}.address_range"),
        addr_end=units.size(end, f"{where}.address_range"),
        min_bytes=units.size(low, f"{where}.hugepage_size"),
        max_bytes=units.size(high, f"{where}.hugepage_size"),
        target_idx=units.number(one.get("damon_target_idx") or 0, f"{where}.damon_target_idx", units.MAX_U32),
    )
