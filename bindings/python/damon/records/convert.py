"""Windows from what else there is: snapshots, and what an agent writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from ..checks import need_numpy
from .model import DTYPE, IDLE_UNKNOWN, Window

if TYPE_CHECKING:
    from .._core import Snapshot
    from ..agent_page import WindowRecord
    from ..record import RecordedSnapshot

_OF_SNAPSHOT = ("time_ns", "seq", "window_us", "sample_us", "aggr_us", "max_nr_accesses", "nr_targets", "flags")
_OF_AGENT = (*_OF_SNAPSHOT, "wall_ns", "rss_bytes", "cpu_ns", "nr_samples", "nr_unknown_samples", "cost_permil")


def regions_of(rows: Any) -> Any:
    """A region array from tuples in the order of RecordedRegion."""
    np = need_numpy("records")
    regions = np.zeros(len(rows), np.dtype(list(DTYPE)))
    names = ("start", "end", "target_idx", "nr_accesses", "age", "flags", "age_us", "idle_us", "unknown_reason")
    for place, name in enumerate(names):
        regions[name] = [IDLE_UNKNOWN if row[place] is None else row[place] for row in rows]
    return regions


def checked(regions: Any) -> Any:
    """The regions; ValueError where one of them is none."""
    wrong = regions[regions["start"] >= regions["end"]]
    if len(wrong):
        raise ValueError(f"a region begins at {int(wrong[0]['start']):#x} and ends at {int(wrong[0]['end']):#x}; "
                         "its start must be below its end")
    return regions


def window_of(snapshot: Union[Window, Snapshot, RecordedSnapshot], wall_ns: int, **more: int) -> Window:
    """A window from a snapshot. more: the members of Window that snapshots do not have."""
    if isinstance(snapshot, Window):
        return snapshot
    np = need_numpy("records")
    regions = snapshot.regions
    if not isinstance(regions, np.ndarray):
        regions = regions_of(snapshot.rows())
    values = {name: int(getattr(snapshot, name)) for name in _OF_SNAPSHOT}
    return Window(**values, wall_ns=wall_ns, regions=checked(regions), **more)


def window_of_agent(record: WindowRecord) -> Window:
    """A window from what an agent wrote."""
    np = need_numpy("records")
    data = record.payload
    regions = np.frombuffer(data, np.dtype(list(DTYPE)), record.nr_regions, len(data) - record.nr_regions * 56)
    return Window(**{name: getattr(record, name) for name in _OF_AGENT}, regions=checked(regions))
