"""Single keys from the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from typing import Any


class Keys:
    """Keys of the terminal, one at a time; none where the input is no terminal."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else -1
        self._before: list[Any] = []

    def __enter__(self) -> Keys:
        if self._input >= 0:
            self._before = termios.tcgetattr(self._input)
            tty.setcbreak(self._input)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._input >= 0:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def wait(self, seconds: float) -> str:
        """The key that was pressed meanwhile; empty: none. "q" where the terminal is gone."""
        if self._input < 0:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([self._input], [], [], seconds)
        if not ready:
            return ""
        try:
            pressed = os.read(self._input, 1)
        except OSError:
            pressed = b""
        return pressed.decode("ascii", "replace") or "q"
