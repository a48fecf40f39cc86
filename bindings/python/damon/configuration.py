"""The parameters of a context: what is watched, and what is done about it."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import _core, policies
from .checks import MAX_U64, expect, many, named, number
from .enums import AccessCheck, Action, Ops
from .errors import error_for
from .operations import Operations
from .params import (
    Attrs,
    IntervalsGoal,
    Kept,
    Range,
    Scheme,
    Target,
    attrs_from,
    ranges_of,
    schemes_from,
    target_from,
)
from .policies import LruSort, Probe, Reclaim
from .visibility import Visibility
from .waiting import Pauses

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import CommitOptions, SchemeOptions
    from .records.recorder import Recorder
    from .watching import Added

_ATTRS = {field.name for field in dataclasses.fields(Attrs)}


class Configuration:
    """What damon.Context is made with and can be changed to."""

    def __init__(
        self,
        attrs: Optional[Attrs] = None,
        targets: Iterable[Union[Target, Range, Any]] = (),
        schemes: Iterable[Scheme] = (),
        *,
        ops: Union[Ops, Operations, None] = None,
        access_check: AccessCheck = AccessCheck.AUTO,
        manual: bool = False,
        seed: int = 0,
        min_region_sz: Optional[int] = None,
        addr_unit: int = 1,
    ) -> None:
        """ops None: the mappings of this process (Ops.VADDR) if no target has ranges, exactly the given ranges
        (Ops.FVADDR) if all have some. manual: step() and advance() take the place of a worker thread."""
        self._core = _core.Ctx()
        self._targets: list[Target] = []
        self._held: list[_core.Buffer] = []  # the targets' memory, while the context runs
        self._added: list[Added] = []  # ranges, besides the targets
        self._schemes: list[Scheme] = []
        self._probes: list[Probe] = []
        self._ops = ops
        self._min_region_sz = min_region_sz
        self._addr_unit = addr_unit
        self._sim: Optional[_core.Sim] = None
        self._pauses = Pauses(self._core)
        self._visibility = Visibility(ops in (None, Ops.VADDR, Ops.FVADDR))
        self._recorders: list[Recorder] = []
        self.manual = bool(manual)
        self._core.set_manual(self.manual)
        if isinstance(ops, Operations):
            self._core.set_operations(ops, self)  # its functions get the context
        elif ops is not None:
            self._core.set_ops(ops)
        self._core.set_access_check(access_check)
        self._core.set_seed(seed)
        self._set_units(self._core, min_region_sz, addr_unit)
        if attrs is not None:
            expect(attrs, Attrs, "attrs")
            self._core.set_attrs(attrs)
        for target in many(targets, "targets"):
            self.add_target(target)
        for scheme in many(schemes, "schemes"):
            self.add_scheme(scheme)

    __init__.__qualname__ = "Context"  # in Python's own messages, of a misspelt option say

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be copied or sent to another process: make a new one, with its "
                        "attrs, targets and schemes")

    @property
    def is_running(self) -> bool:
        """Started, and not stopped or ended on its own."""
        return self._core.is_running()

    @property
    def attrs(self) -> Attrs:
        """The attributes; intervals as tuned, where tuning is on."""
        return attrs_from(self._core.attrs())

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets, by position."""
        return tuple(self._targets)

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The schemes, by position."""
        return tuple(self._schemes)

    def add_target(self, target: Union[Target, Range, Any]) -> int:
        """Adds a target, a range (start, end) or a buffer, also while running. Returns its position."""
        given = target_from(target)
        if self.is_running:
            self.commit(targets=[*self._targets, given])
        else:
            self._core.add_target(given.pid, given.ranges, False)
            self._targets.append(given)
        return len(self._targets) - 1

    def add_buffer(self, *buffers: Any) -> int:
        """Watches the memory of NumPy arrays, bytearrays, mmaps or other buffers. Returns the position of the target."""
        return self.add_target(Target.of(*buffers))

    def remove_target(self, idx: int) -> None:
        """Removes a target, also while running; those behind it move up. Running, learned regions of others stay."""
        idx = self._existing(self._targets, idx, "target")
        if self.is_running:
            if len(self._targets) == 1:
                raise error_for(errno.EINVAL, "it is the last target, and a context without targets ends: stop() it instead")
            self._on_worker(lambda: self._commit_now({}, obsolete=self._existing(self._targets, idx, "target")))
            return
        self._core.remove_target(idx)
        del self._targets[idx]

    def set_target_regions(self, idx: int, ranges: Iterable[Range]) -> None:
        """Sets the ranges of a target; regions that stay inside keep what they learned. While running: in callbacks,
        such as Operations.init() and update(); elsewhere use commit(targets=...)."""
        given = tuple(ranges)
        idx = self._existing(self._targets, idx, "target")
        self._core.set_target_regions(idx, given)
        self._targets[idx] = dataclasses.replace(self._targets[idx], ranges=given)

    def add_scheme(self, scheme: Scheme) -> int:
        """Adds a scheme, also while running. Returns its position."""
        expect(scheme, Scheme, "a scheme")
        if self.is_running:
            self.commit(schemes=[*self._schemes, scheme])
        else:
            self._core.add_scheme(scheme, self._core)
            self._schemes.append(scheme)
        return len(self._schemes) - 1

    def add_preset(self, preset: Union[Reclaim, LruSort]) -> int:
        """Adds the schemes of a policy and takes its attributes. Stopped only. Returns the position of the first."""
        schemes = policies.schemes_of(preset)
        for scheme in schemes:
            policies.add_scheme(self._core, scheme, self._core)
        self._schemes += schemes
        return len(self._schemes) - len(schemes)

    def use_stat_preset(self) -> None:
        """Attributes for summary(): intervals from 5 ms to 10 s, as accesses show. Stopped only."""
        self._core.preset_stat()

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes, by position."""
        return tuple(self._probes)

    def add_probe(self, probe: Probe) -> int:
        """Adds a probe, also while running. Returns its position."""
        expect(probe, Probe, "a probe")
        if self.is_running:
            self.commit(probes=[*self._probes, probe])
        else:
            self._core.add_probe(probe)
            self._probes.append(probe)
        return len(self._probes) - 1

    def remove_probe(self, idx: int) -> None:
        """Removes a probe, also while running; those behind it move up."""
        idx = self._existing(self._probes, idx, "probe")
        if self.is_running:
            self.commit(probes=self._probes[:idx] + self._probes[idx + 1 :])
            return
        self._core.remove_probe(idx)
        del self._probes[idx]

    def remove_scheme(self, idx: int) -> None:
        """Removes a scheme, also while running; those behind it move up."""
        idx = self._existing(self._schemes, idx, "scheme")
        if self.is_running:
            # By position: the schemes behind it take the statistics of those before them over.
            self.commit(schemes=self._schemes[:idx] + self._schemes[idx + 1 :])
            return
        self._core.remove_scheme(idx)
        del self._schemes[idx]
        self._keep_actions()

    def commit(
        self,
        *,
        attrs: Optional[Attrs] = None,
        targets: Optional[Iterable[Union[Target, Range, Any]]] = None,
        schemes: Optional[Iterable[Scheme]] = None,
        probes: Optional[Iterable[Probe]] = None,
        **fields: Unpack[CommitOptions],
    ) -> None:
        """Changes parameters, running or not, and nothing else: learned regions, statistics and quotas stay.

        Single fields: those of Attrs (`commit(sample_us=1000)`), `min_region_sz` and `addr_unit`. Lists are matched by
        position: entries there in both are overwritten, surplus ones removed, new ones appended.
        """
        changes: dict[str, Any] = dict(fields)
        named(changes, (*sorted(_ATTRS), "min_region_sz", "addr_unit", "attrs", "targets", "schemes", "probes"), "commit()")
        if attrs is not None:
            expect(attrs, Attrs, "attrs")
            changes["attrs"] = attrs
        if "intervals_goal" in changes:
            expect(changes["intervals_goal"], IntervalsGoal, "intervals_goal")
        if targets is not None:
            changes["targets"] = [target_from(target) for target in many(targets, "targets")]
            if not changes["targets"] and self.is_running:
                raise error_for(errno.EINVAL, "targets is empty, and a context without targets ends: stop() it instead")
        if schemes is not None:
            changes["schemes"] = schemes_from(schemes)
        if probes is not None:
            changes["probes"] = many(probes, "probes")
            for probe in changes["probes"]:
                expect(probe, Probe, "a probe")
        self._on_worker(lambda: self._commit_now(changes))

    def commit_scheme(self, idx: int, **fields: Unpack[SchemeOptions]) -> None:
        """Changes single fields of one scheme: `ctx.commit_scheme(0, apply_interval_us=1_000_000)`."""

        def change() -> None:
            schemes = list(self._schemes)
            at = self._existing(schemes, idx, "scheme")
            if isinstance(schemes[at], policies.PresetScheme):
                raise error_for(errno.EINVAL, f"scheme {at} is of a preset: commit a scheme of your own in its place")
            schemes[at] = dataclasses.replace(schemes[at], **fields)
            self._commit_now({"schemes": schemes})

        self._on_worker(change)

    @property
    def _chooses_ops(self) -> bool:
        return self._ops is None and self._sim is None

    def _use_sim(self, sim: _core.Sim) -> None:
        self._core.set_sim(sim)
        self._sim = sim
        self._visibility = Visibility(False)

    def _on_worker(self, function: Callable[[], None]) -> None:
        """Reading and changing parameters happens on the worker, so that changes of several threads do not mix."""
        if self.is_running and not self._core.on_worker:
            self._core.call(function)
        else:
            function()

    def _commit_now(self, changes: dict[str, Any], obsolete: Optional[int] = None) -> None:
        targets: list[Target] = changes.get("targets", self._targets)
        if self._chooses_ops and self.is_running and have_ranges(targets) != have_ranges(self._targets):
            raise error_for(errno.EBUSY, "who follows the mappings of the process cannot change while running: stop() first")
        held: list[_core.Buffer] = []
        if self.is_running:
            targets, held = held_targets(targets, leave_out=obsolete)
        try:
            self._core.commit(self._source_of({**changes, "targets": targets}, obsolete))
            held, self._held = self._held, held
        finally:
            release(held)  # what is not needed any more; after a failure, what would have been
        self._targets = [target for idx, target in enumerate(targets) if idx != obsolete]
        self._schemes = list(changes.get("schemes", self._schemes))
        self._probes = list(changes.get("probes", self._probes))
        self._min_region_sz = changes.get("min_region_sz", self._min_region_sz)
        self._addr_unit = changes.get("addr_unit", self._addr_unit)
        self._keep_actions()

    def _source_of(self, changes: dict[str, Any], obsolete: Optional[int]) -> _core.Ctx:
        """What a commit copies from: this context as it is, with the changes."""
        source = _core.Ctx()
        source.set_manual(True)
        self._set_units(source, changes.get("min_region_sz", self._min_region_sz), changes.get("addr_unit", self._addr_unit))
        if isinstance(self._ops, Operations):
            source.set_operations(self._ops, None)  # what its schemes may do is checked against these
        elif self._sim is not None:
            source.set_sim(self._sim)
        for idx, target in enumerate(changes["targets"]):
            # Without ranges, a target keeps the regions and the ranges that it has.
            same = idx < len(self._targets) and target.ranges == self._targets[idx].ranges
            source.add_target(target.pid, () if same else target.ranges, idx == obsolete)
        for probe in changes.get("probes", self._probes):
            source.add_probe(probe)
        for scheme in changes.get("schemes", self._schemes):
            policies.add_scheme(source, scheme, self._core)
        fields = {name: value for name, value in changes.items() if name in _ATTRS}
        # Last: presets bring their own.
        source.set_attrs(dataclasses.replace(changes.get("attrs", self.attrs), **fields))
        source.set_pause(self._core.is_paused())
        return source

    def _keep_actions(self) -> None:
        self._core.keep_actions([scheme.callback for scheme in self._schemes if scheme.action == Action.CALLBACK])

    @staticmethod
    def _set_units(core: _core.Ctx, min_region_sz: Optional[int], addr_unit: int) -> None:
        if min_region_sz is not None:
            core.set_min_region_sz(min_region_sz)
        core.set_addr_unit(addr_unit)

    @staticmethod
    def _existing(entries: list[Any], idx: int, what: str) -> int:
        idx = number(idx, what, least=-MAX_U64)
        if not 0 <= idx < len(entries):
            raise error_for(errno.EINVAL, f"there is no {what} {idx}; the context has {len(entries)}")
        return idx


def held_targets(
    targets: list[Target], *, leave_out: Optional[int] = None
) -> tuple[list[Target], list[_core.Buffer]]:
    """The targets with their buffers where they are now, and what holds them there; but for the one that goes."""
    placed: list[Target] = []
    held: list[_core.Buffer] = []
    try:
        for idx, target in enumerate(targets):
            if isinstance(target.keep, Kept) and idx != leave_out:
                buffers = target.keep.hold()
                held += buffers
                target = dataclasses.replace(target, ranges=ranges_of(buffers))
            placed.append(target)
    except BaseException:
        release(held)  # the exception's traceback would keep them
        raise
    return placed, held


def release(held: Iterable[_core.Buffer]) -> None:
    """Lets buffers go."""
    for buffer in held:
        buffer.release()


def have_ranges(targets: list[Target]) -> bool:
    """Whether the targets have ranges; refused where only some do."""
    with_ranges = [bool(target.ranges) for target in targets]
    if any(with_ranges) and not all(with_ranges):
        raise error_for(
            errno.EINVAL,
            "some targets have ranges and some follow the mappings of the process: use two contexts, or say "
            "ops=damon.Ops.VADDR",
        )
    return any(with_ranges)
