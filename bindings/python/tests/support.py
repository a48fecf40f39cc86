"""Toy memory in virtual time: what the tests watch instead of waiting."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Optional

import damon

KIB = 1 << 10
MIB = 1 << 20
SAMPLE_US = 5_000
AGGR_US = 100_000


class ToyMemory(damon.Operations):
    """1 MiB at address 1 MiB, of which the ranges in `hot` are always accessed."""

    def __init__(self, hot: tuple[tuple[int, int], ...] = ()) -> None:
        self.hot = hot
        self.calls: list[str] = []

    def is_hot(self, addr: int) -> bool:
        return any(start <= addr < end for start, end in self.hot)

    def init(self, ctx: damon.Context) -> None:
        self.calls.append("init")
        ctx.set_target_regions(0, [(MIB, 2 * MIB)])

    def check_accesses(self, samples: damon.Samples) -> Any:
        return [self.is_hot(sample.addr) for sample in samples]

    def disarm(self) -> None:
        self.calls.append("disarm")

    def cleanup(self) -> None:
        self.calls.append("cleanup")


def toy_context(operations: Optional[damon.Operations] = None, **options: Any) -> damon.Context:
    """A manually driven, repeatable context on toy memory."""
    options = {"manual": True, "seed": 1, "targets": [damon.Target()], **options}
    return damon.Context(ops=operations or ToyMemory(), **options)


@contextlib.contextmanager
def unraisables() -> Iterator[list[Any]]:
    """Collects what goes to sys.unraisablehook meanwhile."""
    seen: list[Any] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda event: seen.append(event.exc_value)
    try:
        yield seen
    finally:
        sys.unraisablehook = before
