"""A whole record in memory, for reports."""

from __future__ import annotations

import dataclasses
import os
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from ..mappings import printable
from ..views import windows_of
from .format import RecordError
from .model import Event, Header, Mapping, Mappings, SchemeStats, Window
from .reader import Record


_MOST_NS = 2**63 - 1  # the year 2262
MOST_REGIONS = 1 << 24  # in memory, 56 bytes each; of longer records each second window is left out, then three of four...


@dataclass
class Loaded:
    """What reports are made from. Times are those of the wall clock in nanoseconds, also `time_ns` of what is in here.
    times: (begin, end) of each window; what lies between two of them was not watched. A window stands for those before it
    that were left out."""

    path: str
    header: Header
    windows: list[Window] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)
    mappings: list[Mappings] = field(default_factory=list)
    schemes: list[SchemeStats] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    torn_bytes: int = 0
    nr_windows: int = 0  # also of those that were left out

    @property
    def targets(self) -> list[int]:
        """Positions of targets that have regions."""
        return sorted({int(target) for window in self.windows for target in set(window.regions["target_idx"].tolist())})

    @property
    def nr_lost(self) -> int:
        """Windows that the recorder did not get."""
        return sum(event.values["nr_windows"] for event in self.events
                   if event.name == "lost" and type(event.values.get("nr_windows")) is int and event.values["nr_windows"] > 0)

    def mappings_at(self, time_ns: int) -> tuple[Mapping, ...]:
        """The mappings at a moment; the first that are known before them."""
        if not self.mappings:
            return ()
        place = bisect_right([found.time_ns for found in self.mappings], time_ns)
        return self.mappings[max(place - 1, 0)].entries


class _Collector:
    """Takes windows one by one, and leaves some out where there are too many."""

    def __init__(self, found: Loaded) -> None:
        self._found = found
        self._step = 1  # of so many windows the last one is kept
        self._merged = 0  # that the last one kept stands for
        self._last: Optional[Window] = None
        self._nr_regions = 0

    def add(self, window: Window) -> None:
        windows, times = self._found.windows, self._found.times
        if not 0 <= window.time_ns <= _MOST_NS:
            raise RecordError(f"{self._found.path} is damaged: its window {window.seq} ended {window.time_ns} ns after 1970")
        both = [window] if self._last is None else [self._last, window]
        begin, end = windows_of(both)[-1]  # type: ignore[arg-type]
        begin, self._last = max(begin, 0), window
        if times and times[-1][1] == begin and self._merged < self._step:
            self._nr_regions -= len(windows[-1].regions)
            windows[-1], times[-1] = window, (times[-1][0], end)
            self._merged += 1
        else:
            windows.append(window)
            times.append((begin, end))
            self._merged = 1
        self._nr_regions += len(window.regions)
        self._found.nr_windows += 1
        if self._nr_regions > MOST_REGIONS and len(windows) > 1:
            self._halve()

    def _halve(self) -> None:
        """Keeps the second of each two that follow each other."""
        windows: list[Window] = []
        times: list[tuple[int, int]] = []
        is_pair = False
        for window, (begin, end) in zip(self._found.windows, self._found.times):
            if times and times[-1][1] == begin and not is_pair:
                windows[-1], times[-1], is_pair = window, (times[-1][0], end), True
            else:
                windows.append(window)
                times.append((begin, end))
                is_pair = False
        self._found.windows[:], self._found.times[:] = windows, times
        self._nr_regions = sum(len(window.regions) for window in windows)
        self._merged += self._step if is_pair else 0
        self._step *= 2


def load(path: Union[str, os.PathLike[str]], tell: Callable[[int], None] = lambda nr_windows: None) -> Loaded:
    """RecordError: it is no record, is damaged, or has no window. tell: is told how many windows are read so far."""
    name = os.fspath(path)
    found = _from_record(name, tell)
    if not found.windows:
        raise RecordError(f"{name} has no window: it was recorded for less than one aggregation interval")
    return found


def _printable_header(header: Header) -> Header:
    """What a file says is not to control a terminal."""
    line = None if header.command_line is None else tuple(map(printable, header.command_line))
    labels = {printable(name): printable(value) for name, value in header.labels.items()}
    return dataclasses.replace(header, host=printable(header.host), program=printable(header.program), command_line=line,
                               labels=labels)


def _printable_mappings(found: Mappings) -> Mappings:
    return dataclasses.replace(found, entries=tuple(one._replace(name=printable(one.name)) for one in found.entries))


def _from_record(path: str, tell: Callable[[int], None]) -> Loaded:
    with Record(path) as record:
        found = Loaded(path, _printable_header(record.header))
        collector = _Collector(found)
        lists: dict[type, list[Any]] = {Mappings: found.mappings, SchemeStats: found.schemes, Event: found.events}
        for frame in record.frames():
            wall_ns = record.header.wall_time_of(frame.time_ns)
            if isinstance(frame, Window):
                collector.add(dataclasses.replace(frame, time_ns=wall_ns))
                tell(found.nr_windows)
            else:
                one = dataclasses.replace(frame, time_ns=min(max(wall_ns, 0), _MOST_NS))
                lists[type(frame)].append(_printable_mappings(one) if isinstance(one, Mappings) else one)
        found.torn_bytes = record.torn_bytes
    return found
