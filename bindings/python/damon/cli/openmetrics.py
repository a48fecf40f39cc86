"""damon top --openmetrics: what is monitored as metrics, for those who scrape.

To the output as OpenMetrics text; to a file in the older Prometheus format, which node_exporter's textfile collector reads.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .. import _core
from ..agent_page import AgentPage
from ..views import unknown_by_reason
from .command import CommandError
from .control import schemes_json
from .findings import Findings, all_findings, findings_of

_IDLE_S = (1, 10, 60, 600, 3600)
_LEAST_DELAY_US = 100_000


class _Family(NamedTuple):
    kind: str
    unit: str
    help: str


_FAMILIES = {
    "damon_process": _Family("info", "", "A process that is monitored."),
    "damon_resident_bytes": _Family("gauge", "bytes", "Resident memory of the process."),
    "damon_watched_bytes": _Family("gauge", "bytes", "Memory that is watched."),
    "damon_accessed_bytes": _Family("gauge", "bytes", "Watched memory that was accessed in the last window; a lower bound where "
                                    "damon_unknown_bytes is not 0."),
    "damon_idle_bytes": _Family("gauge", "bytes", "Watched memory that was not accessed for at least so many seconds."),
    "damon_unknown_bytes": _Family("gauge", "bytes", "Watched memory that could not be looked at, by reason; it may be in use."),
    "damon_writes_only": _Family("gauge", "", "1: reads of some memory cannot be seen, so idle means not written."),
    "damon_window_seconds": _Family("gauge", "seconds", "Length of the last window."),
    "damon_windows": _Family("counter", "", "Windows that have ended."),
    "damon_monitor_cpu_seconds": _Family("counter", "seconds", "CPU time of the monitor."),
    "damon_monitor_cost_ratio": _Family("gauge", "ratio", "What the monitor costs now, of one CPU."),
    "damon_scheme_tried_bytes": _Family("counter", "bytes", "Memory that a scheme was tried on."),
    "damon_scheme_applied_bytes": _Family("counter", "bytes", "Memory that a scheme was applied to."),
}
_Sample = tuple[str, dict[str, Any], float]


def _idle_bytes(found: Findings, seconds: int) -> int:
    return sum(r.size for r in found.regions if r.nr_accesses == 0 and not r.unknown
               and (r.age_us if r.idle_us is None else r.idle_us) >= seconds * 1_000_000)


def _samples(found: Findings) -> Iterator[_Sample]:
    snapshot, regions = found.snapshot, found.snapshot.regions
    own = {"pid": found.pid, "program": found.program}
    yield "damon_process", {**own, "state": found.state, "library": _core.version_string()}, 1
    yield "damon_resident_bytes", own, snapshot.rss_bytes
    yield "damon_windows", own, regions.seq
    yield "damon_monitor_cpu_seconds", own, (snapshot.stats.cpu_ns + snapshot.agent_cpu_ns) / 1e9
    yield "damon_monitor_cost_ratio", own, snapshot.state.cost_permil / 1000
    if regions.seq:
        yield "damon_watched_bytes", own, regions.total_bytes
        yield "damon_accessed_bytes", own, regions.working_set_bytes()
        for seconds in _IDLE_S:
            yield "damon_idle_bytes", {**own, "at_least_seconds": seconds}, _idle_bytes(found, seconds)
        for reason, size in unknown_by_reason(regions.rows()).items():
            yield "damon_unknown_bytes", {**own, "reason": reason.name.lower()}, size
        yield "damon_writes_only", own, int(regions.writes_only)
        yield "damon_window_seconds", own, regions.window_us / 1e6
    for place, one in enumerate(schemes_json(snapshot)):
        labels = {**own, "scheme": place, "action": one["action"]}
        yield "damon_scheme_tried_bytes", labels, one["sz_tried"]
        yield "damon_scheme_applied_bytes", labels, one["sz_applied"]


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _sample_name(name: str, family: _Family) -> str:
    return name + {"info": "_info", "counter": "_total"}.get(family.kind, "")


def text_of(processes: Iterable[Findings], *, is_prometheus: bool = False) -> str:
    """All metrics, ended as OpenMetrics has it; is_prometheus: in the older format."""
    by_family: dict[str, list[_Sample]] = {name: [] for name in _FAMILIES}
    for found in processes:
        for sample in _samples(found):
            by_family[sample[0]].append(sample)
    lines = []
    for name, family in _FAMILIES.items():
        whole = _sample_name(name, family)
        if is_prometheus:
            kind = "gauge" if family.kind == "info" else family.kind
            lines += [f"# HELP {whole} {_escaped(family.help)}", f"# TYPE {whole} {kind}"]
        else:
            lines += [f"# TYPE {name} {family.kind}"] + ([f"# UNIT {name} {family.unit}"] if family.unit else [])
            lines.append(f"# HELP {name} {_escaped(family.help)}")
        for _, labels, value in by_family[name]:
            inside = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
            lines.append(f"{whole}{{{inside}}} {value}")
    return "\n".join(lines + ([] if is_prometheus else ["# EOF"])) + "\n"


def write(path: str, text: str) -> None:
    """In the place of what was there, so that a reader sees one or the other as a whole."""
    new = f"{path}.{os.getpid()}.new"
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(new, 0o644)  # of another user, the collector's
        os.replace(new, path)
    except OSError:
        if os.path.exists(new):
            os.unlink(new)
        raise


def _processes(options: argparse.Namespace) -> list[Findings]:
    if options.pid is None:
        return all_findings()
    with AgentPage.open(options.pid) as page:
        return [findings_of(page)]


def run(options: argparse.Namespace) -> int:
    """`damon top --openmetrics`."""
    if options.json:
        raise CommandError("--json and --openmetrics are two answers: choose one")
    if not options.output:
        sys.stdout.write(text_of(_processes(options)))
        return 0
    while True:
        write(options.output, text_of(_processes(options), is_prometheus=True))
        if options.once:
            return 0
        time.sleep(max(options.delay, _LEAST_DELAY_US) / 1e6)
