"""Mistakes end in an exception that says what to do."""

from __future__ import annotations

import errno
from typing import Any, Callable

import numpy
import pytest
from support import AGGR_US, MIB, ToyMemory, toy_context

import damon


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: damon.Context(damon.Attrs(sample_us=-5)), damon.InvalidParameterError, "sample_us is -5; it must be from"),
        (lambda: damon.Context(damon.Attrs(sample_us="5")), TypeError, "sample_us must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: damon.Context(damon.Attrs(sample_us=1.5)), TypeError, "sample_us must be an integer, not float"),  # type: ignore[arg-type]
        (lambda: damon.Context(damon.Attrs(min_nr_regions=1)), damon.InvalidParameterError, "min_nr_regions"),
        (lambda: damon.Context(damon.Attrs(aggr_us=1)), damon.InvalidParameterError, "sample_us"),
        (lambda: damon.Context({"sample_us": 5}), TypeError, "attrs must be a damon.Attrs, not dict"),  # type: ignore[arg-type]
        (lambda: damon.Context(min_region_sz=3), damon.InvalidParameterError, "power of two"),
        (lambda: damon.Context(targets=[42]), TypeError, "a buffer is needed"),
        (lambda: damon.Context(targets=[b""]), damon.InvalidParameterError, "the buffer is empty"),
        (lambda: damon.Context(targets=[numpy.zeros(64)[::2]]), damon.InvalidParameterError, "not contiguous"),
        (lambda: damon.Context(targets=[(5, 5)]), damon.InvalidParameterError, "its start must be below its end"),
        (lambda: damon.Context(schemes=[damon.Action.STAT]), TypeError, "a scheme must be a damon.Scheme, not Action"),  # type: ignore[list-item]
        (lambda: damon.Context(schemes=[damon.Scheme(action=damon.Action.CALLBACK)]), TypeError, "needs callback="),
        (lambda: damon.Context(schemes=[damon.Scheme(callback=lambda r, s: 0)]), damon.InvalidParameterError, "another action"),
        (
            lambda: damon.Context(schemes=[damon.Scheme(filters=(damon.Filter(damon.FilterType.ADDR),))]),
            damon.InvalidParameterError,
            "addr_start",
        ),
        (
            lambda: damon.Context(schemes=[damon.Scheme(quota=damon.Quota(goals=(damon.QuotaGoal(0),)))]),
            damon.InvalidParameterError,
            "target_value",
        ),
        (lambda: damon.Context(ops=ToyMemory), TypeError, "must be an integer, not type"),  # type: ignore[arg-type]
        (lambda: damon.Context(ops=99), damon.InvalidParameterError, "ops_id is 99"),  # type: ignore[arg-type]
        (lambda: damon.Context(access_check=77), damon.InvalidParameterError, "access check is 77"),  # type: ignore[arg-type]
        (lambda: damon.monitor_self(smaple_us=5), TypeError, "smaple_us"),
        (lambda: toy_context().commit(smaple_us=5), TypeError, "commit\\(\\) knows no 'smaple_us'; it changes aggr_us"),
        (lambda: toy_context().call("x"), TypeError, "a function is needed, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().wait_snapshot(timeout=-1), damon.InvalidParameterError, "timeout is -1"),
        (lambda: toy_context().wait_snapshot(), damon.CanceledError, "start\\(\\) it"),
        (lambda: toy_context().step(5), damon.InvalidParameterError, "needs a started context"),
        (lambda: toy_context().call(int), damon.CanceledError, "does not run"),
        (lambda: toy_context().scheme_stat(0), damon.InvalidParameterError, "there is no scheme 0"),
        (lambda: toy_context().set_quota_goal_value(0, 0, 1), damon.InvalidParameterError, "scheme 0 has no goal 0"),
        (lambda: damon.Context().start(), damon.InvalidParameterError, "has no target: add a buffer"),
        (lambda: damon.Context(targets=[damon.Target(), (1, 2)]).start(), damon.InvalidParameterError, "use two contexts"),
        (lambda: damon.probe_access_check(77), damon.InvalidParameterError, "no such access check"),
        (lambda: damon.shared_memory(0), damon.DamonError, "no shared memory of 0 bytes"),
        (lambda: damon.shared_declare(bytearray(8192)), damon.DamonError, "MAP_SHARED"),
        (lambda: damon.start([ToyMemory()]), TypeError, "a context must be a damon.Context, not ToyMemory"),  # type: ignore[list-item]
    ],
)
def test_a_mistake_says_what_to_do(make: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()


def test_all_failures_of_the_library_are_of_one_family_with_an_errno() -> None:
    with pytest.raises(damon.DamonError) as raised:
        damon.Context(damon.Attrs(sample_us=-1))
    assert isinstance(raised.value, (OSError, ValueError)) and raised.value.errno == errno.EINVAL


def test_a_closed_context_says_so() -> None:
    ctx = toy_context()
    ctx.close()
    ctx.close()
    for use in (ctx.start, ctx.stop, ctx.snapshot, ctx.pause, lambda: ctx.attrs, lambda: ctx.step(1), ctx.walk):
        with pytest.raises(damon.ClosedError, match="the context is closed: make a new one"):
            use()
    assert "closed" in repr(ctx)


def test_a_context_starts_once_and_stops_as_often_as_one_likes() -> None:
    ctx = toy_context()
    ctx.stop()
    with ctx:
        with pytest.raises(damon.BusyError, match="stop\\(\\) it first, or change it with commit\\(\\)"):
            ctx.start()
    ctx.stop()


def test_time_does_not_go_back() -> None:
    with toy_context() as ctx:
        ctx.step(10_000)
        with pytest.raises(damon.InvalidParameterError, match="now_us is 9999"):
            ctx.step(9_999)
        ctx.step(10_000)


def test_the_worker_thread_is_not_stepped() -> None:
    with damon.Context(targets=[damon.Target()], ops=ToyMemory()) as ctx:
        with pytest.raises(damon.InvalidParameterError, match="manual=True"):
            ctx.step(1)
        with pytest.raises(damon.BusyError, match="inside a call\\(\\)"):
            ctx.live_snapshot()
        assert len(ctx.call(ctx.live_snapshot)) >= 10


def test_reports_need_their_access_check() -> None:
    with toy_context() as ctx, pytest.raises(damon.UnsupportedError):
        ctx.report_access(MIB)


def test_a_wrong_answer_names_itself() -> None:
    class Wrong(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> list[int]:
            return [7] * len(samples)

    with toy_context(Wrong()) as ctx:
        with pytest.raises(damon.InvalidParameterError, match="is 7; it must be True, False, None"):
            ctx.advance(AGGR_US)


def test_a_buffer_in_use_keeps_its_place() -> None:
    array = bytearray(MIB)
    with damon.monitor_self(array):
        with pytest.raises(BufferError):
            array.extend(b"more")


def test_a_running_context_does_not_mix_ranges_and_mappings() -> None:
    with damon.monitor_self() as ctx:
        with pytest.raises(damon.InvalidParameterError, match="use two contexts"):
            ctx.add_buffer(bytearray(MIB))
        assert len(ctx.targets) == 1
