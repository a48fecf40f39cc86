"""Every member of every structure of damon_c.h can be read or set from Python."""

from __future__ import annotations

import dataclasses
import inspect
import pathlib
import re
from typing import Any

import pytest

import damon
from damon import params, policies, sim, watching

BINDING = pathlib.Path(__file__).resolve().parents[1]
HEADER = re.sub(r"/\*.*?\*/", "", (BINDING.parents[1] / "include" / "damon_c.h").read_text(), flags=re.S)
TABLES = (BINDING / "src" / "structs.cc").read_text()
KINDS = {"uint64_t": "kU64", "uint32_t": "kU32", "int32_t": "kI32"}

# Structures that a table of structs.cc carries, and the dataclass of the same members.
CLASSES: dict[str, Any] = {
    "damon_attrs": params.Attrs,
    "damon_ctx_stats": params.Stats,
    "damos_params": params.Scheme,
    "damos_filter": params.Filter,
    "damos_quota_goal": params.QuotaGoal,
    "damos_stat": params.SchemeStat,
    "damon_action_stats": policies.ActionStats,
    "damon_probe_filter": policies.ProbeFilter,
    "damon_reclaim_params": policies.Reclaim,
    "damon_lru_sort_params": policies.LruSort,
    "damon_stat_result": policies.Summary,
    "damon_state_info": watching.StateInfo,
    "damon_worker_attr": watching.WorkerAttr,
    "damon_range_query": watching.RangeAnswer,
    "damon_wss_result": watching.WorkingSet,
    "damon_sim_params": sim.Machine,
    "damon_sim_range": sim.MappedRange,
    "damon_sim_pattern": sim.Pattern,
    "damon_sim_stat": sim.SimStat,
    "damon_sim_query": sim._Query,
    "damon_sim_accuracy": sim.Accuracy,
}

# What other members are here: an attribute, "parameter: p of f", or after "-" why there is nothing of the kind.
OTHERS: dict[str, dict[str, str]] = {
    "damon_addr_range": {"start": "parameter: ranges of Target", "end": "parameter: ranges of Target"},
    "damon_region_info": {n: f"Region.{n}" for n in ("start", "end", "age_us", "idle_us", "target_idx", "nr_accesses", "age",
                                                        "flags", "unknown_reason")},
    "damon_snapshot_info": {
        n: f"Snapshot.{n}"
        for n in ("flags", "seq", "time_ns", "sample_us", "aggr_us", "nr_regions", "passed_sample_intervals",
                  "max_nr_accesses", "nr_targets", "window_us")
    },
    "damos_params": {"action_fn": "parameter: callback of Scheme", "action_data": "- the callback brings its own"},
    "damos_migrate_dest": {"nid": "parameter: nid of MigrateDest", "weight": "parameter: weight of MigrateDest"},
    "damon_probe_hits": {"hits": "Context.snapshot_probes"},
    "damon_call_control": {
        "flags": "Context.call_repeat",
        "fn": "parameter: function of Context.call",
        "data": "- the function brings its own",
        "release": "- the function is let go",
        "return_code": "- call() returns what the function returns",
        "canceled": "CanceledError",
        "id": "RepeatCall.cancel",
    },
    "damos_walk_control": {
        "walk_fn": "parameter: function of Context.walk",
        "data": "- the function brings its own",
        "canceled": "CanceledError",
    },
    "damon_stat_result": {"memory_idle_ms": "Summary"},
    "damon_access_check_info": {n: f"parameter: {n} of AccessCheckInfo" for n in ("available", "sees", "error", "name", "reason")},
    "damon_access_report": {
        "is_write": "parameter: is_write of Context.report_access",
        "addr": "parameter: addr of Context.report_access",
        "len": "parameter: length of Context.report_access",
    },
    "damon_sample": {n: f"Sample.{n}" for n in ("addr", "region_start", "region_end", "target_idx", "seen", "unknown_reason")},
    "damon_state_info": {"reason": "parameter: reason of StateInfo"},
    "damon_worker_attr": {"cpu_mask": "parameter: cpus of WorkerAttr", "nr_cpu_words": "parameter: cpus of WorkerAttr",
                          "name": "parameter: name of WorkerAttr"},
    "damon_range_query": {
        "flags": "- 0",
        "touched": "parameter: touched of Context.query_range",
        "idle": "parameter: idle of Context.query_range",
        "nr_units": "- as many as the range has",
    },
    "damon_wss_result": {"mode": "- wss() with or without interval_us", "interval_us": "parameter: interval_us of Context.wss"},
    "damon_operations": {
        "flags": "Operations.writes_only",
        **{
            n: f"Operations.{n}"
            for n in ("init", "update", "prepare_access_checks", "check_accesses", "get_scheme_score", "apply_scheme",
                      "target_valid", "disarm", "cleanup")
        },
    },
}


def header_members() -> dict[str, dict[str, str]]:
    """{structure: {member or group.member: type}}, without sizes and reserved members."""
    found: dict[str, dict[str, str]] = {}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", HEADER, re.M | re.S):
        members: dict[str, str] = {}
        for inner, group in re.findall(r"struct \{(.*?)\} (\w+);", body, re.S):
            members.update({f"{group}.{n}": t for t, n in re.findall(r"(\w+) (\w+);", inner)})
        body = re.sub(r"struct \{.*?\} \w+;", "", body, flags=re.S)
        members.update({n: "function" for n in re.findall(r"\(\*(\w+)\)\(", body)})
        body = re.sub(r"[^;]*\(\*\w+\)\([^;]*;", "", body)
        members.update({n: t for t, n in re.findall(r"(\w+(?: \*)?) ?\b(\w+)(?:\[\w+\])?;", body)})
        found[name] = {n: t for n, t in members.items() if n != "size" and not n.startswith("reserved")}
    return found


def table_of(struct: str) -> dict[str, str]:
    """{member: kind} of the structure's table in structs.cc."""
    body = re.search(rf"fields_of\(const {struct}&\) \{{(.*?)^\}}", TABLES, re.M | re.S)
    if body is None:
        return {}
    found = {name: "k" + kind for kind, name in re.findall(rf"DAMON_(U64|U32|I32)\({struct}, (\w+)\)", body[1])}
    for group, name, kind in re.findall(rf"DAMON_IN\({struct}, (\w+), (\w+), Kind::(\w+)\)", body[1]):
        found[f"{group}.{name}"] = kind
    for name, kind in re.findall(rf"offsetof\({struct}, (\w+)\), Kind::(\w+), \d+}}", body[1]):
        found[name] = kind
    return found


MEMBERS = header_members()


def test_the_header_is_read() -> None:
    assert len(MEMBERS) >= 27 and MEMBERS["damos_params"]["quota.goal_tuner"] == "int32_t"
    assert MEMBERS["damon_operations"]["cleanup"] == "function" and MEMBERS["damon_sim_params"]["action_ns"] == "uint64_t"
    assert set(OTHERS) | set(CLASSES) == set(MEMBERS)


@pytest.mark.parametrize("struct", MEMBERS)
def test_every_member_is_in_a_table_or_has_its_place(struct: str) -> None:
    table, others = table_of(struct), OTHERS.get(struct, {})
    assert set(table) | set(others) == set(MEMBERS[struct]) and not set(table) & set(others)
    for name, kind in table.items():
        assert kind == KINDS[MEMBERS[struct][name]], f"{struct}.{name} is {MEMBERS[struct][name]}, its kind {kind}"


@pytest.mark.parametrize("struct", CLASSES)
def test_the_members_of_a_table_are_fields_of_a_dataclass(struct: str) -> None:
    assert table_of(struct)
    for member in table_of(struct):
        kind = CLASSES[struct]
        for name in member.split("."):
            fields = {field.name: field for field in dataclasses.fields(kind)}
            assert name in fields, f"{kind.__name__} has no {member}"
            kind = type(fields[name].default)  # of a group: a dataclass of its own


@pytest.mark.parametrize("struct", OTHERS)
def test_the_place_of_every_other_member_is_there(struct: str) -> None:
    for member, place in OTHERS[struct].items():
        if place.startswith("- "):
            continue
        said = re.fullmatch(r"parameter: (\w+) of ([\w.]+)", place)
        found: Any = damon
        for name in (said[2] if said else place).split("."):
            found = getattr(found, name)
        assert said is None or said[1] in inspect.signature(found).parameters, f"{struct}.{member}: {place}"
