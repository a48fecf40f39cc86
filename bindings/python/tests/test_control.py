"""Pausing, calls, walks and commits."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from typing import Any

import pytest
from support import AGGR_US, KIB, MIB, SAMPLE_US, ToyMemory, toy_context

import damon


def test_a_paused_context_forgets_nothing() -> None:
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),))) as ctx:
        ctx.advance(10 * AGGR_US)
        before = ctx.live_snapshot().rows()
        with ctx.paused():
            assert ctx.is_paused
            ctx.advance(5 * AGGR_US)
            assert ctx.live_snapshot().rows() == before and ctx.snapshot().seq == 10
        assert not ctx.is_paused
        ctx.advance(AGGR_US)
        assert ctx.snapshot().seq >= 11 - 1


def test_overlapping_pauses_resume_with_the_last_and_keep_an_outer_pause() -> None:
    with toy_context() as ctx:
        with ctx.paused():
            with ctx.paused():
                assert ctx.is_paused
            assert ctx.is_paused
        assert not ctx.is_paused
        ctx.pause()
        with ctx.paused():
            pass
        assert ctx.is_paused
        ctx.resume()
        assert not ctx.is_paused


def test_a_context_can_start_paused() -> None:
    ctx = toy_context()
    ctx.pause()
    with ctx:
        ctx.advance(AGGR_US)
        assert ctx.snapshot().seq == 0


def test_a_call_returns_what_the_function_returns() -> None:
    with toy_context() as ctx:
        assert ctx.call(lambda: 42) == 42
        assert ctx.call(divmod, 7, 2) == (3, 1)
        assert ctx.call(sorted, [1, 2], reverse=True) == [2, 1]


def test_a_repeat_call_runs_every_interval_until_it_returns_something_true() -> None:
    seen: list[int] = []

    def count() -> bool:
        seen.append(len(seen))
        return len(seen) == 3

    with toy_context() as ctx:
        repeat = ctx.call_repeat(count)
        ctx.advance(10 * SAMPLE_US)
        assert len(seen) == 3
        assert not repeat.cancel()


def test_a_repeat_call_can_be_cancelled() -> None:
    seen: list[int] = []
    with toy_context() as ctx:
        with ctx.call_repeat(seen.append, 1):
            ctx.advance(4 * SAMPLE_US)
        ctx.advance(4 * SAMPLE_US)
    assert len(seen) == 4


def test_a_dropped_repeat_call_lets_go_of_its_function() -> None:
    import gc
    import weakref

    class Counter:
        def __call__(self) -> None:
            pass

    counter = Counter()
    gone = weakref.ref(counter)
    with toy_context() as ctx:
        ctx.call_repeat(counter)
        del counter
        ctx.advance(2 * SAMPLE_US)
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_a_walk_tells_every_region_that_schemes_act_on() -> None:
    with toy_context(schemes=[damon.Scheme()]) as ctx:
        found: list[list[tuple[damon.Region, int, int]]] = []
        walker = threading.Thread(target=lambda: found.append(ctx.walk() or []))
        walker.start()
        while walker.is_alive():
            ctx.advance(AGGR_US)
        walker.join()
    assert sum(region.size for region, _, _ in found[0]) == MIB
    assert {scheme for _, scheme, _ in found[0]} == {0}


def test_a_walk_without_schemes_is_cancelled() -> None:
    with toy_context() as ctx:
        raised: list[BaseException] = []

        def walk() -> None:
            try:
                ctx.walk(lambda region, scheme, passed: None)
            except damon.CanceledError as error:
                raised.append(error)

        walker = threading.Thread(target=walk)
        walker.start()
        while walker.is_alive():
            ctx.advance(AGGR_US)
        walker.join()
    assert "no schemes" in str(raised[0])


def test_committing_one_field_changes_nothing_else() -> None:
    goals = (damon.QuotaGoal(target_value=100),)
    schemes = [damon.Scheme(), damon.Scheme(quota=damon.Quota(sz=MIB, goals=goals))]
    attrs = damon.Attrs(aggr_us=200_000, max_nr_regions=50, intervals_goal=damon.IntervalsGoal(400, 0, 5_000, 10_000))
    with toy_context(ToyMemory(hot=((MIB, MIB + 64 * KIB),)), attrs=attrs, schemes=schemes) as ctx:
        ctx.advance(10 * 200_000)
        ctx.set_quota_goal_value(1, 0, 70)
        regions, tried = ctx.live_snapshot().rows(), ctx.scheme_stat(0).nr_tried
        ctx.commit(min_nr_regions=5)
        assert ctx.attrs == dataclasses.replace(attrs, min_nr_regions=5)
        assert ctx.live_snapshot().rows() == regions and ctx.scheme_stat(0).nr_tried == tried > 0
        assert ctx.schemes[1].quota.goals[0].current_value == 70
        ctx.advance(200_000)
        assert ctx.scheme_stat(0).nr_tried > tried


@pytest.mark.parametrize(
    ("field", "value"),
    [("sample_us", 1_000), ("aggr_us", 200_000), ("ops_update_us", 7), ("min_nr_regions", 20), ("max_nr_regions", 500),
     ("intervals_goal", damon.IntervalsGoal(400, 3, 1_000, 50_000)), ("max_overhead_permil", 77)],
)
def test_every_attribute_can_be_committed_alone(field: str, value: Any) -> None:
    with toy_context() as ctx:
        before = ctx.attrs
        ctx.commit(**{field: value})
        assert ctx.attrs == dataclasses.replace(before, **{field: value}) != before


def test_every_attribute_is_among_them() -> None:
    marks: Any = test_every_attribute_can_be_committed_alone
    committed = {name for name, _ in marks.pytestmark[0].args[1]}
    later = {"referenced_us", "survey_bp"}  # see below
    assert committed | later == {field.name for field in dataclasses.fields(damon.Attrs)}


@pytest.mark.parametrize("change", [{"referenced_us": 1_000_000}, {"survey_bp": 10}])
def test_attributes_that_a_release_does_not_have_are_refused_and_nothing_changes(change: Any) -> None:
    with toy_context() as ctx:
        before = ctx.attrs
        try:
            ctx.commit(**change)
        except damon.DamonError as error:
            assert next(iter(change)) in str(error) and ctx.attrs == before
        else:
            assert ctx.attrs == dataclasses.replace(before, **change)


def test_intervals_can_be_changed_while_running() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        ctx.commit(sample_us=1_000, aggr_us=10_000)
        ctx.advance(10_000)
        assert ctx.snapshot().max_nr_accesses == 10 and ctx.attrs.sample_us == 1_000


def test_schemes_come_and_go_while_running() -> None:
    with toy_context() as ctx:
        assert ctx.add_scheme(damon.Scheme(pattern=damon.AccessPattern(min_age=3))) == 0
        assert ctx.add_scheme(damon.Scheme()) == 1
        ctx.advance(AGGR_US)
        ctx.commit_scheme(1, apply_interval_us=SAMPLE_US)
        assert ctx.schemes[1].apply_interval_us == SAMPLE_US and ctx.schemes[0].pattern.min_age == 3
        ctx.remove_scheme(0)
        assert len(ctx.schemes) == 1
        ctx.advance(AGGR_US)
        assert ctx.scheme_stat(0).nr_tried > 0
        with pytest.raises(damon.InvalidParameterError, match="there is no scheme 1"):
            ctx.remove_scheme(1)


def test_targets_come_and_go_while_running() -> None:
    first, second = (MIB, 2 * MIB), (4 * MIB, 5 * MIB)
    with toy_context(damon.Operations(), targets=[first]) as ctx:
        ctx.advance(AGGR_US)
        assert ctx.add_target(second) == 1
        ctx.advance(AGGR_US)
        assert {(r.target_idx, r.start >= 4 * MIB) for r in ctx.snapshot()} == {(0, False), (1, True)}
        ctx.remove_target(0)
        ctx.advance(AGGR_US)
        assert {r.start >= 4 * MIB for r in ctx.snapshot()} == {True} and ctx.targets[0].ranges == (second,)


def test_a_refused_commit_changes_nothing() -> None:
    with toy_context(schemes=[damon.Scheme()]) as ctx:
        ctx.advance(AGGR_US)
        before = ctx.attrs, ctx.schemes, ctx.live_snapshot().rows()
        with pytest.raises(damon.InvalidParameterError, match="min_nr_regions"):
            ctx.commit(min_nr_regions=2000, schemes=[])
        assert (ctx.attrs, ctx.schemes, ctx.live_snapshot().rows()) == before


def test_commits_of_several_threads_do_not_mix() -> None:
    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=20_000), [damon.Target()], ops=ToyMemory(), seed=1)
    fields = {"max_nr_regions": 500, "min_nr_regions": 7, "ops_update_us": 77_000, "aggr_us": 40_000}
    with ctx:
        threads = [threading.Thread(target=lambda n=n, v=v: ctx.commit(**{n: v})) for n, v in fields.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ctx.attrs == dataclasses.replace(damon.Attrs(sample_us=1_000), **fields)


def test_a_stopped_context_keeps_its_last_snapshot_and_starts_again() -> None:
    ctx = toy_context()
    with ctx:
        ctx.advance(2 * AGGR_US)
    assert ctx.snapshot().seq == 2 and not ctx.is_running
    with ctx:
        ctx.advance(AGGR_US)
        assert ctx.snapshot().seq == 3


def test_commits_work_in_callbacks_and_on_stopped_contexts() -> None:
    ctx = toy_context()
    ctx.commit(max_nr_regions=100)
    with ctx:
        ctx.call(ctx.commit, max_nr_regions=200)
        assert ctx.attrs.max_nr_regions == 200
    ctx.commit(schemes=[damon.Scheme()])
    assert ctx.attrs.max_nr_regions == 200 and len(ctx.schemes) == 1


def test_a_commit_in_a_callback_keeps_a_pause_that_was_asked_for_before_it() -> None:
    with toy_context() as ctx:

        def pause_and_change() -> None:
            ctx.pause()
            ctx.commit(aggr_us=50_000)

        ctx.call(pause_and_change)
        before = ctx.stats.nr_samples
        ctx.advance(AGGR_US)
        assert ctx.is_paused and ctx.stats.nr_samples == before and ctx.attrs.aggr_us == 50_000


def test_commits_of_a_running_context_neither_pause_nor_resume_it() -> None:
    with damon.monitor_self(bytearray(MIB), sample_us=1_000, aggr_us=10_000) as ctx:
        for paused in (True, False):
            ctx.pause() if paused else ctx.resume()
            ctx.commit(aggr_us=20_000)
            ctx.add_scheme(damon.Scheme())
            ctx.remove_scheme(0)
            assert ctx.is_paused == paused


def test_a_pause_holds_whatever_another_thread_commits_meanwhile() -> None:
    over = threading.Event()

    def keep_committing() -> None:
        for i in itertools.count():
            if over.is_set():
                return
            ctx.commit(aggr_us=20_000 + i % 2 * 1_000)

    with damon.monitor_self(bytearray(MIB), sample_us=1_000, aggr_us=20_000) as ctx:
        thread = threading.Thread(target=keep_committing)
        thread.start()
        try:
            begin = time.monotonic()
            for i in range(50):
                ctx.pause()
                assert ctx.is_paused
                ctx.resume()
                assert not ctx.is_paused
                if i >= 5 and time.monotonic() - begin > 5:
                    break  # a busy machine: each waits for the worker
        finally:
            over.set()
            thread.join()
