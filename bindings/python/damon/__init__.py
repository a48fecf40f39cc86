"""Data access monitoring of the running program: how hot is which memory, and act on it.

    import damon, numpy

    array = numpy.zeros(1 << 24)
    with damon.monitor_self(array) as ctx:
        for snapshot in ctx.snapshots():
            print(snapshot.regions)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Union

from . import _core
from ._core import Region, Sample, Samples, SharedDeclaration, SharedMemory, Snapshot
from .arrays import ArraySlice
from .checks import expect, microseconds, named, need_numpy, number
from .context import Context, start, stop
from .enums import (
    AccessCheck,
    Action,
    CallFlags,
    CoverageFlags,
    Drive,
    FilterType,
    OperationsFlags,
    Ops,
    ProbeFilterType,
    QuotaGoalMetric,
    QuotaGoalTuner,
    RangeFlags,
    RegionFlags,
    SchemeFlags,
    Seen,
    Sees,
    SimPatternKind,
    SimRangeFlags,
    Skip,
    SnapshotFlags,
    State,
    UnknownReason,
    WmarkMetric,
)
from .errors import (
    BusyError,
    CanceledError,
    ClosedError,
    DamonError,
    ForkError,
    InvalidParameterError,
    NotFoundError,
    OutOfMemoryError,
    SnapshotTimeoutError,
    UnsupportedError,
    WouldDeadlockError,
)
from .live import live
from .operations import Operations
from .options import ContextOptions
from .params import (
    AccessCheckInfo,
    AccessPattern,
    Attrs,
    Filter,
    IntervalsGoal,
    MigrateDest,
    Quota,
    QuotaGoal,
    Scheme,
    SchemeStat,
    Stats,
    Target,
    Watermarks,
)
from .policies import ActionStats, LruSort, Probe, ProbeFilter, Reclaim, Summary, skip_text
from .profiling import Profile, profile
from .record import RecordedRegion, RecordedSnapshot, read_record
from .records.recorder import Recorder
from .visibility import VisibilityWarning
from .waiting import RepeatCall, Snapshots
from .watching import Exclusion, RangeAnswer, StateInfo, WorkerAttr, WorkingSet

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import MonitorOptions

__version__: str = _core.version_string()
LIBRARY_VERSION: int = _core.version()  # major << 16 | minor << 8 | patch


def monitor_self(*buffers: Any, schemes: Iterable[Scheme] = (), **options: Unpack[MonitorOptions]) -> Context:
    """A started context on these buffers, or on all mappings of this process. Options: those of Attrs and Context."""
    given: dict[str, Any] = dict(options)
    names = set(Attrs.__dataclass_fields__)
    named(given, (*Attrs.__dataclass_fields__, *ContextOptions.__annotations__, "attrs", "manual"), "monitor_self()")
    fields = {name: given.pop(name) for name in list(given) if name in names}
    attrs = given.pop("attrs", None)
    if attrs is None:
        attrs = Attrs()
    expect(attrs, Attrs, "attrs")
    targets = [Target.of(*buffers)] if buffers else [Target()]
    context = Context(dataclasses.replace(attrs, **fields), targets, schemes, **given)
    context._enters_running = True
    context.start()
    return context


def nr_running() -> int:
    """How many contexts of this process run."""
    return _core.nr_running_ctxs()


def strerror(number: int) -> str:
    """What an error number means in the library."""
    return _core.strerror(number)


def probe_access_check(access_check: Union[AccessCheck, int] = AccessCheck.AUTO) -> AccessCheckInfo:
    """Tries an access check on a page of its own. AUTO: what ordinary private memory gets."""
    return AccessCheckInfo(**_core.access_check_probe(access_check))


def exclude(excluded: Any) -> Exclusion:
    """Keeps every context of this process away from a buffer or a range (start, end) of whole pages: when it returns, no
    mark, registration or action touches it."""
    return Exclusion(excluded)


def shared_memory(size: int) -> SharedMemory:
    """Zeroed memory whose reads and writes can be seen on every kernel, as a buffer: `numpy.frombuffer(memory)`."""
    return SharedMemory(size)


def shared_array(shape: Any, dtype: Any = float) -> Any:
    """The same as a NumPy array of zeroes."""
    numpy = need_numpy("shared_array()")
    wanted = numpy.dtype(dtype)
    lengths = [number(length, "a length of shape") for length in (shape if isinstance(shape, Iterable) else [shape])]
    size = math.prod(lengths) * wanted.itemsize
    return numpy.frombuffer(memoryview(SharedMemory(size)), dtype=wanted, count=size // wanted.itemsize).reshape(lengths)


def shared_declare(buffer: Any) -> SharedDeclaration:
    """Declares a MAP_SHARED mapping of the program's own (an mmap.mmap) so that its reads can be seen on every kernel.
    It cannot be unmapped until it is withdrawn: at the end of a `with` block, by withdraw(), or when it is deleted."""
    return SharedDeclaration(buffer)


__all__ = [
    "AccessCheck",
    "AccessCheckInfo",
    "AccessPattern",
    "Action",
    "ActionStats",
    "ArraySlice",
    "Attrs",
    "BusyError",
    "CallFlags",
    "CanceledError",
    "ClosedError",
    "Context",
    "CoverageFlags",
    "DamonError",
    "Drive",
    "Exclusion",
    "Filter",
    "FilterType",
    "ForkError",
    "IntervalsGoal",
    "InvalidParameterError",
    "LIBRARY_VERSION",
    "LruSort",
    "MigrateDest",
    "NotFoundError",
    "Operations",
    "OperationsFlags",
    "Ops",
    "OutOfMemoryError",
    "Probe",
    "ProbeFilter",
    "ProbeFilterType",
    "Profile",
    "Quota",
    "QuotaGoal",
    "QuotaGoalMetric",
    "QuotaGoalTuner",
    "RangeAnswer",
    "RangeFlags",
    "Reclaim",
    "RecordedRegion",
    "RecordedSnapshot",
    "Recorder",
    "Region",
    "RegionFlags",
    "RepeatCall",
    "Sample",
    "Samples",
    "Scheme",
    "SchemeFlags",
    "SchemeStat",
    "Seen",
    "Sees",
    "SharedDeclaration",
    "SharedMemory",
    "SimPatternKind",
    "SimRangeFlags",
    "Skip",
    "Snapshot",
    "SnapshotFlags",
    "SnapshotTimeoutError",
    "Snapshots",
    "State",
    "StateInfo",
    "Stats",
    "Summary",
    "Target",
    "UnknownReason",
    "UnsupportedError",
    "VisibilityWarning",
    "Watermarks",
    "WmarkMetric",
    "WorkerAttr",
    "WorkingSet",
    "WouldDeadlockError",
    "__version__",
    "exclude",
    "live",
    "microseconds",
    "monitor_self",
    "nr_running",
    "probe_access_check",
    "profile",
    "read_record",
    "shared_array",
    "shared_declare",
    "shared_memory",
    "skip_text",
    "start",
    "stop",
    "strerror",
]
