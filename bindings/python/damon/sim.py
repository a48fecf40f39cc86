"""Policies in virtual time: simulated memory, programs and a machine with costs. Equal seeds give equal runs.

    sim = damon.sim.Simulator(seed=1)
    sim.add_range(end=1 << 30)                                  # a program with 1 GiB,
    sim.add_pattern(end=64 << 20)                               # of which 64 MiB are in use
    with sim.context(schemes=[damon.Scheme(action=damon.Action.PAGEOUT, ...)]) as ctx:
        ctx.advance(60_000_000)                                 # a minute
    print(sim.stat().evicted_bytes, sim.stat().refault_bytes)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Optional

from . import _core
from .checks import MAX_U64, as_tuples, many
from .context import Context
from .enums import SimPatternKind, SimRangeFlags
from .params import Attrs, Range, Scheme, Target

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import ContextOptions, MachineOptions, MappedRangeOptions, PatternOptions

PatternKind = SimPatternKind
RangeFlags = SimRangeFlags
NEVER = MAX_U64
NO_MISS = MAX_U64  # rate_millihz: no access is missed


@dataclasses.dataclass(frozen=True)
class Machine:
    """The machine. node_bytes: memory of each node, up to 8; action_ns: what an action costs a page, by Action. sample_ns,
    batch_ns: what monitoring pays for a sample and for an interval (0: no limit holds). Entries that are left out have the library's defaults: 16 GiB a node, and what such actions usually cost."""

    seed: int = 1
    nr_nodes: int = 1
    page_size: int = 4096
    huge_page_size: int = 2 << 20
    node_bytes: Sequence[int] = ()
    swap_bytes: int = MAX_U64
    fault_ns: int = 500
    refault_ns: int = 100_000
    young_us: int = 100_000
    action_ns: Sequence[int] = ()
    sample_ns: int = 0
    batch_ns: int = 0

    def __post_init__(self) -> None:
        as_tuples(self, "node_bytes", "action_ns")


@dataclasses.dataclass(frozen=True)
class MappedRange:
    """Mapped memory of one simulated program (the context's target at target_idx)."""

    start: int = 0
    end: int = 0
    target_idx: int = 0
    flags: SimRangeFlags = SimRangeFlags(0)
    nid: int = 0
    resident_bp: int = 10_000
    memcg_id: int = 0


@dataclasses.dataclass(frozen=True)
class Pattern:
    """An access pattern. Where patterns overlap, their rates add up. What a kind needs: see SimPatternKind."""

    start: int = 0
    end: int = 0
    kind: SimPatternKind = SimPatternKind.CONSTANT
    rate_millihz: int = 1_000_000
    begin_us: int = 0
    end_us: int = NEVER
    step_us: int = 0
    period_us: int = 0
    phase_us: int = 0
    hot_us: int = 0
    window_bytes: int = 0
    target_idx: int = 0
    writes_bp: int = 10_000
    nr_regions: int = 0


@dataclasses.dataclass(frozen=True)
class SimStat:
    """What is on the machine now, and what has happened on it so far. Expected values."""

    now_us: int
    resident_bytes: int
    active_bytes: int
    swapped_bytes: int
    evicted_bytes: int
    untouched_bytes: int
    huge_bytes: int
    fault_bytes: int
    refault_bytes: int
    paged_out_bytes: int
    migrated_bytes: int
    stall_ns: int
    action_ns: int
    nr_actions: int
    nr_failed_actions: int
    node_used_bytes: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """How well regions agree with the truth: of what was found hot how much is, and of what is hot how much was found."""

    precision_bp: int
    recall_bp: int
    f1_bp: int
    hot_bytes: int
    found_bytes: int
    both_bytes: int


@dataclasses.dataclass(frozen=True)
class _Query:
    target_idx: int
    at_us: int
    min_rate_millihz: int = 0


class Simulator:
    """A simulated machine with the programs on it. For one thread at a time; others wait for it."""

    def __init__(self, machine: Optional[Machine] = None, **fields: Unpack[MachineOptions]) -> None:
        """A Machine, or its fields."""
        self._core = _core.Sim(dataclasses.replace(machine or Machine(), **fields))

    def add_range(self, mapped: Optional[MappedRange] = None, **fields: Unpack[MappedRangeOptions]) -> None:
        """Maps memory, also in the middle of a run. A MappedRange, or its fields."""
        self._core.add_range(dataclasses.replace(mapped or MappedRange(), **fields))

    def add_pattern(self, pattern: Optional[Pattern] = None, **fields: Unpack[PatternOptions]) -> None:
        """Adds an access pattern, also in the middle of a run: it counts from then on. A Pattern, or its fields."""
        self._core.add_pattern(dataclasses.replace(pattern or Pattern(), **fields))

    def set_target_end(self, target_idx: int, at_us: int) -> None:
        """Lets a program end; NEVER takes it back."""
        self._core.set_target_end(target_idx, at_us)

    def context(
        self,
        attrs: Optional[Attrs] = None,
        schemes: Iterable[Scheme] = (),
        *,
        nr_targets: int = 1,
        **options: Unpack[ContextOptions],
    ) -> Context:
        """A manually driven context on the first programs: step() or advance() is its time, which never goes back,
        not even in another context of the same simulator. Options: those of Context."""
        context = Context(attrs, [Target() for _ in range(nr_targets)], (), manual=True, **options)
        context._use_sim(self._core)
        for scheme in many(schemes, "schemes"):
            context.add_scheme(scheme)
        return context

    def stat(self) -> SimStat:
        """The state of the machine, now."""
        return SimStat(**self._core.stat())

    def rate_millihz(self, addr: int, at_us: int, target_idx: int = 0) -> int:
        """How often a page is truly accessed at a moment, in 1,000 seconds. NotFoundError: nothing is mapped there."""
        return self._core.rate(_Query(target_idx, at_us), addr)

    def hot_ranges(self, at_us: int, *, min_rate_millihz: int = 0, target_idx: int = 0) -> list[Range]:
        """The truly hot ranges, sorted. min_rate_millihz 0: all that are accessed at all."""
        return self._core.hot_ranges(_Query(target_idx, at_us, min_rate_millihz))

    def compare(
        self,
        snapshot: _core.Snapshot,
        at_us: int,
        *,
        min_nr_accesses: int = 1,
        min_rate_millihz: int = 0,
        target_idx: int = 0,
    ) -> Accuracy:
        """Compares what a context found with the truth."""
        query = _Query(target_idx, at_us, min_rate_millihz)
        return Accuracy(**self._core.compare(query, snapshot, min_nr_accesses))
