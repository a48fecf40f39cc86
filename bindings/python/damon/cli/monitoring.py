"""Options that say how to monitor and what to do about it, under the names that users of DAMON's tool know."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any, Callable, Optional

from ..enums import Action, SchemeFlags
from ..params import AccessPattern, Attrs, IntervalsGoal, Quota, Scheme
from . import scheme_files, units
from .command import CommandError


def _kind(read: Callable[..., int], name: str) -> Callable[[str], int]:
    """For add_argument(type=...): a wrong value is reported in the words of `read`."""

    def convert(text: str) -> int:
        try:
            return read(text, name)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


time_us = _kind(units.microseconds, "the time")
count = _kind(units.number, "the number")
byte_size = _kind(units.size, "the size")


def _basis_points(text: str) -> int:
    return units.share(text, "the share", whole=10_000)


def add_attribute_options(parser: argparse.ArgumentParser) -> None:
    """How often to look, and how many regions to keep."""
    group = parser.add_argument_group("monitoring", "times such as 5ms, 100ms, 1s; without a unit they are microseconds")
    group.add_argument("-s", "--sample", type=time_us, metavar="TIME", help="sampling interval (default: 5ms)")
    group.add_argument("-a", "--aggr", type=time_us, metavar="TIME", help="aggregation interval, a window (default: 100ms)")
    group.add_argument("-u", "--updr", type=time_us, metavar="TIME", help="how often mappings are read again (default: 1s)")
    group.add_argument("-n", "--minr", type=count, metavar="N", help="least number of regions (default: 10)")
    group.add_argument("-m", "--maxr", type=count, metavar="N", help="largest number of regions (default: 1000)")
    group.add_argument("--monitoring_intervals", nargs=3, type=time_us, metavar=("SAMPLE", "AGGR", "UPDATE"),
                       help="the three intervals at once")
    group.add_argument("--monitoring_nr_regions_range", nargs=2, type=count, metavar=("MIN", "MAX"),
                       help="both numbers of regions at once")
    group.add_argument("--monitoring_intervals_goal", nargs=4, metavar=("ACCESS_BP", "AGGRS", "MIN", "MAX"),
                       help="tune the intervals, such as 4%% 3 5ms 10s")
    group.add_argument("--monitoring_intervals_autotune", action="store_true", help="the same with 4%% 3 5ms 10s")
    group.add_argument("--max_overhead", metavar="PERCENT",
                       help="most that monitoring may cost of one CPU (default: 1%%; 0: no limit)")


def add_scheme_options(parser: argparse.ArgumentParser) -> None:
    """What to do with memory that shows a pattern."""
    group = parser.add_argument_group("schemes", "what to do with memory that shows an access pattern")
    group.add_argument("--schemes", metavar="FILE", help="JSON or YAML, a list of schemes or a whole set-up, as damo has them")
    actions = [name.lower() for name in Action.__members__ if name != "CALLBACK"]
    group.add_argument("--damos_action", choices=actions, metavar="ACTION", help=", ".join(actions))
    group.add_argument("--damos_sz_region", nargs=2, metavar=("MIN", "MAX"), help="sizes of regions, such as 4K max")
    group.add_argument("--damos_access_rate", nargs=2, metavar=("MIN", "MAX"), help="shares of samples, such as 0%% 5%%")
    group.add_argument("--damos_age", nargs=2, metavar=("MIN", "MAX"), help="for how long, such as 30s max")
    group.add_argument("--damos_apply_interval", metavar="TIME", help="how often to apply (default: each window)")
    group.add_argument("--damos_quotas", nargs=3, metavar=("TIME", "SIZE", "INTERVAL"),
                       help="at most so much in an interval, such as 10ms 128M 1s")
    group.add_argument("--damos_allow_unseen_reads", action="store_true",
                       help="page out also memory whose reads cannot be seen here (below Linux 7.3)")


def attrs_from(options: argparse.Namespace, base: Attrs) -> Attrs:
    """`base` with what the options say. CommandError where they are wrong."""
    fields: dict[str, Any] = {}
    if options.monitoring_intervals:
        fields.update(zip(("sample_us", "aggr_us", "ops_update_us"), options.monitoring_intervals))
    if options.monitoring_nr_regions_range:
        fields.update(zip(("min_nr_regions", "max_nr_regions"), options.monitoring_nr_regions_range))
    for name, field in (("sample", "sample_us"), ("aggr", "aggr_us"), ("updr", "ops_update_us"), ("minr", "min_nr_regions"),
                        ("maxr", "max_nr_regions")):
        if getattr(options, name) is not None:
            fields[field] = getattr(options, name)
    goal = options.monitoring_intervals_goal or (["4%", "3", "5ms", "10s"] if options.monitoring_intervals_autotune else None)
    try:
        if goal:
            fields["intervals_goal"] = IntervalsGoal(_basis_points(goal[0]), units.number(goal[1], "AGGRS"),
                                                     units.microseconds(goal[2]), units.microseconds(goal[3]))
        if options.max_overhead is not None:
            text = options.max_overhead
            fields["max_overhead_permil"] = units.share(text if text.endswith("%") else text + "%", "--max_overhead", whole=1000)
            if fields["max_overhead_permil"] > 1000:
                raise CommandError(f"--max_overhead is {text}; it must be from 0 to 100% of one CPU")
    except ValueError as error:
        raise CommandError(str(error)) from error
    attrs = dataclasses.replace(base, **fields)
    _check(attrs)
    return attrs


def _check(attrs: Attrs) -> None:
    if attrs.sample_us > attrs.aggr_us:
        raise CommandError(f"--sample is {units.time_text(attrs.sample_us)} and --aggr {units.time_text(attrs.aggr_us)}; "
                           "a window must be at least one sampling interval")
    if not 3 <= attrs.min_nr_regions <= attrs.max_nr_regions:
        raise CommandError(f"--minr is {attrs.min_nr_regions} and --maxr {attrs.max_nr_regions}; they must be at least 3, and "
                           "--minr not above --maxr")
    if attrs.max_nr_regions > 100_000:
        raise CommandError(f"--maxr is {attrs.max_nr_regions}; it must be at most 100000")


def schemes_from(options: argparse.Namespace, base: Attrs) -> tuple[Optional[list[Scheme]], Attrs]:
    """(the schemes, None: the options name none; the attributes, with what the file of schemes has of them)."""
    attrs, schemes = base, None
    if options.schemes:
        schemes, given = scheme_files.read_file(options.schemes, base, takes_attrs=hasattr(options, "sample"))
        attrs = given or attrs
    attrs = attrs_from(options, attrs) if hasattr(options, "sample") else attrs
    if options.damos_action:
        schemes = [*(schemes or []), _scheme_of(options, attrs)]
    elif any((options.damos_sz_region, options.damos_access_rate, options.damos_age, options.damos_quotas)):
        raise CommandError("there is no --damos_action: name what the pattern is for")
    if options.damos_allow_unseen_reads and schemes:
        schemes = [dataclasses.replace(scheme, flags=scheme.flags | SchemeFlags.ALLOW_UNSEEN_READS) for scheme in schemes]
    return schemes, attrs


def _scheme_of(options: argparse.Namespace, attrs: Attrs) -> Scheme:
    """The scheme of the options --damos_..."""
    try:
        sizes = options.damos_sz_region or ("0", "max")
        rates = options.damos_access_rate or ("0%", "max")
        ages = [units.microseconds(text, "--damos_age") for text in options.damos_age or ("0", "max")]
        quota = Quota()
        if options.damos_quotas:
            time, space, interval = options.damos_quotas
            quota = Quota(ms=units.milliseconds(time), sz=units.size(space), reset_interval_ms=units.milliseconds(interval))
        most = units.MAX_U32 if ages[1] >= units.MAX_U64 else min(ages[1] // max(attrs.aggr_us, 1), units.MAX_U32)
        pattern = AccessPattern(
            min_sz=units.size(sizes[0]), max_sz=units.size(sizes[1]), max_age=most,
            min_nr_accesses=scheme_files.accesses(rates[0], "--damos_access_rate", attrs),
            max_nr_accesses=scheme_files.accesses(rates[1], "--damos_access_rate", attrs))
        return Scheme(action=options.damos_action, pattern=pattern, quota=quota, min_age_us=ages[0],
                      apply_interval_us=units.microseconds(options.damos_apply_interval or "0", "--damos_apply_interval"))
    except ValueError as error:
        raise CommandError(str(error)) from error
