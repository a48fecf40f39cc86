"""Recording a whole program, or a part of one."""

from __future__ import annotations

import argparse
import errno
import os
import runpy
import sys
import warnings
from contextlib import ContextDecorator, ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from .checks import named
from .context import Context
from .params import Attrs, Target
from .record import RecordedSnapshot, read_record
from .visibility import VisibilityWarning

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

    def __repr__(self) -> str:
        return f"<damon.Profile into {os.fspath(self.output)!r}, {self.context!r}>"

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
    if not isinstance(output, (str, os.PathLike)):
        raise TypeError(f'output must be a path, not {type(output).__name__}; buffers come after it: profile("x.damon", array)')
    named(attrs, Attrs.__dataclass_fields__, "profile()")
    if buffers:
        return Profile(output, Context(Attrs(**attrs), [Target.of(*buffers)]))
    given: AttrsOptions = {**_OF_A_PROGRAM, **attrs}
    return Profile(output, Context(Attrs(**given), [Target()]))


def add_options(command: argparse.ArgumentParser) -> None:
    """Of `python -m damon record`."""
    command.add_argument("-o", "--output", default="profile.damon", help="the recording (default: profile.damon)")
    command.add_argument("--sample-us", type=int, default=5_000, help="sampling interval, microseconds (default: 5000)")
    command.add_argument("--aggr-us", type=int, default=100_000, help="window of a snapshot, microseconds (default: 100000)")
    command.add_argument("-m", dest="is_module", action="store_true", help="the program is a module, as with python -m")
    command.add_argument("program", help="a Python script")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def run(options: argparse.Namespace) -> None:
    """Runs a program as Python would, and records all of its memory."""
    if not options.is_module and not os.path.exists(options.program):
        raise SystemExit(f"python -m damon record: {options.program}: {os.strerror(errno.ENOENT)}")
    with ExitStack() as stack:
        try:
            recorded = stack.enter_context(profile(options.output, sample_us=options.sample_us, aggr_us=options.aggr_us))
        except OSError as error:  # what comes later is the program's own
            name = f"{error.filename}: " if error.filename else ""
            raise SystemExit(f"python -m damon record: {name}{error.strerror}") from None
        stack.callback(_tell_what_was_recorded, recorded, options)  # also where a program ends with sys.exit()
        sys.argv = [options.program, *options.arguments]
        _run_program(options.program, options.is_module)


def _tell_what_was_recorded(recorded: Profile, options: argparse.Namespace) -> None:
    recorded.context.stop()
    with warnings.catch_warnings(record=True) as caught:  # a line of this file is of no use to the user
        warnings.simplefilter("always", VisibilityWarning)
        lines = [recorded.summary_text(), *(str(warning.message) for warning in caught)]
    if recorded.context.snapshot().seq > 0:
        lines.append(f"recorded in {options.output}; python -m damon heatmap {options.output} shows it")
    else:
        lines.append(f"the program ended within the first {options.aggr_us} us, so nothing is in {options.output}: "
                     "try a shorter --aggr-us")
    print("\n".join(lines), file=sys.stderr)


def _run_program(program: str, is_module: bool) -> None:
    if is_module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    runpy.run_path(program, run_name="__main__")

