"""One family of exceptions. Each is an OSError with an errno; the text is the library's own and says what is wrong."""

from __future__ import annotations

import errno

from .words import in_python


class DamonError(OSError):
    """A call of the library failed; `errno` is a number of the errno module, `strerror` says why in words."""


class InvalidParameterError(DamonError, ValueError):
    """A parameter is wrong (EINVAL, E2BIG); nothing was changed."""


class BusyError(DamonError):
    """Not while the context runs, or not while another one does (EBUSY)."""


class CanceledError(DamonError):
    """The context does not run, or ended before it was done (ECANCELED)."""


class WouldDeadlockError(DamonError):
    """A callback asked for something that would wait for the callback itself (EDEADLK)."""


class UnsupportedError(DamonError):
    """This cannot be done on this system or with this kind of context (EOPNOTSUPP)."""


class OutOfMemoryError(DamonError):
    """ENOMEM."""


class ForkError(DamonError):
    """The context belongs to the parent process (ECHILD): make one in this process."""


class SnapshotTimeoutError(DamonError, TimeoutError):
    """No new snapshot in time (ETIMEDOUT)."""


class ClosedError(DamonError, ValueError):
    """The context was closed (EBADF)."""


class NotFoundError(DamonError, LookupError):
    """There is no such thing (ENOENT)."""


_CLASSES: dict[int, type[DamonError]] = {
    errno.EINVAL: InvalidParameterError,
    errno.E2BIG: InvalidParameterError,
    errno.EBUSY: BusyError,
    errno.ECANCELED: CanceledError,
    errno.EDEADLK: WouldDeadlockError,
    errno.EOPNOTSUPP: UnsupportedError,
    errno.ENOMEM: OutOfMemoryError,
    errno.ECHILD: ForkError,
    errno.ETIMEDOUT: SnapshotTimeoutError,
    errno.EBADF: ClosedError,
    errno.ENOENT: NotFoundError,
}

def error_for(number: int, text: str) -> DamonError:
    """The exception for a positive errno; called by the extension."""
    return _CLASSES.get(number, DamonError)(number, in_python(text))
