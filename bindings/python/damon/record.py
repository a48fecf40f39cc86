"""Recordings: text, one JSON value a line. The first line says what it is, each other line is one snapshot:

    {"damon_record": 1, "library": "0.1.0"}
    {"seq": 1, "time_ns": ..., "sample_us": ..., "aggr_us": ..., "max_nr_accesses": ..., "nr_targets": ..., "flags": 0,
     "window_us": ..., "regions": [[start, end, target_idx, nr_accesses, age, flags, age_us, idle_us, unknown_reason], ...]}

What stands behind "flags" may be missing; idle_us is null where it is not known.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Optional, Protocol, Union

from . import _core
from .closing import Closing
from .enums import RegionFlags, SnapshotFlags
from .errors import DamonError, InvalidParameterError, error_for

if TYPE_CHECKING:
    from .context import Context

_FORMAT = 1
_INFO = ("seq", "time_ns", "sample_us", "aggr_us", "max_nr_accesses", "nr_targets", "flags")
_LATER = ("window_us",)  # missing in older recordings


class RecordedRegion(NamedTuple):
    """A region of a recording."""

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
    """A snapshot of a recording."""

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


class SnapshotTaker(Protocol):
    """What a context tells of its snapshots."""

    def begin(self) -> None: ...

    def take(self) -> None: ...

    def close(self) -> None: ...


class Recorder(Closing):
    """What Context.record() gives. A thread writes down what a worker finds; in manual drive each step does."""

    def __init__(self, context: Context, path: Union[str, os.PathLike[str]]) -> None:
        self._context = context
        self._seq = context._core.snapshot().seq
        self._file: Optional[IO[str]] = open(path, "w", encoding="utf-8")
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._closing = threading.Event()
        self.error: Optional[BaseException] = None  # why writing ended early, such as a full disk
        self._write({"damon_record": _FORMAT, "library": _core.version_string()})
        if context.is_running:
            self.begin()

    def begin(self) -> None:
        """Called at the start of the context."""
        if self._context.manual or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._follow, name="damon recorder", daemon=True)
        self._thread.start()

    def take(self) -> None:
        """Writes the last snapshot down, if it is new."""
        with self._lock:
            snapshot = self._context._core.snapshot()
            if snapshot.seq > self._seq and self._file is not None:
                self._seq = snapshot.seq
                line = {name: getattr(snapshot, name) for name in _INFO + _LATER}
                self._write({**line, "regions": snapshot.rows()})

    def close(self) -> None:
        """Ends the recording; the file is complete afterwards. Raises what kept it from being written."""
        if self._file is None:
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if self.error is None:
                self.take()  # the last one may have come up since
        finally:
            file, self._file = self._file, None
            if self in self._context._recorders:
                self._context._recorders.remove(self)
            if file is not None:
                file.close()
        if self.error is not None:
            raise self.error

    def _write(self, value: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(value, separators=(",", ":")) + "\n")

    def _follow(self) -> None:
        try:
            while not self._closing.is_set():
                if self._context._core.snapshot_wait(self._seq, 50):
                    self.take()
        except DamonError:
            pass  # stopped: close() follows
        except BaseException as error:
            self.error = error


def close_all(recorders: Iterable[SnapshotTaker]) -> None:
    """Closes all of them; raises what the first to fail raised."""
    failure: Optional[BaseException] = None
    for recorder in recorders:
        try:
            recorder.close()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _not_a_record(path: Union[str, os.PathLike[str]], why: str) -> InvalidParameterError:
    error = error_for(errno.EINVAL, f"{os.fspath(path)} is not a recording of Context.record(): {why}")
    assert isinstance(error, InvalidParameterError)
    return error


def _snapshot_from(value: Any) -> RecordedSnapshot:
    """A line's snapshot; KeyError, TypeError or ValueError where it is none."""
    regions = tuple(RecordedRegion(*region) for region in value["regions"])
    info = {name: value[name] for name in _INFO} | {name: value.get(name, 0) for name in _LATER}
    numbers = (number for region in regions for number in region._replace(idle_us=region.idle_us or 0))
    for number in (*info.values(), *numbers):
        if type(number) is not int or number < 0:
            raise ValueError(f"{number!r} is no number that snapshots have")
    if any(region.start >= region.end for region in regions):
        raise ValueError("a region's start must be below its end")
    return RecordedSnapshot(regions=regions, **info)


def read_record(path: Union[str, os.PathLike[str]]) -> Iterator[RecordedSnapshot]:
    """The snapshots of a recording, one after the other. A last line that was cut short is left out."""
    with open(path, encoding="utf-8") as file:
        try:
            head = json.loads(file.readline() or "null")
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise _not_a_record(path, "its first line is not JSON") from error
        if not isinstance(head, dict) or head.get("damon_record") != _FORMAT:
            raise _not_a_record(path, f'its first line must have "damon_record": {_FORMAT}')
        for number, line in enumerate(file, 2):
            if not line.endswith("\n"):
                print(f"{os.fspath(path)}:{number}: cut short, left out", file=sys.stderr)
                return
            try:
                snapshot = _snapshot_from(json.loads(line))
            except (KeyError, RecursionError, TypeError, ValueError) as error:
                raise _not_a_record(path, f"line {number} is no snapshot") from error
            yield snapshot
