"""Probes and presets."""

from __future__ import annotations

import pytest
from support import AGGR_US, MIB, toy_context

import damon
from damon import sim as dsim


def machine() -> dsim.Simulator:
    sim = dsim.Simulator(seed=2, node_bytes=(96 * MIB,))
    sim.add_range(end=64 * MIB)
    sim.add_pattern(end=8 * MIB, rate_millihz=dsim.NO_MISS)
    return sim


def test_presets_have_the_librarys_defaults() -> None:
    ctx = damon.Context(targets=[damon.Target()])
    assert ctx.add_preset(damon.Reclaim()) == 0
    assert ctx.add_preset(damon.LruSort(sample_us=10_000, aggr_us=200_000)) == 1
    assert len(ctx.schemes) == 3 and ctx.attrs.sample_us == 10_000
    with pytest.raises(TypeError, match="a preset must be a damon.Reclaim"):
        ctx.add_preset(damon.Scheme())  # type: ignore[arg-type]


def test_reclaim_pages_out_what_is_cold_and_survives_commits() -> None:
    sim = machine()
    ctx = sim.context(seed=2)
    ctx.add_preset(damon.Reclaim(min_age_us=2_000_000, wmarks_low=0, wmarks_mid=998, wmarks_high=999))
    with ctx:
        ctx.advance(10_000_000)
        done = ctx.scheme_stat(0).sz_applied
        ctx.commit(max_nr_regions=200)
        assert ctx.attrs.max_nr_regions == 200 and len(ctx.schemes) == 1
        sim.add_range(start=64 * MIB, end=72 * MIB)
        ctx.advance(1_000_000)
        assert ctx.scheme_stat(0).sz_applied >= done > 32 * MIB
        with pytest.raises(damon.InvalidParameterError, match="scheme 0 is of a preset"):
            ctx.commit_scheme(0, apply_interval_us=1)


def test_a_summary_tells_how_long_memory_is_idle() -> None:
    with machine().context(seed=2) as ctx:
        assert ctx.summary().seq == 0
        ctx.advance(30 * AGGR_US)
        summary = ctx.summary()
    assert summary.known_bytes == 64 * MIB and len(summary.memory_idle_ms) == 101
    assert list(summary.memory_idle_ms) == sorted(summary.memory_idle_ms) and summary.memory_idle_ms[100] > 1_000


def test_the_stat_preset_tunes_intervals() -> None:
    ctx = damon.Context(targets=[damon.Target()])
    ctx.use_stat_preset()
    assert ctx.attrs.intervals_goal.aggrs > 0


def test_probes_come_and_go() -> None:
    ctx = damon.Context(targets=[damon.Target()])
    anon = damon.Probe((damon.ProbeFilter(damon.ProbeFilterType.ANON),))
    assert ctx.add_probe(anon) == 0 and ctx.add_probe(damon.Probe(weight=3)) == 1
    assert ctx._core.nr_probes() == 2 and ctx.probes[0] == anon
    ctx._core.set_probe_weight(1, 0)
    ctx.remove_probe(1)
    assert ctx._core.nr_probes() == 1
    bad = damon.Probe((damon.ProbeFilter(damon.ProbeFilterType.HUGEPAGE_SIZE, min_bytes=2, max_bytes=1),))
    with pytest.raises(damon.InvalidParameterError, match="min_bytes"):
        ctx.add_probe(bad)
    assert ctx._core.nr_probes() == 1


def test_probes_hit_anonymous_memory_of_this_process() -> None:
    anon = damon.Probe((damon.ProbeFilter(damon.ProbeFilterType.ANON),))
    buffer = bytearray(b"x") * (8 * MIB)
    with damon.monitor_self(buffer, sample_us=2_000, aggr_us=40_000) as ctx:
        ctx.add_probe(anon)
        ctx.wait_snapshot(ctx.snapshot().seq + 2, timeout=30)
        snapshot, hits = ctx.snapshot_probes()
    assert len(hits) == len(snapshot) and max(hit for (hit,) in hits) > 0


def test_actions_are_counted_by_what_they_did() -> None:
    with toy_context() as ctx:
        stats = ctx.action_stats
    assert set(stats.applied_bytes) == set(damon.Action) and sum(stats.skipped_bytes.values()) == 0
    assert damon.skip_text(damon.Skip.LOCKED) != damon.skip_text(999)
