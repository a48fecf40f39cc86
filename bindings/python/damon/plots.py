"""The same as pictures (PNG, SVG and what else matplotlib writes); needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from .record import RecordedSnapshot
from .summaries import window_text
from .views import Heatmap, heatmap, notes_on, share_of, size_text, windows_of, working_sets

_MIB = 1 << 20
_COLOURS = "inferno"
_HIDDEN: dict[str, Any] = {"facecolor": "0.8", "edgecolor": "0.55", "hatch": "////", "linewidth": 0}


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise SystemExit("pictures need matplotlib: pip install matplotlib, or leave --output away") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot

    return matplotlib.pyplot


def _save(plt: Any, figure: Any, axes: Any, path: str, title: str, notes: Sequence[str]) -> None:
    axes.set_title("\n".join((title, *notes)), fontsize=10, loc="left")
    figure.savefig(path, bbox_inches="tight", dpi=120)
    plt.close(figure)


def _legend_for_hidden(axes: Any, label: str = "not visible") -> None:
    from matplotlib.patches import Patch

    axes.legend(handles=[Patch(label=label, **_HIDDEN)], loc="upper right", framealpha=0.9)


def _label_addresses(axes: Any, found: Heatmap) -> None:
    """One span: MiB from its start. Several: a line and an address where each one begins, if there is room."""
    if len(found.spans) == 1:
        axes.set_ylabel(f"MiB from {found.spans[0][0]:#x}")
        return
    total = sum(end - start for start, end in found.spans)
    places: list[tuple[int, float, int]] = []  # (size, MiB shown below, address) of each span
    before = 0
    for start, end in found.spans:
        if before > 0:
            axes.axhline(before / _MIB, color="white", linewidth=1)
        places.append((end - start, before / _MIB, start))
        before += end - start
    ticks: dict[float, str] = {}
    for _, height, start in sorted(places, reverse=True):  # the largest first: there may not be room for all
        if all(abs(height - other) > total / _MIB / 25 for other in ticks):
            ticks[height] = f"{start:#x}"
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylabel("address (what lies between is left out)")


def save_heatmap(snapshots: Sequence[RecordedSnapshot], path: str, target_idx: int) -> None:
    """Time to the right, addresses upwards. Black: idle. Hatched: not visible. White: not watched then."""
    save_cells(heatmap(snapshots, target_idx=target_idx, places=300, times=400), path, target_idx,
               notes_on(snapshots, target_idx))


def save_cells(found: Heatmap, path: str, target_idx: int, notes: Sequence[str]) -> None:
    """The same of cells."""
    plt = _pyplot()
    nan = float("nan")
    nr_times, nr_places = len(found.rows), len(found.rows[0])
    cells = [[nan] * nr_times for _ in range(nr_places)]
    blank = [[nan] * nr_times for _ in range(nr_places)]
    for time, row in enumerate(found.rows):
        for place, share in enumerate(row):
            if found.is_hidden(time, place):
                continue  # what lies behind shows
            if share is None:
                blank[place][time] = 1.0
            else:
                cells[place][time] = share * 100
    figure, axes = plt.subplots(figsize=(10, 6))
    mebibytes = sum(end - start for start, end in found.spans) / _MIB
    seconds = max(found.seconds, 1e-9)
    drawn = {"aspect": "auto", "origin": "lower", "interpolation": "nearest", "extent": (0, seconds, 0, mebibytes)}
    if any(value > 0 for row in found.hidden for value in row):
        axes.add_patch(plt.Rectangle((0, 0), seconds, mebibytes, zorder=-1, **_HIDDEN))
        _legend_for_hidden(axes)
    axes.imshow(blank, cmap="gray", vmin=0, vmax=1, **drawn)
    image = axes.imshow(cells, cmap=_COLOURS, vmin=0, vmax=100, **drawn)
    axes.set_xlabel("seconds")
    _label_addresses(axes, found)
    figure.colorbar(image, label="accessed in % of the samples")
    title = f"Accesses to {size_text(round(mebibytes * _MIB))} over {found.seconds:.3g} s (target {target_idx})"
    _save(plt, figure, axes, path, title, notes)


def save_working_sets(
    snapshots: Sequence[RecordedSnapshot], path: str, min_nr_accesses: int, notes: Optional[Sequence[str]] = None
) -> None:
    """Bytes accessed over time; what could not be looked at is stacked on top, hatched."""
    plt = _pyplot()
    sizes = working_sets(snapshots, min_nr_accesses)
    figure, axes = plt.subplots(figsize=(10, 4))
    windows = windows_of(snapshots)
    begin = windows[0][0]
    times: list[float] = []
    found: list[float] = []
    most: list[float] = []  # if all that is not visible is accessed
    for (opened, closed), (_, size), snapshot in zip(windows, sizes, snapshots):
        if times and (opened - begin) / 1e9 > times[-1]:
            times.append(times[-1])  # not watched in between: no line
            found.append(float("nan"))
            most.append(float("nan"))
        times += [(opened - begin) / 1e9, (closed - begin) / 1e9]
        found += [size / _MIB] * 2
        most += [(size + snapshot.unknown_bytes) / _MIB] * 2
    axes.plot(times, found)
    if any(snapshot.unknown_bytes for snapshot in snapshots):
        axes.fill_between(times, found, most, **_HIDDEN)
        _legend_for_hidden(axes, "not visible: may be accessed as well")
    axes.set_xlim(left=0)
    highest = max(value for value in most if value == value)
    axes.set_ylim(0, max(highest * 1.25, 1e-3))
    axes.set_xlabel("seconds")
    axes.set_ylabel("MiB")
    words = "a window" if min_nr_accesses <= 1 else f"at least {min_nr_accesses} samples of a window"
    _save(plt, figure, axes, path, f"Memory accessed in {words}", notes_on(snapshots) if notes is None else notes)


def save_snapshot(snapshot: RecordedSnapshot, path: str) -> None:
    """The regions side by side: width is size, height and colour are accesses."""
    plt = _pyplot()
    colour = plt.get_cmap(_COLOURS)
    figure, axes = plt.subplots(figsize=(10, 4))
    position = 0.0
    for region in snapshot.regions:
        width = region.size / _MIB
        if region.unknown:
            axes.bar(position, 100, width=width, align="edge", **_HIDDEN)
        else:
            share = share_of(region.nr_accesses, snapshot.max_nr_accesses)
            # An idle region has a line, too. The brightest colours could not be told from the background.
            axes.bar(position, max(100 * share, 1), width=width, align="edge", linewidth=0, color=colour(share * 0.85))
        position += width
    if snapshot.unknown_bytes:
        _legend_for_hidden(axes)
    axes.set_xlabel("MiB of watched memory (what lies between is left out)")
    axes.set_xlim(0, max(position, 1e-9))
    axes.set_ylabel("accessed in % of the samples")
    axes.set_ylim(0, 100)
    title = f"Snapshot {snapshot.seq}: {len(snapshot.regions)} regions, window of {window_text(snapshot)}"
    _save(plt, figure, axes, path, title, notes_on([snapshot]))
