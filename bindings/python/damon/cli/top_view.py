"""How `damon top` looks, at any width, in colours or not."""

from __future__ import annotations

import textwrap
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
_NAME_WIDTH, _LEAST_NAME_WIDTH = 40, 7
LEAST_WIDTH = 40
Cells = list[tuple[Optional[float], bool]]


def view(found: Findings, width: int, *, strips: Sequence[Cells], sizes: Sequence[int], is_coloured: bool,
         rows: int, is_brief: bool = False) -> RenderableType:
    """Everything. strips: of the latest windows, the last one last; sizes: their working sets; rows: of the tables.
    is_brief: where there is little room, without what the tables and the first lines tell as well."""
    parts: list[RenderableType] = [_head(found, width)]
    if is_brief:
        strips, sizes = strips[-1:], ()
    if found.snapshot.phase != Phase.RUNNING:
        parts.append(_fitted(found.snapshot.message or "nothing is monitored (yet)", width))
    if found.regions:
        parts += [Text(), *(strip(cells, is_coloured) for cells in strips), legend(width, is_coloured)]
        if len(sizes) > 1:
            parts.append(_history(sizes, width))
    parts += [_fitted(writes_only_text(found.snapshot.regions.flags), width)] if is_brief else _notes(found, width)
    if found.regions:
        parts += [Text(), _mappings(found, width, rows), Text(), _hottest(found, width, rows)]
    return Group(*parts)


def strip_of(found: Findings, width: int) -> Cells:
    """All regions side by side."""
    return strip_cells(found.snapshot.regions, max(width, 1))


def _fitted(words: str, width: int) -> Text:
    """Lines without blanks at their ends."""
    return Text("\n".join(textwrap.wrap(words, width, break_on_hyphens=False)))


def _line_of(parts: Sequence[Text], width: int) -> Text:
    """Parts beside each other; one that does not fit begins the next line as a whole."""
    line, room = Text(), width
    for part in parts:
        if line and len(part) + 2 > room:
            line.append("\n")
            room = width
        elif line:
            line.append("  ")
            room -= 2
        line.append_text(part)
        room -= len(part)
    return line


def _head(found: Findings, width: int) -> RenderableType:
    snapshot, regions = found.snapshot, found.snapshot.regions
    title = [Text.assemble((found.program or "?", "bold"), f" ({found.pid})"),
             Text(found.state, "bold green" if found.state == "sampling" else "bold yellow")]
    if snapshot.phase == Phase.RUNNING and regions.seq:
        wanted, real = units.time_text(regions.aggr_us), units.time_text(regions.window_us)
        title.append(Text(f"window {wanted}" + (f" (took {real})" if regions.window_us > regions.aggr_us * 1.2 else "")))
        title.append(Text(f"{len(found.regions)} regions"))
    total, unknown, accessed = regions.total_bytes, regions.unknown_bytes, regions.working_set_bytes()
    words = [("resident", snapshot.rss_bytes, "")]
    if found.regions:
        bound = ">=" if unknown else ""
        words += [("watched", total, ""), ("accessed", accessed, bound), ("idle", total - accessed - unknown, "")]
        if unknown:
            words.append(("not visible", unknown, ""))
    sizes = [Text(f"{name} {bound}{size_text(size)}") for name, size, bound in words]
    return Group(_line_of(title, width), _line_of(sizes, width), _fitted(_cost(found), width))


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
    if not is_coloured:
        return _fitted(f"'{SHADES[0]}' idle to '{SHADES[-1]}' always accessed, '{HIDDEN}' not visible", width)
    steps = ((" ", f"on {colour(step / 8)}") for step in range(9))
    return _line_of([Text.assemble(("idle ", "dim"), *steps, (" always accessed", "dim")),
                     Text.assemble(("╱", _HATCHED), (" not visible", "dim"))], width)


def _history(sizes: Sequence[int], width: int) -> Text:
    """Working sets over time."""
    room = max(min(width - 34, 120), 8)
    shown = list(sizes)[-room:]
    most = max(*shown, 1)
    bars = "".join(_BARS[max(round(size / most * 8), 1 if size else 0)] for size in shown)
    return Text(f"working set {size_text(shown[-1]):>10} {bars} of {size_text(most)}", no_wrap=True, overflow="crop")


def _table(columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], width: int) -> Table:
    """columns: (heading, whether it is a number). The one of names, which are no numbers, gets the width that is left."""
    widths = [max(len(heading), *(len(row[place]) for row in rows), 0) for place, (heading, _) in enumerate(columns)]
    numbers = sum(one + 2 for one, (_, is_number) in zip(widths, columns) if is_number)
    most = max(min(width - numbers, _NAME_WIDTH), _LEAST_NAME_WIDTH)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for one, (heading, is_number) in zip(widths, columns):
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True, overflow="ellipsis",
                         width=one if is_number else min(one, most))
    for row in rows:
        table.add_row(*map(Text, row))
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
    lines = []
    for group in found.mappings[:rows]:
        cells = [group.name, size_text(group.total_bytes), size_text(group.accessed_bytes) if group.accessed_bytes else "-"]
        if width >= 60:
            cells.append(_share_text(group.heat if group.unknown_bytes < group.total_bytes else None))
        if width >= 72:
            cells += [_idle_text(group.idle_us), size_text(group.unknown_bytes) if group.unknown_bytes else "-"]
        lines.append(cells)
    table = _table(columns, lines, width)
    left = len(found.mappings) - rows
    return Group(table, Text(f"... and {left} more")) if left > 0 else table


def _hottest(found: Findings, width: int, rows: int) -> RenderableType:
    """Regions, those with the most accessed memory first."""
    columns = [("REGION", True), ("SIZE", True), ("HEAT", True)]
    if width >= 60:
        columns.append(("AGE", True))
    columns.append(("MAPPING", False))
    lines = []
    order = sorted(zip(found.regions, found.names), key=lambda one: (-(found.share(one[0]) or 0) * one[0].size, -one[0].size))
    for region, name in order[:rows]:
        cells = [f"{region.start:x}", size_text(region.size), _share_text(found.share(region))]
        if width >= 60:
            cells.append(units.time_text(region.age_us))
        lines.append([*cells, name])
    table = _table(columns, lines, width)
    left = len(order) - rows
    return Group(table, Text(f"... and {left} more")) if left > 0 else table


def _more_than(found: Findings) -> str:
    """Percent of a CPU: three times what the monitor has."""
    return f"{min(max(found.snapshot.attrs.max_overhead_permil, 1) * 0.3, 100):g}"


def _notes(found: Findings, width: int) -> list[RenderableType]:
    regions = found.snapshot.regions
    lines = [hidden_text(unknown_by_reason(regions.rows()), regions.total_bytes), writes_only_text(regions.flags)]
    if found.snapshot.state.state == State.LIMITED:
        lines.append(f"windows take {units.time_text(regions.window_us)} instead of {units.time_text(regions.aggr_us)}, to stay "
                     f"within the limit: 'damon tune {found.pid} --max_overhead {_more_than(found)}%' gives more")
    for place, one in enumerate(schemes_json(found.snapshot)):
        lines.append(f"scheme {place}: {one['action']}, tried {size_text(one['sz_tried'])}, applied to "
                     f"{size_text(one['sz_applied'])}" + ("" if one["active"] else ", waits for its watermarks"))
    return [_fitted(line, width) for line in lines if line]
