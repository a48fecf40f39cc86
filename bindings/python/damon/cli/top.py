"""damon top: what a process's memory is doing, live or once."""

from __future__ import annotations

import argparse
import sys
import time

from ..agent_page import AgentPage
from . import monitoring
from .command import Command, CommandError, process_id, show_json
from .findings import all_findings, as_json, findings_of
from .ps import monitored


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pid", type=process_id, nargs="?", metavar="PID", help="the process; without: the one that is monitored, or an overview of all")
    parser.add_argument("--once", action="store_true", help="show it once; so it is where the output is no terminal")
    parser.add_argument("--wait", action="store_true", help="with --once: wait for the first window")
    parser.add_argument("-d", "--delay", type=monitoring.time_us, default=500_000, metavar="TIME",
                        help="how often to look (default: 500ms)")
    parser.add_argument("--openmetrics", action="store_true",
                        help="as metrics, of PID or of all: for a scraper; once, or with -o every --delay")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="with --openmetrics: write them there again and again, as a whole each time, for node_exporter's "
                        "textfile collector (NAME.prom); with --once: once")
    parser.add_argument("--rows", type=int, metavar="N", help="rows of each table")


def _pids(options: argparse.Namespace) -> list[int]:
    """Which processes to show."""
    if options.pid is not None:
        return [options.pid]
    found = [int(one["pid"]) for one in monitored() if "error" not in one]
    if not found:
        raise CommandError("no process is monitored: start one by 'damon run -- PROGRAM'")
    return found


def _wait_for_window(page: AgentPage, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while page.snapshot().regions.seq == 0 and not page.has_ended and time.monotonic() < deadline:
        time.sleep(0.05)


def _run(options: argparse.Namespace) -> int:
    if options.openmetrics:
        from . import openmetrics

        return openmetrics.run(options)
    if options.output:
        raise CommandError("-o is for --openmetrics; 'damon record' writes what is found to a file")
    pids = _pids(options)
    is_live = not options.once and not options.json and sys.stdout.isatty()
    if len(pids) > 1:
        if options.json:
            show_json([as_json(found) for found in all_findings()])
            return 0
        from . import top_overview

        return top_overview.show(options, is_live=is_live)
    with AgentPage.open(pids[0]) as page:
        if options.wait:
            _wait_for_window(page, 30)
        if options.json:
            show_json(as_json(findings_of(page)))
            return 0
        from . import top_screen  # takes a moment, which the other commands need not wait

        if is_live:
            return top_screen.live(page, options)
        top_screen.once(page, options)
    return 0


COMMANDS = (Command("top", "show what a process's memory is doing, live", _add_options, _run,
                    epilog="While it shows: p pauses and resumes the monitor, q quits."),)
