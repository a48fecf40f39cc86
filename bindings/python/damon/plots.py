"""The same as pictures (PNG, SVG and what else matplotlib writes); needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .record import RecordedSnapshot
from .views import heatmap, working_sets


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise SystemExit("pictures need matplotlib: pip install 'damon[plot]', or leave --output away") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot

    return matplotlib.pyplot


def save_heatmap(snapshots: Sequence[RecordedSnapshot], path: str, target_idx: int) -> None:
    plt = _pyplot()
    found = heatmap(snapshots, target_idx=target_idx, width=400, height=300)
    cells = [[float("nan") if cell is None else cell * 100 for cell in row] for row in found.rows]
    figure, axes = plt.subplots(figsize=(10, 6))
    mebibytes = sum(end - start for start, end in found.spans) / (1 << 20)
    seconds = (found.end_ns - found.begin_ns) / 1e9
    image = axes.imshow(
        cells, aspect="auto", origin="lower", cmap="inferno", vmin=0, vmax=100, interpolation="nearest",
        extent=(0, mebibytes, 0, max(seconds, 1e-9)),
    )
    axes.set_xlabel(f"MiB from {found.spans[0][0]:#x}" + (", holes left out" if len(found.spans) > 1 else ""))
    axes.set_ylabel("seconds")
    figure.colorbar(image, label="accessed in % of the samples")
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def save_working_sets(snapshots: Sequence[RecordedSnapshot], path: str, min_nr_accesses: int) -> None:
    plt = _pyplot()
    sizes = working_sets(snapshots, min_nr_accesses)
    figure, axes = plt.subplots(figsize=(10, 4))
    begin = sizes[0][0]
    axes.step([(time - begin) / 1e9 for time, _ in sizes], [size / (1 << 20) for _, size in sizes], where="post")
    axes.set_xlabel("seconds")
    axes.set_ylabel("MiB accessed")
    axes.set_ylim(bottom=0)
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def save_snapshot(snapshot: RecordedSnapshot, path: str) -> None:
    plt = _pyplot()
    figure, axes = plt.subplots(figsize=(10, 4))
    position = 0.0
    for region in snapshot.regions:
        width = region.size / (1 << 20)
        share = 100 * region.nr_accesses / max(snapshot.max_nr_accesses, 1)
        axes.bar(position, share, width=width, align="edge", linewidth=0)
        position += width
    axes.set_xlabel("MiB, holes left out")
    axes.set_ylabel("accessed in % of the samples")
    axes.set_ylim(0, 100)
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)
