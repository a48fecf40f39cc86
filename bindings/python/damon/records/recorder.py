"""Recording what a context of this process finds."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional, Union

from .. import _core
from ..checks import need_numpy
from ..closing import Closing
from ..enums import AccessCheck, Action, State
from ..errors import DamonError
from .host import header_of, mappings_of
from .writer import Writer

if TYPE_CHECKING:
    from ..context import Context

_MAPPINGS_EVERY_S = 1.0
_SCHEMES_EVERY_NS = 1_000_000_000
_WAIT_MS = 50


class Recorder(Closing):
    """What Context.record() gives: writes down each snapshot of a context until it is closed or the context stops. A thread of
    its own does so; in manual drive each step does."""

    def __init__(
        self,
        context: Context,
        path: Union[str, os.PathLike[str]],
        *,
        command_line: bool = True,
        labels: Optional[dict[str, str]] = None,
        wall_ns: Optional[int] = None,
        **options: Any,
    ) -> None:
        """wall_ns: manual drive: the wall clock at time 0 (default: now). Options: those of Writer."""
        need_numpy("records")
        header = header_of(command_line=command_line, attrs=attrs_of(context), labels=labels, access_checks=_checks())
        self._is_virtual = context.manual
        if self._is_virtual:
            header = dataclasses.replace(header, monotonic_ns=0, wall_ns=time.time_ns() if wall_ns is None else wall_ns)
        self.writer = Writer(path, header, **options)
        self._context = context
        self._seq = context._core.snapshot().seq
        self._state: Optional[State] = None
        self._mapped_at = -_MAPPINGS_EVERY_S
        self._schemes_ns = -_SCHEMES_EVERY_NS
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._closing = threading.Event()
        self._is_open = True
        self.error: Optional[BaseException] = None  # why writing ended early, such as a full disk
        context._recorders.append(self)
        if context.is_running:
            self.begin()

    def begin(self) -> None:
        """Called at the start of the context."""
        if self._is_virtual or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._follow, name="damon recorder", daemon=True)
        self._thread.start()

    def take(self) -> None:
        """Writes the last snapshot down, if it is new. What keeps it from being written is told by close()."""
        if self.error is not None:
            return
        try:
            self._take()
        except (OSError, ValueError) as error:
            self.error = error

    def _take(self) -> None:
        with self._lock:
            snapshot = self._context._core.snapshot()
            self._note_state(snapshot.time_ns)
            if snapshot.seq <= self._seq or not self._is_open:
                return
            lost = snapshot.seq - self._seq - 1 if self._seq else 0
            if lost:
                self.writer.event("lost", snapshot.time_ns, nr_windows=lost)
            self._seq = snapshot.seq
            self._note_mappings(snapshot.time_ns)
            stats = self._context.stats
            self.writer.window(snapshot, cpu_ns=stats.cpu_ns, nr_samples=stats.nr_samples,
                               nr_unknown_samples=stats.nr_unknown_samples, rss_bytes=0 if self._is_virtual else _rss_bytes())
            if snapshot.time_ns - self._schemes_ns >= _SCHEMES_EVERY_NS:
                self._note_schemes(snapshot.time_ns)

    def close(self) -> None:
        """Ends the recording; the file is complete afterwards. Raises what kept it from being written."""
        if not self._is_open:
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.take()  # the last one may have come up since
            if self.error is None:
                now = self._context._core.snapshot().time_ns if self._is_virtual else time.monotonic_ns()
                self._note_schemes(now)
                self.writer.event("end", now)
        finally:
            self._is_open = False
            if self in self._context._recorders:
                self._context._recorders.remove(self)
            self.writer.close()
        if self.error is not None:
            raise self.error

    def _note_state(self, time_ns: int) -> None:
        state = self._context.state.state
        if self._state is not None and (state == State.PAUSED) != (self._state == State.PAUSED):
            self.writer.event("pause" if state == State.PAUSED else "resume", time_ns if self._is_virtual else None)
        self._state = state

    def _note_schemes(self, time_ns: int) -> None:
        self._schemes_ns = time_ns
        self.writer.schemes(scheme_stats_of(self._context), time_ns)

    def _note_mappings(self, time_ns: int) -> None:
        now = time.monotonic()
        if not self._is_virtual and now - self._mapped_at >= _MAPPINGS_EVERY_S:
            self._mapped_at = now
            self.writer.mappings(mappings_of(os.getpid()), time_ns)

    def _follow(self) -> None:
        try:
            while not self._closing.is_set() and self.error is None:
                self._context._core.snapshot_wait(self._seq, _WAIT_MS)
                self.take()
        except DamonError:
            pass  # stopped: close() follows
        except BaseException as error:
            self.error = error


def close_all(recorders: Iterable[Recorder]) -> None:
    """Closes all of them; raises what the first to fail raised."""
    failure: Optional[BaseException] = None
    for recorder in recorders:
        try:
            recorder.close()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure


def attrs_of(context: Context) -> dict[str, Any]:
    """The attributes of a context, for a header."""
    return dataclasses.asdict(context.attrs)


def scheme_stats_of(context: Context) -> list[dict[str, Any]]:
    """What each scheme has done so far."""
    found = []
    for place, scheme in enumerate(context.schemes):
        stat = dataclasses.asdict(context.scheme_stat(place))
        found.append({"action": Action(int(scheme.action)).name.lower(), **{name: int(value) for name, value in stat.items()}})
    return found


def _checks() -> dict[str, Any]:
    found = _core.access_check_probe(AccessCheck.AUTO)
    return {"auto": {name: found[name] for name in ("available", "sees", "name", "reason")}}


def _rss_bytes() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
