"""damon export --to parquet: one row a region and window, in folders by host and day. Needs pyarrow."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import Any

from ..checks import need, need_numpy
from ..enums import RegionFlags
from .loading import Loaded
from .model import IDLE_UNKNOWN, Mapping, Window

_ROWS = 200_000  # in a group of rows
_DAY_NS = 86_400 * 10**9


def schema() -> Any:
    """Columns of the files. `host` and `day` are in the paths."""
    arrow = need("pyarrow", "damon export --to parquet")
    names = arrow.dictionary(arrow.int32(), arrow.string())
    return arrow.schema([
        ("time", arrow.timestamp("ns", tz="UTC")), ("window_us", arrow.uint64()), ("service", names), ("program", names),
        ("pid", arrow.uint64()), ("record", names), ("labels", names), ("seq", arrow.uint64()), ("target", arrow.uint32()),
        ("mapping", names), ("start", arrow.uint64()), ("bytes", arrow.uint64()), ("nr_accesses", arrow.uint32()),
        ("max_nr_accesses", arrow.uint32()), ("age_us", arrow.uint64()), ("idle_us", arrow.uint64()),
        ("unknown", arrow.bool_()), ("writes_only", arrow.bool_()),
    ])


def save(found: Loaded, folder: str) -> tuple[list[str], int]:
    """Writes FOLDER/host=HOST/day=YYYY-MM-DD/RECORD.parquet. Returns (their paths, number of rows)."""
    np = need_numpy("damon export --to parquet")
    paths, rows = [], 0
    days: dict[int, list[Window]] = {}
    for window in found.windows:
        days.setdefault(window.time_ns // _DAY_NS, []).append(window)
    for day, windows in sorted(days.items()):
        host = re.sub(r"[^\w.-]", "_", found.header.host) or "unknown"
        name = re.sub(r"\W", "", found.header.record_id) or "record"
        path = os.path.join(folder, f"host={host}", f"day={np.datetime64(day, 'D')}", f"{name}.parquet")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        rows += _save_day(found, windows, path)
        paths.append(path)
    return paths, rows


def _save_day(found: Loaded, windows: Sequence[Window], path: str) -> int:
    parquet = need("pyarrow.parquet", "damon export --to parquet")
    rows, waiting, nr_waiting = 0, [], 0
    with parquet.ParquetWriter(path, schema(), compression="zstd") as writer:
        for window in windows:
            waiting.append(window)
            nr_waiting += len(window.regions)
            if nr_waiting >= _ROWS:
                writer.write_table(_table(found, waiting))
                rows, waiting, nr_waiting = rows + nr_waiting, [], 0
        if nr_waiting:
            writer.write_table(_table(found, waiting))
    return rows + nr_waiting


def _table(found: Loaded, windows: Sequence[Window]) -> Any:
    np, arrow = need_numpy("damon export --to parquet"), need("pyarrow", "damon export --to parquet")
    regions = np.concatenate([window.regions for window in windows])
    counts = [len(window.regions) for window in windows]
    header = found.header

    def of_window(name: str) -> Any:
        return np.repeat(np.array([getattr(window, name) for window in windows], "<u8"), counts)

    def same(text: str) -> Any:
        return arrow.DictionaryArray.from_arrays(np.zeros(len(regions), "<i4"), [text])

    columns = {
        "time": arrow.array(of_window("time_ns").astype("<i8"), arrow.timestamp("ns", tz="UTC")),
        "window_us": of_window("window_us"), "service": same(header.labels.get("service", header.program)),
        "program": same(header.program), "pid": np.full(len(regions), header.pid, "<u8"), "record": same(header.record_id),
        "labels": same(json.dumps(header.labels, sort_keys=True)), "seq": of_window("seq"), "target": regions["target_idx"],
        "mapping": _names(found, windows, regions, counts), "start": regions["start"],
        "bytes": regions["end"] - regions["start"], "nr_accesses": regions["nr_accesses"],
        "max_nr_accesses": of_window("max_nr_accesses").astype("<u4"), "age_us": regions["age_us"],
        "idle_us": arrow.array(regions["idle_us"], mask=regions["idle_us"] == np.uint64(IDLE_UNKNOWN)),
        "unknown": (regions["flags"] & int(RegionFlags.UNKNOWN)) != 0,
        "writes_only": (regions["flags"] & int(RegionFlags.WRITES_ONLY)) != 0,
    }
    return arrow.table([columns[field.name] for field in schema()], schema=schema())


def _names(found: Loaded, windows: Sequence[Window], regions: Any, counts: Sequence[int]) -> Any:
    """Of each region: the name of the mapping in its middle."""
    np, arrow = need_numpy("damon export --to parquet"), need("pyarrow", "damon export --to parquet")
    names: dict[str, int] = {"": 0}
    middles = regions["start"] + (regions["end"] - regions["start"]) // 2
    places = np.zeros(len(regions), "<i4")
    tables: dict[int, tuple[Any, Any, Any]] = {}
    at = 0
    for window, count in zip(windows, counts):
        mappings = found.mappings_at(window.time_ns)
        if mappings:
            if id(mappings) not in tables:
                tables[id(mappings)] = _lookup(mappings, names)
            starts, ends, numbers = tables[id(mappings)]
            middle = middles[at:at + count]
            place = np.searchsorted(starts, middle, side="right") - 1
            places[at:at + count] = np.where((place >= 0) & (middle < ends[place]), numbers[place], 0)
        at += count
    return arrow.DictionaryArray.from_arrays(places, list(names))


def _lookup(mappings: Sequence[Mapping], names: dict[str, int]) -> tuple[Any, Any, Any]:
    np = need_numpy("damon export --to parquet")
    ordered = sorted(mappings)
    numbers = [names.setdefault(one.name, len(names)) for one in ordered]
    return (np.array([one.start for one in ordered], "<u8"), np.array([one.end for one in ordered], "<u8"),
            np.array(numbers, "<i4"))
