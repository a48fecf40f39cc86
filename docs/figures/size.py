"""What monitoring costs does not grow with the memory: from 64 MiB to 1 TiB, a tenth in use. Simulated, 10 seconds each."""

import damon
import style
from damon import sim

SIZES = [64 << 20, 512 << 20, 4 << 30, 32 << 30, 256 << 30, 1 << 40]
NAMES = ["64 MiB", "512 MiB", "4 GiB", "32 GiB", "256 GiB", "1 TiB"]


def run(size):
    """(samples a second, pages, F1 of the last window)."""
    machine = sim.Simulator(seed=2, node_bytes=(4 << 40,))
    machine.add_range(end=size)
    machine.add_pattern(start=size // 4, end=size // 4 + size // 10 // 4096 * 4096, rate_millihz=1_000_000_000)
    with machine.context(seed=2) as ctx:
        ctx.advance(10_000_000)
        accuracy = machine.compare(ctx.snapshot(), ctx.now_us, min_nr_accesses=10)
        return ctx.stats.nr_samples / 10, size // 4096, accuracy.f1_bp / 10_000


def draw_figure(rows):
    def draw(figure, ax, theme):
        places = range(len(SIZES))
        ax.plot(places, [row[1] for row in rows], color=theme.lines[1], marker="o", label="pages")
        ax.plot(places, [row[0] for row in rows], color=theme.lines[0], marker="o", label="samples a second")
        for place, row in zip(places, rows):
            ax.annotate(f"F1 {row[2]:.2f}", (place, row[0]), textcoords="offset points", xytext=(0, -14), ha="center", fontsize=9)
        ax.set_yscale("log")
        ax.set_ylim(200, 2e9)
        ax.set_xticks(list(places), NAMES)
        ax.set_xlim(-0.4, len(SIZES) - 0.6)
        ax.grid(True, axis="y")
        ax.legend(loc="upper left")
        ax.set_title("Pages of the memory, and pages that are looked at in a second")

    return draw


def make(folder):
    rows = [run(size) for size in SIZES]
    style.save(folder, "size", draw_figure(rows), size=(6.4, 3.2))
    return {"size_most_samples": f"{max(row[0] for row in rows):,.0f}", "size_least_f1": f"{min(row[2] for row in rows):.2f}"}
