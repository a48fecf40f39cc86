"""damon export --to damo: a record as the tool damo reads it (its format "json_compressed": a JSON list of what each target
showed, compressed with zlib)."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from typing import Any

from .loading import Loaded
from .measures import Spread
from .model import Window


def save(found: Loaded, path: str) -> int:
    """Writes the file, for its owner alone. Returns the bytes that could not be looked at, summed over windows: they are
    left out, as damo would take them for idle."""
    packer, hidden = zlib.compressobj(), 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        for piece in _pieces(found):
            file.write(packer.compress(piece.encode("utf-8")))
        file.write(packer.flush())
    for window in found.windows:
        hidden += window.unknown_bytes
    return hidden


def _pieces(found: Loaded) -> Iterator[str]:
    """The text, piece by piece."""
    last = found.windows[-1]
    separator = "["
    for target in found.targets:
        record: dict[str, Any] = {
            "kdamond_idx": 0, "context_idx": 0, "scheme_idx": None, "target_id": target, "scheme_filters": [],
            "intervals": {"sample_us": last.sample_us, "aggr_us": last.aggr_us,
                          "ops_update_us": _number(found.header.attrs.get("ops_update_us"), 1_000_000)},
            "snapshots": [],
        }
        yield separator + json.dumps(record)[:-len("]}")]
        comma = ""
        for window, (begin, end) in zip(found.windows, found.times):
            yield comma + json.dumps({"start_time": begin, "end_time": end, "regions": _regions(window, target)})
            comma = ","
        yield "]}"
        separator = ","
    yield "[]" if separator == "[" else "]"


def _number(value: Any, default: int) -> int:
    return value if type(value) is int else default


def _regions(window: Window, target: int) -> list[dict[str, Any]]:
    spread = Spread(window, target)
    seen = spread.regions[~spread.is_unknown]
    names = ("start", "end", "nr_accesses", "age", "age_us")
    return [
        {"start": start, "end": end, "nr_accesses": {"samples": accesses, "percent": None},
         "age": {"usec": age_us, "aggr_intervals": age}, "probe_hits": [], "sz_filter_passed": 0}
        for start, end, accesses, age, age_us in seen[list(names)].tolist()
    ]
