"""Custom operations: the program's own access checks and actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Optional, Union

from ._core import Region, Samples

if TYPE_CHECKING:
    from .context import Context

Answer = Union[bool, int, None]


class Operations:
    """Override what the program knows better; what is not overridden is not called.

    All are called on the context's worker (manual drive: in step()). An exception is raised by who waits, such as
    step(), start() or stop(); else it goes to sys.unraisablehook, and Context.last_exception has it.
    """

    writes_only: bool = False  # check_accesses cannot see reads

    def init(self, ctx: Context) -> None:
        """At each start; may call ctx.set_target_regions(). An exception makes the start fail."""

    def update(self, ctx: Context) -> None:
        """Every ops_update_us; may call ctx.set_target_regions()."""

    def prepare_access_checks(self, samples: Samples) -> None:
        """Clear the evidence at each sample's address."""

    def check_accesses(self, samples: Samples) -> Optional[Iterable[Answer]]:
        """One sampling interval later: return True (accessed), False or None (could not look) for each sample; or set
        them (`samples.set(i, answer)`, `samples.array["seen"]`) and return None."""
        return None

    def get_scheme_score(self, ctx: Context, region: Region, scheme_idx: int) -> int:
        """Priority of a region for a scheme's quota, 0 to 99."""
        return 0

    def apply_scheme(self, ctx: Context, region: Region, scheme_idx: int) -> Union[int, tuple[int, int]]:
        """Act; return the bytes applied, or (bytes applied, bytes that passed the filters)."""
        return 0

    def target_valid(self, target_idx: int) -> bool:
        """Whether the target is still there. The context ends when none is."""
        return True

    def disarm(self) -> None:
        """When pausing: forget everything prepared."""

    def cleanup(self) -> None:
        """At the end of each run."""
