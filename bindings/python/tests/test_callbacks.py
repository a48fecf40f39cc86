"""Python functions on the worker: what they get, and where their exceptions go."""

from __future__ import annotations

import dataclasses
import gc
import threading
import weakref
from typing import Any

import pytest
from support import AGGR_US, KIB, MIB, SAMPLE_US, ToyMemory, toy_context, unraisables

import damon


def test_an_action_gets_the_regions_that_match() -> None:
    seen: list[damon.Region] = []

    def purge(region: damon.Region, scheme_idx: int) -> int:
        seen.append(region)
        return region.size // 2

    cold = damon.AccessPattern(max_nr_accesses=0, min_age=2)
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),)), schemes=[damon.Scheme.calling(purge, pattern=cold)]) as ctx:
        ctx.advance(10 * AGGR_US)
        stat = ctx.scheme_stat(0)
    assert seen and all(region.nr_accesses == 0 and region.age >= 2 for region in seen)
    assert stat.nr_tried == len(seen) and stat.sz_tried == sum(region.size for region in seen)
    assert stat.sz_applied == sum(region.size // 2 for region in seen)


def test_a_quota_bounds_what_actions_get() -> None:
    quota = damon.Quota(sz=64 * KIB, reset_interval_ms=1_000)
    scheme = damon.Scheme.calling(lambda region, scheme_idx: region.size, quota=quota)
    with toy_context(schemes=[scheme]) as ctx:
        ctx.advance(3_000_000)
        stat = ctx.scheme_stat(0)
    assert 0 < stat.sz_applied <= 4 * 64 * KIB and stat.qt_exceeds >= 2


def test_custom_operations_act_and_rank() -> None:
    class Acting(ToyMemory):
        def get_scheme_score(self, ctx: damon.Context, region: damon.Region, scheme_idx: int) -> int:
            return 99 if region.start >= MIB + 512 * KIB else 0

        def apply_scheme(self, ctx: damon.Context, region: damon.Region, scheme_idx: int) -> tuple[int, int]:
            self.calls.append("low" if region.start < MIB + 512 * KIB else "high")
            return region.size, region.size

    operations = Acting()
    scheme = damon.Scheme(action=damon.Action.PAGEOUT, quota=damon.Quota(sz=128 * KIB, reset_interval_ms=1_000))
    with toy_context(operations, schemes=[scheme]) as ctx:
        ctx.advance(1_000_000)
        stat = ctx.scheme_stat(0)
    assert stat.sz_ops_filter_passed == stat.sz_applied > 0
    assert operations.calls.count("high") > operations.calls.count("low")


def test_an_exception_of_a_call_is_raised_from_the_call() -> None:
    with toy_context() as ctx:
        with pytest.raises(ZeroDivisionError) as raised:
            ctx.call(lambda: 1 // 0)
        assert raised.traceback[-1].name == "<lambda>"
        assert ctx.last_exception is None and ctx.is_running


@pytest.mark.parametrize("method", ["check_accesses", "prepare_access_checks", "target_valid", "update"])
def test_an_exception_of_an_operation_is_raised_from_the_step(method: str) -> None:
    def fail(self: Any, *_: Any) -> None:
        raise LookupError(method)

    operations = type("Failing", (damon.Operations,), {method: fail})()
    ctx = toy_context(operations, targets=[(MIB, 2 * MIB)], attrs=damon.Attrs(ops_update_us=0))
    with pytest.raises(LookupError, match=method):
        with ctx:
            ctx.advance(2 * SAMPLE_US)
    assert isinstance(ctx.last_exception, LookupError)
    ctx.close()


def test_a_failing_check_leaves_samples_unknown() -> None:
    class Failing(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> list[bool]:
            return [True]

    with toy_context(Failing()) as ctx:
        with pytest.raises(damon.InvalidParameterError, match="returned 1 answers for 10 samples"):
            ctx.step(SAMPLE_US)
        assert ctx.stats.nr_unknown_samples == 10


def test_an_exception_of_an_action_is_raised_from_the_step_and_applies_nothing() -> None:
    def fail(region: damon.Region, scheme_idx: int) -> int:
        raise LookupError("purge failed")

    with toy_context(schemes=[damon.Scheme.calling(fail)]) as ctx:
        with unraisables() as others, pytest.raises(LookupError, match="purge failed"):
            ctx.advance(AGGR_US)
        # One is raised, a few are shown, and all are counted.
        assert ctx.nr_exceptions == ctx.scheme_stat(0).nr_tried >= 10 and len(others) == 5
        assert ctx.scheme_stat(0).sz_applied == 0 and ctx.is_running


def test_an_action_that_returns_no_number_says_so() -> None:
    scheme = damon.Scheme.calling(lambda region, scheme_idx: None, max_nr_snapshots=1)  # type: ignore[arg-type]
    with toy_context(schemes=[scheme]) as ctx, unraisables():
        with pytest.raises(TypeError, match="what the action returns .* must be an integer, not NoneType"):
            ctx.advance(AGGR_US)


def test_exceptions_on_a_worker_thread_are_told_and_kept() -> None:
    told = threading.Event()

    def fail() -> None:
        raise LookupError("on the worker")

    ctx = damon.Context(damon.Attrs(sample_us=1_000), [damon.Target()], ops=ToyMemory())
    with unraisables() as seen, ctx:
        call = ctx.call_repeat(fail)
        for _ in range(1_000):
            if ctx.call(lambda: bool(seen)):
                told.set()
                break
        assert told.is_set() and not call.cancel()  # it ended with its exception
        assert ctx.last_exception is seen[0] and str(seen[0]) == "on the worker"


def test_an_exception_of_init_is_raised_from_the_start() -> None:
    class Failing(ToyMemory):
        def init(self, ctx: damon.Context) -> None:
            raise LookupError("no memory here")

    for manual in (True, False):
        ctx = toy_context(Failing(), manual=manual)
        with pytest.raises(LookupError, match="no memory here"):
            ctx.start()
        assert not ctx.is_running


def test_an_exception_of_cleanup_is_raised_from_the_stop() -> None:
    class Failing(ToyMemory):
        def cleanup(self) -> None:
            raise LookupError("left dirty")

    for manual in (True, False):
        ctx = toy_context(Failing(), manual=manual)
        ctx.start()
        with pytest.raises(LookupError, match="left dirty"):
            ctx.stop()
        assert not ctx.is_running


def test_a_walk_raises_what_its_function_raises() -> None:
    def fail(region: damon.Region, scheme: int, passed: int) -> None:
        raise LookupError("enough")

    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=5_000), [damon.Target()], [damon.Scheme()], ops=ToyMemory())
    with ctx, pytest.raises(LookupError, match="enough"):
        ctx.walk(fail)


def test_callbacks_may_read_pause_and_commit_but_not_wait() -> None:
    failures: list[damon.DamonError] = []

    def everything() -> int:
        ctx.snapshot(), ctx.live_snapshot(), ctx.stats, ctx.attrs
        ctx.commit(max_nr_regions=333)
        for refused in (ctx.stop, ctx.walk, lambda: ctx.call(int), ctx.wait_snapshot, ctx.paused().__enter__):
            try:
                refused()
            except damon.WouldDeadlockError as error:
                failures.append(error)
        ctx.pause()
        return 1

    with toy_context() as ctx:
        ctx.call_repeat(everything)
        ctx.advance(2 * SAMPLE_US)
        assert len(failures) == 5 and ctx.is_paused and ctx.attrs.max_nr_regions == 333 and ctx.is_running


def test_an_action_may_commit_its_own_replacement() -> None:
    seen: list[str] = []

    def second(region: damon.Region, scheme_idx: int) -> int:
        seen.append("second")
        return 0

    def first(region: damon.Region, scheme_idx: int) -> int:
        seen.append("first")
        ctx.commit(schemes=[damon.Scheme.calling(second)])
        return 0

    with toy_context(schemes=[damon.Scheme.calling(first)]) as ctx:
        ctx.advance(AGGR_US)
        gc.collect()
        ctx.advance(AGGR_US)
    assert set(seen[: seen.index("second")]) == {"first"} and "first" not in seen[seen.index("second") :]


def test_replaced_actions_are_let_go() -> None:
    def action(region: damon.Region, scheme_idx: int) -> int:
        return 0

    gone = weakref.ref(action)
    with toy_context(schemes=[damon.Scheme.calling(action)]) as ctx:
        ctx.advance(AGGR_US)
        ctx.commit(schemes=[dataclasses.replace(ctx.schemes[0], callback=lambda region, scheme_idx: 0)])
        del action
        gc.collect()
        assert gone() is None
        ctx.advance(AGGR_US)


def test_a_context_that_its_own_callbacks_refer_to_is_collected() -> None:
    class Holder(ToyMemory):
        ctx: Any = None

    operations = Holder()
    ctx = toy_context(operations)
    operations.ctx = ctx
    ctx.add_scheme(damon.Scheme.calling(lambda region, scheme_idx: ctx.now_us))  # noqa: F821
    with ctx:
        ctx.advance(AGGR_US)
    gone = weakref.ref(ctx)
    del ctx, operations
    gc.collect()
    assert gone() is None


def test_samples_can_be_kept() -> None:
    kept: list[damon.Samples] = []

    class Keeping(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> list[bool]:
            kept.append(samples)
            return [False] * len(samples)

    with toy_context(Keeping()) as ctx:
        ctx.advance(10 * SAMPLE_US)
    ctx.close()
    assert all(MIB <= sample.addr < 2 * MIB for samples in kept for sample in samples)
