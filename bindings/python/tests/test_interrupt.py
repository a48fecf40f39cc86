"""Ctrl-C ends waits, and leaves a context behind that works."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from support import AGGR_US, ToyMemory, toy_context, unraisables

import damon

TESTS = str(pathlib.Path(__file__).parent)
HOUR_US = 3_600_000_000


@pytest.fixture(autouse=True)
def _python_handles_ctrl_c() -> Iterator[None]:
    """Also where the tests were started in the background, with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(function: Callable[[], Any], *, once: Callable[[], Any] = lambda: None) -> None:
    """Calls the function and presses Ctrl-C as soon as `once` has returned, in another thread, and a little later."""

    def press() -> None:
        once()
        pressed.wait(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    pressed = threading.Event()
    thread = threading.Thread(target=press)
    returned = False
    try:
        thread.start()
        function()
        returned = True
        thread.join()
    except KeyboardInterrupt:
        pass
    thread.join()
    assert not returned, "came back by itself"


def threaded(sample_us: int = 1_000, aggr_us: int = 10_000, **options: Any) -> damon.Context:
    return damon.Context(damon.Attrs(sample_us=sample_us, aggr_us=aggr_us), [damon.Target()], ops=ToyMemory(), **options)


class Gate:
    """A function for the worker that says when it is in, and stays until it may go."""

    def __init__(self, result: Any = 1) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()
        self.result, self.runs = result, 0

    def __call__(self, *_: Any) -> Any:
        self.runs += 1
        self.inside.set()
        assert self.leave.wait(60)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.mark.parametrize("paused", [False, True])
def test_a_call_whose_function_does_not_end(paused: bool) -> None:
    gate = Gate()
    with threaded() as ctx:
        if paused:
            ctx.pause()
        interrupted(lambda: ctx.call(gate), once=gate.inside.wait)
        gate.leave.set()
        assert ctx.call(lambda: 5) == 5 and gate.runs == 1


def test_a_call_whose_turn_does_not_come_is_taken_back() -> None:
    ran: list[int] = []
    with threaded(sample_us=HOUR_US, aggr_us=HOUR_US) as ctx:
        interrupted(lambda: ctx.call(ran.append, 1))
        ctx.pause()  # now calls run at once, this one's place before them
        assert ctx.call(lambda: 5) == 5 and not ran


def test_an_exception_after_the_interrupted_call_is_told() -> None:
    gate = Gate(LookupError("too late"))
    with threaded() as ctx, unraisables() as seen:
        interrupted(lambda: ctx.call(gate), once=gate.inside.wait)
        gate.leave.set()
        ctx.call(lambda: None)
        assert [str(error) for error in seen] == ["too late"] and ctx.last_exception is seen[0]


def test_a_commit_whose_turn_does_not_come_changes_nothing() -> None:
    with threaded(sample_us=HOUR_US, aggr_us=HOUR_US) as ctx:
        interrupted(lambda: ctx.commit(max_nr_regions=77))
        ctx.pause()
        assert ctx.call(lambda: ctx.attrs.max_nr_regions) == 1_000


@pytest.mark.parametrize("told", [False, True])
def test_a_walk(told: bool) -> None:
    seen: list[damon.Region] = []

    def tell(region: damon.Region, scheme_idx: int, passed: int) -> None:
        seen.append(region)

    ctx = threaded(sample_us=5_000, aggr_us=HOUR_US, schemes=[damon.Scheme()])
    with ctx:
        interrupted(lambda: ctx.walk(tell) if told else ctx.walk())
        with pytest.raises(damon.BusyError, match="walk"):
            ctx.walk()  # the pass goes on, and is told to nobody
        ctx.pause()
        ctx.commit(aggr_us=5_000)
        ctx.resume()
        assert sum(region.size for region, _, _ in ctx.walk()) > 0 and not seen


def test_a_walk_in_the_middle_of_its_function() -> None:
    gate = Gate()
    with threaded(schemes=[damon.Scheme()]) as ctx, unraisables() as seen:
        interrupted(lambda: ctx.walk(gate), once=gate.inside.wait)
        gate.leave.set()
        ctx.stop()
        assert gate.runs == 1 and not seen


def test_a_stop_that_waits_for_a_callback() -> None:
    gate = Gate()
    with threaded() as ctx:
        ctx.call_repeat(gate)
        assert gate.inside.wait(60)
        interrupted(ctx.stop)
        assert ctx.is_running
        gate.leave.set()
        ctx.stop()
        assert not ctx.is_running
        with ctx:  # and can be started again
            assert ctx.call(lambda: 5) == 5


def test_the_cancelling_of_a_repeated_call() -> None:
    gate = Gate(0)
    with threaded() as ctx:
        repeat = ctx.call_repeat(gate)
        assert gate.inside.wait(60)
        interrupted(repeat.cancel)
        gate.leave.set()
        repeat.cancel()
        assert ctx.call(lambda: gate.runs) == 1


@pytest.mark.parametrize("timeout", [None, 600])
def test_waits_for_snapshots(timeout: Any) -> None:
    with toy_context() as ctx:
        interrupted(lambda: ctx.wait_snapshot(timeout=timeout))
        interrupted(lambda: list(ctx.snapshots(timeout=timeout)))
        ctx.advance(AGGR_US)
        assert ctx.wait_snapshot(timeout=timeout).seq == 1


def test_snapshots_in_a_loop_of_asyncio() -> None:
    import asyncio

    async def follow() -> None:
        async for _ in ctx.snapshots():
            pass

    with toy_context() as ctx:
        interrupted(lambda: asyncio.run(follow()))
        assert ctx.is_running


def test_a_signal_handler_that_does_not_raise_ends_nothing() -> None:
    gate, handled = Gate(result=7), threading.Event()

    def handler(*_: Any) -> None:
        handled.set()
        gate.leave.set()

    signal.signal(signal.SIGINT, handler)
    with threaded() as ctx:
        threading.Thread(target=lambda: (gate.inside.wait(60), os.kill(os.getpid(), signal.SIGINT))).start()
        assert ctx.call(gate) == 7 and handled.is_set()


def test_a_program_whose_callback_never_ends_can_be_ended() -> None:
    program = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import damon
from support import *

def never_ends():
    print("in", flush=True)
    while True:
        pass

with damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory()) as ctx:
    ctx.call(never_ends)
"""
    child = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", f"import sys; sys.path.insert(0, {TESTS!r})\n{program}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    for _ in range(300):  # the call, the stop at the end of the block, the stop at the end of Python
        child.send_signal(signal.SIGINT)
        try:
            child.wait(0.2)
            break
        except subprocess.TimeoutExpired:
            pass
    _, said = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in said and "terminate called" not in said and "Fatal" not in said
    assert child.returncode in (-signal.SIGINT, 1), said
