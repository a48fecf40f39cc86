"""What `damon top` shows, as numbers: of one moment, region by region and mapping by mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from .. import agent_files
from ..agent_page import AgentError, AgentPage, PageSnapshot
from ..mappings import Names, read_mappings
from ..record import RecordedRegion
from ..views import share_of, unknown_by_reason
from .control import attrs_json, attrs_of, schemes_json, state_text


@dataclass
class MappingHeat:
    """The regions of mappings of one name."""

    name: str
    total_bytes: int = 0
    accessed_bytes: int = 0
    unknown_bytes: int = 0
    heat: float = 0.0  # share of samples that found it accessed, weighted by bytes
    idle_us: Optional[int] = None  # the least of its regions; None: not known
    nr_regions: int = 0


@dataclass
class Findings:
    """Of one process."""

    pid: int
    program: str
    state: str
    snapshot: PageSnapshot
    names: list[str]  # of each region
    mappings: list[MappingHeat] = field(default_factory=list)

    @property
    def regions(self) -> tuple[RecordedRegion, ...]:
        return self.snapshot.regions.regions

    def share(self, region: RecordedRegion) -> Optional[float]:
        """How hot a region is; None: it could not be looked at."""
        return None if region.unknown else share_of(region.nr_accesses, self.snapshot.regions.max_nr_accesses)


def findings_of(page: AgentPage) -> Findings:
    """What there is now."""
    snapshot = page.snapshot()
    names = Names(read_mappings(page.pid))
    found = Findings(page.pid, page.program, state_text(snapshot), snapshot,
                     [names.of(region.start, region.end) or "(no mapping)" for region in snapshot.regions.regions])
    found.mappings = _by_mapping(found)
    return found


def all_findings() -> list[Findings]:
    """Of every process that is monitored, the largest first. One that ends meanwhile is left out."""
    found = []
    for pid in agent_files.pids():
        try:
            with AgentPage.open(pid) as page:
                if not page.has_ended:
                    found.append(findings_of(page))
        except AgentError:
            continue
    return sorted(found, key=lambda one: -one.snapshot.rss_bytes)


def _by_mapping(found: Findings) -> list[MappingHeat]:
    """The hottest first."""
    groups: dict[str, MappingHeat] = {}
    for region, name in zip(found.regions, found.names):
        group = groups.setdefault(name, MappingHeat(name))
        group.nr_regions += 1
        group.total_bytes += region.size
        share = found.share(region)
        if share is None:
            group.unknown_bytes += region.size
            continue
        group.heat += share * region.size
        if region.nr_accesses:
            group.accessed_bytes += region.size
        if region.idle_us is not None:
            group.idle_us = region.idle_us if group.idle_us is None else min(group.idle_us, region.idle_us)
    for group in groups.values():
        seen = group.total_bytes - group.unknown_bytes
        group.heat = group.heat / seen if seen else 0.0
    return sorted(groups.values(), key=lambda group: (-group.accessed_bytes, -group.total_bytes))


def as_json(found: Findings) -> dict[str, Any]:
    """All of it, for programs."""
    snapshot, regions = found.snapshot, found.snapshot.regions
    return {
        "pid": found.pid,
        "program": found.program,
        "state": found.state,
        "message": snapshot.message or snapshot.state.reason.decode("utf-8", "replace"),
        "seq": regions.seq,
        "time_ns": regions.time_ns,
        "published_wall_ns": snapshot.published_wall_ns,
        "window_us": regions.window_us,
        "attrs": attrs_json(attrs_of(snapshot)),
        "rss_bytes": snapshot.rss_bytes,
        "total_bytes": regions.total_bytes,
        "accessed_bytes": regions.working_set_bytes(),
        "unknown_bytes": regions.unknown_bytes,
        "unknown_by_reason": {reason.name.lower(): size for reason, size in unknown_by_reason(regions.rows()).items()},
        "writes_only": regions.writes_only,
        "max_nr_accesses": regions.max_nr_accesses,
        "cost_permil": snapshot.state.cost_permil,
        "cpu_ns": snapshot.stats.cpu_ns,
        "agent_cpu_ns": snapshot.agent_cpu_ns,
        "nr_skipped_intervals": snapshot.stats.nr_skipped_intervals,
        "regions": [{"start": r.start, "end": r.end, "nr_accesses": r.nr_accesses, "age_us": r.age_us, "idle_us": r.idle_us,
                     "unknown": r.unknown, "writes_only": r.writes_only, "mapping": name}
                    for r, name in zip(found.regions, found.names)],
        "mappings": [{"name": m.name, "total_bytes": m.total_bytes, "accessed_bytes": m.accessed_bytes,
                      "unknown_bytes": m.unknown_bytes, "heat": round(m.heat, 4), "idle_us": m.idle_us,
                      "nr_regions": m.nr_regions} for m in found.mappings],
        "schemes": schemes_json(snapshot),
    }
