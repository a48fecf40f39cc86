"""damon report html: one file that shows a record in a browser, without anything from elsewhere."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import html
import json
import os
import pathlib
import stat
import zlib
from collections.abc import Sequence
from typing import Any

from .. import _core
from ..checks import need_numpy
from ..views import size_text
from . import text
from .loading import Loaded
from .measures import IDLE_STEPS, Axis, Spread, spans_of, working_sets
from .model import IDLE_UNKNOWN, Mapping, Window

MOST_COLUMNS = 1_200  # of the heat map; more windows than that are put together
MOST_REGIONS = 300_000
_MOST_MAPPING_SETS = 20
_MOST_POINTS = 2_000  # of a chart
_UNKNOWN_SHARE = 0xFFFF
_UNKNOWN_MS = 0xFFFFFFFF
_SHARES = 10_000
_PARTS = pathlib.Path(__file__).parent / "page"


@dataclasses.dataclass
class Column:
    """A step of time in the heat map: one window, or several that were put together."""

    begin_ns: int
    end_ns: int
    window: Window  # the last
    share: Any  # of samples that found a region accessed
    hidden: Any  # of a region, what could not be looked at


def save(found: Loaded, path: str, target_idx: int = 0) -> int:
    """Writes the page, for its owner alone, as records are. Returns its size."""
    data = page_of(found, target_idx).encode("utf-8")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            os.fchmod(file.fileno(), 0o600)
        file.write(data)
    return len(data)


def page_of(found: Loaded, target_idx: int = 0) -> str:
    """The page. ValueError: the target has no regions."""
    parts = {path.name: path.read_text(encoding="utf-8") for path in _PARTS.iterdir() if path.is_file()}
    scripts = "".join(f"<script>\n{parts[name]}</script>\n" for name in sorted(parts) if name.endswith(".js"))
    data = json.dumps(data_of(found, target_idx), separators=(",", ":"), allow_nan=False)
    values = {
        "title": html.escape(f"Memory of {found.header.program or 'a program'}"),
        "style": parts["page.css"],
        "data": data.replace("<", "\\u003c"),
        "scripts": scripts,
    }
    page = parts["page.html"]
    for name, value in values.items():
        before, _, after = page.partition("{{" + name + "}}")
        page = before + value + after
    return page


def data_of(found: Loaded, target_idx: int) -> dict[str, Any]:
    """What the scripts of the page get."""
    spans = spans_of(found.windows, target_idx)
    if not spans:
        there = ", ".join(map(str, found.targets)) or "none"
        raise ValueError(f"the record has no region of target {target_idx}; targets with regions: {there}")
    columns = columns_of(found, target_idx)
    begin = min(column.begin_ns for column in columns)
    unit = 4096
    while Axis(spans).total / unit >= 2**32:
        unit *= 2
    return {
        "facts": _facts(found),
        "notes": [line.plain for line in text.notes(found, found.windows)],
        "beginMs": begin / 1e6,
        "spans": spans,
        "unit": unit,
        "columns": _packed_columns(columns, spans, unit, begin, target_idx),
        "mappings": [(one.start, one.end, one.name) for one in names_of(found, spans)],
        "workingSet": _thinned([
            [(one.time_ns - begin) / 1e9, one.accessed_bytes, one.unknown_bytes, one.total_bytes, one.rss_bytes]
            for one in working_sets(found)
        ]),
        "gaps": _gaps(found, begin),
        "schemes": _schemes(found, begin),
        "events": [[(event.time_ns - begin) / 1e9, event.name] for event in found.events if event.name in ("pause", "resume")],
        "idleSteps": [[step / 1000, words] for step, words in IDLE_STEPS],
    }


def _facts(found: Loaded) -> list[tuple[str, str]]:
    header, windows = found.header, found.windows
    began = datetime.datetime.fromtimestamp(found.times[0][0] / 1e9, datetime.timezone.utc)
    seconds = (windows[-1].time_ns - found.times[0][0]) / 1e9
    facts = [("Program", header.program or "not known"), ("Process", str(header.pid)), ("Host", header.host or "not known")]
    if header.command_line:
        facts.append(("Command line", " ".join(header.command_line)))
    facts += [(name, value) for name, value in header.labels.items()]
    check = header.access_checks.get("auto")
    if isinstance(check, dict) and isinstance(check.get("reason"), str):
        facts.append(("Access check", check["reason"]))
    facts += [
        ("Began", began.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Recorded", f"{text.duration_text(seconds)}, {found.nr_windows} windows of {text.duration_text(windows[-1].aggr_us / 1e6)}"),
        ("Sampling interval", text.duration_text(windows[-1].sample_us / 1e6)),
        ("Written by", f"libdamon {_core.version_string()}"),
    ]
    return facts


# --- the heat map ----------------------------------------------------------------------------------------------------


def columns_of(found: Loaded, target_idx: int) -> list[Column]:
    """At most MOST_COLUMNS, with at most about MOST_REGIONS regions."""
    windows, times = found.windows, found.times
    mean = sum(len(window.regions) for window in windows) / len(windows)
    most = max(min(MOST_COLUMNS, int(MOST_REGIONS / max(mean, 1))), 1)
    step = -(-len(windows) // most)
    columns, first = [], 0
    for at in range(len(windows)):
        is_gap = at + 1 < len(windows) and times[at + 1][0] > times[at][1]
        if at - first + 1 >= step or at + 1 == len(windows) or is_gap:
            columns.append(_column(windows[first:at + 1], times[first:at + 1], target_idx))
            first = at + 1
    return columns


def _column(windows: Sequence[Window], times: Sequence[tuple[int, int]], target_idx: int) -> Column:
    """The last window's regions with the means of all of them."""
    np = need_numpy("reports")
    last = Spread(windows[-1], target_idx)
    low, high = last.regions["start"].astype(float), last.regions["end"].astype(float)
    sums = np.zeros((3, len(low)))
    for window in windows:
        spread = last if window is windows[-1] else Spread(window, target_idx)
        seen = ~spread.is_unknown
        sums += [spread.between(low, high, weight) for weight in (seen * spread.share, seen * 1.0, spread.is_unknown * 1.0)]
    share = sums[0] / np.maximum(sums[1], 1)
    hidden = sums[2] / np.maximum(sums[1] + sums[2], 1)
    return Column(times[0][0], times[-1][1], windows[-1], share, hidden)


def _packed_columns(
    columns: Sequence[Column], spans: Sequence[tuple[int, int]], unit: int, begin: int, target_idx: int
) -> dict[str, Any]:
    """Begin and end in seconds, number of regions and of samples of each column; and the arrays of all regions one after
    the other: start, size, age_ms, idle_ms as u32, share as u16 (of 10,000), compressed, in base64."""
    np = need_numpy("reports")
    starts = np.array([start for start, _ in spans], float)
    before = np.concatenate(([0.0], np.cumsum([end - start for start, end in spans])[:-1]))
    arrays: list[list[Any]] = [[], [], [], [], []]
    for column in columns:
        regions = Spread(column.window, target_idx).regions
        span = np.searchsorted(starts, regions["start"].astype(float), side="right") - 1
        low = (regions["start"].astype(float) - starts[span] + before[span]) / unit
        size = (regions["end"] - regions["start"]).astype(float) / unit
        idle = np.where(regions["idle_us"] == np.uint64(IDLE_UNKNOWN), _UNKNOWN_MS, regions["idle_us"] // np.uint64(1000))
        share = np.where(column.hidden >= 0.5, _UNKNOWN_SHARE, np.rint(np.clip(column.share, 0, 1) * _SHARES))
        for array, values in zip(arrays, (low, np.maximum(size, 1), regions["age_us"] // np.uint64(1000), idle, share)):
            array.append(np.clip(values, 0, _UNKNOWN_MS))
    kinds = ("<u4", "<u4", "<u4", "<u4", "<u2")
    data = b"".join(np.concatenate(array).astype(kind).tobytes() for array, kind in zip(arrays, kinds))
    return {
        "begin": [round((column.begin_ns - begin) / 1e9, 6) for column in columns],
        "end": [round((column.end_ns - begin) / 1e9, 6) for column in columns],
        "nrRegions": [len(part) for part in arrays[0]],
        "maxNrAccesses": [column.window.max_nr_accesses for column in columns],
        "packed": base64.b64encode(zlib.compress(data, 9)).decode("ascii"),
    }


def names_of(found: Loaded, spans: Sequence[tuple[int, int]]) -> list[Mapping]:
    """The last name that each watched address had, sorted."""
    pieces: list[Mapping] = []
    for mappings in reversed(found.mappings[-_MOST_MAPPING_SETS:]):
        new = [one for one in mappings.entries if any(one.start < end and start < one.end for start, end in spans)]
        pieces = sorted(pieces + _without(new, pieces), key=lambda one: one.start)
    return pieces


def _without(new: Sequence[Mapping], there: Sequence[Mapping]) -> list[Mapping]:
    """The parts of new mappings that those which are there, sorted, leave."""
    left, at = [], 0
    for one in sorted(new, key=lambda mapping: mapping.start):
        while at < len(there) and there[at].end <= one.start:
            at += 1
        start = one.start
        for other in there[at:]:
            if other.start >= one.end:
                break
            if start < other.start:
                left.append(one._replace(start=start, end=other.start))
            start = max(start, other.end)
        if start < one.end:
            left.append(one._replace(start=start))
    return left


# --- the rest --------------------------------------------------------------------------------------------------------


def _thinned(points: list[Any]) -> list[Any]:
    """So many points that a chart can use; of those put together, the one with the largest value."""
    step = -(-len(points) // _MOST_POINTS)
    return [max(points[at:at + step], key=lambda point: point[1]) for at in range(0, len(points), step)]


def _gaps(found: Loaded, begin: int) -> list[tuple[float, float]]:
    """(begin, end) in seconds of times that were not watched."""
    times = found.times
    return [((before[1] - begin) / 1e9, (after[0] - begin) / 1e9) for before, after in zip(times, times[1:]) if after[0] > before[1]]


def _schemes(found: Loaded, begin: int) -> list[dict[str, Any]]:
    """Of each scheme: its statistics at the end, and bytes acted on over time."""
    if not found.schemes:
        return []
    schemes = []
    for place, last in enumerate(found.schemes[-1].schemes):
        course = []
        for stats in found.schemes:
            applied = stats.schemes[place].get("sz_applied") if place < len(stats.schemes) else None
            if type(applied) is int:
                course.append([(stats.time_ns - begin) / 1e9, applied])
        numbers = {name: value if type(value) is int else 0 for name, value in last.items()}
        schemes.append({
            "action": str(last.get("action", "?")), "course": _thinned(course) if course else [],
            "facts": [("Tried", f"{numbers.get('nr_tried', 0)} regions, {size_text(numbers.get('sz_tried', 0))}"),
                      ("Acted on", f"{numbers.get('nr_applied', 0)} regions, {size_text(numbers.get('sz_applied', 0))}"),
                      ("Quota reached", f"{numbers.get('qt_exceeds', 0)} times")],
        })
    return schemes
