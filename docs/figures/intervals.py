"""An intervals goal slows sampling down where little happens, and speeds it up where much does. Simulated."""

import damon
import style
from damon import sim

SIZE = 1 << 30
BUSY = (60, 120)
END = 240


def run():
    """(seconds, sampling interval in ms, samples a second) each second."""
    machine = sim.Simulator(seed=4)
    machine.add_range(end=SIZE)
    machine.add_pattern(end=SIZE // 10 // 4096 * 4096, rate_millihz=300)
    machine.add_pattern(end=SIZE // 4, rate_millihz=300_000_000, begin_us=BUSY[0] * 1_000_000, end_us=BUSY[1] * 1_000_000)
    goal = damon.IntervalsGoal(access_bp=400, aggrs=3, min_sample_us=5_000, max_sample_us=1_000_000)
    rows, before = [], 0
    with machine.context(damon.Attrs(intervals_goal=goal), seed=4) as ctx:
        while ctx.now_us < END * 1_000_000:
            ctx.advance(1_000_000)
            samples = ctx.stats.nr_samples
            rows.append((ctx.now_us / 1e6, ctx.attrs.sample_us / 1000, samples - before))
            before = samples
    return rows


def draw_figure(rows):
    def draw(figure, axes, theme):
        for ax, column, title, colour in zip(axes, (1, 2), ("Sampling interval, ms", "Samples a second"), theme.lines):
            ax.axvspan(*BUSY, color=theme.faint, alpha=0.45, linewidth=0)
            ax.step([row[0] for row in rows], [row[column] for row in rows], where="pre", color=colour, linewidth=1.5)
            ax.set_yscale("log")
            ax.set_xlim(0, END)
            ax.set_title(title)
            ax.grid(True, axis="y")
        axes[0].text(sum(BUSY) / 2, 300, "busy", ha="center")
        axes[1].set_xlabel("seconds")

    return draw


def make(folder):
    rows = run()
    style.save(folder, "intervals", draw_figure(rows), size=(6.4, 3.6), rows=2, sharex=True)
    return {"intervals_quiet_ms": f"{rows[BUSY[0] - 2][1]:,.0f}", "intervals_busy_ms": f"{min(r[1] for r in rows[BUSY[0]:BUSY[1]]):,.0f}"}
