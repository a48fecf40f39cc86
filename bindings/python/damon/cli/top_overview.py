"""The overview of `damon top`: every process that is monitored, a line and a strip each."""

from __future__ import annotations

import argparse

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from ..views import size_text
from . import top_view
from .findings import Findings, all_findings
from .keys import Keys


def _view(found: list[Findings], console: Console) -> RenderableType:
    width = max(console.width, top_view.LEAST_WIDTH)
    is_coloured = console.is_terminal and console.color_system is not None
    most = (console.height - 2) // 2 if console.is_terminal else len(found)
    parts: list[RenderableType] = []
    for one in found[:most]:
        regions = one.snapshot.regions
        line = Text(no_wrap=True, overflow="crop")
        line.append(one.program or "?", "bold")
        line.append(f" ({one.pid}) {one.state}  {size_text(one.snapshot.rss_bytes)}, accessed "
                    f"{size_text(regions.working_set_bytes())}, cost {one.snapshot.state.cost_permil / 10:.1f} %")
        line.truncate(width)
        parts += [line, top_view.strip(top_view.strip_of(one, width), is_coloured)]
    if len(found) > most:
        parts.append(Text(f"... and {len(found) - most} more"))
    parts.append(top_view.legend(width, is_coloured))
    return Group(*parts)


def show(options: argparse.Namespace, *, is_live: bool) -> int:
    """Once, or until the user goes or nothing is monitored any more."""
    console = Console(highlight=False)
    console.width = max(console.width, top_view.LEAST_WIDTH)
    if not is_live:
        console.print(_view(all_findings(), console))
        return 0
    with Keys() as keys, Live(_view(all_findings(), console), console=console, screen=True, auto_refresh=False) as shown:
        while keys.wait(max(options.delay, 50_000) / 1e6) != "q":
            found = all_findings()
            if not found:
                break
            shown.update(_view(found, console), refresh=True)
    return 0
