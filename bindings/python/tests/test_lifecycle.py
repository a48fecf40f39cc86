"""Threads, child processes, and the end of the interpreter."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from support import AGGR_US, ToyMemory, toy_context

import damon

TESTS = str(pathlib.Path(__file__).parent)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Another Python runs the program; whatever it does, it must end."""
    prelude = f"import sys; sys.path.insert(0, {TESTS!r})\nimport damon\nfrom support import *\n"
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", prelude + program],
        cwd=TESTS, capture_output=True, text=True, timeout=120,
    )


def threaded(**options: Any) -> damon.Context:
    return damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000), [damon.Target()], ops=ToyMemory(), **options)


def test_python_runs_while_another_thread_waits() -> None:
    with toy_context() as ctx:
        waiter = threading.Thread(target=lambda: list(ctx.snapshots()))
        waiter.start()
        ctx.advance(5 * AGGR_US)  # would never get the lock if the waiter held it
        assert ctx.snapshot().seq == 5
        ctx.stop()
        waiter.join(timeout=30)
        assert not waiter.is_alive()


def test_many_threads_use_one_context() -> None:
    errors: list[BaseException] = []

    def use(n: int) -> None:
        try:
            for i in range(20):
                assert ctx.call(lambda: n * i) == n * i
                ctx.snapshot().rows()
                with ctx.paused():
                    assert ctx.is_paused
                ctx.commit(max_nr_regions=100 + n)
        except BaseException as error:
            errors.append(error)

    with threaded() as ctx:
        threads = [threading.Thread(target=use, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors and not ctx.is_paused


def test_stopping_cancels_those_who_wait() -> None:
    ctx = threaded()
    ctx.start()
    seen: list[int] = []
    waiter = threading.Thread(target=lambda: seen.extend(s.seq for s in ctx.snapshots()))
    waiter.start()
    ctx.wait_snapshot(timeout=30)
    ctx.stop()
    waiter.join(timeout=30)
    assert not waiter.is_alive()


def test_closing_under_a_waiting_thread_is_safe() -> None:
    ctx = toy_context()
    ctx.start()
    ended: list[type[BaseException]] = []

    def wait() -> None:
        try:
            ctx.wait_snapshot(timeout=60)
        except damon.DamonError as error:
            ended.append(type(error))

    waiter = threading.Thread(target=wait)
    waiter.start()
    ctx.close()
    waiter.join(timeout=30)
    assert ended and issubclass(ended[0], (damon.CanceledError, damon.ClosedError))


def test_a_forked_child_cannot_use_the_parents_context_and_makes_its_own() -> None:
    ctx = threaded()
    with ctx:
        ctx.wait_snapshot(timeout=30)
        ran = os.fork()
        if ran == 0:
            code = 1
            try:
                refused = 0
                for use in (ctx.snapshot, ctx.pause, ctx.start, ctx.stop, lambda: ctx.call(int)):
                    try:
                        use()
                    except damon.ForkError:
                        refused += 1
                assert refused == 5 and not ctx.is_running
                with toy_context() as own:
                    own.advance(AGGR_US)
                    assert own.snapshot().seq == 1
                with threaded() as own:
                    own.wait_snapshot(timeout=30)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(ran, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert ctx.is_running and ctx.call(lambda: 1) == 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_works_beside_a_running_context(method: str) -> None:
    ran = run(f"""
import multiprocessing
import work_of_children
if __name__ == "__main__":
    ctx = damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory())
    with ctx:
        context = multiprocessing.get_context({method!r})
        queue = context.Queue()
        worker = context.Process(target=work_of_children.count_one_window, args=(queue,))
        worker.start()
        assert queue.get(timeout=60) == 1
        worker.join(60)
        assert worker.exitcode == 0, worker.exitcode
        assert ctx.is_running and ctx.call(lambda: 5) == 5
    print("done")
""")
    assert ran.stdout == "done\n" and ran.returncode == 0, ran.stderr


def test_python_ends_with_a_context_that_still_runs() -> None:
    ran = run("""
ctx = damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory())
ctx.start()
ctx.call_repeat(lambda: None)
ctx.wait_snapshot(timeout=30)
print("end")
""")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "end\n", "")


def test_python_ends_while_daemon_threads_wait() -> None:
    ran = run("""
import threading
ctx = damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], [damon.Scheme.calling(lambda r, i: 0)], ops=ToyMemory())
ctx.start()
for wait in (lambda: list(ctx.snapshots()), lambda: [ctx.call(int) for _ in range(10**6)]):
    threading.Thread(target=wait, daemon=True).start()
ctx.wait_snapshot(timeout=30)
print("end")
""")
    assert (ran.returncode, ran.stdout) == (0, "end\n"), ran.stderr


def test_a_context_that_goes_out_of_scope_runs_until_it_is_stopped() -> None:
    ran = run("""
import gc
def begin():
    damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory()).start()
begin()
gc.collect()
assert damon.nr_running() == 1
""")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_an_error_in_the_main_program_is_what_one_sees() -> None:
    ran = run("""
ctx = damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory())
with ctx:
    raise LookupError("mine")
""")
    assert ran.returncode == 1 and ran.stderr.rstrip().endswith("LookupError: mine")


def test_the_worker_is_a_thread_of_its_own() -> None:
    with threaded() as ctx:
        names = [pathlib.Path(f"/proc/self/task/{ctx.kdamond_tid}/comm").read_text().strip()]
        assert names[0].startswith("kdamond") and ctx.call(threading.get_native_id) == ctx.kdamond_tid != 0
    assert ctx.kdamond_tid == 0


def test_starting_and_stopping_many_times_leaks_no_thread() -> None:
    before = len(os.listdir("/proc/self/task"))
    ctx = threaded()
    for _ in range(20):
        with ctx:
            pass
    deadline = time.monotonic() + 30
    while len(os.listdir("/proc/self/task")) > before and time.monotonic() < deadline:
        os.sched_yield()
    assert len(os.listdir("/proc/self/task")) <= before
