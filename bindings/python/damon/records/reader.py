"""Reading records."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Optional, Union

from ..closing import Closing
from . import format as layout
from .format import RecordError
from .model import Event, Header, Mappings, SchemeStats, Window
from .parts import closed_parts, header_at

Frame = Union[Window, Mappings, SchemeStats, Event]
_POLL_S = 0.05
_CHUNK = 1 << 20


class Part:
    """One file."""

    def __init__(self, path: str) -> None:
        """RecordError: it is no record."""
        self.path = path
        self.torn_bytes = 0  # at its end, cut short
        self._file = -1
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO does not keep it waiting
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise RecordError("it is no regular file")
            start = self._read(layout.HEAD.size, 0)
            length = layout.header_length(start)
            self.header, self._fields = layout.unpack_header(start, self._read(length, layout.HEAD.size))
            self._at = layout.HEAD.size + length
        except RecordError as error:
            self.close()
            raise RecordError(f"{path} is no record: {error}") from error
        except OSError as error:
            error.filename = path
            raise

    def __del__(self) -> None:
        self.close()

    def _read(self, size: int, at: int) -> bytes:
        return os.pread(self._file, size, at)

    def frames(self) -> Iterator[Frame]:
        """Those that are there. Can be called again for what was written since."""
        while True:
            size = os.fstat(self._file).st_size
            self.torn_bytes = max(size - self._at, 0)
            if self.torn_bytes < layout.FRAME.size:
                return
            head = self._read(layout.FRAME.size, self._at)
            try:
                length = layout.frame_length(head)
                if self.torn_bytes < layout.FRAME.size + length:
                    return
                payload = self._read(length, self._at + layout.FRAME.size)
                if len(payload) != length or not layout.is_whole(head, payload):
                    if self._ends_here(self._at + layout.FRAME.size + length, size):
                        return
                    raise RecordError("its checksum differs")
                frame = layout.unpack_frame(head, payload, self._fields)
            except RecordError as error:
                if self._is_blank(size):
                    return
                raise RecordError(f"{self.path} is damaged: the frame at byte {self._at}: {error}") from error
            self._at += layout.FRAME.size + length
            if frame is not None:
                yield frame

    def _ends_here(self, end: int, size: int) -> bool:
        """A frame with a wrong checksum is one that was cut short where nothing follows."""
        return end >= size or self._is_blank(size)

    def _is_blank(self, size: int) -> bool:
        """Only zeroes from here on: a crash left the file longer than what had been written."""
        for at in range(self._at, size, _CHUNK):
            data = self._read(min(size - at, _CHUNK), at)
            if data.count(0) != len(data):
                return False
        return True

    def is_current(self) -> bool:
        """Whether the path still leads to this file: it was not rotated."""
        try:
            there, here = os.stat(self.path), os.fstat(self._file)
        except OSError:
            return True
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


class Record(Closing):
    """A record: `for window in record`. Rotated parts are read one after the other. `mappings`, `schemes` and `events` are
    those that came up so far; `header` is that of the part that is being read."""

    def __init__(self, path: Union[str, os.PathLike[str]], *, follow: bool = False, timeout: Optional[float] = None) -> None:
        self.path = os.fspath(path)
        self._follow, self._timeout = follow, timeout
        part = Part(self.path)
        self.header: Header = part.header
        self._part = part
        self.mappings: Optional[Mappings] = None
        self.schemes: Optional[SchemeStats] = None
        self.events: list[Event] = []
        self.torn_bytes = 0  # that were cut short at the end of a part, and left out

    def __iter__(self) -> Iterator[Window]:
        return (frame for frame in self.frames() if isinstance(frame, Window))

    def frames(self) -> Iterator[Frame]:
        """Windows, Mappings, SchemeStats and Events, in the order in which they were written."""
        for path in self._older():
            with closing(Part(path)) as part:
                yield from self._frames_of(part)
        yield from self._frames_of(self._part)
        if self._follow:
            yield from self._following()

    def _older(self) -> list[str]:
        """Closed parts of the same record."""
        found = []
        for path in closed_parts(self.path):
            try:
                header = header_at(path)
            except FileNotFoundError:
                continue  # removed meanwhile
            if header.record_id == self._part.header.record_id and header.part < self._part.header.part:
                found.append(path)
        return found

    def _frames_of(self, part: Part) -> Iterator[Frame]:
        self.header = part.header
        before = self.torn_bytes
        for frame in part.frames():
            self._note(frame)
            yield frame
        self.torn_bytes = before + part.torn_bytes

    def _note(self, frame: Frame) -> None:
        if isinstance(frame, Mappings):
            self.mappings = frame
        elif isinstance(frame, SchemeStats):
            self.schemes = frame
        elif isinstance(frame, Event):
            self.events.append(frame)

    def _following(self) -> Iterator[Frame]:
        """What comes up, until nothing does for `timeout` seconds, or the writer says that it ended."""
        quiet_since = time.monotonic()
        while not (self.events and self.events[-1].name == "end"):
            is_rotated = not self._part.is_current()  # before the last look: what comes after it is in the next part
            for frame in self._part.frames():
                quiet_since = time.monotonic()
                self._note(frame)
                yield frame
            after = self._part_after() if is_rotated else None
            if after is not None:
                self._part.close()
                self._part, self.header = after, after.header
                continue
            if self._timeout is not None and time.monotonic() - quiet_since >= self._timeout:
                break
            time.sleep(_POLL_S)
        self.torn_bytes = self._part.torn_bytes

    def _part_after(self) -> Optional[Part]:
        """The part that follows; None: it is not written yet."""
        for path in (*closed_parts(self.path), self.path):
            try:
                part = Part(path)
            except (FileNotFoundError, RecordError):
                continue  # removed meanwhile, or just begun
            if part.header.record_id == self.header.record_id and part.header.part == self.header.part + 1:
                return part
            part.close()
        return None

    def close(self) -> None:
        self._part.close()
