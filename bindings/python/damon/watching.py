"""What a context watches besides its targets, what it is doing, and exact questions."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Optional, Union

from . import _core
from .checks import many, number
from .configuration import Configuration
from .enums import CoverageFlags, RangeFlags, Sees, State, UnknownReason
from .errors import error_for
from .params import Kept, Range, ranges_of

_TRACKED, _PROCESS = 0, 1


@dataclasses.dataclass(frozen=True)
class StateInfo:
    """What a context is doing, since when (time.monotonic_ns()), and why."""

    state: State
    since_ns: int
    window_us: int  # real length of the last window
    cost_permil: int  # of one CPU, at present
    reason: str


@dataclasses.dataclass(frozen=True)
class WorkerAttr:
    """How the worker thread is made. cpus: which it may use; empty: all that the process may. name: at most 15 bytes."""

    nice: int = 0
    stack_bytes: int = 0
    cpus: Iterable[int] = ()
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cpus", tuple(many(self.cpus, "cpus")))


@dataclasses.dataclass(frozen=True)
class RangeAnswer:
    """Which units of a range were touched since the last question."""

    unit_bytes: int
    touched_bytes: int
    present_bytes: int
    unseen_bytes: int  # could not be looked at: not in touched_bytes, which is a lower bound then
    since_ns: int  # time.monotonic_ns() from which on accesses count
    unseen_reason: UnknownReason
    sees: Sees
    touched: Optional[bytes]  # of each unit, 1 or 0: numpy.frombuffer(answer.touched, dtype=bool)
    idle: Optional[bytes]  # of each unit, n: idle for 2 ** (n / 4) milliseconds

    def idle_ms(self, unit: int) -> float:
        """For how long a unit is idle."""
        if self.idle is None:
            raise error_for(errno.EINVAL, "the question did not ask for idle times: query_range(..., idle=True)")
        return float(2 ** (self.idle[unit] / 4))


@dataclasses.dataclass(frozen=True)
class WorkingSet:
    """How much memory was touched. With unseen_bytes, touched_bytes is a lower bound."""

    touched_bytes: int
    present_bytes: int
    unseen_bytes: int
    sees: Sees


def range_of(given: Any, what: str) -> tuple[Range, Optional[Kept]]:
    """A range (start, end), or the memory of a buffer and what keeps it."""
    if isinstance(given, tuple) and len(given) == 2 and all(hasattr(end, "__index__") for end in given):
        start, end = number(given[0], "start"), number(given[1], "end")
        if start >= end:
            raise error_for(errno.EINVAL, f"{what} is from {start:#x} to {end:#x}; its start must be below its end")
        return (start, end), None
    kept = Kept((given,))
    held = kept.hold()
    try:
        places = ranges_of(held)
    finally:
        for buffer in held:
            buffer.release()
    if len(places) != 1:
        raise error_for(errno.EINVAL, f"{what} has {len(places)} pieces of memory; pass them one by one")
    return places[0], kept


@dataclasses.dataclass
class Added:
    """A range that was added, and what holds it while the context runs."""

    place: Range
    kept: Optional[Kept]
    flags: int
    held: list[_core.Buffer] = dataclasses.field(default_factory=list)

    def hold(self) -> None:
        if self.kept is not None and not self.held:
            self.held = self.kept.hold()

    def release(self) -> None:
        held, self.held = self.held, []
        for buffer in held:
            buffer.release()


class Watching(Configuration):
    """The part of Context about ranges, states and exact questions."""

    def refresh(self) -> None:
        """Reads the mappings now, instead of at the next ops_update_us."""
        self._core.refresh()

    @property
    def state(self) -> StateInfo:
        """What the context is doing, since when, and why."""
        found = self._core.state()
        return StateInfo(**{**found, "state": State(found["state"])})

    def set_coverage(self, flags: CoverageFlags) -> None:
        """What targets without ranges cover. Stopped only."""
        self._core.set_coverage(flags)

    def set_worker_attr(self, attr: WorkerAttr) -> None:
        """How the worker thread of the next start is made."""
        if not isinstance(attr, WorkerAttr):
            raise TypeError(f"attr must be a damon.WorkerAttr, not {type(attr).__name__}")
        self._core.set_worker_attr(attr)

    def add_range(self, watched: Union[Range, Any], flags: RangeFlags = RangeFlags(0)) -> None:
        """Adds a buffer or a range (start, end) to what the context watches, running or not. Commits leave it alone; a
        buffer is held where it is while the context runs."""
        place, kept = range_of(watched, "the range")
        added = Added(place, kept, number(flags, "flags"))
        if self.is_running:
            added.hold()
        try:
            self._core.add_range(*place, added.flags)
        except BaseException:
            added.release()
            raise
        self._added.append(added)

    def remove_range(self, watched: Union[Range, Any]) -> None:
        """Removes what was added; afterwards nothing of the library touches it any more. A callback that was handed the
        range before may still be at it."""
        place, kept = range_of(watched, "the range")
        self._core.remove_range(*place)
        for added in self._added:
            if added.place == place:
                self._added.remove(added)
                added.release()
                break

    def query_range(
        self, watched: Union[Range, Any], *, unit_bytes: Optional[int] = None, touched: bool = True, idle: bool = False
    ) -> RangeAnswer:
        """Exactly which pages of a range that was added as RangeFlags.TRACKED were touched since the last question.
        unit_bytes: the size of a page (default) or of a huge page."""
        place, _ = range_of(watched, "the range")
        found = self._core.query_range(*place, unit_bytes, bool(touched), bool(idle))
        reason, sees = UnknownReason(found["unseen_reason"]), Sees(found["sees"])
        return RangeAnswer(**{**found, "unseen_reason": reason, "sees": sees})

    def wss(self, interval_us: Optional[int] = None) -> WorkingSet:
        """The working set, exactly: of the tracked ranges since the last question, or, with interval_us, of the whole
        process in that time."""
        if interval_us is None:
            found = self._core.wss(_TRACKED, 0)
        else:
            found = self._core.wss(_PROCESS, number(interval_us, "interval_us", least=1))
        return WorkingSet(**{**found, "sees": Sees(found["sees"])})

    def save(self) -> bytes:
        """What the context has learned, for restore(): regions, ages, and what schemes remember. Running, paused or
        stopped, but not of a target that follows the process's mappings."""
        return self._core.save()

    def restore(self, saved: bytes) -> None:
        """Takes over what save() gave, also in another process and where the ranges lie elsewhere: at the next start, or
        at once where the context runs. It has as many targets, ranges and schemes as were saved."""
        try:
            given = memoryview(saved)
        except TypeError:
            raise TypeError(f"saved must be the bytes that save() returned, not {type(saved).__name__}") from None
        self._core.restore(given.tobytes())

    def _hold_ranges(self) -> None:
        """At each start: buffers may have moved since they were added."""
        for added in self._added:
            added.hold()
            if not added.held:
                continue
            (place,) = ranges_of(added.held)
            if place != added.place:
                self._core.remove_range(*added.place)
                self._core.add_range(*place, added.flags)
                added.place = place

    def _release_ranges(self) -> None:
        for added in self._added:
            added.release()


class Exclusion:
    """Memory that every context of this process keeps away from, until include() or the end of a `with` block."""

    def __init__(self, excluded: Union[Range, Any]) -> None:
        self._place: Optional[Range] = None
        place, kept = range_of(excluded, "the excluded range")
        held = kept.hold() if kept is not None else []
        try:
            _core.exclude(*place)
        except BaseException:
            for buffer in held:
                buffer.release()
            raise
        self._place, self._held = place, held

    def __repr__(self) -> str:
        place = "taken back" if self._place is None else f"from {self._place[0]:#x} to {self._place[1]:#x}"
        return f"<damon.Exclusion {place}>"

    def include(self) -> None:
        """Takes the exclusion back."""
        if self._place is None:
            return
        place, self._place = self._place, None
        try:
            _core.include(*place)
        finally:
            for buffer in self._held:
                buffer.release()

    def __enter__(self) -> Exclusion:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.include()
