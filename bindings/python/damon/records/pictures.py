"""Reports as pictures (PNG, SVG and what else matplotlib writes)."""

from __future__ import annotations

from ..plots import save_cells, save_working_sets
from ..views import Heatmap
from . import text
from .loading import Loaded
from .measures import grid


def save_heatmap(found: Loaded, path: str, target_idx: int) -> None:
    """Time to the right, addresses upwards."""
    cells = grid(found, target_idx, 300, 400)
    rows = tuple(tuple(None if value != value else value for value in row) for row in cells.share.tolist())
    hidden = tuple(map(tuple, cells.hidden.tolist()))
    save_cells(Heatmap(tuple(cells.spans), cells.begin_ns, cells.end_ns, rows, hidden), path, target_idx, _notes(found))


def save_working_set_course(found: Loaded, path: str, min_nr_accesses: int) -> None:
    """Bytes accessed over time."""
    save_working_sets(found.windows, path, min_nr_accesses, _notes(found))  # type: ignore[arg-type]


def _notes(found: Loaded) -> list[str]:
    return [line.plain for line in text.notes(found, found.windows)]
