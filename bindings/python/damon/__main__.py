"""python -m damon record SCRIPT records a program; heatmap, wss and snapshot show what was recorded."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Optional

from . import plots, profiling
from .errors import DamonError
from .record import RecordedRegion, RecordedSnapshot, read_record
from .summaries import HIDDEN, SHADES, shade
from .views import Heatmap, heatmap, notes_on, percentile, share_of, size_text, working_sets

def _address_at(found: Heatmap, place: int) -> int:
    """Where a row of the picture begins."""
    total = sum(end - start for start, end in found.spans)
    left = total * place // len(found.rows[0])
    for start, end in found.spans:
        if left < end - start:
            return start + left
        left -= end - start
    return found.spans[-1][1]


def _heatmap(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    if options.output:
        plots.save_heatmap(snapshots, options.output, options.target)
        return
    found = heatmap(snapshots, target_idx=options.target, places=options.height, times=options.width)
    size = sum(end - start for start, end in found.spans)
    print(f"accesses to {size_text(size)} over {found.seconds:.3g} s, as in the picture: time to the right, addresses upwards")
    for place in reversed(range(options.height)):
        cells = (shade(row[place], found.is_hidden(time, place)) for time, row in enumerate(found.rows))
        print(f"{_address_at(found, place) & ~0xFFF:#16x} |{''.join(cells)}|")
    ends = f"{found.seconds:.3g} s"
    print(" " * 17 + "0 s" + ends.rjust(max(options.width - 1, len(ends) + 1)))
    print(f"accessed in 0 % '{SHADES[0]}' to 100 % '{SHADES[-1]}' of the samples; '{HIDDEN}': not visible; blank: not watched")
    _print_notes(notes_on(snapshots, options.target))


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        print(note)


def _wss(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    if options.output:
        plots.save_working_sets(snapshots, options.output, options.min_accesses)
        return
    sizes = [size for _, size in working_sets(snapshots, options.min_accesses)]
    highest = max(max(sizes), 1)
    bound = ">= " if any(snapshot.unknown_bytes for snapshot in snapshots) else ""
    for percent in (0, 25, 50, 75, 90, 99, 100):
        size = percentile(sizes, percent)
        bar = "#" * round(options.width * size / highest * 0.7)
        print(f"{percent:3} % {bound + size_text(size):>12} {bar}".rstrip())
    print(f"{len(sizes)} snapshots" + (": lower bounds, as some memory was not visible" if bound else ""))
    _print_notes(notes_on(snapshots))


def _share_text(region: RecordedRegion, snapshot: RecordedSnapshot) -> str:
    if region.unknown:
        return "   ?"
    return f"{100 * share_of(region.nr_accesses, snapshot.max_nr_accesses):3.0f}%"


def _snapshot(snapshots: Sequence[RecordedSnapshot], options: argparse.Namespace) -> None:
    chosen = [s for s in snapshots if s.seq == options.seq] if options.seq is not None else list(snapshots[-1:])
    if not chosen:
        raise ValueError(f"{options.file} has no snapshot {options.seq}; it has {snapshots[0].seq} to {snapshots[-1].seq}")
    snapshot = chosen[0]
    if options.output:
        plots.save_snapshot(snapshot, options.output)
        return
    print(f"snapshot {snapshot.seq}: {len(snapshot.regions)} regions, windows of {snapshot.aggr_us / 1000:g} ms")
    for region in snapshot.regions:
        print(f"{region.target_idx:3} {region.start:#x}-{region.end:#x} {size_text(region.size):>10} "
              f"{_share_text(region, snapshot)} for {region.age} windows")
    if any(region.unknown for region in snapshot.regions):
        print("?: not visible, which does not mean idle")
    _print_notes(notes_on([snapshot]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m damon", description="Records the memory that a program uses, and shows recordings.")
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record", help="run a Python program and record which memory it uses")
    record.set_defaults(run=None)
    profiling.add_options(record)
    for name, run, text in (
        ("heatmap", _heatmap, "how often which memory was accessed, over time"),
        ("wss", _wss, "how much memory was accessed: the distribution of working set sizes"),
        ("snapshot", _snapshot, "the regions of one snapshot"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("file", help="a recording")
        command.add_argument("-o", "--output", help="write a picture instead (.png, .svg); needs matplotlib")
        command.add_argument("--width", type=int, default=72, help="columns (default: 72)")
        if name == "heatmap":
            command.add_argument("--height", type=int, default=24, help="rows (default: 24)")
            command.add_argument("--target", type=int, default=0, help="position of the target (default: 0)")
        if name == "wss":
            command.add_argument("--min-accesses", type=int, default=1, help="of a region that counts (default: 1)")
        if name == "snapshot":
            command.add_argument("--seq", type=int, help="number of the snapshot (default: the last)")
    return parser


def _words_of(error: Exception) -> str:
    """With the name of the file, where the system refuses one."""
    words = getattr(error, "strerror", None) or str(error)
    name = getattr(error, "filename", None)
    return f"{name}: {words}" if name else words


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _parser().parse_args(arguments)
    if options.run is None:
        profiling.run(options)  # exceptions are the program's
        return 0
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
        print(f"python -m damon: {_words_of(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
