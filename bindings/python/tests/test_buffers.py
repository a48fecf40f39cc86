"""Buffers are held where they are while a context runs, and not a moment longer."""

from __future__ import annotations

import mmap
import multiprocessing.shared_memory
from typing import Any, Callable

import numpy
import pytest
from support import MIB, ToyMemory

import damon


def running_on(*buffers: Any) -> damon.Context:
    return damon.monitor_self(*buffers, sample_us=1_000, aggr_us=10_000)


ENDS: dict[str, Callable[[damon.Context], None]] = {
    "stop": lambda ctx: ctx.stop(),
    "close": lambda ctx: ctx.close(),
    "with": lambda ctx: ctx.__exit__(None, None, None),
    "group": lambda ctx: damon.stop([ctx]),
}


@pytest.mark.parametrize("end", ENDS)
def test_buffers_can_change_once_the_context_has_ended(end: str) -> None:
    array, mapping = bytearray(MIB), mmap.mmap(-1, MIB)
    shared = multiprocessing.shared_memory.SharedMemory(create=True, size=MIB)
    ctx = running_on(array, mapping, shared.buf)
    try:
        with pytest.raises(BufferError):
            array.extend(b"more")
        ENDS[end](ctx)
        array.extend(b"more")
        mapping.close()
        shared.close()
    finally:
        ctx.close()
        shared.unlink()


def test_a_target_holds_nothing_before_the_start() -> None:
    array = bytearray(MIB)
    ctx = damon.Context(targets=[array])
    array.extend(bytes(8 * MIB))
    with ctx:
        with pytest.raises(BufferError):
            array.extend(b"more")
        assert sum(end - start for start, end in ctx.targets[0].ranges) == len(array)


def test_a_context_watches_its_buffer_where_it_is_at_the_next_start() -> None:
    array = bytearray(MIB)
    ctx = running_on(array)
    ctx.stop()
    array.extend(bytes(16 * MIB))
    ctx.start()
    snapshot = ctx.wait_snapshot(ctx.snapshot().seq, timeout=60)
    ctx.stop()
    assert snapshot.total_bytes >= 17 * MIB


def test_a_start_with_a_buffer_that_is_gone_says_so_and_holds_nothing() -> None:
    array, mapping = bytearray(MIB), mmap.mmap(-1, MIB)
    ctx = damon.Context(targets=[array, mapping])
    mapping.close()
    with pytest.raises(ValueError, match="mmap closed"):
        ctx.start()
    array.extend(b"more")


def test_a_refused_start_of_a_group_holds_nothing() -> None:
    array = bytearray(MIB)
    good, bad = damon.Context(targets=[array]), damon.Context()
    with pytest.raises(damon.InvalidParameterError):
        damon.start([good, bad])
    array.extend(b"more")


def test_a_target_that_is_removed_while_running_is_let_go() -> None:
    first, second = bytearray(MIB), bytearray(MIB)
    with running_on(first) as ctx:
        idx = ctx.add_buffer(second)
        with pytest.raises(BufferError):
            second.extend(b"more")
        ctx.remove_target(idx)
        second.extend(b"more")
        with pytest.raises(BufferError):
            first.extend(b"more")


def test_a_commit_that_fails_keeps_what_it_had_and_holds_nothing_new() -> None:
    first, second = bytearray(MIB), bytearray(MIB)
    with running_on(first) as ctx:
        with pytest.raises(damon.DamonError):
            ctx.commit(targets=[first, second], sample_us=50_000)
        second.extend(b"more")
        with pytest.raises(BufferError):
            first.extend(b"more")


def test_exceptions_of_an_action_are_shown_at_a_limited_rate() -> None:
    from support import unraisables

    def fail(region: damon.Region, scheme_idx: int) -> int:
        raise LookupError("purge failed")

    ctx = damon.Context(damon.Attrs(sample_us=1_000, aggr_us=2_000), [damon.Target()], [damon.Scheme.calling(fail)],
                        ops=ToyMemory())
    with unraisables() as seen:
        ctx.start()
        ctx.wait_snapshot(50, timeout=60)
        shown, raised = len(seen), ctx.nr_exceptions
        try:
            ctx.stop()
        except LookupError:
            pass
    assert raised >= 50 and 1 <= shown <= 5


class Interface:
    """Has the memory of an array, as other array packages show theirs."""

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def __array_interface__(self) -> Any:
        return self.array.__array_interface__


class Capsule:
    """A tensor on the processor."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def covered(given: Any) -> tuple[tuple[int, int], ...]:
    return tuple(damon.Target.of(given).ranges)


@pytest.mark.parametrize("kind", [Interface, Capsule])
def test_arrays_of_other_packages_are_watched_where_they_are(kind: Any) -> None:
    array = numpy.zeros(1 << 16)
    assert covered(kind(array)) == covered(array)


def test_tables_are_watched_where_they_are() -> None:
    array = numpy.zeros(1 << 16)
    start, end = covered(array)[0]
    for module, make in (
        ("pandas", lambda m: m.DataFrame({"a": array}, copy=False)),
        ("pandas", lambda m: m.Series(array, copy=False)),
        ("pyarrow", lambda m: m.array(array)),
        ("pyarrow", lambda m: m.table({"a": m.array(array)})),
        ("polars", lambda m: m.Series("a", array)),
        ("polars", lambda m: m.DataFrame({"a": array})),
    ):
        try:
            found = covered(make(__import__(module)))
        except ImportError:
            continue
        assert sum(high - low for low, high in found) >= end - start, (module, found)
        assert module != "pandas" or found == ((start, end),)


def test_what_has_no_memory_is_refused() -> None:
    for given in (42, object(), [1, 2]):
        with pytest.raises(TypeError, match="a target must be|a buffer is needed|a range is a pair"):
            damon.Context(targets=[given])
