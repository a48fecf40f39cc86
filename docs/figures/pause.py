"""A pause costs nothing and forgets nothing: samples, ages and the agreement with the truth before, in and after one.

Simulated: 512 MiB of which a tenth is in use; paused from second 4 to second 7.
"""

import damon
import style
from damon import sim

SIZE = 512 * style.MIB
HOT = (128 * style.MIB, 179 * style.MIB)
PAUSE, RESUME, END = 4.0, 7.0, 10.0


def run():
    """(seconds, samples taken in that step, age of the oldest region in windows, F1) of each 100 ms."""
    machine = sim.Simulator(seed=5)
    machine.add_range(end=SIZE)
    machine.add_pattern(start=HOT[0], end=HOT[1], rate_millihz=1_000_000_000)
    rows, before = [], 0
    with machine.context(seed=5) as ctx:
        while ctx.now_us < END * 1e6:
            if ctx.now_us == PAUSE * 1e6:
                ctx.pause()
            if ctx.now_us == RESUME * 1e6:
                ctx.resume()
            ctx.advance(100_000)
            snapshot, samples = ctx.snapshot(), ctx.stats.nr_samples
            f1 = machine.compare(snapshot, ctx.now_us, min_nr_accesses=10).f1_bp / 10_000
            rows.append((ctx.now_us / 1e6, samples - before, max(region.age for region in snapshot), f1))
            before = samples
    return rows


def draw_figure(rows):
    times = [row[0] for row in rows]
    words = ("Samples in 100 ms", "Age of the oldest region, windows", "Agreement with the truth, F1")

    def draw(figure, axes, theme):
        for ax, column, title, colour in zip(axes, (1, 2, 3), words, theme.lines):
            ax.axvspan(PAUSE, RESUME, color=theme.faint, alpha=0.45, linewidth=0)
            ax.step(times, [row[column] for row in rows], where="pre", color=colour, linewidth=1.6)
            ax.set(xlim=(0, END))
            ax.set_ylim(bottom=0)
            ax.set_title(title)
            ax.grid(True, axis="y")
        axes[0].text((PAUSE + RESUME) / 2, axes[0].get_ylim()[1] * 0.5, "paused", ha="center", va="center")
        axes[-1].set_xlabel("seconds")

    return draw


def make(folder):
    rows = run()
    style.save(folder, "pause", draw_figure(rows), size=(6.4, 4.4), rows=3, sharex=True)
    paused = [row for row in rows if PAUSE + 0.15 < row[0] <= RESUME]
    resumed = next(row for row in rows if row[0] > RESUME)
    before = [row for row in rows if row[0] <= PAUSE][-1]
    return {
        "pause_samples": sum(row[1] for row in paused),
        "pause_age_before": before[2],
        "pause_age_after": resumed[2],
        "pause_f1_after": f"{resumed[3]:.3f}",
    }
