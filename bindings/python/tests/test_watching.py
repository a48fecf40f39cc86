"""Ranges, exclusion, states, exact questions and saved contexts."""

from __future__ import annotations

import mmap
from typing import Any, Callable, Optional, TypeVar

import pytest
from support import AGGR_US, MIB, ToyMemory, toy_context

import damon

T = TypeVar("T")


def released(function: Callable[[], T]) -> Optional[T]:
    """What the function returns; None where this release of the library does not have it, which it has to say."""
    try:
        return function()
    except damon.UnsupportedError as error:
        assert "not in this release" in str(error) or "not supported" in str(error), error
        return None


def test_the_state_says_what_a_context_does() -> None:
    with toy_context() as ctx:
        ctx.advance(2 * AGGR_US)
        found = released(lambda: ctx.state)
        if found is None:
            return
        assert found.state == damon.State.SAMPLING and isinstance(found.reason, str)
        ctx.pause()
        assert ctx.state.state == damon.State.PAUSED
    assert ctx.state.state == damon.State.STOPPED


def test_ranges_are_added_and_removed_while_running() -> None:
    first, second = damon.shared_memory(4 * MIB), damon.shared_memory(4 * MIB)
    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=10_000, max_overhead_permil=0))
    ctx.add_range(first)
    with ctx:
        ctx.add_range(second)
        seq = ctx.snapshot().seq
        assert ctx.wait_snapshot(seq + 1, timeout=60).total_bytes == 8 * MIB
        ctx.remove_range(second)
        seq = ctx.snapshot().seq
        assert ctx.wait_snapshot(seq + 1, timeout=60).total_bytes == 4 * MIB


def test_a_range_that_could_not_be_added_is_not_held() -> None:
    array = bytearray(MIB)
    ctx = damon.Context()
    with pytest.raises(damon.DamonError):
        ctx.add_range(array, 1 << 20)  # type: ignore[arg-type]
    array.extend(b"more")
    with pytest.raises(damon.InvalidParameterError, match="its start must be below its end"):
        ctx.add_range((5, 5))


def test_an_excluded_buffer_is_held_until_it_is_included() -> None:
    mapping = mmap.mmap(-1, MIB)
    exclusion = released(lambda: damon.exclude(mapping))
    if exclusion is not None:
        with exclusion, pytest.raises(BufferError):
            mapping.close()
    mapping.close()


def test_a_worker_is_made_as_wanted() -> None:
    ctx = damon.Context(targets=[bytearray(MIB)])
    attr = damon.WorkerAttr(nice=5, cpus=[0], name="watcher")
    if released(lambda: ctx.set_worker_attr(attr) or True) is None:
        return
    with ctx:
        with open(f"/proc/self/task/{ctx.kdamond_tid}/comm", encoding="ascii") as file:
            assert file.read() == "watcher\n"


@pytest.mark.parametrize(
    ("attr", "kind", "words"),
    [
        ({"name": "a name that is too long"}, damon.InvalidParameterError, "it may have up to 15 bytes"),
        ({"cpus": [1 << 20]}, damon.InvalidParameterError, "cpus has 1048576"),
        ({"nice": "5"}, TypeError, "nice must be an integer, not str"),
    ],
)
def test_a_wrong_worker_attribute_names_itself(attr: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        damon.Context().set_worker_attr(damon.WorkerAttr(**attr))


def test_a_question_about_a_tracked_range_is_answered_by_the_page() -> None:
    memory = damon.shared_memory(4 * MIB)
    view = memoryview(memory)
    with damon.monitor_self(memory, sample_us=1_000, aggr_us=10_000) as ctx:
        if released(lambda: ctx.add_range(memory, damon.RangeFlags.TRACKED) or True) is None:
            with pytest.raises(damon.NotFoundError, match="DAMON_RANGE_TRACKED"):
                ctx.query_range(memory)
            return
        for at in range(0, 4 * MIB, mmap.PAGESIZE):
            view[at] = 1
        ctx.query_range(memory)
        view[10 * mmap.PAGESIZE] = 2
        answer = ctx.query_range(memory, idle=True)
        assert answer.touched is not None and len(answer.touched) == 4 * MIB // mmap.PAGESIZE
        assert answer.unseen_bytes == 0 and answer.touched_bytes == mmap.PAGESIZE
        assert [at for at, hit in enumerate(answer.touched) if hit] == [10]
        view[20 * mmap.PAGESIZE] = 2
        assert ctx.wss().touched_bytes == mmap.PAGESIZE


def test_units_of_a_question_are_not_nothing() -> None:
    with pytest.raises(damon.InvalidParameterError, match="unit_bytes is 0"):
        damon.Context().query_range((MIB, 2 * MIB), unit_bytes=0)


def test_the_working_set_of_the_process_is_read() -> None:
    with damon.monitor_self(bytearray(MIB), sample_us=1_000, aggr_us=10_000) as ctx:
        found = ctx.wss(10_000)
        assert found.present_bytes > found.touched_bytes > 0
        assert found.sees == damon.Sees.READS | damon.Sees.WRITES


def learned(ctx: damon.Context) -> int:
    """Bytes of regions that have been as they are for ten windows."""
    return sum(region.end - region.start for region in ctx.snapshot() if region.age >= 10)


def test_what_was_learned_is_saved_and_restored() -> None:
    with pytest.raises(damon.InvalidParameterError, match="nothing was learned yet"):
        toy_context().save()
    with toy_context(ToyMemory(hot=((MIB, MIB + MIB // 4),))) as ctx:
        ctx.advance(40 * AGGR_US)
        saved = ctx.save()
    assert ctx.save()  # stopped, it still knows
    with toy_context(ToyMemory(hot=((MIB, MIB + MIB // 4),))) as other:
        other.restore(saved)
        with pytest.raises(damon.InvalidParameterError, match="did not write them"):
            other.restore(b"not what was saved" * 10)
        other.advance(2 * AGGR_US)
        assert learned(other) > MIB * 3 // 4
    with toy_context(ToyMemory(hot=((MIB, MIB + MIB // 4),))) as fresh:
        fresh.advance(2 * AGGR_US)
        assert learned(fresh) == 0


def test_coverage_and_refresh_are_asked_for() -> None:
    ctx = damon.Context(targets=[damon.Target()])
    released(lambda: ctx.set_coverage(damon.CoverageFlags.THREE_AREAS) or True)
    with pytest.raises(damon.InvalidParameterError):
        ctx.set_coverage(1 << 20)  # type: ignore[arg-type]
    with toy_context() as running:
        released(lambda: running.refresh() or True)


def test_a_sample_can_say_why_it_has_no_answer() -> None:
    class Reasoned(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> None:
            for i in range(len(samples)):
                samples.set(i, None, damon.UnknownReason.LOCKED)
            assert samples[0].unknown_reason == damon.UnknownReason.LOCKED

    with toy_context(Reasoned()) as ctx:
        ctx.advance(2 * AGGR_US)
        assert all(region.unknown for region in ctx.snapshot())
        stats = ctx.stats
    assert sum(stats.nr_unknown_by_reason.values()) in (0, stats.nr_unknown_samples)


def test_a_commit_does_not_resume_a_paused_context() -> None:
    with toy_context() as ctx:
        ctx.pause()
        ctx.commit(sample_us=1_000, aggr_us=20_000)
        ctx.add_scheme(damon.Scheme())
        assert ctx.is_paused
        ctx.resume()
        ctx.commit(aggr_us=40_000)
        assert not ctx.is_paused
