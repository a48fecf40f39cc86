"""damon report: what a record shows."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional

from rich.console import Console
from rich.text import Text

from .command import Command, CommandError, Progress, show_json

if TYPE_CHECKING:
    from ..records.loading import Loaded
    from ..records.model import Window

_PIPED_WIDTH = 100
_MAX_U64 = 2**64 - 1


def _width(options: argparse.Namespace) -> int:
    given: Optional[int] = options.width
    return given if given else shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns


def _show(lines: Sequence[Text], options: argparse.Namespace) -> None:
    """In colours where it is a terminal that has them; else as plain text, without blanks at the ends of lines."""
    console = Console(width=_width(options), highlight=False, soft_wrap=True)
    for line in lines:
        if console.is_terminal:
            console.print(line)
        else:
            sys.stdout.write(line.plain.rstrip() + "\n")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"'{text}' must be a number from 1 to 10000")
    return int(text)


def _chosen(found: Loaded, options: argparse.Namespace) -> Window:
    """The window of --seq, or the last."""
    if options.seq is None:
        return found.windows[-1]
    for window in found.windows:
        if window.seq == options.seq:
            return window
    raise CommandError(f"{found.path} has no window {options.seq}; it has {found.windows[0].seq} to {found.windows[-1].seq}")


def _heatmap(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import measures, pictures, text

    if options.output:
        pictures.save_heatmap(found, options.output, options.target)
        return
    width = _width(options)
    cells = measures.grid(found, options.target, options.height, min(text.cells_of(width), 400))
    if options.json:
        show_json({
            "begin_ns": cells.begin_ns, "end_ns": cells.end_ns, "spans": cells.spans,
            "addresses": [cells.axis.address(place / options.height) for place in range(options.height)],
            "share": [[None if value != value else round(value, 4) for value in row] for row in cells.share.tolist()],
            "hidden": [[round(value, 4) for value in row] for row in cells.hidden.tolist()],
        })
        return
    mappings = found.mappings_at(found.windows[-1].time_ns)
    _show(text.heatmap_lines(cells, mappings, width) + text.notes(found, found.windows), options)


def _wss(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import measures, pictures, text

    sets = measures.working_sets(found, options.min_accesses)
    if options.output:
        pictures.save_working_set_course(found, options.output, options.min_accesses)
    elif options.json:
        show_json([dataclasses.asdict(one) for one in sets])
    else:
        _show(text.working_set_lines(sets, _width(options)) + text.notes(found, found.windows), options)


def _idle(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import measures, text

    window = _chosen(found, options)
    idle = measures.idle(window)
    rows = measures.by_mapping(window, found.mappings_at(window.time_ns))
    if options.json:
        steps = [{"at_least_us": step, "bytes": size} for (step, _), size in zip(measures.IDLE_STEPS, idle.idle_bytes)]
        show_json({"seq": window.seq, "accessed_bytes": idle.accessed_bytes, "unknown_bytes": idle.unknown_bytes,
                   "idle": steps, "mappings": [dataclasses.asdict(row) for row in rows]})
        return
    _show(text.idle_lines(idle, rows, _width(options)) + text.notes(found, [window]), options)


def _snapshot(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import measures, text
    from ..views import size_text

    window = _chosen(found, options)
    rows = measures.by_mapping(window, found.mappings_at(window.time_ns))
    if options.json:
        numbers = {name: value for name, value in window.__dict__.items() if name != "regions"}
        show_json({**numbers, "total_bytes": window.total_bytes, "accessed_bytes": window.working_set_bytes(),
                   "unknown_bytes": window.unknown_bytes, "mappings": [dataclasses.asdict(row) for row in rows],
                   "regions": _regions_json(window.regions)})
        return
    program = found.header.program or "the program"
    lines = [Text(f"{program}, process {found.header.pid}, on {found.header.host or 'an unknown host'}: window {window.seq} of "
                  f"{text.duration_text((window.window_us or window.aggr_us) / 1e6)}, {len(window.regions)} regions"),
             Text(f"watched {size_text(window.total_bytes)}, accessed {size_text(window.working_set_bytes())}, "
                  f"not visible {size_text(window.unknown_bytes)}")]
    _show(lines + text.mapping_lines(rows, _width(options)) + text.notes(found, [window]), options)


def _regions_json(regions: Any) -> list[dict[str, Any]]:
    names = [name for name in regions.dtype.names if name != "reserved"]
    rows = [dict(zip(names, region)) for region in regions[names].tolist()]
    return [{**row, "idle_us": None if row["idle_us"] == _MAX_U64 else row["idle_us"]} for row in rows]


def _access(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import text

    windows = found.windows if options.all else [_chosen(found, options)]
    parts: list[dict[str, Any]] = []
    lines: list[Text] = []
    for window in windows:
        regions = window.regions[_wanted(window, options)]
        if options.json:
            parts.append({"seq": window.seq, "time_ns": window.time_ns, "max_nr_accesses": window.max_nr_accesses,
                          "regions": _regions_json(regions)})
            continue
        lines.append(Text(f"window {window.seq}: {len(regions)} of {len(window.regions)} regions"))
        lines += text.region_lines(window, regions, found.mappings_at(window.time_ns), _width(options))
    if options.json:
        show_json(parts)
    else:
        _show(lines + text.notes(found, windows), options)


def _wanted(window: Window, options: argparse.Namespace) -> Any:
    """Of each region: whether the options ask for it."""
    regions = window.regions
    rate = regions["nr_accesses"] * 100 / max(window.max_nr_accesses, 1)
    wanted = (regions["end"] - regions["start"] >= options.sz_region[0]) & (rate >= options.access_rate[0])
    wanted &= (regions["end"] - regions["start"] <= options.sz_region[1]) & (rate <= options.access_rate[1])
    seconds = regions["age_us"] / 1e6
    return wanted & (seconds >= options.age[0]) & (seconds <= options.age[1])


def _html(found: Loaded, options: argparse.Namespace) -> None:
    from ..records import page

    output = options.output or found.path + ".html"
    size = page.save(found, output, options.target)
    if options.json:
        show_json({"output": output, "bytes": size})
    else:
        print(f"{output}: {size} bytes, one file; open it in a browser")


_Report = Callable[["Loaded", argparse.Namespace], None]
_KINDS: tuple[tuple[str, _Report, str], ...] = (
    ("heatmap", _heatmap, "how often which memory was accessed, over time"),
    ("wss", _wss, "how much memory was accessed: the distribution of working set sizes"),
    ("snapshot", _snapshot, "one window: how much is accessed, by mapping"),
    ("idle", _idle, "how much memory is idle for how long, by mapping"),
    ("access", _access, "the regions of one window, or of all"),
    ("html", _html, "all of it as one file for a browser"),
)


def _add_kind(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("file", metavar="FILE", help="a record")
    parser.add_argument("--json", action="store_true", help="one JSON value instead of text")
    parser.add_argument("--width", type=_positive, help="columns (default: the terminal's)")
    if name in ("heatmap", "wss", "html"):
        what = "the page (default: FILE.html)" if name == "html" else "a picture instead (.png, .svg); needs matplotlib"
        parser.add_argument("-o", "--output", metavar="FILE", help=what)
    if name in ("heatmap", "html"):
        parser.add_argument("--target", type=int, default=0, metavar="N", help="position of the target (default: 0)")
    if name == "heatmap":
        parser.add_argument("--height", type=_positive, default=24, help="rows (default: 24)")
    if name == "wss":
        parser.add_argument("--min-accesses", type=int, default=1, metavar="N", help="of a region that counts (default: 1)")
    if name in ("snapshot", "idle", "access"):
        parser.add_argument("--seq", type=int, metavar="N", help="number of the window (default: the last)")
    if name == "access":
        parser.add_argument("--all", action="store_true", help="all windows")
        for option, unit in (("--sz_region", "bytes"), ("--access_rate", "percent"), ("--age", "seconds")):
            parser.add_argument(option, nargs=2, type=float, default=(0, float("inf")), metavar=("MIN", "MAX"),
                                help=f"only regions of so many {unit}")


def _add_options(parser: argparse.ArgumentParser) -> None:
    below = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for name, report, text in _KINDS:
        one = below.add_parser(name, help=text, description=text)
        one.set_defaults(report=report)
        _add_kind(one, name)


def _run(options: argparse.Namespace) -> int:
    try:
        from ..records.loading import load

        progress = Progress("reading: {} windows ")
        found = load(options.file, progress)
        progress.end()
        options.report(found, options)
    except ImportError as error:
        raise CommandError(f"reports need {error.name}: pip install {error.name}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    return 0


COMMANDS = (Command("report", "show what a record has in it", _add_options, _run, has_json=False),)
