"""The binding reaches all of damon_c.h, under its values."""

from __future__ import annotations

import enum
import pathlib
import re

import pytest

import damon
from damon import enums, params, sim

BINDING = pathlib.Path(__file__).resolve().parents[1]
HEADER = (BINDING.parents[1] / "include" / "damon_c.h").read_text()
SOURCES = "\n".join(path.read_text() for path in sorted((BINDING / "src").glob("*.*")))

# What Python does not call, and why not.
NOT_REACHED: dict[str, str] = {}

ENUMS: dict[str, type[enum.IntEnum] | type[enum.IntFlag]] = {
    "damon_region_flags": enums.RegionFlags,
    "damon_snapshot_flags": enums.SnapshotFlags,
    "damon_ops_id": enums.Ops,
    "damon_drive": enums.Drive,
    "damos_action": enums.Action,
    "damos_quota_goal_metric": enums.QuotaGoalMetric,
    "damos_quota_goal_tuner": enums.QuotaGoalTuner,
    "damos_wmark_metric": enums.WmarkMetric,
    "damos_filter_type": enums.FilterType,
    "damon_call_flags": enums.CallFlags,
    "damon_access_check": enums.AccessCheck,
    "damon_access_check_sees": enums.Sees,
    "damon_seen": enums.Seen,
    "damon_operations_flags": enums.OperationsFlags,
    "damos_skip": enums.Skip,
    "damon_probe_filter_type": enums.ProbeFilterType,
    "damon_unknown_reason": enums.UnknownReason,
    "damos_flags": enums.SchemeFlags,
    "damon_coverage_flags": enums.CoverageFlags,
    "damon_range_flags": enums.RangeFlags,
    "damon_state": enums.State,
    "damon_sim_range_flags": enums.SimRangeFlags,
    "damon_sim_pattern_kind": enums.SimPatternKind,
}


def header_functions() -> list[str]:
    return re.findall(r"^DAMON_API [^(;]*?\b(damon\w*|damos\w*)\(", HEADER, re.M)


def header_enums() -> dict[str, list[tuple[str, int]]]:
    found = {}
    for name, body in re.findall(r"^enum (\w+) \{(.*?)^\};", HEADER, re.M | re.S):
        found[name] = [(entry, int(value)) for entry, value in re.findall(r"^ +([A-Z_]\w+) = (\d+)", body, re.M)]
    return found


def test_the_header_is_read() -> None:
    assert len(header_functions()) >= 70 and "damon_commit_ctx" in header_functions()
    assert ("DAMOS_CALLBACK", 11) in header_enums()["damos_action"]


@pytest.mark.parametrize("function", header_functions())
def test_every_function_is_called_or_listed(function: str) -> None:
    called = re.search(rf"\b{function}\b(?=[(,>)])", SOURCES) is not None
    assert called != (function in NOT_REACHED), f"{function}: called {called}, listed {function in NOT_REACHED}"


@pytest.mark.parametrize("name", header_enums())
def test_every_constant_has_its_value(name: str) -> None:
    mine = {member.name: int(member) for member in ENUMS[name].__members__.values()}
    theirs = dict(header_enums()[name])
    assert sorted(mine.values()) == sorted(theirs.values())
    for constant, value in theirs.items():
        assert any(constant.endswith("_" + own) for own, number in mine.items() if number == value), constant


@pytest.mark.parametrize("ops", [damon.Ops.KERNEL_VADDR, damon.Ops.KERNEL_FVADDR, damon.Ops.KERNEL_PADDR])
def test_the_kernels_damon_can_be_chosen(ops: damon.Ops) -> None:
    """Chosen only: starting it would take the running kernel's DAMON."""
    ctx = damon.Context(targets=[(1 << 30, 2 << 30)], ops=ops)
    assert not ctx.is_running and len(ctx.targets) == 1


def test_defaults_are_those_of_the_library() -> None:
    assert damon.Context().attrs == params.Attrs()
    assert damon.LIBRARY_VERSION == 1 << 8 and damon.__version__ == "0.1.0"
    stat = sim.Simulator().stat()
    assert stat.now_us == 0 and len(stat.node_used_bytes) == 8


def test_error_numbers_have_words() -> None:
    import errno

    assert damon.strerror(-errno.EINVAL) == damon.strerror(errno.EINVAL) != damon.strerror(99999)
