"""Writing records."""

from __future__ import annotations

import dataclasses
import os
import stat
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from ..closing import Closing
from . import format as layout
from .convert import window_of
from .host import header_of
from .model import Event, Header, Mapping, Mappings, SchemeStats, Window
from .parts import newest_header, next_part_path, remove_oldest

if TYPE_CHECKING:
    from .._core import Snapshot
    from ..record import RecordedSnapshot

_LEAST_PART_BYTES = 4096


class Writer(Closing):
    """A record that is being written. Every frame is one write(): who reads meanwhile, or what a full disk or a kill leaves,
    has whole frames and at most one that is cut short. Threads may share it.

    max_bytes, max_seconds: when a part is that large or old it is renamed to PATH.000001 and so on, and PATH begins anew;
    0: never. keep: so many closed parts stay, the oldest are removed; 0: all. append: go on with the record that is there.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        header: Optional[Header] = None,
        *,
        max_bytes: int = 0,
        max_seconds: float = 0,
        keep: int = 0,
        append: bool = False,
    ) -> None:
        for name, value, least in (("max_bytes", max_bytes, _LEAST_PART_BYTES), ("max_seconds", max_seconds, 1), ("keep", keep, 1)):
            if value != 0 and value < least:
                raise ValueError(f"{name} is {value}; it must be 0 or at least {least}")
        self.path = os.fspath(path)
        self.header = header_of() if header is None else header
        self._max_bytes, self._max_seconds, self._keep = max_bytes, max_seconds, keep
        self._lock = threading.Lock()
        self._again: dict[int, bytes] = {}  # the last frame of kinds that each part has at its beginning
        before = newest_header(self.path) if append else None
        if before is not None:
            self.header = dataclasses.replace(self.header, record_id=before.record_id, part=before.part + 1)
            os.rename(self.path, next_part_path(self.path))
        self._file = -1
        self._begin()

    def window(self, snapshot: Union[Window, Snapshot, RecordedSnapshot], wall_ns: Optional[int] = None, **more: int) -> None:
        """A Window; or a snapshot, whose end on the wall clock (default: by the clocks of the header), and what else is
        known of it (see Window)."""
        if wall_ns is None:
            wall_ns = max(self.header.wall_time_of(snapshot.time_ns), 0)
        self._write(layout.WINDOW, layout.pack_window(window_of(snapshot, wall_ns, **more)))

    def mappings(self, entries: Iterable[Mapping], time_ns: Optional[int] = None) -> None:
        """The program's mappings from now on. Nothing is written where they are as before."""
        found = Mappings(0, tuple(entries))
        if found != getattr(self, "_mappings", None):
            self._mappings = found
            self._write(layout.MAPPINGS, layout.pack_mappings(Mappings(_now(time_ns), found.entries)))

    def schemes(self, stats: Sequence[dict[str, Any]], time_ns: Optional[int] = None) -> None:
        """What the schemes have done so far, {"action": "pageout", "sz_applied": ...} each. Nothing is written where they
        have done nothing since."""
        found = SchemeStats(0, tuple(stats))
        if found != getattr(self, "_schemes", SchemeStats(0, ())):
            self._schemes = found
            self._write(layout.SCHEMES, layout.pack_schemes(SchemeStats(_now(time_ns), found.schemes)))

    def event(self, name: str, time_ns: Optional[int] = None, **values: Any) -> None:
        """Something that happened: "pause", "resume", "lost" with nr_windows, ..."""
        self._write(layout.EVENT, layout.pack_event(Event(_now(time_ns), name, values)))

    @property
    def part_bytes(self) -> int:
        """Size of the part that is being written."""
        return self._bytes

    def close(self) -> None:
        """Ends writing."""
        with self._lock:
            file, self._file = self._file, -1
            if file >= 0:
                os.close(file)

    def _begin(self) -> None:
        """A new part, with what is known already."""
        self._file = _open_new(self.path)
        self._bytes, self._began = 0, time.monotonic()
        self._append(b"".join((layout.pack_header(self.header), *self._again.values())))

    def _write(self, kind: int, payload: bytes) -> None:
        frame = layout.pack_frame(kind, payload)
        with self._lock:
            if self._file < 0:
                raise ValueError(f"the record {self.path} is closed")
            if self._is_full(len(frame)):
                self._rotate()
            if kind in (layout.MAPPINGS, layout.SCHEMES):
                self._again[kind] = frame
            self._append(frame)

    def _is_full(self, more: int) -> bool:
        is_large = self._max_bytes and self._bytes + more > self._max_bytes
        is_old = self._max_seconds and time.monotonic() - self._began >= self._max_seconds
        return bool(is_large or is_old)

    def _rotate(self) -> None:
        file, self._file = self._file, -1
        os.close(file)
        os.rename(self.path, next_part_path(self.path))
        if self._keep:
            remove_oldest(self.path, self._keep)
        self.header = dataclasses.replace(self.header, part=self.header.part + 1)
        self._begin()

    def _append(self, data: bytes) -> None:
        """All of it, or nothing."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left):]
        except OSError as error:
            try:
                os.ftruncate(self._file, self._bytes)
            except OSError:
                pass  # the reader leaves out what was cut short
            error.filename = self.path
            raise
        self._bytes += len(data)


def _now(time_ns: Optional[int]) -> int:
    return time.monotonic_ns() if time_ns is None else time_ns


def _open_new(path: str) -> int:
    """A new file for its owner alone; an old one of that name is emptied. Links are refused."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.fchmod(file, 0o600)
            os.ftruncate(file, 0)
    except BaseException:
        os.close(file)
        raise
    return file
