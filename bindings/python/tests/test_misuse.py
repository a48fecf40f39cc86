"""Mistakes end in an exception that says what to do."""

from __future__ import annotations

import copy
import errno
import fractions
import importlib
import pathlib
import pickle
import re
import sys
from datetime import timedelta
from typing import Any, Callable

import numpy
import pytest
from support import AGGR_US, MIB, ToyMemory, toy_context

import damon
from damon import words


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
        (lambda: damon.Context(access_check=77), damon.InvalidParameterError, "access_check is 77; there is no such"),  # type: ignore[arg-type]
        (lambda: damon.monitor_self(smaple_us=5), TypeError, "smaple_us"),
        (lambda: toy_context().commit(smaple_us=5), TypeError, "commit\\(\\) has no option 'smaple_us'; did you mean sample_us"),
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
        (lambda: damon.shared_memory(0), damon.DamonError, "size is 0; it must be at least 1 byte"),
        (lambda: damon.shared_declare(bytearray(8192)), damon.DamonError, "MAP_SHARED"),
        (lambda: damon.start([ToyMemory()]), TypeError, "a context must be a damon.Context, not ToyMemory"),  # type: ignore[list-item]
        (lambda: damon.start(toy_context()), TypeError, "contexts must be a list, not Context: put one in brackets"),  # type: ignore[arg-type]
        (lambda: damon.stop([5]), TypeError, "a context must be a damon.Context, not int"),  # type: ignore[list-item]
        (lambda: damon.Context(targets=numpy.zeros(64)), TypeError, "targets must be a list, not ndarray: put one in brackets"),
        (lambda: damon.Context(targets=bytearray(64)), TypeError, "targets must be a list, not bytearray"),
        (lambda: damon.Context(targets=damon.Target()), TypeError, "targets must be a list, not Target"),  # type: ignore[arg-type]
        (lambda: damon.Context(schemes=damon.Scheme()), TypeError, "schemes must be a list, not Scheme"),  # type: ignore[arg-type]
        (lambda: damon.Context(targets=[(-5, 5)]), damon.InvalidParameterError, "start is -5; it must be from 0"),
        (lambda: damon.Context(targets=[damon.Target(ranges=(1, 2))]), TypeError, "a range must be a pair"),  # type: ignore[arg-type]
        (lambda: toy_context().add_buffer(numpy.zeros((8, 8)).T[::2]), damon.InvalidParameterError, "a contiguous copy"),
        (lambda: toy_context().add_buffer("text"), TypeError, "a buffer is needed .*, not str"),
        (lambda: toy_context().commit(schemes=damon.Scheme()), TypeError, "schemes must be a list"),  # type: ignore[arg-type]
        (lambda: toy_context().commit(attrs=5), TypeError, "attrs must be a damon.Attrs, not int"),  # type: ignore[arg-type]
        (lambda: toy_context().commit(intervals_goal=5), TypeError, "must be a damon.IntervalsGoal, not int"),
        (lambda: toy_context().commit(aggr_us="1"), TypeError, "aggr_us must be an integer, not str"),
        (lambda: toy_context().commit(aggr_us=-1), damon.InvalidParameterError, "aggr_us is -1; it must be from 0"),
        (lambda: toy_context().commit(min_nr_regions=2), damon.InvalidParameterError, "min_nr_regions 2 must be at least 3"),
        (lambda: toy_context().commit(min_region_sz=3), damon.InvalidParameterError, "power of two"),
        (lambda: toy_context().commit(addr_unit=0), damon.InvalidParameterError, "unit"),
        (lambda: toy_context().commit(targets=[damon.Target(pid=-5)]), damon.InvalidParameterError, "pid is -5"),
        (lambda: toy_context().commit(probes=[5]), TypeError, "a probe must be a damon.Probe, not int"),  # type: ignore[list-item]
        (lambda: toy_context().commit_scheme(0, sz=5), damon.InvalidParameterError, "there is no scheme 0; the context has 0"),
        (lambda: toy_context(schemes=[damon.Scheme()]).commit_scheme(0, sz=5), TypeError, "'sz'"),
        (lambda: toy_context().walk(5), TypeError, "a function is needed, not int"),  # type: ignore[call-overload]
        (lambda: toy_context().walk(), damon.CanceledError, "not running, paused, no schemes"),
        (lambda: toy_context().call_repeat(None), TypeError, "a function is needed, not NoneType"),  # type: ignore[arg-type]
        (lambda: toy_context().wait_snapshot(timeout="5"), TypeError, "a number of seconds, a timedelta, or None, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().wait_snapshot(timeout=timedelta(-1)), damon.InvalidParameterError, "timeout is -86400"),
        (lambda: damon.exclude((1, 5)), damon.InvalidParameterError, "from 0x1 to 0x5 must be whole pages: both ends"),
        (lambda: toy_context().remove_range((4096, 8192)), damon.NotFoundError, "there is no such range"),
        (lambda: toy_context().query_range((4096, 8192)), damon.NotFoundError, "added with RangeFlags.TRACKED"),
        (lambda: toy_context().wss(), damon.NotFoundError, "has no range with RangeFlags.TRACKED"),
        (lambda: toy_context().report_access(5), damon.UnsupportedError, "make it with access_check=AccessCheck.REPORT"),
        (lambda: toy_context().restore("junk"), TypeError, "the bytes that save.. returned, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().restore(10**9), TypeError, "the bytes that save.. returned, not int"),  # type: ignore[arg-type]
        (lambda: toy_context().record("x", rotat=5), TypeError, "record.. has no option 'rotat'; it takes command_line,"),  # type: ignore[call-arg]
        (lambda: toy_context(manaul=True), TypeError, "unexpected keyword argument 'manaul'"),
        (lambda: damon.monitor_self(sampel_us=5), TypeError, "monitor_self.. has no option 'sampel_us'; did you mean sample_us"),  # type: ignore[call-arg]
        (lambda: damon.Attrs.of(sampel=0.1), TypeError, "Attrs.of.. has no option 'sampel'; did you mean sample."),  # type: ignore[call-arg]
        (lambda: damon.Attrs.of(sample=-0.1), damon.InvalidParameterError, "sample is -0.1; it must not be negative"),
        (lambda: damon.Attrs.of(aggr=timedelta(-1)), damon.InvalidParameterError, "aggr is -1 day.*; it must not be negative"),
        (lambda: damon.Attrs.of(aggr=float("nan")), damon.InvalidParameterError, "aggr is nan; it must be from 0 to 1e.12"),
        (lambda: damon.Context(access_check=99), damon.InvalidParameterError, "access_check is 99; there is no such"),  # type: ignore[arg-type]
        (lambda: damon.Context(targets=[5]), TypeError, "a damon.Target, a range .start, end. or a buffer, not int"),
        (lambda: damon.Context(targets=[numpy.ndarray]), TypeError, "a buffer is needed, not the class ndarray"),
        (lambda: damon.WorkerAttr(cpus=3), TypeError, "cpus must be a list, not int"),  # type: ignore[arg-type]
        (lambda: damon.profile(numpy.zeros(8)), TypeError, "output must be a path, not ndarray; buffers come after it"),  # type: ignore[arg-type]
        (lambda: damon.profile(sampel_us=5), TypeError, "profile.. has no option 'sampel_us'; did you mean sample_us"),  # type: ignore[call-arg]
        (lambda: damon.live(5), TypeError, "context must be a damon.Context, not int"),  # type: ignore[arg-type]
        (lambda: damon.live(toy_context(), width=0), damon.InvalidParameterError, "width is 0; it must be from 1"),
        (lambda: damon.live(toy_context(), seconds=-1), damon.InvalidParameterError, "seconds is -1; it must not be"),
        (lambda: toy_context().summary_text("x"), TypeError, "width must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: damon.strerror("x"), TypeError, "number must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().wait_snapshot(timeout=float("nan")), damon.InvalidParameterError, "timeout is nan"),
        (lambda: toy_context().wait_snapshot(-1), damon.InvalidParameterError, "after_seq is -1"),
        (lambda: toy_context().snapshots(after_seq=1.5), TypeError, "after_seq must be an integer, not float"),  # type: ignore[arg-type]
        (lambda: toy_context().remove_target(1), damon.InvalidParameterError, "there is no target 1; the context has 1"),
        (lambda: toy_context().remove_target(-1), damon.InvalidParameterError, "there is no target -1"),
        (lambda: toy_context().remove_scheme("a"), TypeError, "scheme must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().scheme_stat("a"), TypeError, "idx must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: toy_context().set_quota_goal_value(0, -1, 1), damon.InvalidParameterError, "goal is -1"),
        (lambda: toy_context().set_target_regions(3, [(1, 2)]), damon.InvalidParameterError, "there is no target 3"),
        (lambda: toy_context().advance("1"), TypeError, "str"),  # type: ignore[arg-type]
        (lambda: toy_context().advance(-1), damon.InvalidParameterError, "us is -1; it must be from 0"),
        (lambda: toy_context().advance(None), TypeError, "us must be an integer, not NoneType"),  # type: ignore[arg-type]
        (lambda: damon.monitor_self(bytearray(8), attrs=0), TypeError, "attrs must be a damon.Attrs, not int"),
        (lambda: damon.Attrs(intervals_goal=5), TypeError, "intervals_goal must be a damon.IntervalsGoal, not int"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(quota=5), TypeError, "quota must be a damon.Quota, not int"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(pattern={"min_sz": 1}), TypeError, "pattern must be a damon.AccessPattern, not dict"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(wmarks=None), TypeError, "wmarks must be a damon.Watermarks, not NoneType"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(filters=damon.Filter(damon.FilterType.ANON)), TypeError, "filters must be a list, not Filter"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(filters=(5,)), TypeError, "a filter must be a damon.Filter, not int"),  # type: ignore[arg-type]
        (lambda: damon.Scheme(migrate_dests=(3,)), TypeError, "a destination must be a damon.MigrateDest, not int"),  # type: ignore[arg-type]
        (lambda: damon.Quota(goals=damon.QuotaGoal(5)), TypeError, "goals must be a list, not QuotaGoal"),  # type: ignore[arg-type]
        (lambda: damon.Quota(goals=(5,)), TypeError, "a goal must be a damon.QuotaGoal, not int"),  # type: ignore[arg-type]
        (lambda: damon.Context(targets=[[1, 2]]), TypeError, "a range is a pair .start, end. of integers"),
        (lambda: damon.Context(targets=[(1.0, 2.0)]), TypeError, "a range is a pair .start, end. of integers"),
        (lambda: damon.shared_array(-1), damon.InvalidParameterError, "-1"),
        (lambda: damon.shared_array(2**70), damon.InvalidParameterError, str(2**70)),
        (lambda: damon.shared_array((2**40, 2**40)), damon.DamonError, str(2**83)),
        (lambda: copy.copy(toy_context()), TypeError, "cannot be copied .*: make a new one"),
        (lambda: copy.deepcopy(toy_context()), TypeError, "cannot be copied .*: make a new one"),
        (lambda: pickle.dumps(toy_context()), TypeError, "cannot be copied .*: make a new one"),
        (lambda: pickle.dumps(damon.Target.of(bytearray(8))), TypeError, "a buffer of this process"),
    ],
)
def test_a_mistake_says_what_to_do(make: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()


def test_durations_of_numpy_are_taken_in_their_own_unit() -> None:
    assert damon.microseconds(numpy.timedelta64(5, "ms")) == 5_000  # type: ignore[arg-type]
    assert damon.microseconds(numpy.timedelta64(5_000, "ns")) == 5  # type: ignore[arg-type]


def test_the_last_target_of_a_context_that_runs_cannot_be_removed() -> None:
    with toy_context() as ctx:
        with pytest.raises(damon.InvalidParameterError, match="the last target, .*: stop\\(\\) it instead"):
            ctx.remove_target(0)
        assert ctx.is_running and len(ctx.targets) == 1


def test_a_worker_for_which_there_is_no_cpu_says_so() -> None:
    ctx = damon.Context(targets=[bytearray(8)])
    ctx.set_worker_attr(damon.WorkerAttr(cpus=[60_000]))
    with pytest.raises(damon.InvalidParameterError, match="WorkerAttr.cpus: this process may use none of these CPUs"):
        ctx.start()


def test_what_is_shown_of_an_object_says_what_it_is() -> None:
    with damon.monitor_self(bytearray(MIB), sample_us=1_000, aggr_us=20_000) as ctx:
        assert repr(ctx) == "<damon.Context running, 1 target, 0 schemes>"
        assert repr(ctx.snapshots(after_seq=3)) == "<damon.Snapshots newer than number 3>"
        with ctx.call_repeat(int) as call:
            assert repr(call).startswith("<damon.RepeatCall number ")
    assert repr(damon.shared_memory(8192)) == "<damon.SharedMemory of 8192 bytes>"
    assert "survey_bp=SURVEY_DEFAULT" in repr(damon.Context().attrs)
    with damon.exclude((1 << 30, (1 << 30) + 4096)) as exclusion:
        assert repr(exclusion) == "<damon.Exclusion from 0x40000000 to 0x40001000>"


def test_buffers_that_cannot_be_written_are_watched_as_well() -> None:
    array = numpy.zeros(MIB, dtype=numpy.uint8)
    array.flags.writeable = False
    view = memoryview(bytes(MIB))
    assert len(damon.Context(targets=[array, view, bytes(MIB)]).targets) == 3


def test_without_numpy_one_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match=r"shared_array\(\) needs NumPy: pip install numpy"):
        damon.shared_array(8)

    class Numeric(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> None:
            samples.array["seen"] = 1

    with toy_context(Numeric()) as ctx:
        with pytest.raises(ImportError, match=r"Samples.array needs NumPy: pip install numpy"):
            ctx.advance(AGGR_US)


def test_a_failed_commit_changes_nothing() -> None:
    with toy_context(schemes=[damon.Scheme()]) as ctx:
        ctx.advance(AGGR_US)
        before = ctx.attrs, ctx.schemes, ctx.live_snapshot().rows()
        bad = damon.Scheme(quota=damon.Quota(goals=(damon.QuotaGoal(0),)))
        for change in ({"aggr_us": 1}, {"max_nr_regions": 2}, {"schemes": [bad]}, {"min_region_sz": 5}):
            with pytest.raises(damon.InvalidParameterError):
                ctx.commit(max_nr_regions=change.pop("max_nr_regions", 500), **change)  # type: ignore[arg-type]
        assert (ctx.attrs, ctx.schemes, ctx.live_snapshot().rows()) == before


def test_subinterpreters_are_refused() -> None:
    interpreters = importlib.import_module("_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters")
    made = interpreters.create()
    program = "try:\n    import damon\nexcept ImportError as error:\n    assert 'interpreter' in str(error), error\n"
    try:
        failed = interpreters.run_string(made, program + "else:\n    raise AssertionError('imported')")
        assert failed is None, failed
    finally:
        interpreters.destroy(made)


def test_all_failures_of_the_library_are_of_one_family_with_an_errno() -> None:
    with pytest.raises(damon.DamonError) as raised:
        damon.Context(damon.Attrs(sample_us=-1))
    assert isinstance(raised.value, (OSError, ValueError)) and raised.value.errno == errno.EINVAL


def test_a_closed_context_says_so() -> None:
    ctx = toy_context()
    ctx.close()
    ctx.close()
    uses: list[Callable[[], Any]] = [
        ctx.start, ctx.stop, ctx.snapshot, ctx.pause, ctx.resume, ctx.walk, ctx.live_snapshot, ctx.wait_snapshot, ctx.commit,
        ctx.use_stat_preset, ctx.snapshot_probes, ctx.summary, ctx.snapshots, ctx.paused().__enter__, ctx.__enter__,
        lambda: ctx.attrs, lambda: ctx.stats, lambda: ctx.errmsg, lambda: ctx.kdamond_tid, lambda: ctx.is_paused,
        lambda: ctx.action_stats, lambda: ctx.step(1), lambda: ctx.advance(1), lambda: ctx.call(int),
        lambda: ctx.call_repeat(int), lambda: ctx.add_buffer(bytes(8)), lambda: ctx.add_target(damon.Target()),
        lambda: ctx.remove_target(0), lambda: ctx.add_scheme(damon.Scheme()), lambda: ctx.add_preset(damon.Reclaim()),
        lambda: ctx.add_probe(damon.Probe()), lambda: ctx.set_target_regions(0, [(1, 2)]), lambda: ctx.scheme_stat(0),
        lambda: ctx.set_quota_goal_value(0, 0, 0), lambda: ctx.report_access(0), lambda: ctx.record("never.damon"),
    ]
    for use in uses:
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


def test_numbers_of_numpy_are_numbers() -> None:
    with toy_context(targets=[(numpy.uint64(MIB), numpy.uint64(2 * MIB))]) as ctx:
        assert ctx.advance(numpy.int64(AGGR_US)) == AGGR_US  # type: ignore[arg-type]
        for timeout in (numpy.float32(1), numpy.int64(1), fractions.Fraction(1, 2), float("inf")):
            assert ctx.wait_snapshot(timeout=timeout).seq == 1  # type: ignore[arg-type]
        assert ctx.snapshot().working_set_bytes(numpy.int32(1)) == 0  # type: ignore[arg-type]


def test_fields_change_the_attributes_that_are_given_with_them() -> None:
    with damon.monitor_self(bytearray(MIB), attrs=damon.Attrs(aggr_us=50_000), sample_us=1_000) as ctx:
        assert (ctx.attrs.sample_us, ctx.attrs.aggr_us) == (1_000, 50_000)


def test_buffers_in_one_page_are_one_range() -> None:
    small = [bytearray(100) for _ in range(50)]
    big = bytearray(MIB)
    with damon.monitor_self(*small, small[0], big, memoryview(big)[5000:9000]) as ctx:
        ranges = ctx.targets[0].ranges
    pages = [(start // 4096, (end - 1) // 4096) for start, end in ranges]
    assert all(before[1] < after[0] for before, after in zip(pages, pages[1:])), ranges
    for buffer in (*small, big):
        held = memoryview(buffer)
        start = numpy.frombuffer(held, dtype=numpy.uint8).ctypes.data
        assert any(first <= start and start + len(held) <= last for first, last in ranges)


def test_operations_may_be_given_to_the_instance() -> None:
    ops = damon.Operations()
    ops.check_accesses = lambda samples: [True] * len(samples)  # type: ignore[method-assign]
    with toy_context(ops, targets=[(MIB, 2 * MIB)]) as ctx:
        ctx.advance(AGGR_US)
        assert {region.nr_accesses for region in ctx.snapshot()} == {20}


def test_what_is_true_is_a_bool() -> None:
    with toy_context() as ctx:
        assert (ctx.is_running, ctx.is_paused) == (True, False)
        assert isinstance(ctx.is_running, bool) and isinstance(ctx.is_paused, bool)


def test_a_context_whose_stop_raises_is_closed_nevertheless() -> None:
    class Failing(ToyMemory):
        def cleanup(self) -> None:
            raise KeyError("cleanup")

    ctx = toy_context(Failing())
    ctx.start()
    with pytest.raises(KeyError, match="cleanup"):
        ctx.close()
    with pytest.raises(damon.ClosedError):
        ctx.start()


LIBRARY = pathlib.Path(__file__).resolve().parents[3] / "lib"
# What C calls something: a function, a constant of an enum, a member of a structure.
OF_C = re.compile(r"\bdamo[ns]_\w+(?:\(\)|\.[a-z]{2,})|\bDAMOS_[A-Z]\w+|\bDAMON_(?:OPS|DRIVE|ACCESS|COVER|RANGE|SURVEY|PROBE)\w+")


def test_messages_of_the_library_speak_of_python() -> None:
    texts = [text for path in LIBRARY.rglob("*.cc") for text in re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text())]
    of_c = [text for text in texts if OF_C.search(text)]
    assert len(of_c) >= 10
    assert [words.in_python(text) for text in of_c if OF_C.search(words.in_python(text))] == []
    assert words.in_python("use damon_commit_ctx(), or damon_stop() it first") == "use commit(), or stop() it first"
    assert words.in_python("it must be 0 (DAMOS_FILTER_ANON) to 7") == "it must be 0 (FilterType.ANON) to 7"
    assert words.in_python("it must be DAMON_DRIVE_THREAD (0)") == "it must be manual=False (0)"
    assert words.in_python("damon_ctx_refresh() is not in this release") == "refresh() is not in this release"
    assert words.in_python("DAMON_RECLAIM") == "DAMON_RECLAIM"


def test_a_running_context_is_not_left_without_targets() -> None:
    with damon.monitor_self(bytearray(MIB), sample_us=1_000, aggr_us=10_000) as ctx:
        with pytest.raises(damon.InvalidParameterError, match="targets is empty.*stop\\(\\) it instead"):
            ctx.commit(targets=[])
        assert ctx.is_running and len(ctx.targets) == 1
