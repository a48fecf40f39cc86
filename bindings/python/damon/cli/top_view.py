"""How `damon top` looks, at any width, in colours or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..agent_page import Phase
from ..enums import State
from ..summaries import HIDDEN, SHADES, colour, shade, strip_cells
from ..views import hidden_text, size_text, unknown_by_reason, writes_only_text
from . import units
from .control import schemes_json
from .findings import Findings

_BARS = " ▁▂▃▄▅▆▇█"
_HATCHED = "grey50"
_NAME_WIDTH = 40
LEAST_WIDTH = 40
Cells = list[tuple[Optional[float], bool]]


def view(found: Findings, width: int, *, strips: Sequence[Cells], sizes: Sequence[int], is_coloured: bool,
         rows: int) -> RenderableType:
    """Everything. strips: of the latest windows, the last one last; sizes: their working sets; rows: of the tables."""
    parts: list[RenderableType] = [_head(found, width)]
    if found.snapshot.phase != Phase.RUNNING:
        parts.append(_fitted(Text(found.snapshot.message or "nothing is monitored (yet)"), width))
    if found.regions:
        parts += [Text(), *(strip(cells, is_coloured) for cells in strips), legend(width, is_coloured)]
        if len(sizes) > 1:
            parts.append(_history(sizes, width))
    parts += _notes(found, width)
    if found.regions:
        parts += [Text(), _mappings(found, width, rows), Text(), _hottest(found, width, rows)]
    return Group(*parts)


def strip_of(found: Findings, width: int) -> Cells:
    """All regions side by side."""
    return strip_cells(found.snapshot.regions, max(width, 1))


def _fitted(text: Text, width: int) -> Text:
    text.no_wrap = False
    text.overflow = "fold"
    return text


def _head(found: Findings, width: int) -> RenderableType:
    snapshot, regions = found.snapshot, found.snapshot.regions
    title = Text()
    title.append(found.program or "?", "bold")
    title.append(f" ({found.pid})  ")
    title.append(found.state, "bold green" if found.state == "sampling" else "bold yellow")
    if snapshot.phase == Phase.RUNNING and regions.seq:
        wanted, real = units.time_text(regions.aggr_us), units.time_text(regions.window_us)
        title.append(f"  window {wanted}" + (f" (took {real})" if regions.window_us > regions.aggr_us * 1.2 else ""))
        title.append(f"  {len(found.regions)} regions")
    lines = [title]
    total, unknown, accessed = regions.total_bytes, regions.unknown_bytes, regions.working_set_bytes()
    words = [("resident", snapshot.rss_bytes, "")]
    if found.regions:
        bound = ">=" if unknown else ""
        words += [("watched", total, ""), ("accessed", accessed, bound), ("idle", total - accessed - unknown, "")]
        if unknown:
            words.append(("not visible", unknown, ""))
    lines.append(Text("  ".join(f"{name} {bound}{size_text(size)}" for name, size, bound in words)))
    lines.append(Text(_cost(found)))
    return Group(*(_fitted(line, width) for line in lines))


def _cost(found: Findings) -> str:
    """What the monitor itself takes."""
    state, stats, attrs = found.snapshot.state, found.snapshot.stats, found.snapshot.attrs
    if found.snapshot.phase != Phase.RUNNING:
        return "monitor: takes nothing now"
    cpu_s = (stats.cpu_ns + found.snapshot.agent_cpu_ns) / 1e9
    limit = f" of at most {attrs.max_overhead_permil / 10:g} %" if attrs.max_overhead_permil else ""
    if state.state == State.PAUSED:
        return f"monitor: paused, takes nothing; {cpu_s:.2f} s of CPU time so far"
    return f"monitor: {state.cost_permil / 10:.1f} %{limit} of a CPU; {cpu_s:.2f} s of CPU time so far"


def strip(cells: Cells, is_coloured: bool) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for share, is_hidden in cells:
        if not is_coloured:
            text.append(shade(share, is_hidden))
        elif is_hidden:
            text.append("╱", _HATCHED)
        elif share is None:
            text.append(" ")
        else:
            text.append(" ", f"on {colour(share)}")
    return text


def legend(width: int, is_coloured: bool) -> Text:
    text = Text(no_wrap=False)
    if is_coloured:
        text.append("idle ", "dim")
        for step in range(9):
            text.append(" ", f"on {colour(step / 8)}")
        text.append(" always accessed   ", "dim")
        text.append("╱", _HATCHED)
        text.append(" not visible", "dim")
    else:
        text.append(f"'{SHADES[0]}' idle to '{SHADES[-1]}' always accessed, '{HIDDEN}' not visible")
    return _fitted(text, width)


def _history(sizes: Sequence[int], width: int) -> Text:
    """Working sets over time."""
    room = max(min(width - 34, 120), 8)
    shown = list(sizes)[-room:]
    most = max(*shown, 1)
    bars = "".join(_BARS[max(round(size / most * 8), 1 if size else 0)] for size in shown)
    return Text(f"working set {size_text(shown[-1]):>10} {bars} of {size_text(most)}", no_wrap=True, overflow="crop")


def _table(*columns: tuple[str, bool]) -> Table:
    """(heading, whether it is a number)."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for place, (heading, is_number) in enumerate(columns):
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True, overflow="ellipsis",
                         min_width=len(heading), max_width=_NAME_WIDTH if place == 0 and not is_number else None)
    return table


def _share_text(share: Optional[float]) -> str:
    return "?" if share is None else f"{100 * share:.0f}%"


def _idle_text(idle_us: Optional[int]) -> str:
    return "?" if idle_us is None else "now" if idle_us == 0 else units.time_text(idle_us)


def _mappings(found: Findings, width: int, rows: int) -> RenderableType:
    columns = [("MAPPING", False), ("SIZE", True), ("ACCESSED", True)]
    if width >= 60:
        columns.append(("HEAT", True))
    if width >= 72:
        columns += [("IDLE", True), ("NOT VISIBLE", True)]
    table = _table(*columns)
    for group in found.mappings[:rows]:
        cells = [group.name, size_text(group.total_bytes), size_text(group.accessed_bytes) if group.accessed_bytes else "-"]
        if width >= 60:
            cells.append(_share_text(group.heat if group.unknown_bytes < group.total_bytes else None))
        if width >= 72:
            cells += [_idle_text(group.idle_us), size_text(group.unknown_bytes) if group.unknown_bytes else "-"]
        table.add_row(*map(Text, cells))
    left = len(found.mappings) - rows
    return Group(table, Text(f"... and {left} more")) if left > 0 else table


def _hottest(found: Findings, width: int, rows: int) -> RenderableType:
    """Regions, those with the most accessed memory first."""
    columns = [("REGION", True), ("SIZE", True), ("HEAT", True)]
    if width >= 60:
        columns.append(("AGE", True))
    columns.append(("MAPPING", False))
    table = _table(*columns)
    order = sorted(zip(found.regions, found.names), key=lambda one: (-(found.share(one[0]) or 0) * one[0].size, -one[0].size))
    for region, name in order[:rows]:
        cells = [f"{region.start:x}", size_text(region.size), _share_text(found.share(region))]
        if width >= 60:
            cells.append(units.time_text(region.age_us))
        table.add_row(*map(Text, [*cells, name]))
    left = len(order) - rows
    return Group(table, Text(f"... and {left} more")) if left > 0 else table


def _notes(found: Findings, width: int) -> list[RenderableType]:
    regions = found.snapshot.regions
    lines = [hidden_text(unknown_by_reason(regions.rows()), regions.total_bytes), writes_only_text(regions.flags)]
    if found.snapshot.state.state == State.LIMITED:
        lines.append(f"windows take {units.time_text(regions.window_us)} instead of {units.time_text(regions.aggr_us)}, to stay "
                     f"within the limit: 'damon tune {found.pid} --max_overhead 3%' gives more")
    for place, one in enumerate(schemes_json(found.snapshot)):
        lines.append(f"scheme {place}: {one['action']}, tried {size_text(one['sz_tried'])}, applied to "
                     f"{size_text(one['sz_applied'])}" + ("" if one["active"] else ", waits for its watermarks"))
    shown = [line for line in lines if line]
    return [_fitted(Text(line), width) for line in shown]
