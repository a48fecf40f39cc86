"""Snapshots in words and as a strip of colours."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Optional, Union

from .enums import RegionFlags
from .views import Row, reasons_text, share_of, size_text, unknown_by_reason

if TYPE_CHECKING:
    from ._core import Snapshot
    from .record import RecordedSnapshot

SHADES = ".:-=+*#%@"  # 0 % to 100 % of the samples; a blank: not watched
HIDDEN = "?"
_HATCH = "repeating-linear-gradient(45deg,#ccc 0 4px,#eee 4px 8px)"


def shade(share: Optional[float], is_hidden: bool = False) -> str:
    """The character for a share of accesses. What 1 of 20 samples found accessed does not look idle."""
    if is_hidden:
        return HIDDEN
    if share is None:
        return " "
    return SHADES[max(min(int(share * len(SHADES)), len(SHADES) - 1), 1 if share > 0.04 else 0)]


def colour(share: float) -> str:
    """A colour for a share of accesses: black is idle, light yellow always accessed."""
    stops = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
    at = min(share, 1.0) * (len(stops) - 1)
    low = min(int(at), len(stops) - 2)
    red, green, blue = (round(a + (b - a) * (at - low)) for a, b in zip(stops[low], stops[low + 1]))
    return f"#{red:02x}{green:02x}{blue:02x}"


def snapshot_repr(snapshot: Snapshot) -> str:
    """Of Snapshot."""
    if snapshot.seq == 0:
        return "<damon.Snapshot: no window has ended yet>"
    unknown = f", {size_text(snapshot.unknown_bytes)} not visible" if snapshot.unknown_bytes else ""
    return (f"<damon.Snapshot number {snapshot.seq}: {len(snapshot)} regions, {size_text(snapshot.total_bytes)}, "
            f"{size_text(snapshot.working_set_bytes())} accessed{unknown}>")


def snapshot_text(snapshot: Union[Snapshot, RecordedSnapshot], width: int = 64) -> str:
    """A few lines: how much is accessed, idle and not visible, and a strip of all regions."""
    found = strip_cells(snapshot, width)
    if not found:
        return "no window has ended yet" if snapshot.seq == 0 else f"snapshot {snapshot.seq}: nothing is watched"
    total, unknown = snapshot.total_bytes, snapshot.unknown_bytes
    accessed = snapshot.working_set_bytes()
    lines = [f"snapshot {snapshot.seq}: {size_text(total)} in {len(snapshot.rows())} regions, window of "
             f"{window_text(snapshot)}"]
    for name, size in (("accessed", accessed), ("idle", total - accessed - unknown), ("not visible", unknown)):
        if size or name != "not visible":
            lines.append(f"  {name:<11} {size_text(size):>10} {100 * size / max(total, 1):5.1f} %")
    lines.append(f"  |{''.join(shade(share, hidden) for share, hidden in found)}|")
    return "\n".join([*lines, *("  " + note for note in _notes(snapshot))])


def window_text(snapshot: Union[Snapshot, RecordedSnapshot]) -> str:
    """How long the window was, and what it took in truth where the limit on cost stretched it."""
    took = snapshot.window_us
    stretched = f" (took {took / 1000:.0f} ms)" if took > snapshot.aggr_us * 3 // 2 else ""
    return f"{snapshot.aggr_us / 1000:g} ms{stretched}"


def _notes(snapshot: Union[Snapshot, RecordedSnapshot]) -> list[str]:
    notes = []
    if snapshot.unknown_bytes:
        reasons = reasons_text(unknown_by_reason(snapshot.rows()))
        notes.append(f"'{HIDDEN}' could not be looked at{reasons} and may be in use: \"accessed\" is a lower bound")
    if snapshot.writes_only:
        notes.append("only writes can be seen here: idle means not written")
    return notes


def strip_cells(snapshot: Union[Snapshot, RecordedSnapshot], width: int) -> list[tuple[Optional[float], bool]]:
    """All regions side by side in so many cells, each (share of accesses, whether most of it could not be looked at).
    Empty: there are no regions."""
    rows = snapshot.rows()
    total = sum(row[1] - row[0] for row in rows)
    if total == 0:
        return []
    cells, before = Row(width), 0
    for start, end, _, nr_accesses, _, flags in (row[:6] for row in rows):
        share = None if flags & RegionFlags.UNKNOWN else share_of(nr_accesses, snapshot.max_nr_accesses)
        cells.add_region(before * width / total, (before + end - start) * width / total, share)
        before += end - start
    return [(share, hidden >= 0.5) for share, hidden in zip(cells.means(), cells.hidden_shares())]


def snapshot_html(snapshot: Snapshot) -> str:
    """Of Snapshot: the same lines, the strip in colours. For notebooks."""
    cells = strip_cells(snapshot, 200)
    parts = []
    for share, hidden in cells:
        background = _HATCH if hidden else "#fff" if share is None else colour(share)
        parts.append(f'<div style="flex:1;background:{background}"></div>')
    lines = [line for line in snapshot_text(snapshot).splitlines() if not line.startswith("  |")]
    text = html.escape("\n".join(lines)).replace(html.escape(f"'{HIDDEN}'"), "hatched:")
    bar = f'<div style="display:flex;height:1.5em;width:100%;border:1px solid #888">{"".join(parts)}</div>' if cells else ""
    return f'<div style="max-width:60em">{bar}<pre style="margin:0.3em 0">{text}</pre></div>'
