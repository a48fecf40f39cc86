"""damon ps: which processes are monitored."""

from __future__ import annotations

import argparse
from typing import Any

from .. import agent_files
from ..agent_page import AgentError, AgentPage, NoAgentError, Phase
from ..enums import State
from ..views import size_text
from .command import Command, show_json


def monitored() -> list[dict[str, Any]]:
    """What is known of each process with an agent; `error` where its file is refused."""
    agent_files.remove_stale()
    found = []
    for pid in agent_files.pids():
        try:
            with AgentPage.open(pid) as page:
                if page.has_ended:
                    continue
                found.append({"pid": pid, "program": page.program, **_state_of(page)})
        except NoAgentError:
            continue  # its file is of what the process was before
        except AgentError as error:
            if agent_files.start_ticks(pid):
                found.append({"pid": pid, "program": "?", "error": str(error)})
    return found


def _state_of(page: AgentPage) -> dict[str, Any]:
    snapshot = page.snapshot()
    regions = snapshot.regions
    state = snapshot.phase.name.lower()
    if snapshot.phase == Phase.RUNNING:
        state = State(snapshot.state.state).name.lower()
    return {
        "state": state,
        "rss_bytes": snapshot.rss_bytes,
        "accessed_bytes": regions.working_set_bytes(),
        "unknown_bytes": regions.unknown_bytes,
        "nr_regions": len(regions.regions),
        "cost_permil": snapshot.state.cost_permil,
        "message": snapshot.message,
    }


def _run(options: argparse.Namespace) -> int:
    found = monitored()
    if options.json:
        show_json(found)
        return 0
    if not found:
        print("no process is monitored: start one by 'damon run -- PROGRAM'")
        return 0
    print(f"{'PID':>8} {'PROGRAM':<16} {'STATE':<10} {'RESIDENT':>10} {'ACCESSED':>10} {'COST':>6}")
    for one in found:
        if "error" in one:
            print(f"{one['pid']:>8} {one['error']}")
            continue
        print(f"{one['pid']:>8} {one['program']:<16} {one['state']:<10} {size_text(one['rss_bytes']):>10} "
              f"{size_text(one['accessed_bytes']):>10} {one['cost_permil'] / 10:>4.1f} %"
              + (f"  {one['message']}" if one["message"] else ""))
    return 0


COMMANDS = (Command("ps", "list the processes that are monitored", lambda parser: None, _run),)
