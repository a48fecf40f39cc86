"""A goal moves the quota, and the quota moves memory: half of a node of 8 GiB shall be free. Simulated, six hours."""

import damon
import style
from damon import sim

GIB = 1 << 30
HOURS = 6
FREE_BP = 5_000
TUNERS = (("CONSIST", 0), ("TEMPORAL", 100 * style.MIB))


def run(tuner, most):
    """(hour, free share of the node in %, effective quota in MiB a window) once a minute."""
    machine = sim.Simulator(seed=1, node_bytes=(8 * GIB,))
    machine.add_range(end=6 * GIB)
    machine.add_pattern(end=GIB, rate_millihz=1_000_000)
    machine.add_pattern(start=GIB, end=6 * GIB, rate_millihz=1)  # each page once in 1,000 seconds
    quota = damon.Quota(
        sz=most,
        reset_interval_ms=20_000,
        weight_nr_accesses=1,
        weight_age=1,
        goal_tuner=damon.QuotaGoalTuner[tuner],
        goals=(damon.QuotaGoal(metric=damon.QuotaGoalMetric.NODE_MEM_FREE_BP, nid=0, target_value=FREE_BP),),
    )
    scheme = damon.Scheme(action=damon.Action.PAGEOUT, quota=quota)
    attrs = damon.Attrs(sample_us=1_000_000, aggr_us=20_000_000, ops_update_us=60_000_000, min_nr_regions=100)
    rows = []
    with machine.context(attrs, schemes=[scheme], seed=1) as ctx:
        for minute in range(1, HOURS * 60 + 1):
            ctx.advance(60_000_000)
            free = 100 * (1 - machine.stat().node_used_bytes[0] / (8 * GIB))
            rows.append((minute / 60, free, ctx.scheme_stat(0).esz / style.MIB))
    return rows


def draw_figure(results):
    def draw(figure, axes, theme):
        free, quota = axes
        free.axhline(FREE_BP / 100, color=theme.ink, linewidth=1, linestyle=(0, (4, 2)))
        for (name, rows), colour in zip(results.items(), theme.lines):
            hours = [row[0] for row in rows]
            free.plot(hours, [row[1] for row in rows], color=colour, linewidth=1.4, label=name)
            strong = name == "CONSIST"  # the other one is all or nothing
            quota.plot(hours, [row[2] for row in rows], color=colour, linewidth=1.2, alpha=1 if strong else 0.45, zorder=2 + strong)
        free.set(xlim=(0, HOURS), ylim=(0, 80), ylabel="% free")
        free.set_title("Free memory of the node; the goal is the dashed line")
        free.legend(loc="upper right", ncols=2)
        quota.set(xlim=(0, HOURS), xlabel="hours", ylabel="MiB in 20 s")
        quota.set_ylim(bottom=0)
        quota.set_title("Effective quota (esz)")
        for ax in axes:
            ax.grid(True, axis="y")

    return draw


def make(folder):
    results = {name: run(name, most) for name, most in TUNERS}
    style.save(folder, "goal", draw_figure(results), size=(6.4, 4.2), rows=2, sharex=True)
    worst = {name: max(abs(row[1] - FREE_BP / 100) for row in rows if row[0] > 3) for name, rows in results.items()}
    return {f"goal_{name.lower()}_worst": f"{value / (FREE_BP / 100) * 100:.1f} %" for name, value in worst.items()}
