"""Writing down what the agent of another process finds."""

from __future__ import annotations

import ctypes
import time
from typing import Any, Optional

from ..agent_page import AgentError, AgentPage, PageSnapshot
from ..enums import Action, State
from .convert import window_of_agent
from .host import mappings_of
from .model import Header
from .reader import Record
from .writer import Writer

_MAPPINGS_EVERY_S = 1.0
_SCHEMES_EVERY_S = 1.0
_LEAST_POLL_S, _MOST_POLL_S = 0.02, 0.5
_ACTIONS = {int(action): action.name.lower() for action in Action}


class Drainer:
    """Takes what the agent has in its ring, again and again, into a record."""

    def __init__(self, page: AgentPage, writer: Writer, after_ns: int = 0) -> None:
        """after_ns: windows up to then were written down before."""
        self._page, self._writer, self._after_ns = page, writer, after_ns
        self._state: Optional[int] = None
        self._attrs: Optional[dict[str, Any]] = writer.header.attrs or None
        self._mapped_at = self._asked_at = float("-inf")
        self.nr_windows = self.nr_lost = 0
        self.poll_s = _LEAST_POLL_S

    def take(self) -> int:
        """Writes down what is new. Returns how many windows that was."""
        drained = self._page.drain()
        if drained.lost:
            self.nr_lost += drained.lost
            self._writer.event("lost", drained.records[0].time_ns if drained.records else None, nr_windows=drained.lost)
        if drained.records:
            self._note_mappings()
        records = [record for record in drained.records if record.time_ns > self._after_ns]
        for record in records:
            self._note_state(record.state, record.time_ns)
            self._writer.window(window_of_agent(record))
            self.poll_s = min(max(record.aggr_us / 1e6, _LEAST_POLL_S), _MOST_POLL_S)
        self.nr_windows += len(records)
        self._note_snapshot(is_last=False)
        return len(records)

    def finish(self) -> None:
        """The last look."""
        try:
            self.take()
            self._note_snapshot(is_last=True)
        except AgentError:
            pass  # the file went with its process
        self._writer.event("end")

    def _note_mappings(self) -> None:
        now = time.monotonic()
        if now - self._mapped_at >= _MAPPINGS_EVERY_S:
            self._mapped_at = now
            mappings = mappings_of(self._page.pid)
            if mappings:
                self._writer.mappings(mappings)

    def _note_state(self, state: int, time_ns: int) -> None:
        if self._state is not None and (state == State.PAUSED) != (self._state == State.PAUSED):
            self._writer.event("pause" if state == State.PAUSED else "resume", time_ns)
        self._state = state

    def _note_snapshot(self, is_last: bool) -> None:
        """What the ring does not tell: attributes that were changed, what schemes did, a pause, in which no window ends."""
        now = time.monotonic()
        if not is_last and now - self._asked_at < _SCHEMES_EVERY_S:
            return
        self._asked_at = now
        snapshot = self._page.snapshot()
        if snapshot.regions.seq:
            self._note_state(snapshot.state.state, max(snapshot.state.since_ns, 0))
        attrs = attrs_of_page(snapshot)
        if attrs["aggr_us"] and attrs != self._attrs:
            if self._attrs is not None:
                self._writer.event("attrs", None, **attrs)
            self._attrs = attrs
        self._writer.schemes(scheme_stats_of(snapshot))


def last_window_ns(path: str, header: Header) -> int:
    """When the last window ended that a record has of the same process; 0: it has none."""
    try:
        with Record(path) as record:
            if (record.header.boot_id, record.header.pid) != (header.boot_id, header.pid):
                return 0
            return max((window.time_ns for window in record), default=0)
    except FileNotFoundError:
        return 0


def attrs_of_page(snapshot: PageSnapshot) -> dict[str, Any]:
    """The attributes, for a header; all 0 before the monitor has started."""
    found = values_of(snapshot.attrs)
    found.pop("size"), found.pop("reserved")
    return found


def scheme_stats_of(snapshot: PageSnapshot) -> list[dict[str, Any]]:
    """What each scheme has done so far."""
    found = []
    for scheme in snapshot.schemes:
        stat = values_of(scheme.stat)
        del stat["size"]
        found.append({"action": _ACTIONS.get(scheme.params.action, str(scheme.params.action)), **stat})
    return found


def values_of(fields: ctypes.Structure) -> dict[str, Any]:
    """Numbers of a structure by name."""
    values = {name: getattr(fields, name) for name, *_ in fields._fields_}
    return {name: values_of(value) if isinstance(value, ctypes.Structure) else value for name, value in values.items()}
