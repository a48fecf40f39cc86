"""Recording a whole program, or a part of one."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from contextlib import ContextDecorator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from .context import Context
from .params import Attrs, Target
from .record import RecordedSnapshot, read_record

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import AttrsOptions

# A whole program has many mappings, and new ones all the time; who records it wants to see them at once, and may pay 5 %
# of a CPU for it.
_OF_A_PROGRAM: AttrsOptions = {"min_nr_regions": 50, "ops_update_us": 500_000, "max_overhead_permil": 50}


class Profile(ContextDecorator):
    """What profile() gives: for `with`, or as a decorator of a function."""

    def __init__(self, output: Union[str, os.PathLike[str]], context: Context) -> None:
        self.output = output
        self.context = context

    def snapshots(self) -> list[RecordedSnapshot]:
        """What was recorded so far."""
        return list(read_record(self.output))

    def summary_text(self) -> str:
        """The last snapshot in a few lines."""
        return self.context.summary_text()

    def __enter__(self) -> Profile:
        self.context.record(self.output)
        self.context.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.context.stop()


def profile(
    output: Union[str, os.PathLike[str]] = "profile.damon", *buffers: Any, **attrs: Unpack[AttrsOptions]
) -> Profile:
    """Records the memory that a block of the program, or a function, uses; `python -m damon heatmap OUTPUT` shows it.
    Watches these buffers, or all mappings of this process. Options: the fields of Attrs.

        with damon.profile("sort.damon", array):
            array.sort()
    """
    if buffers:
        return Profile(output, Context(Attrs(**attrs), [Target.of(*buffers)]))
    given: AttrsOptions = {**_OF_A_PROGRAM, **attrs}
    return Profile(output, Context(Attrs(**given), [Target()]))


def add_options(command: argparse.ArgumentParser) -> None:
    """Of `python -m damon record`."""
    command.add_argument("-o", "--output", default="profile.damon", help="the recording (default: profile.damon)")
    command.add_argument("--sample-us", type=int, default=5_000, help="sampling interval (default: 5000)")
    command.add_argument("--aggr-us", type=int, default=100_000, help="aggregation interval (default: 100000)")
    command.add_argument("-m", dest="is_module", action="store_true", help="the program is a module, as with python -m")
    command.add_argument("program", help="a Python script")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def run(options: argparse.Namespace) -> None:
    """Runs a program as Python would, and records all of its memory."""
    recorded = profile(options.output, sample_us=options.sample_us, aggr_us=options.aggr_us)
    sys.argv = [options.program, *options.arguments]
    try:
        with recorded:
            _run_program(options.program, options.is_module)
    finally:  # programs end with sys.exit()
        print(f"{recorded.summary_text()}\nrecorded in {options.output}; python -m damon heatmap {options.output} shows it",
              file=sys.stderr)


def _run_program(program: str, is_module: bool) -> None:
    if is_module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    runpy.run_path(program, run_name="__main__")

