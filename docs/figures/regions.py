"""Regions adapt: how a tenth of 512 MiB is found, and found again after it has moved. Simulated."""

import damon
import style
from damon import sim

SIZE = 512 * style.MIB
HOT = SIZE // 10 // 4096 * 4096
FIRST, SECOND = 128 * style.MIB, 352 * style.MIB
MOVED_US, END_US = 5_000_000, 10_000_000


def run():
    """Snapshots of each window of 100 ms, and how well each agrees with the truth."""
    machine = sim.Simulator(seed=3)
    machine.add_range(end=SIZE)
    machine.add_pattern(start=FIRST, end=FIRST + HOT, rate_millihz=1_000_000_000, end_us=MOVED_US)
    machine.add_pattern(start=SECOND, end=SECOND + HOT, rate_millihz=1_000_000_000, begin_us=MOVED_US)
    snapshots, scores = [], []
    with machine.context(seed=3) as ctx:
        while ctx.now_us < END_US:
            ctx.advance(100_000)
            snapshots.append(ctx.snapshot())
            scores.append(machine.compare(snapshots[-1], ctx.now_us - 50_000, min_nr_accesses=10).f1_bp / 10_000)
    return snapshots, scores


def draw_figure(snapshots, scores):
    times = [(i * 0.1, (i + 1) * 0.1) for i in range(len(snapshots))]

    def draw(figure, axes, theme):
        heat, score = axes
        bar = style.heat_of(heat, snapshots, theme, times=times)
        style.edges_of(heat, snapshots, theme, times=times)
        for start, begin, end in ((FIRST, 0, 5), (SECOND, 5, 10)):
            for edge in (start, start + HOT):
                heat.plot([begin, end], [edge / style.MIB] * 2, color=theme.lines[0], linewidth=1.6, linestyle=(0, (4, 2)))
        heat.set(xlim=(0, 10), ylim=(0, 512), ylabel="MiB", yticks=range(0, 513, 128))
        heat.set_title("Regions (thin lines), what was seen (colour), what is in use (dashed)")
        figure.colorbar(bar, ax=heat, label="accessed, share of samples", ticks=[0, 0.5, 1], pad=0.01)
        score.plot([end for _, end in times], scores, color=theme.lines[0], linewidth=1.6)
        score.set(xlim=(0, 10), ylim=(0, 1.05), xlabel="seconds", ylabel="F1")
        score.set_title("How well it agrees with the truth")
        score.grid(True, axis="y")

    return draw


def make(folder):
    snapshots, scores = run()
    style.save(folder, "regions", draw_figure(snapshots, scores), size=(6.4, 4.4), rows=2, height_ratios=(2.4, 1))
    settled = [score for score in scores[:50] if score >= 0.9]
    after = scores[50:]
    found = next(i for i, score in enumerate(after) if score >= 0.9) + 1
    return {
        "regions_first_windows": next(i for i, score in enumerate(scores) if score >= 0.9) + 1,
        "regions_found_again_windows": found,
        "regions_most": max(len(snapshot) for snapshot in snapshots),
        "regions_best_f1": f"{max(settled):.3f}",
    }
