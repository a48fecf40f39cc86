"""damon sim: what schemes would have done to a recorded run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..views import size_text
from . import monitoring
from .command import Command, CommandError, Progress, show_json

if TYPE_CHECKING:
    from ..records.trying import Tried

_SOON = ("1 s", "10 s", "1 min")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a record")
    monitoring.add_scheme_options(parser)


def _as_json(one: Tried) -> dict[str, Any]:
    from ..records.trying import mean

    return {"action": one.action, "nr_windows": one.nr_windows, "matched_mean_bytes": round(mean(one.matched_bytes)),
            "applied_bytes": one.applied_bytes, "over_quota_bytes": one.over_quota_bytes,
            "held_mean_bytes": round(mean(one.held_bytes)), "held_most_bytes": max(one.held_bytes, default=0),
            "held_last_bytes": one.held_bytes[-1] if one.held_bytes else 0, "unseen_bytes": one.unseen_bytes,
            "accessed_again_bytes": one.again_bytes,
            "accessed_again_within": dict(zip(("1s", "10s", "1m"), one.again_soon_bytes)), "not_tried": one.not_tried}


def _lines(place: int, one: Tried, seconds: float, total_bytes: float) -> list[str]:
    found = _as_json(one)
    lines = [f"{place}: {one.action}: matched {size_text(found['matched_mean_bytes'])} of {size_text(round(total_bytes))} at the "
             f"mean of {one.nr_windows} windows",
             f"   applied to {size_text(one.applied_bytes)} in {seconds:.3g} s; it held {size_text(found['held_mean_bytes'])} at "
             f"the mean, {size_text(found['held_most_bytes'])} at most, {size_text(found['held_last_bytes'])} at the end"]
    if one.over_quota_bytes:
        lines.append(f"   the quota kept {size_text(one.over_quota_bytes)} from it, counted in each window anew")
    if one.again_bytes:
        share = 100 * one.again_bytes / max(one.applied_bytes, 1)
        soon = ", ".join(f"{size_text(size)} within {words}" for words, size in zip(_SOON, one.again_soon_bytes))
        lines.append(f"   accessed again: {size_text(one.again_bytes)}, {share:.1f} % of it ({soon})")
    if one.unseen_bytes:
        lines.append(f"   left alone: up to {size_text(one.unseen_bytes)} that match, but may be in use: their reads cannot be "
                     "seen (--damos_allow_unseen_reads)")
    return lines + [f"   not tried: {words}" for words in one.not_tried]


def _run(options: argparse.Namespace) -> int:
    try:
        from ..records import trying
        from ..records.loading import load
    except ImportError as error:
        raise CommandError(str(error)) from error
    try:
        progress = Progress("reading: {} windows ")
        found = load(options.file, progress)
        progress.end()
        schemes, attrs = monitoring.schemes_from(options, trying.attrs_of(found))
        if not schemes:
            raise CommandError("there is no scheme to try: --schemes FILE, or --damos_action and what belongs to it")
        progress = Progress("trying: {} windows ")
        results = trying.tried(found, schemes, attrs, progress)
        progress.end()
    except (ImportError, ValueError) as error:
        raise CommandError(str(error)) from error
    seconds = (found.times[-1][1] - found.times[0][0]) / 1e9
    if options.json:
        show_json({"nr_windows": found.nr_windows, "seconds": seconds, "schemes": [_as_json(one) for one in results]})
        return 0
    total = trying.mean([window.total_bytes for window in found.windows])
    for place, one in enumerate(results):
        print("\n".join(_lines(place, one, seconds, total)))
    if len(results) > 1:
        print("each is tried alone, as if the others were not there")
    return 0


COMMANDS = (Command("sim", "try schemes on a recorded run: what they would have been applied to, and what of it was accessed again",
                    _add_options, _run,
                    epilog="  damon sim redis.rec --damos_action pageout --damos_access_rate 0% 0% --damos_age 30s max\n"
                           "  damon sim redis.rec --schemes policy.yaml"),)
