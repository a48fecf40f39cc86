"""Policies in virtual time."""

from __future__ import annotations

import threading

import pytest
from support import AGGR_US, MIB

import damon
from damon import sim as dsim

PAGEOUT = damon.Scheme(action=damon.Action.PAGEOUT, pattern=damon.AccessPattern(max_nr_accesses=0, min_age=5))


def machine(**fields: object) -> dsim.Simulator:
    """64 MiB, of which the first 8 are in use."""
    sim = dsim.Simulator(**fields)
    sim.add_range(end=64 * MIB)
    sim.add_pattern(end=8 * MIB, rate_millihz=dsim.NO_MISS)
    return sim


def test_a_policy_pages_out_what_is_cold_and_nothing_else() -> None:
    sim = machine(seed=3)
    with sim.context(schemes=[PAGEOUT], seed=3) as ctx:
        ctx.advance(10_000_000)
        accuracy = sim.compare(ctx.snapshot(), ctx.now_us, min_nr_accesses=10)
    stat = sim.stat()
    assert stat.now_us == 10_000_000 and stat.evicted_bytes > 48 * MIB
    assert stat.resident_bytes >= 8 * MIB and stat.refault_bytes <= 2 * MIB
    assert accuracy.recall_bp > 9_000 and accuracy.hot_bytes == 8 * MIB


def test_equal_seeds_give_equal_runs() -> None:
    runs = []
    for _ in range(2):
        sim = machine(seed=5)
        with sim.context(schemes=[PAGEOUT], seed=5) as ctx:
            ctx.advance(2_000_000)
            runs.append((ctx.snapshot().rows(), sim.stat()))
    assert runs[0] == runs[1]


def test_the_truth_can_be_asked_for() -> None:
    sim = machine()
    assert sim.hot_ranges(0) == [(0, 8 * MIB)]
    assert sim.rate_millihz(0, 0) > 0 and sim.rate_millihz(9 * MIB, 0) == 0
    with pytest.raises(damon.NotFoundError):
        sim.rate_millihz(64 * MIB, 0)


def test_phases_are_pulses() -> None:
    sim = dsim.Simulator()
    sim.add_range(end=64 * MIB)
    sim.add_pattern(end=MIB, kind=dsim.PatternKind.PULSE, period_us=2_000_000, hot_us=1_000_000)
    assert sim.hot_ranges(500_000) == [(0, MIB)] and sim.hot_ranges(1_500_000) == []


def test_a_program_that_ends_ends_its_context() -> None:
    sim = machine()
    sim.set_target_end(0, 1_000_000)
    with sim.context() as ctx, pytest.raises(damon.CanceledError):
        ctx.advance(5_000_000)


def test_commits_and_callbacks_work_on_simulated_memory() -> None:
    sim = machine()
    resident: list[int] = []
    with sim.context() as ctx:
        ctx.call_repeat(lambda: resident.append(sim.stat().resident_bytes))
        ctx.advance(AGGR_US)
        ctx.commit(schemes=[PAGEOUT], max_nr_regions=100)
        ctx.advance(3_000_000)
    assert resident[0] == 64 * MIB and resident[-1] < 32 * MIB


def test_other_threads_wait_for_a_step_and_get_whole_answers() -> None:
    sim = machine()
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            stat = sim.stat()
            seen.append(stat.resident_bytes + stat.evicted_bytes + stat.untouched_bytes)

    with sim.context(schemes=[PAGEOUT]) as ctx:
        looker = threading.Thread(target=look)
        looker.start()
        ctx.advance(3_000_000)
        done.set()
        looker.join()
    assert set(seen) <= {64 * MIB, 64 * MIB - 1, 64 * MIB + 1}


def test_mistakes_say_what_to_do() -> None:
    sim = dsim.Simulator()
    with pytest.raises(damon.InvalidParameterError, match="powers of two"):
        dsim.Simulator(page_size=3)
    with pytest.raises(damon.InvalidParameterError, match="node_bytes has 9 entries; it may have up to 8"):
        dsim.Simulator(node_bytes=(1,) * 9)
    with pytest.raises(damon.InvalidParameterError):
        sim.add_range(start=1, end=4096)
    with pytest.raises(damon.InvalidParameterError):
        sim.add_pattern(end=4096)
    with pytest.raises(TypeError):
        sim.add_range(size=4096)
    sim.add_range(end=MIB)
    first = sim.context()
    with first, pytest.raises(damon.BusyError):
        sim.context().start()
    threaded = damon.Context(targets=[damon.Target()])
    threaded._use_sim(sim._core)
    with pytest.raises(damon.InvalidParameterError, match="manual=True"):
        threaded.start()
