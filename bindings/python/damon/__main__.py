"""python -m damon heatmap|wss|snapshot FILE: what a context recorded with Context.record()."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Optional

from . import plots
from .errors import DamonError
from .record import RecordedSnapshot, read_record
from .views import heatmap, percentile, size_text, working_sets

SHADES = " .:-=+*#%@"


def _heatmap(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    if options.output:
        plots.save_heatmap(snapshots, options.output, options.target)
        return
    found = heatmap(snapshots, target_idx=options.target, width=options.width, height=options.height)
    for row in found.rows:
        print("".join(" " if cell is None else SHADES[min(int(cell * len(SHADES)), len(SHADES) - 1)] for cell in row))
    print(f"{(found.end_ns - found.begin_ns) / 1e9:.1f} s from top to bottom; from left to right:")
    for start, end in found.spans:
        print(f"  {start:#x}-{end:#x} ({size_text(end - start)})")
    print(f"accessed in 0 % '{SHADES[0]}' to 100 % '{SHADES[-1]}' of the samples")


def _wss(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    if options.output:
        plots.save_working_sets(snapshots, options.output, options.min_accesses)
        return
    sizes = [size for _, size in working_sets(snapshots, options.min_accesses)]
    highest = max(max(sizes), 1)
    for percent in (0, 25, 50, 75, 90, 99, 100):
        size = percentile(sizes, percent)
        print(f"{percent:3} % {size_text(size):>12} {'#' * round(options.width * size / highest * 0.7)}")
    print(f"{len(sizes)} snapshots")


def _snapshot(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    chosen = [s for s in snapshots if s.seq == options.seq] if options.seq is not None else list(snapshots[-1:])
    if not chosen:
        raise SystemExit(f"no snapshot {options.seq}; there are {snapshots[0].seq} to {snapshots[-1].seq}")
    snapshot = chosen[0]
    if options.output:
        plots.save_snapshot(snapshot, options.output)
        return
    print(f"snapshot {snapshot.seq}: {len(snapshot.regions)} regions, windows of {snapshot.aggr_us / 1000:g} ms")
    for region in snapshot.regions:
        share = "   ?" if region.flags & 1 else f"{100 * region.nr_accesses // max(snapshot.max_nr_accesses, 1):3}%"
        print(f"{region.target_idx:3} {region.start:#x}-{region.end:#x} {size_text(region.size):>10} {share} "
              f"for {region.age} windows")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m damon", description="Shows what Context.record() wrote.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, text in (
        ("heatmap", _heatmap, "how often which memory was accessed, over time"),
        ("wss", _wss, "how much memory was accessed: the distribution of working set sizes"),
        ("snapshot", _snapshot, "the regions of one snapshot"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("file", help="a recording")
        command.add_argument("-o", "--output", help="write a picture instead (.png, .svg); needs matplotlib")
        command.add_argument("--width", type=int, default=80, help="columns (default: 80)")
        if name == "heatmap":
            command.add_argument("--height", type=int, default=40, help="rows at most (default: 40)")
            command.add_argument("--target", type=int, default=0, help="position of the target (default: 0)")
        if name == "wss":
            command.add_argument("--min-accesses", type=int, default=1, help="of a region that counts (default: 1)")
        if name == "snapshot":
            command.add_argument("--seq", type=int, help="number of the snapshot (default: the last)")
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.width < 1 or getattr(options, "height", 1) < 1:
            raise ValueError("--width and --height must be 1 or more")
        snapshots = list(read_record(options.file))
        if not snapshots:
            raise ValueError(f"{options.file} has no snapshot: the context ran for less than one aggregation interval")
        options.run(snapshots, options)
    except BrokenPipeError:
        return 0
    except (DamonError, OSError, ValueError) as error:
        print(f"python -m damon: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
