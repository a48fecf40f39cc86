"""Schemes in the format of DAMON's user-space tool, and numbers with units."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest

from damon.agent_files import AgentError
from damon.agent_schemes import request_of
from damon.cli import units
from damon.cli.command import CommandError
from damon.cli.scheme_files import read_file, read_text
from damon.enums import Action, FilterType, QuotaGoalMetric, WmarkMetric
from damon.params import Attrs, Scheme

# As that tool writes it: damo 3.4.3, `damo args damon --format json`.
WHOLE: dict[str, Any] = {"kdamonds": [{"refresh_ms": 0, "contexts": [{
    "ops": "vaddr", "addr_unit": "1 B", "targets": [{"pid": 4242, "obsolete": False, "regions": []}],
    "intervals": {"sample_us": "5 ms", "aggr_us": "100 ms", "ops_update_us": "1 s",
                  "intervals_goal": {"access_bp": "4 %", "aggrs": "3", "min_sample_us": "5 ms", "max_sample_us": "10 s"}},
    "nr_regions": {"min": "10", "max": "1,000"}, "probes": [], "pause": False,
    "sample_control": {"primitives_enabled": {"page_table": True, "page_fault": False}, "sample_filters": []},
    "schemes": [{
        "action": "pageout", "dests": [], "target_nid": None,
        "access_pattern": {"sz_bytes": {"min": "4.000 KiB", "max": "max"},
                           "nr_accesses": {"min": "0 %", "max": "18,446,744,073,709,551,615 %"},
                           "age": {"min": "10 s", "max": "max"}},
        "apply_interval_us": "0 ns",
        "quotas": {"time_ms": "10 ms", "sz_bytes": "128.000 MiB", "reset_interval_ms": "1 s", "fail_charge_num": "0",
                   "fail_charge_denom": "0", "goals": [
                       {"metric": "some_mem_psi_us", "complement": False, "nid": None, "memcg_path": None,
                        "target_value": "10,000", "current_value": "0"}],
                   "goal_tuner": "consist", "effective_sz_bytes": "0 B",
                   "weights": {"sz_permil": "0 %", "nr_accesses_permil": "30 %", "age_permil": "70 %"}},
        "watermarks": {"metric": "free_mem_rate", "interval_us": "5 s", "high_permil": "50 %", "mid_permil": "40 %",
                       "low_permil": "20 %"},
        "filters": [{"filter_type": "addr", "matching": True, "allow": False, "memcg_path": None,
                     "address_range": {"start": "4,096", "end": "8,388,608"}, "damon_target_idx": None,
                     "hugepage_size": None, "probe_hits_wsum_range": None},
                    {"filter_type": "hugepage_size", "matching": False, "allow": True, "memcg_path": None,
                     "address_range": None, "damon_target_idx": None, "hugepage_size": ["4.000 KiB", "2.000 MiB"],
                     "probe_hits_wsum_range": None}],
    }]}]}]}
SCHEME = WHOLE["kdamonds"][0]["contexts"][0]["schemes"][0]


def check_scheme(scheme: Scheme) -> None:
    assert scheme.action == Action.PAGEOUT and scheme.min_age_us == 10_000_000 and scheme.target_nid == -1
    assert (scheme.pattern.min_sz, scheme.pattern.max_sz) == (4096, units.MAX_U64)
    assert (scheme.pattern.min_nr_accesses, scheme.pattern.max_nr_accesses) == (0, units.MAX_U32)
    assert (scheme.quota.ms, scheme.quota.sz, scheme.quota.reset_interval_ms) == (10, 128 << 20, 1000)
    assert (scheme.quota.weight_nr_accesses, scheme.quota.weight_age) == (300, 700)
    assert [(goal.metric, goal.target_value) for goal in scheme.quota.goals] == [(QuotaGoalMetric.SOME_MEM_PSI_US, 10_000)]
    assert (scheme.wmarks.metric, scheme.wmarks.high, scheme.wmarks.low) == (WmarkMetric.FREE_MEM_RATE, 500, 200)
    assert scheme.wmarks.interval_us == 5_000_000
    assert [(f.type, f.matching, f.allow) for f in scheme.filters] == [(FilterType.ADDR, True, False),
                                                                      (FilterType.HUGEPAGE_SIZE, False, True)]
    assert (scheme.filters[0].addr_end, scheme.filters[1].max_bytes) == (8 << 20, 2 << 20)


def test_a_whole_set_up_is_read_with_its_attributes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps(WHOLE))
    schemes, attrs = read_file(str(path), Attrs())
    assert attrs is not None and (attrs.sample_us, attrs.aggr_us, attrs.max_nr_regions) == (5_000, 100_000, 1_000)
    assert (attrs.intervals_goal.access_bp, attrs.intervals_goal.max_sample_us) == (400, 10_000_000)
    check_scheme(schemes[0])
    assert len(request_of(schemes)) == 168 + 2 * 64 + 40


def test_a_list_of_schemes_is_read_from_json_and_yaml() -> None:
    check_scheme(read_text(json.dumps([SCHEME]), "a.json", Attrs())[0][0])
    text = "- action: stat\n  access_pattern:\n    nr_accesses: {min: 5 %, max: max}\n    age: {min: 2 s, max: 10 s}\n"
    (scheme,), attrs = read_text(text, "a.yaml", Attrs())
    assert attrs is None and scheme.pattern.min_nr_accesses == 1 and scheme.min_age_us == 2_000_000
    assert scheme.pattern.max_age == 100


@pytest.mark.parametrize(("path", "value", "words"), [
    (("acess_pattern",), {}, "has a field 'acess_pattern', which is not known"),
    (("access_pattern", "ages"), {}, "'ages'"),
    (("action",), "page_out", "action is 'page_out'; it must be one of willneed, cold, pageout"),
    (("access_pattern", "age", "min"), "10", "10 without a unit"),
    (("access_pattern", "age", "min"), "10 parsec", "10 parsec"),
    (("access_pattern", "sz_bytes", "max"), "4 X", "access_pattern.sz_bytes.max is '4 X'"),
    (("access_pattern", "sz_bytes"), 7, "must have named fields"),
    (("quotas", "goals"), [{"metric": "luck", "target_value": 1}], "metric is 'luck'"),
    (("quotas", "goals"), [{"metric": "user_input"}], "no target_value"),
    (("quotas", "goals"), [{"metric": "user_input", "complement": True, "target_value": 1}], "complement"),
    (("filters",), [{"filter_type": "memcg", "memcg_path": "/there/is/none"}], "no such memory group"),
    (("dests",), [{"id": 0, "weight": 1}], "dests is not supported"),
    (("watermarks", "high_permil"), "much", "high_permil is 'much'"),
])
def test_a_wrong_field_is_named(path: tuple[str, ...], value: Any, words: str) -> None:
    scheme = copy.deepcopy(SCHEME)
    at = scheme
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    with pytest.raises(CommandError, match="^schemes.json: ") as raised:
        read_text(json.dumps([scheme]), "schemes.json", Attrs())
    assert words in str(raised.value)


@pytest.mark.parametrize(("where", "values", "words"), [
    ("file", {"version": 1}, "the file has a field 'version', which is not known"),
    ("kdamond", {"refresh": 1}, "a kdamond has a field 'refresh', which is not known"),
    ("context", {"ops": "moon"}, "ops is 'moon'; it must be one of vaddr"),
    ("context", {"pause": True}, "give --paused"),
    ("context", {"addr_unit": "4 KiB"}, "addresses of a program have the unit 1"),
    ("context", {"targets": [{"pid": None, "regions": [{"start": "4,096", "end": "8,192"}]}]}, "targets[0].regions is not supported"),
    ("context", {"sample_control": {"primitives_enabled": {"page_table": True, "page_fault": True}}}, "sample_control is not"),
])
def test_what_a_whole_set_up_says_is_obeyed_or_refused(where: str, values: dict[str, Any], words: str) -> None:
    whole = copy.deepcopy(WHOLE)
    part = {"file": whole, "kdamond": whole["kdamonds"][0], "context": whole["kdamonds"][0]["contexts"][0]}[where]
    part.update(values)
    with pytest.raises(CommandError) as raised:
        read_text(json.dumps(whole), "whole.json", Attrs())
    assert words in str(raised.value)


def test_a_set_up_for_physical_memory_is_read_and_the_difference_told(capsys: pytest.CaptureFixture[str]) -> None:
    whole = copy.deepcopy(WHOLE)
    whole["kdamonds"][0]["contexts"][0].update(ops="paddr", targets=[{"pid": None, "regions": [{"start": "0", "end": "4 G"}]}])
    check_scheme(read_text(json.dumps(whole), "whole.json", Attrs())[0][0])
    assert "what is watched here is the memory of the program" in capsys.readouterr().err


def test_shares_and_ages_count_in_the_windows_of_the_monitor_that_runs() -> None:
    """Its intervals stay as they are: those of the file, 20 samples a window, do not say what 50 % is."""
    whole = copy.deepcopy(WHOLE)
    pattern = whole["kdamonds"][0]["contexts"][0]["schemes"][0]["access_pattern"]
    pattern.update(nr_accesses={"min": "50 %", "max": "max"}, age={"min": "0 s", "max": "10 s"})
    runs = Attrs(sample_us=10_000, aggr_us=1_000_000)
    (scheme,), attrs = read_text(json.dumps(whole), "whole.json", runs, takes_attrs=False)
    assert attrs is None and (scheme.pattern.min_nr_accesses, scheme.pattern.max_age) == (50, 10)
    (scheme,), attrs = read_text(json.dumps(whole), "whole.json", runs)
    assert attrs is not None and (scheme.pattern.min_nr_accesses, scheme.pattern.max_age) == (10, 100)


@pytest.mark.parametrize("text", ["{", "[1]", "7", "[[]]", '{"kdamonds": 1}', '{"kdamonds": [{"contexts": []}]}', '{"x": 1}',
                                  "[{}]", "a: [b", '[{"action": "stat", "quotas": {"sz_bytes": true}}]'])
def test_what_is_no_list_of_schemes_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="^name: "):
        read_text(text, "name", Attrs())


def test_units_are_those_that_users_write() -> None:
    times = {"5ms": 5_000, "100 us": 100, "1s": 1_000_000, "2m": 120_000_000, "1,500": 1_500, "0 ns": 0, "max": units.MAX_U64}
    assert {text: units.microseconds(text) for text in times} == times
    sizes = {"4K": 4096, "4 KiB": 4096, "4.000 KiB": 4096, "1.5G": 3 << 29, "128M": 128 << 20, "0 B": 0, "77": 77}
    assert {text: units.size(text) for text in sizes} == sizes
    assert (units.share("4%", whole=10_000), units.share("400", whole=10_000)) == (400, 400)
    assert (units.milliseconds("10"), units.milliseconds("10ms"), units.milliseconds("1s")) == (10, 10, 1_000)
    for wrong in ("", "ms", "-5ms", "5 parsec", "1..2s", "1e9"):
        with pytest.raises(ValueError):
            units.microseconds(wrong)


def test_schemes_that_only_this_process_could_run_are_not_sent() -> None:
    with pytest.raises(AgentError, match="scheme 0 calls a function"):
        request_of([Scheme.calling(lambda region, scheme: 0)])
