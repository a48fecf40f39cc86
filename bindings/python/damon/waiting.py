"""Snapshots one after the other, pauses for a while, and calls that repeat."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Iterator
from time import monotonic
from types import TracebackType
from typing import Optional

from . import _core
from .errors import CanceledError, SnapshotTimeoutError, error_for

_SLICE_MS = 100


class Snapshots:
    """What Context.snapshots() gives: for `for` and `async for`. Ends when the context stops."""

    def __init__(self, core: _core.Ctx, after_seq: int, timeout_ms: int) -> None:
        self._core = core
        self._seq = after_seq
        self._timeout_ms = timeout_ms

    def _take(self) -> _core.Snapshot:
        snapshot = self._core.snapshot()
        self._seq = snapshot.seq
        return snapshot

    def __iter__(self) -> Iterator[_core.Snapshot]:
        return self

    def __next__(self) -> _core.Snapshot:
        try:
            if self._core.snapshot_wait(self._seq, self._timeout_ms):
                return self._take()
        except CanceledError:
            raise StopIteration from None
        raise _too_late(self._timeout_ms)

    def __aiter__(self) -> AsyncIterator[_core.Snapshot]:
        return self

    async def __anext__(self) -> _core.Snapshot:
        loop = asyncio.get_running_loop()
        begin = monotonic()
        left = _SLICE_MS
        while True:
            if self._timeout_ms >= 0:
                left = max(0, min(_SLICE_MS, self._timeout_ms - round((monotonic() - begin) * 1000)))
            try:  # in slices: a cancelled task leaves no thread behind that waits for ever
                found = await loop.run_in_executor(None, self._core.snapshot_wait, self._seq, left)
            except CanceledError:
                raise StopAsyncIteration from None
            if found:
                return self._take()
            if 0 <= self._timeout_ms <= (monotonic() - begin) * 1000:
                raise _too_late(self._timeout_ms)


def _too_late(timeout_ms: int) -> SnapshotTimeoutError:
    error = error_for(errno.ETIMEDOUT, f"no new snapshot within {timeout_ms} ms")
    assert isinstance(error, SnapshotTimeoutError)
    return error


class Pauses:
    """Counts who wants the context paused; the last one out resumes it, unless it was paused before the first came."""

    def __init__(self, core: _core.Ctx) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._inside = 0
        self._was_paused = False

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_paused = self._core.is_paused()
            self._core.set_pause(True)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and not self._was_paused:
                self._core.set_pause(False)


class RepeatCall:
    """A function that runs on the worker every sampling interval, until it returns something true or raises."""

    def __init__(self, core: _core.Ctx, call_id: int) -> None:
        self._core = core
        self._id = call_id

    def cancel(self) -> bool:
        """Returns when the function is not running and will not run again. False: it had ended already."""
        return self._core.call_cancel(self._id)

    def __enter__(self) -> RepeatCall:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.cancel()
