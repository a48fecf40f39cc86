"""The screen of `damon top`."""

from __future__ import annotations

import argparse
from collections import deque
from typing import Optional

from rich.console import Console, RenderableType
from rich.live import Live

from .. import agent_files
from ..agent_page import AgentError, AgentPage, Command
from ..enums import State
from . import top_view
from .findings import Findings, findings_of
from .keys import Keys

_STRIPS = 8  # windows that are shown above each other
_LEAST_ROWS = 3  # of each table, or else other things are left out


class _Screen:
    """What is shown of one process, and what it showed lately."""

    def __init__(self, console: Console, rows: Optional[int]) -> None:
        self._console = console
        self._rows = rows
        self._width = 0
        self._seq = 0
        self._strips: deque[top_view.Cells] = deque(maxlen=max(min(_STRIPS, console.height // 6), 1))
        self._sizes: deque[int] = deque(maxlen=200)

    def update(self, found: Findings) -> None:
        width = max(self._console.width, top_view.LEAST_WIDTH)
        if width != self._width:
            self._strips.clear()
            self._width = width
        if found.snapshot.regions.seq != self._seq or not self._strips:
            self._seq = found.snapshot.regions.seq
            self._strips.append(top_view.strip_of(found, width))
            self._sizes.append(found.snapshot.regions.working_set_bytes())

    def view(self, found: Findings) -> RenderableType:
        self.update(found)
        rows = self._rows if self._rows is not None else 12
        is_brief = False
        if self._rows is None and self._console.is_terminal:
            rows = self._room(found)
            is_brief = rows < _LEAST_ROWS
            rows = max(self._room(found, is_brief=True) if is_brief else rows, 1)
        return self._with_rows(found, rows, is_brief)

    def _room(self, found: Findings, is_brief: bool = False) -> int:
        """Rows that each table can have."""
        fixed = len(self._console.render_lines(self._with_rows(found, 0, is_brief)))
        return (self._console.height - fixed - 1) // 2

    def _with_rows(self, found: Findings, rows: int, is_brief: bool) -> RenderableType:
        return top_view.view(found, self._width, strips=list(self._strips), sizes=self._sizes, rows=rows, is_brief=is_brief,
                             is_coloured=self._console.is_terminal and self._console.color_system is not None)


def _toggle_pause(page: AgentPage) -> None:
    try:
        page.command(Command.RESUME if page.snapshot().state.state == State.PAUSED else Command.PAUSE)
    except AgentError:
        pass  # what it does then is on the screen


def live(page: AgentPage, options: argparse.Namespace) -> int:
    """Until the process ends or the user goes."""
    console = Console(highlight=False)
    pid = page.pid
    screen = _Screen(console, options.rows)
    with Keys() as keys, Live(screen.view(findings_of(page)), console=console, screen=True, auto_refresh=False) as shown:
        while True:
            key = keys.wait(max(options.delay, 50_000) / 1e6)
            if key == "q":
                return 0
            if key == "p":
                _toggle_pause(page)
            if not page.is_current:
                if agent_files.start_ticks(pid) == 0:
                    break
                page.close()
                page = AgentPage.open(pid)  # the process has begun another program
            shown.update(screen.view(findings_of(page)), refresh=True)
    print(f"process {pid} has ended")
    return 0


def once(page: AgentPage, options: argparse.Namespace) -> None:
    """As it is now."""
    console = Console(highlight=False)
    if console.width < top_view.LEAST_WIDTH:
        console.width = top_view.LEAST_WIDTH
    console.print(_Screen(console, options.rows).view(findings_of(page)))
