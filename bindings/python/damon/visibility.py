"""Says once when most of the memory that counts cannot be looked at."""

from __future__ import annotations

import sys
import warnings

from . import _core
from .enums import AccessCheck, SnapshotFlags, UnknownReason
from .views import reasons_text, size_text, unknown_by_reason

_LEAST_SHARE = 20  # of what is watched: one part in so many that cannot be seen is worth a word


class VisibilityWarning(UserWarning):
    """Most of the memory that is watched, or in use, cannot be looked at here: it is unknown, not idle."""


class Visibility:
    """Of one context: warns at the first snapshot that shows less than it hides."""

    def __init__(self, is_wanted: bool = True) -> None:
        """Not wanted where the program says itself what can be seen: with operations of its own, in simulations."""
        self._is_quiet = not is_wanted

    def checked(self, snapshot: _core.Snapshot) -> _core.Snapshot:
        """The snapshot. Called by what the program calls itself: the warning names the caller's line."""
        if self._is_quiet or not snapshot.flags & SnapshotFlags.UNKNOWN:
            return snapshot
        unknown, total = snapshot.unknown_bytes, snapshot.total_bytes
        if unknown > snapshot.working_set_bytes() and unknown * _LEAST_SHARE >= total:
            self._is_quiet = True  # once
            by_reason = unknown_by_reason(snapshot.rows())
            warnings.warn(
                f"{size_text(unknown)} of the {size_text(total)} that are watched cannot be looked at"
                f"{reasons_text(by_reason)}: whether they are in use is not known. {_advice(next(iter(by_reason)))}",
                VisibilityWarning,
                stacklevel=_callers_level(),
            )
        return snapshot


def _callers_level() -> int:
    """Of the line of the program that led here, however many of this package's lie between."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    return level


def _advice(reason: UnknownReason) -> str:
    """What to do, for the most frequent reason."""
    if not _core.access_check_probe(AccessCheck.AUTO)["available"]:
        return ("This kernel does not show accesses to private memory (see damon.probe_access_check()); memory of "
                "damon.shared_array() and damon.shared_memory() can be seen on every kernel.")
    if reason not in (UnknownReason.HUGE_PAGE, UnknownReason.OTHER, UnknownReason.NONE):
        return "Memory of damon.shared_array() and damon.shared_memory() can be seen on every kernel."
    words = "" if reason == UnknownReason.HUGE_PAGE else "Huge pages are the usual reason. "
    if "numpy" in sys.modules:
        return (words + "NumPy asks for huge pages for arrays of 4 MiB or more: start Python with "
                "NUMPY_MADVISE_HUGEPAGE=0 in its environment, or use damon.shared_array(), whose memory can be seen on "
                "every kernel.")
    return words + "Memory of damon.shared_memory() can be seen on every kernel."
