"""damon pause, resume, tune, schemes, stop: commands to the agent of a process."""

from __future__ import annotations

import argparse
from typing import Any

from ..agent_page import AgentPage, Command as Word, PageSnapshot
from ..agent_schemes import attrs_fields, request_of
from ..enums import Action, State
from ..params import Attrs, IntervalsGoal
from ..views import size_text
from . import monitoring, units
from .command import Command, process_id, show_json


def _add_pid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pid", type=process_id, metavar="PID", help="the process; 'damon ps' lists them")


def _tell(options: argparse.Namespace, word: Word, request: bytes = b"") -> str:
    with AgentPage.open(options.pid) as page:
        return page.command(word, request)


def _simple(word: Word) -> Any:
    def run(options: argparse.Namespace) -> int:
        answer = _tell(options, word)
        if options.json:
            show_json({"pid": options.pid, "answer": answer})
        else:
            print(f"process {options.pid}: {answer}")
        return 0

    return run


def attrs_of(snapshot: PageSnapshot) -> Attrs:
    """The attributes that a monitor has."""
    found, goal = snapshot.attrs, snapshot.attrs.intervals_goal
    return Attrs(
        sample_us=found.sample_us, aggr_us=found.aggr_us, ops_update_us=found.ops_update_us,
        min_nr_regions=found.min_nr_regions, max_nr_regions=found.max_nr_regions,
        intervals_goal=IntervalsGoal(goal.access_bp, goal.aggrs, goal.min_sample_us, goal.max_sample_us),
        max_overhead_permil=found.max_overhead_permil, referenced_us=found.referenced_us, survey_bp=found.survey_bp)


def attrs_json(attrs: Attrs) -> dict[str, Any]:
    """For --json."""
    return {name: getattr(attrs, name) for name in ("sample_us", "aggr_us", "ops_update_us", "min_nr_regions",
                                                    "max_nr_regions", "max_overhead_permil")}


def _add_tune_options(parser: argparse.ArgumentParser) -> None:
    _add_pid(parser)
    monitoring.add_attribute_options(parser)


def _tune(options: argparse.Namespace) -> int:
    with AgentPage.open(options.pid) as page:
        before = attrs_of(page.snapshot())
        after = monitoring.attrs_from(options, before)
        if after != before:
            page.command(Word.TUNE, bytes(attrs_fields(after)))
    if options.json:
        show_json({"pid": options.pid, "before": attrs_json(before), "after": attrs_json(after)})
    elif after == before:
        print(f"process {options.pid}: {attrs_text(after)} (nothing to change was named)")
    else:
        print(f"process {options.pid}: {attrs_text(after)}")
    return 0


def attrs_text(attrs: Attrs) -> str:
    """One line."""
    limit = f"at most {attrs.max_overhead_permil / 10:g} % of a CPU" if attrs.max_overhead_permil else "no limit of cost"
    return (f"sample {units.time_text(attrs.sample_us)}, window {units.time_text(attrs.aggr_us)}, mappings each "
            f"{units.time_text(attrs.ops_update_us)}, {attrs.min_nr_regions} to {attrs.max_nr_regions} regions, {limit}")


def _add_schemes_options(parser: argparse.ArgumentParser) -> None:
    _add_pid(parser)
    monitoring.add_scheme_options(parser)
    parser.add_argument("--clear", action="store_true", help="remove all schemes")


def schemes_json(snapshot: PageSnapshot) -> list[dict[str, Any]]:
    """What each scheme is and has done."""
    names = ("active", "nr_tried", "sz_tried", "nr_applied", "sz_applied", "sz_ops_filter_passed", "qt_exceeds",
             "nr_snapshots", "esz")
    actions = frozenset(map(int, Action))
    return [{"action": Action(one.params.action).name.lower() if one.params.action in actions else str(one.params.action),
             "min_age_us": one.params.min_age_us, "max_nr_accesses": one.params.pattern.max_nr_accesses,
             "min_nr_accesses": one.params.pattern.min_nr_accesses, "quota_sz": one.params.quota.sz,
             "quota_ms": one.params.quota.ms, **{name: getattr(one.stat, name) for name in names}}
            for one in snapshot.schemes]


def _schemes(options: argparse.Namespace) -> int:
    with AgentPage.open(options.pid) as page:
        if options.clear:
            page.command(Word.SCHEMES)
        else:
            schemes, _ = monitoring.schemes_from(options, attrs_of(page.snapshot()))
            if schemes is not None:
                page.command(Word.SCHEMES, request_of(schemes))
        snapshot = page.snapshot()
    found = schemes_json(snapshot)
    if options.json:
        show_json({"pid": options.pid, "schemes": found})
        return 0
    if not found:
        print(f"process {options.pid} has no schemes")
    for place, one in enumerate(found):
        print(f"{place}: {one['action']:<12} tried {size_text(one['sz_tried'])} in {one['nr_tried']} regions, "
              f"applied to {size_text(one['sz_applied'])}" + ("" if one["active"] else ", waits for its watermarks"))
    return 0


def state_text(snapshot: PageSnapshot) -> str:
    """What the monitor is doing, in a word."""
    states = frozenset(map(int, State))
    if snapshot.phase.name != "RUNNING" or snapshot.state.state not in states:
        return snapshot.phase.name.lower()
    return State(snapshot.state.state).name.lower()


COMMANDS = (
    Command("pause", "pause the monitor of a process: it costs nothing then, and forgets nothing", _add_pid,
            _simple(Word.PAUSE)),
    Command("resume", "let it go on where it stood", _add_pid, _simple(Word.RESUME)),
    Command("tune", "change intervals and numbers of regions while it runs", _add_tune_options, _tune),
    Command("schemes", "show, replace or remove the schemes of a process", _add_schemes_options, _schemes),
    Command("save", "write what the monitor of a process has learned to the file of 'damon run --warm FILE'", _add_pid,
            _simple(Word.SAVE)),
    Command("stop", "end the monitor of a process for good; the program goes on", _add_pid, _simple(Word.STOP)),
)
