"""What a context sees, in the terminal, as it goes on."""

from __future__ import annotations

import sys
from time import monotonic
from typing import IO, TYPE_CHECKING, Optional

from .checks import microseconds, number
from .errors import SnapshotTimeoutError
from .summaries import snapshot_text

if TYPE_CHECKING:
    from .context import Context

_UP = "\x1b[{}A\x1b[J"  # so many lines up, and clear what follows


def live(context: Context, *, seconds: Optional[float] = None, width: int = 64, file: Optional[IO[str]] = None) -> None:
    """Shows the last snapshot, in place, until the context stops, Ctrl-C, or for so many seconds. On another thread than
    that of the program which is watched: `threading.Thread(target=damon.live, args=(ctx,), daemon=True).start()`."""
    if not hasattr(context, "snapshots"):
        raise TypeError(f"context must be a damon.Context, not {type(context).__name__}")
    number(width, "width", least=1)
    if seconds is not None:
        microseconds(seconds, "seconds")
    out = file if file is not None else sys.stderr
    in_place = out.isatty()
    end = None if seconds is None else monotonic() + seconds
    height = 0
    snapshots = context.snapshots(timeout=seconds)
    try:
        for snapshot in snapshots:
            text = snapshot_text(snapshot, width)
            out.write((_UP.format(height) if in_place and height else "") + text + "\n")
            out.flush()
            height = text.count("\n") + 1
            if end is not None and monotonic() >= end:
                return
    except (KeyboardInterrupt, SnapshotTimeoutError):
        return
