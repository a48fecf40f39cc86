"""A monitoring context: what is watched, how, and what is done about it."""

from __future__ import annotations

import atexit
import dataclasses
import errno
import functools
import html
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union, overload

from . import _core
from .checks import expect, function_from, many, named, number
from .configuration import have_ranges, held_targets, release
from .enums import Ops
from .errors import error_for
from .options import RecordOptions
from .params import SchemeStat, Stats, stats_from
from .policies import ActionStats, Summary, action_stats_from
from .records.recorder import Recorder, close_all
from .summaries import snapshot_html, snapshot_text
from .waiting import RepeatCall, Snapshots, wait_newer
from .watching import Watching

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")
Timeout = Union[float, timedelta, None]
_MAX_MS = 2**31 - 1

# A context that runs lives until it is stopped, as a thread does. Those that still run when Python ends are stopped.
_running: set[Context] = set()


class Context(Watching):
    """Watches targets, and applies schemes to what it finds.

    `with Context(targets=[array]) as ctx:` starts it and stops it at the end. A stopped context keeps its parameters,
    its last snapshot and its statistics, and can be started again. Every method may be called from every thread;
    what waits lets other Python threads run, and Ctrl-C ends it where nothing else is said. What a callback may not do,
    as it would wait for itself, raises WouldDeadlockError.
    """

    def __repr__(self) -> str:
        state = "closed" if self._core.closed else "running" if self.is_running else "stopped"
        counts = (f"{len(entries)} {what}{'' if len(entries) == 1 else 's'}"
                  for entries, what in ((self._targets, "target"), (self._schemes, "scheme")))
        return f"<damon.Context {state}, {', '.join(counts)}>"

    _enters_running = False  # of monitor_self(): runs already when it enters its `with` block

    # --- running ---------------------------------------------------------------------------------------------------

    def start(self, *, exclusive: bool = False) -> None:
        """Starts the worker. exclusive: only if no other context of this process runs, and none may start meanwhile."""
        start([self], exclusive=exclusive)

    def _prepare_start(self) -> None:
        if self.is_running:
            raise error_for(errno.EBUSY, "the context runs already: stop() it first, or change it with commit()")
        if not self._targets and not self._added:
            raise error_for(
                errno.EINVAL, "the context has no target: add a buffer, or damon.Target() for all mappings of this process"
            )
        if self._chooses_ops:
            self._core.set_ops(Ops.FVADDR if have_ranges(self._targets) else Ops.VADDR)
        targets, self._held = held_targets(self._targets)
        for idx, target in enumerate(targets):
            if target.ranges != self._targets[idx].ranges:  # resized since
                self._core.set_target_regions(idx, target.ranges)
                self._targets[idx] = target
        self._hold_ranges()

    def _let_go(self) -> None:
        """Nothing is watched any more: what the buffers are of may be resized and unmapped."""
        held, self._held = self._held, []
        release(held)
        self._release_ranges()

    def stop(self) -> None:
        """Stops the worker and waits for its end. An exception of a callback that comes up meanwhile is raised here."""
        try:
            self._core.stop()
        finally:
            if not self.is_running:
                _running.discard(self)
                self._let_go()
                close_all(self._recorders[:])

    def close(self) -> None:
        """Stops the context for good; afterwards every use raises ClosedError. An exception of a callback that comes up
        meanwhile is raised here."""
        if self._core.closed:
            return
        try:
            self.stop()
        finally:
            if not self.is_running:
                self._core.close()

    def __enter__(self) -> Context:
        if not (self._enters_running and self.is_running):
            self.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if not self._core.closed:
            self.stop()

    @property
    def kdamond_tid(self) -> int:
        """Thread id of the worker; 0: not running, or manual."""
        return self._core.kdamond_tid()

    def step(self, now_us: int) -> None:
        """Manual drive: one sampling interval, at that time, which never goes back."""
        self._core.step(now_us)
        for recorder in self._recorders:
            recorder.take()

    def advance(self, us: int) -> int:
        """Manual drive: steps one sampling interval after another for that long. Returns the time reached."""
        until = self._core.now_us + number(us, "us")
        if not self._recorders:
            self._core.advance(until)
        while self._core.now_us < until:
            self.step(min(until, self._core.now_us + max(self.attrs.sample_us, 1)))
        return self._core.now_us

    @property
    def now_us(self) -> int:
        """Manual drive: the time of the last step."""
        return self._core.now_us

    # --- online control --------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Returns once the worker is paused: nothing is forgotten, and the program pays nothing. In a callback it takes
        effect when the callbacks of this step are done. Ctrl-C waits for the callback that runs, if one does."""
        self._pauses.set(True)

    def resume(self) -> None:
        """Goes on where it was paused."""
        self._pauses.set(False)

    @property
    def is_paused(self) -> bool:
        """Paused; of a stopped context: would start paused."""
        return bool(self._core.is_paused())

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Paused within the block. Blocks of several threads may overlap: the last one out resumes."""
        if self._core.on_worker:
            raise error_for(errno.EDEADLK, "a callback would wait for its own context: use pause() and resume()")
        self._pauses.enter()
        try:
            yield
        finally:
            self._pauses.leave()

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs a function on the worker, between two sampling intervals, and returns what it returns or raises. After
        Ctrl-C it does not run any more; where it runs already, it goes on."""
        return self._core.call(_bound(function, args, kwargs))

    def call_repeat(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> RepeatCall:
        """Runs a function on the worker every sampling interval, until it returns something true, raises (see
        last_exception), is cancelled, or the context stops."""
        return RepeatCall(self._core, self._core.call_repeat(_bound(function, args, kwargs)))

    @overload
    def walk(self) -> list[tuple[_core.Region, int, int]]: ...

    @overload
    def walk(self, function: Callable[[_core.Region, int, int], None]) -> None: ...

    def walk(self, function: Any = None) -> Any:
        """Every region that the schemes act on during one pass of each, as (region, position of the scheme, bytes that
        passed its filters): a list, or handed to the function on the worker. Waits for the pass; after Ctrl-C it goes on
        unreported, and another walk is refused until it has ended."""
        return self._core.walk(None if function is None else function_from(function))

    def set_quota_goal_value(self, scheme: int, goal: int, current_value: int) -> None:
        """Sets the current value of a QuotaGoalMetric.USER_INPUT goal. Does not wait."""
        scheme, goal = number(scheme, "scheme"), number(goal, "goal")
        self._core.set_quota_goal_value(scheme, goal, current_value)
        quota = self._schemes[scheme].quota
        goals = list(quota.goals)
        goals[goal] = dataclasses.replace(goals[goal], current_value=current_value)
        changed = dataclasses.replace(quota, goals=tuple(goals))
        self._schemes[scheme] = dataclasses.replace(self._schemes[scheme], quota=changed)

    def report_access(self, addr: int, length: int = 1, *, is_write: bool = False) -> bool:
        """Reports an access to a context with AccessCheck.REPORT. False: the queue of this interval is full."""
        return self._core.report_access(addr, length, bool(is_write))

    # --- results ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> _core.Snapshot:
        """The last snapshot. Never waits; `seq` 0: no window has ended yet."""
        return self._visibility.checked(self._core.snapshot())

    def wait_snapshot(self, after_seq: int = 0, timeout: Timeout = None) -> _core.Snapshot:
        """Waits for a snapshot newer than after_seq; SnapshotTimeoutError after so many seconds."""
        timeout_ms = _milliseconds(timeout)
        if wait_newer(self._core, number(after_seq, "after_seq"), timeout_ms):
            return self._visibility.checked(self._core.snapshot())
        raise error_for(errno.ETIMEDOUT, f"no snapshot newer than number {after_seq} within {timeout_ms} ms")

    def snapshots(self, *, after_seq: Optional[int] = None, timeout: Timeout = None) -> Snapshots:
        """Each new snapshot, with `for` or `async for`, until the context stops. The newest, where the loop is slow."""
        seq = self._core.snapshot().seq if after_seq is None else number(after_seq, "after_seq")
        return Snapshots(self._core, self._visibility, seq, _milliseconds(timeout))

    def live_snapshot(self) -> _core.Snapshot:
        """The regions at this moment, in the middle of a window. For callbacks, and between steps of manual drive;
        while the context runs, elsewhere: `ctx.call(ctx.live_snapshot)`."""
        return self._core.live_snapshot()

    @property
    def stats(self) -> Stats:
        """The counters of the context."""
        return stats_from(self._core.stats())

    def scheme_stat(self, idx: int) -> SchemeStat:
        """What a scheme has done, as of its last pass."""
        return SchemeStat(**self._core.scheme_stat(number(idx, "idx")))

    def snapshot_probes(self) -> tuple[_core.Snapshot, list[tuple[int, ...]]]:
        """The last snapshot and, of each of its regions, how often each probe hit (at most 255)."""
        return self._core.snapshot_probes()

    def summary(self) -> Summary:
        """The last snapshot summed up: how much memory is idle for how long."""
        return Summary(**self._core.stat_read())

    def summary_text(self, width: int = 64) -> str:
        """The last snapshot in a few lines: how much is accessed, idle and not visible, with a strip of all regions."""
        return snapshot_text(self.snapshot(), number(width, "width", least=1))

    def _repr_html_(self) -> str:
        return snapshot_html(self._core.snapshot()) if not self._core.closed else html.escape(repr(self))

    @property
    def action_stats(self) -> ActionStats:
        """What actions did to the memory of this process, over all schemes."""
        return action_stats_from(self._core.action_stats())

    @property
    def errmsg(self) -> str:
        """The reason of the last failure; also why a worker ended on its own. Empty: nothing failed."""
        return self._core.errmsg()

    @property
    def last_exception(self) -> Optional[BaseException]:
        """The last exception of a callback, also of one that nobody waited for."""
        return self._core.last_exception

    @property
    def nr_exceptions(self) -> int:
        """How many exceptions callbacks have raised. Of those that nobody waits for, not each one is shown."""
        return self._core.nr_exceptions

    def record(self, path: Union[str, os.PathLike[str]], **options: Unpack[RecordOptions]) -> Recorder:
        """Writes each snapshot to a file, until the recorder is closed or the context stops; `damon report` shows it. Needs
        NumPy. Options: those of damon.records.Recorder and damon.records.Writer."""
        named(options, RecordOptions.__annotations__, "record()")
        return Recorder(self, path, **options)


def _bound(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], T]:
    function_from(function)
    if args or kwargs:
        return functools.partial(function, *args, **kwargs)
    return function


def _milliseconds(timeout: Timeout) -> int:
    if timeout is None:
        return -1
    if isinstance(timeout, timedelta):
        timeout = timeout.total_seconds()
    if not hasattr(timeout, "__float__"):
        raise TypeError(f"timeout must be a number of seconds, a timedelta, or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise error_for(errno.EINVAL, f"timeout is {timeout}; it must be 0 or more seconds, or None to wait for ever")
    return round(float(min(timeout, _MAX_MS // 1000) * 1000))


def start(contexts: Iterable[Context], *, exclusive: bool = False) -> None:
    """Starts all of these contexts, or none."""
    group = many(contexts, "contexts")
    for context in group:
        expect(context, Context, "a context")
    try:
        for context in group:
            context._prepare_start()
        _core.start([context._core for context in group], bool(exclusive))
    except BaseException:
        for context in group:
            if not context.is_running:
                context._let_go()
        raise
    _running.update(group)
    for context in group:
        for recorder in context._recorders:
            recorder.begin()


def stop(contexts: Iterable[Context]) -> None:
    """Stops all of these contexts."""
    for context in many(contexts, "contexts"):
        expect(context, Context, "a context")
        context.stop()


@atexit.register
def _stop_all() -> None:
    """Python ends: from here on no worker may call it. A failing stop does not keep the others running. Ctrl-C ends the
    callback that a stop waits for; if that does not help, a second one leaves it behind."""
    failure: Optional[BaseException] = None
    for context in list(_running):
        for _ in range(2):
            try:
                context.stop()
                break
            except KeyboardInterrupt as error:
                failure = error
                context._core.interrupt_callback()
            except BaseException as error:
                failure = error
                break
    _core.end_python()
    if failure is not None:
        raise failure


os.register_at_fork(after_in_child=_running.clear)
