"""Snapshots of a record: docs/records.md describes the file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Union

from .enums import RegionFlags, SnapshotFlags
from .records.model import IDLE_UNKNOWN, Window
from .records.reader import Record


class RecordedRegion(NamedTuple):
    """A region of a record."""

    start: int
    end: int
    target_idx: int
    nr_accesses: int
    age: int
    flags: int
    age_us: int = 0
    idle_us: Optional[int] = None
    unknown_reason: int = 0

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def unknown(self) -> bool:
        """It could not be looked at: 0 accesses does not mean idle."""
        return bool(self.flags & RegionFlags.UNKNOWN)

    @property
    def writes_only(self) -> bool:
        """Only writes to (a part of) it can be seen."""
        return bool(self.flags & RegionFlags.WRITES_ONLY)


@dataclass(frozen=True)
class RecordedSnapshot:
    """A snapshot of a record."""

    seq: int
    time_ns: int
    sample_us: int
    aggr_us: int
    max_nr_accesses: int
    nr_targets: int
    flags: int
    regions: tuple[RecordedRegion, ...]
    window_us: int = 0  # how long the window really was; 0: not known

    @property
    def total_bytes(self) -> int:
        """Bytes in all regions."""
        return sum(region.size for region in self.regions)

    @property
    def unknown_bytes(self) -> int:
        """Bytes in regions that could not be looked at."""
        return sum(region.size for region in self.regions if region.unknown)

    @property
    def writes_only(self) -> bool:
        """Reads of some region cannot be seen."""
        return bool(self.flags & SnapshotFlags.WRITES_ONLY)

    def idle_bytes(self, windows: int = 0) -> int:
        """Bytes in regions that were looked at and not seen accessed for at least so many windows."""
        return sum(r.size for r in self.regions if r.nr_accesses == 0 and not r.unknown and r.age >= windows)

    def rows(self) -> list[tuple[Any, ...]]:
        """The regions as tuples."""
        return list(self.regions)

    def working_set_bytes(self, min_nr_accesses: int = 1) -> int:
        """Bytes in regions with at least so many accesses: a lower bound where unknown_bytes is not 0."""
        return sum(r.size for r in self.regions if r.nr_accesses >= min_nr_accesses and not r.unknown)


def _snapshot_of(window: Window) -> RecordedSnapshot:
    names = [name for name in RecordedSnapshot.__dataclass_fields__ if name != "regions"]
    rows = window.regions[list(RecordedRegion._fields)].tolist()
    regions = (RecordedRegion(*row) for row in rows)
    known = tuple(one._replace(idle_us=None) if one.idle_us == IDLE_UNKNOWN else one for one in regions)
    return RecordedSnapshot(**{name: getattr(window, name) for name in names}, regions=known)


def read_record(path: Union[str, os.PathLike[str]]) -> Iterator[RecordedSnapshot]:
    """The snapshots of a record, one after the other; damon.records.open() gives all that is in it. Needs NumPy. What was
    cut short is left out. damon.records.RecordError: it is none, or is damaged."""
    with Record(path) as record:
        for window in record:
            yield _snapshot_of(window)
        if record.torn_bytes:
            print(f"{os.fspath(path)}: cut short; its last {record.torn_bytes} bytes are left out", file=sys.stderr)
