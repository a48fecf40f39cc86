"""What a record has in it, as a reader gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

from ..checks import need_numpy
from ..enums import RegionFlags, SnapshotFlags

IDLE_UNKNOWN = 2**64 - 1  # idle_us of a region whose idle time is not known
DTYPE = (
    ("start", "<u8"), ("end", "<u8"), ("age_us", "<u8"), ("idle_us", "<u8"), ("target_idx", "<u4"),
    ("nr_accesses", "<u4"), ("age", "<u4"), ("flags", "<u4"), ("unknown_reason", "<i4"), ("reserved", "<u4"),
)  # struct damon_region_info, as Snapshot.regions has it


@dataclass(frozen=True)
class Window:
    """One window: what a snapshot says at its end, and what the monitor had cost by then. Numbers that are not known are 0.

    `regions` is a NumPy structured array with the members of Snapshot.regions; idle_us is 2**64 - 1 where it is not known.
    """

    time_ns: int  # CLOCK_MONOTONIC, or virtual time
    wall_ns: int  # CLOCK_REALTIME of the same moment
    seq: int
    window_us: int
    sample_us: int
    aggr_us: int
    max_nr_accesses: int
    nr_targets: int
    flags: int
    regions: Any = field(repr=False, compare=False)
    rss_bytes: int = 0
    cpu_ns: int = 0  # of the worker so far
    nr_samples: int = 0  # so far
    nr_unknown_samples: int = 0
    cost_permil: int = 0

    @property
    def sizes(self) -> Any:
        """Bytes of each region."""
        return self.regions["end"] - self.regions["start"]

    @property
    def is_unknown(self) -> Any:
        """Of each region: it could not be looked at, so 0 accesses does not mean idle."""
        return (self.regions["flags"] & int(RegionFlags.UNKNOWN)) != 0

    @property
    def writes_only(self) -> bool:
        """Reads of some region cannot be seen."""
        return bool(self.flags & SnapshotFlags.WRITES_ONLY)

    @property
    def total_bytes(self) -> int:
        return int(self.sizes.sum())

    @property
    def unknown_bytes(self) -> int:
        return int(self.sizes[self.is_unknown].sum())

    def working_set_bytes(self, min_nr_accesses: int = 1) -> int:
        """Bytes in regions with at least so many accesses: a lower bound where unknown_bytes is not 0."""
        return int(self.sizes[(self.regions["nr_accesses"] >= min_nr_accesses) & ~self.is_unknown].sum())

    def idle_times_us(self) -> Any:
        """Of each region: for how long it is idle at least, 0 where it is accessed or could not be looked at."""
        np = need_numpy("idle times")
        idle = np.where(self.regions["idle_us"] == np.uint64(IDLE_UNKNOWN), self.regions["age_us"], self.regions["idle_us"])
        return np.where((self.regions["nr_accesses"] == 0) & ~self.is_unknown, idle, 0)


class Mapping(NamedTuple):
    """A mapping of the program, or several neighbouring ones of one name."""

    start: int
    end: int
    permissions: str  # as /proc/PID/maps has them: "rw-p"
    name: str  # a file, "[heap]", "[anon]"


@dataclass(frozen=True)
class Mappings:
    """The mappings as they are from now on."""

    time_ns: int
    entries: tuple[Mapping, ...]


@dataclass(frozen=True)
class SchemeStats:
    """What the schemes have done so far: {"action": "pageout", "nr_tried": ..., ...} each."""

    time_ns: int
    schemes: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Event:
    """Something that happened: "pause", "resume", "lost" (values["nr_windows"]), "attrs" (the new ones), "end", ..."""

    time_ns: int
    name: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """What stands at the beginning of a record."""

    record_id: str
    part: int  # of a rotated record, from 0
    monotonic_ns: int
    wall_ns: int
    library: str
    host: str
    boot_id: str
    pid: int
    program: str
    command_line: Optional[tuple[str, ...]]  # None: it was left out
    attrs: dict[str, Any]
    access_checks: dict[str, Any]
    labels: dict[str, str]

    def wall_time_of(self, time_ns: int) -> int:
        """CLOCK_REALTIME of a moment of the record's clock, by the two clocks at its beginning."""
        return self.wall_ns + time_ns - self.monotonic_ns
