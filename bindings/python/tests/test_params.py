"""Parameters: what they are made from, compared with, and checked by."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys
import typing
from datetime import timedelta
from typing import Any

import pytest

import damon
from damon import options, params, sim


def test_durations_are_seconds_or_timedeltas() -> None:
    assert damon.microseconds(0.005) == damon.microseconds(timedelta(milliseconds=5)) == 5_000
    assert damon.Attrs.of(sample=0.001, aggr=timedelta(milliseconds=20), max_nr_regions=50) == damon.Attrs(
        sample_us=1_000, aggr_us=20_000, max_nr_regions=50
    )
    assert damon.Attrs.of() == damon.Attrs()
    with pytest.raises(TypeError, match="seconds or a timedelta, not str"):
        damon.microseconds("1")  # type: ignore[arg-type]
    with pytest.raises(damon.InvalidParameterError, match="the duration is inf; it must be from 0 to"):
        damon.microseconds(float("inf"))


def test_actions_are_named_by_strings() -> None:
    assert damon.Scheme(action="pageout") == damon.Scheme(action=damon.Action.PAGEOUT)
    assert damon.Context(targets=[damon.Target()], schemes=[damon.Scheme(action="Cold")]).schemes[0].action == damon.Action.COLD
    with pytest.raises(damon.InvalidParameterError, match="action is 'page_out'; it must be one of willneed, cold, pageout"):
        damon.Scheme(action="page_out")


def test_lists_and_tuples_are_equal() -> None:
    anon = damon.Filter(damon.FilterType.ANON)
    assert damon.Scheme(filters=[anon]) == damon.Scheme(filters=(anon,))
    assert hash(damon.Scheme(filters=[anon])) == hash(damon.Scheme(filters=(anon,)))
    assert damon.Target(ranges=[(1, 2)]) == damon.Target(ranges=((1, 2),))
    assert damon.Quota(goals=[damon.QuotaGoal(5)]) == damon.Quota(goals=(damon.QuotaGoal(5),))
    assert sim.Machine(node_bytes=[1, 2]) == sim.Machine(node_bytes=(1, 2))


@pytest.mark.parametrize(
    ("keywords", "fields"),
    [
        (options.AttrsOptions, params.Attrs),
        (options.SchemeOptions, params.Scheme),
        (options.MachineOptions, sim.Machine),
        (options.MappedRangeOptions, sim.MappedRange),
        (options.PatternOptions, sim.Pattern),
    ],
)
def test_the_options_of_type_checkers_are_the_fields(keywords: Any, fields: Any) -> None:
    assert set(keywords.__annotations__) == {field.name for field in dataclasses.fields(fields)}


def test_the_options_of_a_context_are_those_of_its_constructor() -> None:
    import inspect

    taken = set(inspect.signature(damon.Context).parameters) - {"attrs", "targets", "schemes"}
    assert set(options.ContextOptions.__annotations__) | {"manual"} == taken
    assert set(options.MonitorOptions.__annotations__) == taken | set(options.AttrsOptions.__annotations__) | {"attrs"}
    assert set(options.CallingOptions.__annotations__) == set(options.SchemeOptions.__annotations__) - {"action", "callback"}
    recorder, writer = (set(inspect.signature(one).parameters) for one in (damon.Recorder, damon.records.Writer))
    assert set(options.RecordOptions.__annotations__) == (recorder | writer) - {"context", "path", "header", "options"}
    assert typing.is_typeddict(options.CommitOptions) if sys.version_info >= (3, 10) else True


TYPOS = {
    "damon.monitor_self(smaple_us=5)": "smaple_us",
    "damon.Context().record('x', rotat=5)": "rotat",
    "damon.Scheme.calling(len, patern=1)": "patern",
    "damon.Context().commit(agr_us=5)": "agr_us",
    "damon.Context().commit_scheme(0, quta=5)": "quta",
    "damon.sim.Simulator(sed=1)": "sed",
}


def test_a_misspelt_option_is_found_by_a_type_checker(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "typos.py"
    program.write_text("import damon\nimport damon.sim\n" + "\n".join(TYPOS) + "\n")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )
    for line, word in enumerate(TYPOS.values(), 3):
        assert f"typos.py:{line}: error: Unexpected keyword argument \"{word}\"" in ran.stdout, ran.stdout
