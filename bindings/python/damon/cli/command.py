"""What the sub-commands share."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any, Callable


class CommandError(Exception):
    """What is wrong, and what to do about it, in one line."""


@dataclass(frozen=True)
class Command:
    """One sub-command. `run` gets the options and returns the exit code; errors are exceptions."""

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str = ""
    epilog: str = ""
    has_json: bool = True  # --json is added, and obeyed by run


def words_of(error: Exception) -> str:
    """With the name of the file, where the system refuses one."""
    words = getattr(error, "strerror", None) or str(error)
    name = getattr(error, "filename", None)
    return f"{name}: {words}" if name else words


def show_json(value: Any) -> None:
    """One value, a line of its own."""
    print(json.dumps(value, indent=None if not sys.stdout.isatty() else 2))


def process_id(text: str) -> int:
    """For add_argument(type=...)."""
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"'{text}' is no process id; 'damon ps' lists those that are monitored")
    return int(text)


class Progress:
    """A line at the terminal for what takes longer than a second; nothing where there is no terminal."""

    def __init__(self, words: str) -> None:
        self._words, self._next = words, time.monotonic() + 1
        self._is_terminal, self._is_shown = sys.stderr.isatty(), False

    def __call__(self, number: int) -> None:
        now = time.monotonic()
        if self._is_terminal and now >= self._next:
            self._next, self._is_shown = now + 0.2, True
            print(f"\r{self._words.format(number)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clears the line."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
