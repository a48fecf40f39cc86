"""What the agent of a process found, and commands to it, through the file that they share (tools/agent/agent_page.h).

    with AgentPage.open(pid) as page:
        print(page.snapshot().regions.working_set_bytes())     # the latest
        records, lost = page.drain()                           # every window since the last call, and how many were lost
        page.command(Command.PAUSE)

A record is one window. `record.payload` is what the agent wrote, `record.regions` the same as objects. The file is read by
pread() and never mapped, so that one that is cut short while it is read ends in AgentError and not in a signal.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import fcntl
import mmap
import os
import platform
import sys
import time
from ctypes import Structure
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Optional, TypeVar

from . import agent_files
from . import agent_layout as layout
from .agent_files import AgentError, NoAgentError
from .closing import Closing
from .record import RecordedRegion, RecordedSnapshot

__all__ = ["AgentError", "AgentPage", "Command", "Drained", "NoAgentError", "PageSnapshot", "Phase", "SchemeState",
           "WindowRecord"]

MAX_U64 = 2**64 - 1
_HEADER = ctypes.sizeof(layout.Header)
_SNAPSHOT = ctypes.sizeof(layout.SnapshotHead)
_RECORD = ctypes.sizeof(layout.RecordHead)
_REGION = ctypes.sizeof(layout.RegionInfo)
_MOST_BYTES = 1 << 30  # of a file that is believed
_FUTEX_NUMBERS = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "loongarch64": 98, "ppc64le": 221, "s390x": 238}
_FUTEX_WAKE = 1
_Fields = TypeVar("_Fields", bound=Structure)


class Command(enum.IntEnum):
    """The commands of an agent."""

    PAUSE = 1
    RESUME = 2
    STOP = 3  # for good
    TUNE = 4  # layout.AttrsFields
    SCHEMES = 5  # see agent_schemes.request_of()
    REFRESH = 6
    SAVE = 7


class Phase(enum.IntEnum):
    """Where an agent is."""

    WAITING = 0
    RUNNING = 1
    FAILED = 2
    STOPPED = 3


class SchemeState(NamedTuple):
    """A scheme as it is, and what it has done."""

    params: layout.ParamsFields
    stat: layout.StatFields


@dataclass(frozen=True)
class PageSnapshot:
    """The latest that an agent published; all of it is of one moment."""

    phase: Phase
    message: str
    published_ns: int  # CLOCK_MONOTONIC
    published_wall_ns: int
    rss_bytes: int
    agent_cpu_ns: int  # of the agent's own thread
    regions: RecordedSnapshot  # seq 0: no window has ended yet
    attrs: layout.AttrsFields
    state: layout.StateFields
    stats: layout.StatsFields
    action_stats: layout.ActionStatsFields
    schemes: tuple[SchemeState, ...]


class WindowRecord:
    """One window, with all members of struct damon_agent_record but `bytes` and `kind`."""

    def __init__(self, head: layout.RecordHead, payload: bytes) -> None:
        self.payload = payload  # struct damon_agent_record and struct damon_region_info[nr_regions], without padding
        self.number: int = head.number
        self.time_ns: int = head.time_ns
        self.wall_ns: int = head.wall_ns
        self.seq: int = head.seq
        self.window_us: int = head.window_us
        self.sample_us: int = head.sample_us
        self.aggr_us: int = head.aggr_us
        self.min_nr_regions: int = head.min_nr_regions
        self.max_nr_regions: int = head.max_nr_regions
        self.total_bytes: int = head.total_bytes
        self.accessed_bytes: int = head.accessed_bytes
        self.unknown_bytes: int = head.unknown_bytes
        self.rss_bytes: int = head.rss_bytes
        self.cpu_ns: int = head.cpu_ns
        self.nr_samples: int = head.nr_samples
        self.nr_unknown_samples: int = head.nr_unknown_samples
        self.nr_regions: int = head.nr_regions
        self.max_nr_accesses: int = head.max_nr_accesses
        self.flags: int = head.flags
        self.nr_targets: int = head.nr_targets
        self.state: int = head.state
        self.cost_permil: int = head.cost_permil

    @cached_property
    def regions(self) -> tuple[RecordedRegion, ...]:
        """Its regions."""
        return regions_from(self.payload[_RECORD:], self.nr_regions)

    def snapshot(self) -> RecordedSnapshot:
        """The same as of a recording."""
        return RecordedSnapshot(self.seq, self.time_ns, self.sample_us, self.aggr_us, self.max_nr_accesses,
                                self.nr_targets, self.flags, self.regions, self.window_us)


class Drained(NamedTuple):
    """Answer of drain()."""

    records: list[WindowRecord]
    lost: int  # records that were overwritten before they were read, since the last call


def regions_from(data: bytes, nr_regions: int) -> tuple[RecordedRegion, ...]:
    """Regions from an array of struct damon_region_info. AgentError where they are none."""
    regions = []
    for r in (layout.RegionInfo * nr_regions).from_buffer_copy(data):
        if r.start >= r.end:
            raise AgentError(f"the agent's file is damaged: a region begins at {r.start:#x} and ends at {r.end:#x}")
        idle_us = None if r.idle_us == MAX_U64 else r.idle_us
        regions.append(RecordedRegion(r.start, r.end, r.target_idx, r.nr_accesses, r.age, r.flags, r.age_us, idle_us,
                                      r.unknown_reason))
    return tuple(regions)


class AgentPage(Closing):
    """The file of one process. One thread at a time."""

    def __init__(self, path: str, file: int, pid: int) -> None:
        """Takes the descriptor over. Use open()."""
        self.path = path
        self.pid = pid
        self._file = file
        try:
            self.header = self._checked_header()
        except BaseException:
            self.close()
            raise
        self._position: Optional[int] = None  # in the ring
        self._number = 0  # of the last record that was read

    @classmethod
    def open(cls, pid: int) -> AgentPage:
        """NoAgentError: the process has no agent; AgentError: its file is refused."""
        stale: Optional[NoAgentError] = None
        try:
            for path, file in agent_files.opened(pid, writable=True):
                try:
                    return cls(path, file, pid)
                except NoAgentError as error:  # of another process that has, or had, that id
                    stale = stale or error
        except PermissionError as error:
            raise AgentError(f"the file of process {pid} cannot be opened: {error.strerror}; it is its user's alone") from error
        raise stale or NoAgentError(f"process {pid} has no agent")

    @property
    def program(self) -> str:
        """Name of the process."""
        return printable(self.header.program)

    @property
    def is_current(self) -> bool:
        """Whether this is (still) the file of the process: it lives, has not begun another program, and has not stopped."""
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == self.identity and not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Nothing comes any more."""
        return bool(self._read_fields(layout.Header, 0).ended) or agent_files.start_ticks(self.pid) != self.header.start_ticks

    @property
    def nr_records(self) -> int:
        """Windows that the agent has written into the ring so far."""
        return int(self._read_fields(layout.Header, 0).nr_records)

    @property
    def identity(self) -> tuple[int, int]:
        """Tells the file from another of the same name."""
        found = os.fstat(self._file)
        return found.st_dev, found.st_ino

    def snapshot(self) -> PageSnapshot:
        """The latest."""
        lock_at = self.header.snapshot_offset
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            before = self._word(lock_at)
            if before % 2 == 0:
                head = self._read_fields(layout.SnapshotHead, lock_at)
                size = min(head.nr_regions, self.header.region_cap) * _REGION
                data = self._read(size, lock_at + _SNAPSHOT)
                if head.lock == before and self._word(lock_at) == before:
                    return self._snapshot_from(head, data)
            time.sleep(0.0002)
        raise AgentError(f"process {self.pid} was stopped in the middle of writing: continue it (kill -CONT {self.pid})")

    def drain(self) -> Drained:
        """Every window since the last call, or that the ring still has at the first; and how many were lost meanwhile."""
        header = self._read_fields(layout.Header, 0)
        position = header.ring_tail if self._position is None else max(self._position, header.ring_tail)
        records: list[WindowRecord] = []
        while position < header.ring_head:
            found, after = self._record_at(position, header.ring_head)
            tail = self._read_fields(layout.Header, 0).ring_tail
            if tail > position:  # overwritten while it was copied
                position = tail
                continue
            if found is not None:
                records.append(self._complete(found))
            position = after
        lost = self._lost(records)
        self._position = position
        return Drained(records, lost)

    def _lost(self, records: list[WindowRecord]) -> int:
        lost = 0
        for record in records:
            if self._number and record.number > self._number + 1:
                lost += record.number - self._number - 1
            self._number = record.number
        return lost

    def command(self, kind: Command, request: bytes = b"", *, timeout: float = 5.0) -> str:
        """Sends a command to the agent, waits for its answer, and returns it. AgentError with the agent's words where it fails."""
        if len(request) > layout.REQUEST_BYTES:
            raise AgentError(f"the request has {len(request)} bytes; the agent takes {layout.REQUEST_BYTES}: "
                             "give fewer schemes or filters")
        deadline = time.monotonic() + timeout
        self._lock_file(deadline)
        try:
            return self._told(kind, request, deadline)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Lets the file go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self, size: int, offset: int) -> bytes:
        data = os.pread(self._file, size, offset)
        if len(data) != size:
            raise AgentError(f"{self.path} was cut short; it is not the agent's any more")
        return data

    def _read_fields(self, kind: type[_Fields], offset: int) -> _Fields:
        return kind.from_buffer_copy(self._read(ctypes.sizeof(kind), offset))

    def _word(self, offset: int) -> int:
        return int.from_bytes(self._read(4, offset), sys.byteorder)

    def _checked_header(self) -> layout.Header:
        size = os.fstat(self._file).st_size
        if size < _HEADER:
            raise AgentError(f"{self.path} has {size} bytes; an agent's file has more than {_HEADER}")
        header = self._read_fields(layout.Header, 0)
        if header.magic != layout.MAGIC:
            raise AgentError(f"{self.path} is no file of an agent")
        sizes = tuple(map(ctypes.sizeof, layout.SIZED))
        if header.version != layout.VERSION or header.header_bytes != _HEADER or tuple(header.sizes) != sizes:
            raise AgentError(f"{self.path} is of another version (its format is {header.version}, this tool reads "
                             f"{layout.VERSION}): use the 'damon' command that started the program")
        parts = sorted([
            (header.mailbox_offset, ctypes.sizeof(layout.Mailbox)),
            (header.snapshot_offset, _SNAPSHOT + header.region_cap * _REGION),
            (header.ring_offset, header.ring_bytes),
        ])
        ends = [_HEADER] + [at + length for at, length in parts]
        is_sound = all(at >= end and at % 8 == 0 for (at, _), end in zip(parts, ends))
        is_power = header.ring_bytes >= 4096 and header.ring_bytes & (header.ring_bytes - 1) == 0
        if not is_sound or not is_power or ends[-1] > header.file_bytes or not header.file_bytes <= size <= _MOST_BYTES:
            raise AgentError(f"{self.path} is damaged: its parts do not fit into its {size} bytes")
        if header.pid != self.pid:
            raise AgentError(f"{self.path} is of process {header.pid}, not of {self.pid}")
        if agent_files.start_ticks(self.pid) not in (0, header.start_ticks):
            raise NoAgentError(f"process {self.pid} has no agent; {self.path} is of an earlier process with that id")
        if not agent_files.is_mapped(self.pid) and agent_files.start_ticks(self.pid):
            raise NoAgentError(f"process {self.pid} has no agent (yet); {self.path} is of the program that it was before")
        return header

    def _snapshot_from(self, head: layout.SnapshotHead, data: bytes) -> PageSnapshot:
        info = head.info
        nr_regions = len(data) // _REGION
        regions = RecordedSnapshot(info.seq, info.time_ns, info.sample_us, info.aggr_us, info.max_nr_accesses,
                                   info.nr_targets, info.flags, regions_from(data, nr_regions), info.window_us)
        phases = frozenset(map(int, Phase))
        if head.phase not in phases:
            raise AgentError(f"{self.path} is damaged: its phase is {head.phase}")
        nr_schemes = min(head.nr_schemes, layout.MAX_SCHEMES)
        schemes = tuple(SchemeState(s.params, s.stat) for s in head.schemes[:nr_schemes])
        return PageSnapshot(Phase(head.phase), printable(head.message), head.published_ns, head.published_wall_ns,
                            head.rss_bytes, head.agent_cpu_ns, regions, head.attrs, head.state, head.stats, head.action_stats, schemes)

    def _record_at(self, position: int, ring_head: int) -> tuple[Optional[bytes], int]:
        """(the record, None for padding; where the next one begins). What it has in it may be torn."""
        at = position % self.header.ring_bytes
        rest = self.header.ring_bytes - at
        bytes_, kind = (int.from_bytes(self._read(8, self.header.ring_offset + at)[i : i + 4], sys.byteorder) for i in (0, 4))
        if bytes_ < 8 or bytes_ % 8 or bytes_ > min(rest, ring_head - position):
            if self._read_fields(layout.Header, 0).ring_tail > position:
                return None, position  # torn; the caller goes on from the tail
            raise AgentError(f"{self.path} is damaged: a record of {bytes_} bytes at {position}")
        if kind != layout.WINDOW:
            return None, position + bytes_
        return self._read(bytes_, self.header.ring_offset + at), position + bytes_

    def _complete(self, data: bytes) -> WindowRecord:
        if len(data) >= _RECORD:
            head = layout.RecordHead.from_buffer_copy(data)
            size = _RECORD + head.nr_regions * _REGION
            if size <= len(data) < size + 8:
                return WindowRecord(head, data[:size])
        raise AgentError(f"{self.path} is damaged: a record of {len(data)} bytes does not hold its regions")

    def _lock_file(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AgentError(f"another command to process {self.pid} is under way: try again") from None
                time.sleep(0.01)

    def _told(self, kind: Command, request: bytes, deadline: float) -> str:
        if self.has_ended:
            raise NoAgentError(f"the monitor of process {self.pid} has ended: see 'damon ps'")
        at = self.header.mailbox_offset
        box = self._read_fields(layout.Mailbox, at)
        number = (box.command + 1) & 0xFFFFFFFF
        os.pwrite(self._file, request, at + layout.Mailbox.request.offset)
        os.pwrite(self._file, int(kind).to_bytes(4, sys.byteorder) + len(request).to_bytes(4, sys.byteorder),
                  at + layout.Mailbox.kind.offset)
        os.pwrite(self._file, number.to_bytes(4, sys.byteorder), at)
        wake(self._file, at)
        while time.monotonic() < deadline:
            box = self._read_fields(layout.Mailbox, at)
            if box.answered == number:
                if box.result != 0:
                    words = printable(box.answer) or os.strerror(-box.result)
                    raise AgentError(f"process {self.pid}: {words}")
                return printable(box.answer)
            if self.has_ended:
                if kind == Command.STOP:
                    return "stopped"
                raise AgentError(f"process {self.pid} has ended")
            time.sleep(0.003)
        raise AgentError(f"process {self.pid} does not answer: is it stopped (kill -CONT {self.pid})?")


def printable(text: bytes) -> str:
    """What another process wrote, fit for a terminal."""
    words = bytes(text).partition(b"\0")[0].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def wake(file: int, offset: int) -> None:
    """Wakes who sleeps on the futex word at that place of a file."""
    number = _FUTEX_NUMBERS.get(platform.machine())
    if number is None:
        return  # the agent looks at the word four times a second, unless it is paused
    page = offset & ~(mmap.PAGESIZE - 1)
    with mmap.mmap(file, mmap.PAGESIZE, offset=page) as mapped:
        word = ctypes.c_uint32.from_buffer(mapped, offset - page)
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.syscall(number, ctypes.byref(word), _FUTEX_WAKE, 1, None, None, 0) < 0
        error = ctypes.get_errno()
        del word
    if failed and error != errno.EFAULT:
        raise AgentError(f"the agent cannot be woken: {os.strerror(error)}")
