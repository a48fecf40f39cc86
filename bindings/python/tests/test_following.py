"""Following a context: from event loops without a thread, and from threads without keeping Python alive."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from support import AGGR_US, ToyMemory, toy_context

import damon


def running(**options: Any) -> damon.Context:
    return damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000), [damon.Target()], ops=ToyMemory(), **options)


def test_following_in_an_event_loop_holds_no_thread() -> None:
    async def follow(contexts: list[damon.Context]) -> int:
        before = threading.active_count()
        tasks = [asyncio.create_task(first_of(ctx)) for ctx in contexts]
        await asyncio.gather(*tasks)
        return threading.active_count() - before

    async def first_of(ctx: damon.Context) -> list[int]:
        return [s.seq async for s in take(ctx.snapshots(timeout=60), 3)]

    contexts = [running() for _ in range(4)]
    damon.start(contexts)
    try:
        assert asyncio.run(follow(contexts)) == 0
    finally:
        damon.stop(contexts)


async def take(snapshots: Any, count: int) -> Any:
    async for snapshot in snapshots:
        yield snapshot
        count -= 1
        if count == 0:
            return


def test_several_tasks_follow_with_one_iterator_and_with_their_own() -> None:
    async def follow(ctx: damon.Context) -> list[list[int]]:
        shared = ctx.snapshots(timeout=60)

        async def collect(snapshots: Any) -> list[int]:
            return [s.seq async for s in take(snapshots, 3)]

        return list(await asyncio.gather(collect(shared), collect(shared), collect(ctx.snapshots(timeout=60))))

    with running() as ctx:
        for seqs in asyncio.run(follow(ctx)):
            assert len(seqs) == 3 and seqs == sorted(seqs)


def test_an_awaited_iteration_ends_with_the_context_and_goes_on_with_the_next_run() -> None:
    ctx = running()
    iterator = ctx.snapshots(timeout=60)

    async def until_end() -> int:
        count = 0
        async for _ in iterator:
            count += 1
            if count == 2:
                threading.Thread(target=ctx.stop).start()
        return count

    for _ in range(2):
        ctx.start()
        assert asyncio.run(until_end()) >= 2
        ctx.stop()


def test_a_follower_that_is_let_go_closes_its_descriptor() -> None:
    async def one(ctx: damon.Context) -> None:
        async for _ in ctx.snapshots(timeout=60):
            return

    def nr_open() -> int:
        return len(os.listdir("/proc/self/fd"))

    with running() as ctx:
        asyncio.run(one(ctx))
        before = nr_open()
        for _ in range(20):
            asyncio.run(one(ctx))
        deadline = time.monotonic() + 60
        while nr_open() > before + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert nr_open() <= before + 2


def test_an_awaited_snapshot_that_does_not_come_is_late() -> None:
    async def follow(ctx: damon.Context) -> None:
        async for _ in ctx.snapshots(timeout=0.2):
            raise AssertionError("there is none")

    with toy_context() as ctx:
        begin = time.monotonic()
        with pytest.raises(damon.SnapshotTimeoutError, match="within 200 ms"):
            asyncio.run(follow(ctx))
        assert time.monotonic() - begin >= 0.2


def test_a_manually_driven_context_is_followed_too() -> None:
    async def follow(ctx: damon.Context) -> list[int]:
        async def drive() -> None:
            for _ in range(3):
                await asyncio.sleep(0.01)
                ctx.advance(2 * AGGR_US)

        task = asyncio.create_task(drive())
        seqs = [s.seq async for s in take(ctx.snapshots(timeout=60), 3)]
        await task
        return seqs

    with toy_context() as ctx:
        assert asyncio.run(follow(ctx)) in ([1, 3, 5], [2, 4, 6], [1, 4, 6], [1, 3, 6])


LEFT_ALONE = """
import threading, damon
ctx = damon.monitor_self(bytearray(1 << 20), sample_us=1_000, aggr_us=10_000)
def follow():
    {body}
    print("ended")
for _ in range({threads}):
    threading.Thread(target=follow).start()
ctx.wait_snapshot(3, timeout=60)
"""
FOREVER = {
    "iteration": "for _ in ctx.snapshots(): pass",
    "waiting": """
    try:
        while True:
            ctx.wait_snapshot(ctx.snapshot().seq)
    except damon.CanceledError as error:
        assert "Python is about to end" in str(error), error""",
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("body", FOREVER)
def test_a_thread_that_waits_for_snapshots_does_not_keep_python_alive(body: str, threads: int) -> None:
    program = LEFT_ALONE.format(body=FOREVER[body], threads=threads)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ended\n" * threads, "")


def test_a_thread_that_does_something_else_still_gets_its_snapshots() -> None:
    program = """
import threading, time, damon
ctx = damon.monitor_self(bytearray(1 << 20), sample_us=1_000, aggr_us=10_000)
seen = []
def follow():
    for snapshot in ctx.snapshots():
        seen.append(snapshot.seq)
def work():
    time.sleep(1)
    begin = len(seen)
    while len(seen) < begin + 3: time.sleep(0.01)
    print("worked")
threading.Thread(target=follow).start()
threading.Thread(target=work).start()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "worked\n", "")
