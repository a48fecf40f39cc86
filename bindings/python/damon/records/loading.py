"""A whole record in memory, for reports. Recordings of Context.record() are taken as well."""

from __future__ import annotations

import dataclasses
import os
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from ..record import read_record
from ..views import windows_of
from .convert import window_of
from .format import RecordError
from .host import header_of
from .model import Event, Header, Mapping, Mappings, SchemeStats, Window
from .reader import Record


@dataclass
class Loaded:
    """What reports are made from. Times are those of the wall clock in nanoseconds, also `time_ns` of what is in here."""

    path: str
    header: Header
    windows: list[Window] = field(default_factory=list)
    mappings: list[Mappings] = field(default_factory=list)
    schemes: list[SchemeStats] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    torn_bytes: int = 0

    @property
    def times(self) -> list[tuple[int, int]]:
        """(begin, end) of each window; what lies between two of them was not watched."""
        return windows_of(self.windows)  # type: ignore[arg-type]

    @property
    def targets(self) -> list[int]:
        """Positions of targets that have regions."""
        return sorted({int(target) for window in self.windows for target in set(window.regions["target_idx"].tolist())})

    @property
    def nr_lost(self) -> int:
        """Windows that the recorder did not get."""
        return sum(event.values["nr_windows"] for event in self.events
                   if event.name == "lost" and type(event.values.get("nr_windows")) is int)

    def mappings_at(self, time_ns: int) -> tuple[Mapping, ...]:
        """The mappings at a moment; the first that are known before them."""
        if not self.mappings:
            return ()
        place = bisect_right([found.time_ns for found in self.mappings], time_ns)
        return self.mappings[max(place - 1, 0)].entries


def load(path: Union[str, os.PathLike[str]], tell: Callable[[int], None] = lambda nr_windows: None) -> Loaded:
    """RecordError: it is no record, is damaged, or has no window. tell: is told how many windows are read so far."""
    name = os.fspath(path)
    with open(name, "rb") as file:
        is_text = file.read(1) == b"{"
    found = _from_recording(name, tell) if is_text else _from_record(name, tell)
    if not found.windows:
        raise RecordError(f"{name} has no window: it was recorded for less than one aggregation interval")
    return found


def _from_record(path: str, tell: Callable[[int], None]) -> Loaded:
    with Record(path) as record:
        found = Loaded(path, record.header)
        lists: dict[type, list[Any]] = {Window: found.windows, Mappings: found.mappings, SchemeStats: found.schemes,
                                        Event: found.events}
        for frame in record.frames():
            wall_ns = max(record.header.wall_time_of(frame.time_ns), 0)
            lists[type(frame)].append(dataclasses.replace(frame, time_ns=wall_ns))
            tell(len(found.windows))
        found.torn_bytes = record.torn_bytes
    return found


def _from_recording(path: str, tell: Callable[[int], None]) -> Loaded:
    found: Optional[Loaded] = None
    for snapshot in read_record(path):
        if found is None:
            header = header_of(0, command_line=False, monotonic_ns=0, wall_ns=0, host="", boot_id="", program="",
                               attrs={name: getattr(snapshot, name) for name in ("sample_us", "aggr_us")})
            found = Loaded(path, header)
        found.windows.append(window_of(snapshot, snapshot.time_ns))
        tell(len(found.windows))
    return found or Loaded(path, header_of(0, command_line=False))
