"""Reports in the terminal: lines of text, in colours where the terminal has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.style import Style
from rich.text import Text

from ..enums import RegionFlags
from ..summaries import HIDDEN, SHADES, colour, shade
from ..views import percentile, share_of, size_text
from .loading import Loaded
from .measures import IDLE_STEPS, Grid, Idle, OfMapping, WorkingSet, name_at
from .model import Mapping, Window

_LEAST_CELLS = 8
_BLOCKS = " ▁▂▃▄▅▆▇█"


def duration_text(seconds: float) -> str:
    """Such as "1.5 s" or "3 min"."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"


def cut(text: str, width: int) -> str:
    """The text in so many columns: its end is what tells files apart."""
    return text if len(text) <= width else "…" + text[len(text) - width + 1:] if width > 0 else ""


def heatmap_lines(found: Grid, mappings: Sequence[Mapping], width: int) -> list[Text]:
    """Time to the right, addresses upwards."""
    times, places = found.share.shape
    names = max(width - times - 20, 0)
    lines = [Text(f"accesses to {size_text(round(found.axis.total))} over {duration_text(found.seconds)}: "
                  "time to the right, addresses upwards")]
    before = ""
    for place in reversed(range(places)):
        address = found.axis.address(place / places) & ~0xFFF
        line = Text(f"{address:#15x} |")
        for share, hidden in zip(found.share[:, place].tolist(), found.hidden[:, place].tolist()):
            line.append(*_cell(share, hidden))
        name = name_at(mappings, found.axis.address((place + 0.5) / places))
        line.append("|")
        if names >= 8 and name != before:
            line.append(" " + cut(name, names))
        before = name
        lines.append(line)
    ends = duration_text(found.seconds)
    lines.append(Text(" " * 17 + "0 s" + ends.rjust(max(times - 3, len(ends) + 1))))
    lines.append(Text(f"'{SHADES[0]}' to '{SHADES[-1]}': accessed in 0 to 100 % of the samples; '{HIDDEN}': not visible; "
                      "blank: not watched"))
    return lines


def _cell(share: float, hidden: float) -> tuple[str, Style]:
    seen = None if share != share else share
    letter = shade(seen, hidden >= 0.5)
    if seen is None or hidden >= 0.5:
        return letter, Style()
    back = colour(seen)
    return letter, Style(color="#000000" if seen > 0.6 else "#d0d0d0", bgcolor=back)


def cells_of(width: int) -> int:
    """How many columns of a heat map there is room for; what is left is for names."""
    return max(width - 18 - (24 if width >= 90 else 0), _LEAST_CELLS)


def working_set_lines(sets: Sequence[WorkingSet], width: int) -> list[Text]:
    """Percentiles, and the course over time."""
    sizes = [one.accessed_bytes for one in sets]
    highest = max(*sizes, 1)
    bound = ">= " if any(one.unknown_bytes for one in sets) else ""
    room = max(width - 22, 1)
    lines = []
    for percent in (0, 25, 50, 75, 90, 99, 100):
        size = percentile(sizes, percent)
        lines.append(Text(f"{percent:3} % {bound + size_text(size):>14} " + "#" * round(room * size / highest)))
    lines += [Text(""), Text(f"over time, 0 to {size_text(highest)}:")]
    columns = min(width, len(sizes))
    means = [_mean(sizes[len(sizes) * at // columns:max(len(sizes) * (at + 1) // columns, len(sizes) * at // columns + 1)])
             for at in range(columns)]
    lines.append(Text("".join(_BLOCKS[round(mean / highest * (len(_BLOCKS) - 1))] for mean in means)))
    lines.append(Text(f"{len(sizes)} windows" + (": lower bounds, as some memory was not visible" if bound else "")))
    return lines


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def idle_lines(found: Idle, rows: Sequence[OfMapping], width: int) -> list[Text]:
    """How much memory is idle for how long, and in which mappings."""
    total = max(found.accessed_bytes + found.unknown_bytes + sum(found.idle_bytes), 1)
    bars = [("accessed", found.accessed_bytes)]
    ends = [step for _, step in IDLE_STEPS[1:]]
    for at, (_, step) in enumerate(IDLE_STEPS):
        words = step if at == 0 else f"{step} to {ends[at]}" if at < len(ends) else f"{step} or more"
        bars.append((f"idle {words}", found.idle_bytes[at]))
    bars.append(("not visible", found.unknown_bytes))
    room = max(width - 44, 1)
    lines = [Text(f"{words:<20} {size_text(size):>11} {100 * size / total:5.1f} % " + "#" * round(room * size / total))
             for words, size in bars]
    if rows:
        lines += [Text(""), *mapping_lines(rows, width)]
    return lines


def mapping_lines(rows: Sequence[OfMapping], width: int, most: int = 20) -> list[Text]:
    """A table, the largest first."""
    lines = [Text(f"{'watched':>10} {'accessed':>10} {'idle 1 min':>10} {'unseen':>10}  mapping")]
    for row in rows[:most]:
        numbers = (row.total_bytes, row.accessed_bytes, row.idle_bytes, row.unknown_bytes)
        lines.append(Text(" ".join(f"{size_text(size):>10}" for size in numbers) + "  " + cut(row.name, max(width - 45, 8))))
    if len(rows) > most:
        lines.append(Text(f"and {len(rows) - most} smaller ones"))
    return lines


def region_lines(window: Window, regions: Any, mappings: Sequence[Mapping], width: int) -> list[Text]:
    """One line a region."""
    lines = []
    for region in regions:
        start, end = int(region["start"]), int(region["end"])
        unknown = bool(region["flags"] & int(RegionFlags.UNKNOWN))
        rate = "   ?" if unknown else f"{100 * share_of(int(region['nr_accesses']), window.max_nr_accesses):3.0f}%"
        age = duration_text(int(region["age_us"]) / 1e6)
        text = f"{start:#x}-{end:#x} {size_text(end - start):>10} {rate} for {age:>8}"
        name = name_at(mappings, start)
        lines.append(Text(text + ("  " + cut(name, width - len(text) - 2) if name and width - len(text) > 10 else "")))
    return lines


def notes(found: Loaded, windows: Sequence[Window]) -> list[Text]:
    """What the record could not see, and what of it is missing."""
    lines = []
    most = max(windows, key=lambda window: window.unknown_bytes)
    if most.unknown_bytes:
        lines.append(f"not visible: up to {size_text(most.unknown_bytes)} of {size_text(most.total_bytes)} could not be looked "
                     "at; it may be in use")
    if any(window.writes_only for window in windows):
        lines.append("only writes can be seen here: idle means not written")
    if found.nr_windows > len(found.windows):
        lines.append(f"a long record: {len(found.windows)} of its {found.nr_windows} windows are shown")
    if found.nr_lost:
        lines.append(f"{found.nr_lost} windows were lost while recording: the recorder came late")
    if found.torn_bytes:
        lines.append(f"the last {found.torn_bytes} bytes were cut short, and left out")
    return [Text(line) for line in lines]
