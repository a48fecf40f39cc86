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
from .visibility import Visibility

_SLICE_MS = 100

# Threads of which each waits for a snapshot at this moment.
_waiting: set[int] = set()


def _only_waiters_are_left() -> bool:
    """Whether the main thread has ended and every other thread that Python waits for waits for a snapshot itself: then
    nobody can stop the contexts any more, and Python would never end."""
    if threading.main_thread().is_alive() or threading.current_thread() is threading.main_thread():
        return False
    own = threading.get_ident()
    return all(thread.daemon or thread.ident == own or thread.ident in _waiting for thread in threading.enumerate()
               if thread is not threading.main_thread())


def wait_newer(core: _core.Ctx, after_seq: int, timeout_ms: int) -> bool:
    """Waits for a newer snapshot; False: not in time. CanceledError: the context ended, or Python is about to."""
    if threading.current_thread() is threading.main_thread():
        return core.snapshot_wait(after_seq, timeout_ms)
    own = threading.get_ident()
    begin = monotonic()
    _waiting.add(own)
    try:
        while True:
            if _only_waiters_are_left():
                raise error_for(errno.ECANCELED, "Python is about to end: only threads that wait for snapshots are left")
            left = _left(begin, timeout_ms, _SLICE_MS)
            if core.snapshot_wait(after_seq, left):
                return True
            if 0 <= timeout_ms <= (monotonic() - begin) * 1000:
                return False
    finally:
        _waiting.discard(own)


def _left(begin: float, timeout_ms: int, most: int) -> int:
    """Milliseconds of the timeout that are left, at most so many; -1 stands for no timeout."""
    if timeout_ms < 0:
        return most
    return max(0, min(most, timeout_ms - round((monotonic() - begin) * 1000)))


class Snapshots:
    """What Context.snapshots() gives: for `for` and `async for`. Ends when the context stops."""

    def __init__(self, core: _core.Ctx, visibility: Visibility, after_seq: int, timeout_ms: int) -> None:
        self._core = core
        self._visibility = visibility
        self._seq = after_seq
        self._timeout_ms = timeout_ms
        self._follower: Optional[Follower] = None

    def __repr__(self) -> str:
        return f"<damon.Snapshots newer than number {self._seq}>"

    def _take(self) -> _core.Snapshot:
        snapshot = self._visibility.checked(self._core.snapshot())
        self._seq = snapshot.seq
        return snapshot

    def __iter__(self) -> Iterator[_core.Snapshot]:
        return self

    def __next__(self) -> _core.Snapshot:
        try:
            if wait_newer(self._core, self._seq, self._timeout_ms):
                return self._take()
        except CanceledError:
            raise StopIteration from None
        raise _too_late(self._timeout_ms)

    def __aiter__(self) -> AsyncIterator[_core.Snapshot]:
        return self

    async def __anext__(self) -> _core.Snapshot:
        """Waits for a descriptor that the context's worker makes readable: no thread is held meanwhile."""
        begin = monotonic()
        while True:
            try:
                if self._follower is not None and not self._follower.drain():
                    self._follower = None  # of a run that has ended
                if self._core.snapshot_wait(self._seq, 0):
                    return self._take()
                if self._follower is None:
                    self._follower = Follower(self._core.follow(self._seq))
            except CanceledError:
                raise StopAsyncIteration from None
            left = _left(begin, self._timeout_ms, 1 << 30)
            if left == 0:
                raise _too_late(self._timeout_ms)
            await self._follower.wait(left / 1000 if self._timeout_ms >= 0 else None)

    def __del__(self) -> None:
        if getattr(self, "_follower", None) is not None:
            self._follower.close()  # type: ignore[union-attr]


class Follower:
    """The descriptor of a context in event loops: several tasks may wait, each in its own loop."""

    def __init__(self, bell: _core.Follower) -> None:
        self._bell = bell
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def drain(self) -> bool:
        """Whether the descriptor will become readable again."""
        return self._bell.drain()

    def close(self) -> None:
        self._bell.close()

    async def wait(self, seconds: Optional[float]) -> None:
        """Returns when the descriptor is readable, or after that time."""
        loop = asyncio.get_running_loop()
        waiter = (loop, loop.create_future())
        if not any(other is loop for other, _ in self._waiters):
            loop.add_reader(self._bell.fileno(), self._wake, loop)
        self._waiters.append(waiter)
        try:
            await asyncio.wait((waiter[1],), timeout=seconds)
        finally:
            self._waiters.remove(waiter)
            if not any(other is loop for other, _ in self._waiters):
                loop.remove_reader(self._bell.fileno())

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        for other, ready in self._waiters:
            if other is loop and not ready.done():
                ready.set_result(None)


def _too_late(timeout_ms: int) -> SnapshotTimeoutError:
    error = error_for(errno.ETIMEDOUT, f"no new snapshot within {timeout_ms} ms")
    assert isinstance(error, SnapshotTimeoutError)
    return error


class Pauses:
    """Pausing one context. Counts who wants it paused for a while; the last one out resumes it, unless it was paused
    before the first came."""

    def __init__(self, core: _core.Ctx) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._inside = 0
        self._was_paused = False
        self._last = object()  # stands for the last request

    def set(self, wanted: bool) -> None:
        """Pauses or resumes. A commit carries whether its context is paused: one that read this just before may take the
        request back, which is then made again, unless another one has come since."""
        self._last = mine = object()
        while True:
            self._core.set_pause(wanted)
            if self._core.on_worker or self._core.is_paused() == wanted or self._last is not mine:
                return

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_paused = self._core.is_paused()
            self.set(True)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and not self._was_paused:
                self.set(False)


class RepeatCall:
    """A function that runs on the worker every sampling interval, until it returns something true or raises."""

    def __init__(self, core: _core.Ctx, call_id: int) -> None:
        self._core = core
        self._id = call_id

    def __repr__(self) -> str:
        return f"<damon.RepeatCall number {self._id}>"

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
