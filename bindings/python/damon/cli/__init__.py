"""The `damon` command. Each module that MODULES names adds one or more sub-commands."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Optional

from .. import _core
from ..agent_files import AgentError
from ..errors import DamonError
from .command import Command, CommandError, show_json, words_of

# In the order in which `damon --help` lists them.
MODULES = (
    "run",
    "top",
    "ps",
    "control",
    "checks",
    "record",
    "report",
    "export",
    "sim",
    "shell",
)

_EPILOG = "Each command has --help, and --json where it prints results. Times: 5ms, 1s, 2m; sizes: 4K, 16M, 1G; max."


def commands() -> list[Command]:
    """All sub-commands."""
    return [command for name in MODULES for command in importlib.import_module(f".{name}", __name__).COMMANDS]


def parser() -> argparse.ArgumentParser:
    """Of the whole command; also what shell completion and the manual page are made from."""
    top = argparse.ArgumentParser(prog="damon", description="Which memory of a program is hot, and which is idle, live.",
                                  epilog=_EPILOG)
    top.add_argument("--version", action="version", version=f"damon {_core.version_string()}")
    below = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands():
        one = below.add_parser(command.name, help=command.help, description=command.description or command.help,
                               epilog=command.epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
        one.set_defaults(run=command.run, parser=one)
        if command.has_json:
            one.add_argument("--json", action="store_true", help="one JSON value instead of text")
        command.add_options(one)
    return top


def _unbuffered(number: int) -> io.TextIOWrapper:
    """What cannot be written is not tried again at Python's end."""
    return io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding="utf-8", write_through=True)


def _stand_in_for_closed() -> None:
    """Where the caller closed standard input, output or error, no file of this command may get its number, and what Python
    has in its place is None. The program that is run finds it closed; a result that cannot be written is an error."""
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = _unbuffered(1)
    if sys.stderr is None:
        sys.stderr = _unbuffered(2)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The console script."""
    _stand_in_for_closed()
    top = parser()
    options, unknown = top.parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still in the buffer
        return 0
    except KeyboardInterrupt:
        return 130
    except (AgentError, CommandError, DamonError, OSError) as error:
        print(f"damon {options.command}: {words_of(error)}", file=sys.stderr)
        if getattr(options, "json", False):
            with contextlib.suppress(OSError):  # which may be what failed, as on a full disk
                show_json({"error": words_of(error)})
        return 1
