"""Regions as parts of an array, and snapshots as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core
from .checks import need

if TYPE_CHECKING:
    from ._core import Region, Snapshot

_COLUMNS = ("start", "end", "target_idx", "nr_accesses", "age", "flags", "age_us", "idle_us", "unknown_reason")


class ArraySlice(NamedTuple):
    """A region's part of an array: array[start:stop], whose first byte is `offset` bytes into it. An element that lies in
    two regions is in both."""

    region: Region
    offset: int
    start: int
    stop: int

    @property
    def slice(self) -> slice:
        """`array[part.slice]`."""
        return slice(self.start, self.stop)


def slices(snapshot: Snapshot, array: Any) -> list[ArraySlice]:
    """Which region is which part of the array, in its order. Of arrays with several dimensions: which rows."""
    view = memoryview(array)
    if not view.c_contiguous:
        raise ValueError("the array's rows do not lie one after the other in memory: pass its base array")
    held = _core.Buffer(array)
    begin, end = held.start, held.end
    held.release()
    rows = view.shape[0] if view.shape else 1
    row_bytes = max((end - begin) // max(rows, 1), 1)
    found = []
    for region in snapshot:
        low, high = max(region.start, begin), min(region.end, end)
        if low < high:
            found.append(ArraySlice(region, low - begin, (low - begin) // row_bytes, -(-(high - begin) // row_bytes)))
    return sorted(found, key=lambda part: part.offset)


def _columns(snapshot: Snapshot) -> dict[str, list[Any]]:
    rows = snapshot.rows()
    return {name: [row[at] for row in rows] for at, name in enumerate(_COLUMNS)}


def to_pandas(snapshot: Snapshot) -> Any:
    """A pandas DataFrame of the regions."""
    frame = need("pandas", "to_pandas()").DataFrame(_columns(snapshot))
    return frame.astype({"idle_us": "UInt64", "start": "uint64", "end": "uint64"})


def to_polars(snapshot: Snapshot) -> Any:
    """A polars DataFrame of the regions."""
    polars = need("polars", "to_polars()")
    wide = dict.fromkeys(("start", "end", "age_us", "idle_us"), polars.UInt64)
    return polars.DataFrame(_columns(snapshot), schema_overrides=wide)


def to_arrow(snapshot: Snapshot) -> Any:
    """A pyarrow Table of the regions."""
    arrow = need("pyarrow", "to_arrow()")
    wide = ("start", "end", "age_us", "idle_us")
    columns = _columns(snapshot)
    return arrow.table({name: arrow.array(column, arrow.uint64() if name in wide else arrow.int64())
                        for name, column in columns.items()})
