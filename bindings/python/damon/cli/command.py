"""What the sub-commands share."""

from __future__ import annotations

import argparse
import json
import sys
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


def show_json(value: Any) -> None:
    """One value, a line of its own."""
    print(json.dumps(value, indent=None if not sys.stdout.isatty() else 2))


def process_id(text: str) -> int:
    """For add_argument(type=...)."""
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"'{text}' is no process id; 'damon ps' lists those that are monitored")
    return int(text)
