"""Records of monitoring on disk: docs/records.md describes the format. Needs NumPy.

    with damon.monitor_self(array) as ctx, damon.records.record(ctx, "run.rec"):
        work()
    for window in damon.records.open("run.rec"):
        print(window.wall_ns, window.working_set_bytes(), window.regions["nr_accesses"])
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional, Union

from .format import RecordError
from .host import header_of, mappings_of
from .model import Event, Header, Mapping, Mappings, SchemeStats, Window
from .reader import Record
from .recorder import Recorder
from .writer import Writer

if TYPE_CHECKING:
    from ..context import Context


def open(path: Union[str, os.PathLike[str]], *, follow: bool = False, timeout: Optional[float] = None) -> Record:
    """A record, also while it is written. follow: go on with what comes up, until the writer ends the record or nothing
    comes for `timeout` seconds. RecordError: it is none; what of it is damaged is reported while it is read."""
    return Record(path, follow=follow, timeout=timeout)


def record(context: Context, path: Union[str, os.PathLike[str]], **options: Any) -> Recorder:
    """Writes each snapshot of a context to a file, until the recorder is closed or the context stops. Options:
    command_line=False leaves the command line out, labels={"service": ...} are words of your own, and those of Writer."""
    return Recorder(context, path, **options)


__all__ = ["Event", "Header", "Mapping", "Mappings", "Record", "RecordError", "Recorder", "SchemeStats", "Window", "Writer",
           "header_of", "mappings_of", "open", "record"]
