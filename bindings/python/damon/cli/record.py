"""damon record: what a program's monitor finds, written to a file."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Optional

from .. import agent_files
from ..agent_page import AgentError, AgentPage, NoAgentError
from ..params import Attrs
from . import monitoring, run
from .command import Command, CommandError, process_id, show_json, words_of

if TYPE_CHECKING:
    from ..records.draining import Drainer
    from ..records.model import Header
    from ..records.writer import Writer

_WAIT_FOR_AGENT_S = 0.05


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"'{text}' must be NAME=VALUE, such as service=search")
    return name, value


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("record")
    group.add_argument("-o", "--output", default="damon.rec", metavar="FILE", help="the record (default: damon.rec)")
    group.add_argument("--append", action="store_true", help="go on with the record that is there")
    group.add_argument("--no-command-line", action="store_true", help="leave the program's arguments out of the record")
    group.add_argument("--label", type=_label, action="append", default=[], metavar="NAME=VALUE",
                       help="words of your own, such as service=search")
    group.add_argument("--timeout", type=monitoring.time_us, metavar="TIME", help="record for so long (default: until the end)")
    group.add_argument("--max-bytes", type=monitoring.byte_size, default=0, metavar="SIZE",
                       help="begin a new file when this one is that large; the old ones are FILE.000001 and so on")
    group.add_argument("--max-time", type=monitoring.time_us, default=0, metavar="TIME", help="the same by age")
    group.add_argument("--keep", type=monitoring.count, default=0, metavar="N", help="keep so many old files (default: all)")
    run.COMMANDS[0].add_options(parser)
    for action in parser._actions:
        if action.dest == "program":
            action.metavar, action.help = "PID | -- PROGRAM ...", "a process that is monitored, or a program to run"


class _Stop:
    """Ctrl-C and SIGTERM end the recording, not the tool: what is in the ring is still written."""

    def __init__(self, seconds: Optional[float]) -> None:
        self.is_asked = False
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def _ask(self, number: int, frame: Optional[FrameType]) -> None:
        self.is_asked = True

    def __bool__(self) -> bool:
        return self.is_asked or (self._deadline is not None and time.monotonic() >= self._deadline)

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@dataclass
class _Recording:
    """One call of the command."""

    options: argparse.Namespace
    stop: _Stop
    child: Optional[subprocess.Popen[bytes]] = None
    writer: Optional[Writer] = None
    drainer: Optional[Drainer] = None
    header: Optional[Header] = None  # of what was there at the beginning, for a record that gets no window
    drained: Optional[tuple[int, int]] = None  # the last file that was
    nr_windows: int = 0
    nr_lost: int = 0
    after_ns: int = 0
    told_at: float = 0.0

    def follow(self, pid: int) -> None:
        """Until the process ends; where it begins another program, that one is recorded as well."""
        from ..records.host import header_of

        self.header = header_of(pid, command_line=not self.options.no_command_line, labels=dict(self.options.label))
        if self.child is not None and not self.options.no_command_line:  # what has ended already tells none
            self.header = dataclasses.replace(self.header, command_line=tuple(run.program_words(self.options)))
        while not self.stop:
            page = self._opened(pid)
            if page is None:
                return
            with page:
                self.drained = page.identity
                self._drain(page)
            if not os.path.exists(f"/proc/{pid}") or self._is_child_over():
                return

    def _is_child_over(self) -> bool:
        """Whether the program has ended. It stays a zombie, so that nobody takes its file for one that nobody reads."""
        if self.child is None or self.child.returncode is not None:
            return self.child is not None
        try:
            return os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # where SIGCHLD is ignored nothing is left of it
            return True

    def _opened(self, pid: int) -> Optional[AgentPage]:
        """The process's page, as soon as it is there; None: the child has ended, or it is time to stop. A child that has
        ended has left its page."""
        while True:
            is_over = self._is_child_over()
            try:
                page = AgentPage.open(pid)
                if not page.has_ended or (is_over and page.identity != self.drained):
                    return page
                page.close()
                raise NoAgentError(f"the monitor of process {pid} has ended: see 'damon ps'")
            except NoAgentError:
                if self.child is None:
                    if self.writer is not None:
                        return None
                    raise
            if is_over or self.stop:
                return None
            time.sleep(_WAIT_FOR_AGENT_S)

    def _drain(self, page: AgentPage) -> None:
        from ..records.draining import Drainer

        if self.writer is None:  # the first program may begin another one before it has a window
            while not self.stop and page.is_current and page.nr_records == 0:
                time.sleep(_WAIT_FOR_AGENT_S)
            if page.nr_records == 0:
                return
            self._begin(page)
        assert self.writer is not None
        drainer = Drainer(page, self.writer, self.after_ns)
        self.drainer = drainer
        while not self.stop and page.is_current:
            drainer.take()
            self._tell(drainer)
            time.sleep(drainer.poll_s)
        drainer.finish()
        self.nr_windows += drainer.nr_windows
        self.nr_lost += drainer.nr_lost

    def _begin(self, page: AgentPage) -> None:
        from ..records.draining import attrs_of_page, last_window_ns
        from ..records.host import header_of

        options = self.options
        try:
            attrs = attrs_of_page(page.snapshot())
        except AgentError:  # the program ended in the middle of it
            attrs = {}
        found = header_of(page.pid, command_line=not options.no_command_line, program=page.program, attrs=attrs,
                          labels=dict(options.label))
        if not any(found.command_line or ()) and self.header is not None:  # a zombie has none
            found = dataclasses.replace(found, command_line=self.header.command_line)
        if options.append:
            self.after_ns = last_window_ns(options.output, found)
        self._write(found)

    def _write(self, header: Header) -> Writer:
        from ..records.writer import Writer

        options = self.options
        self.writer = Writer(options.output, header, max_bytes=options.max_bytes, max_seconds=options.max_time / 1e6,
                             keep=options.keep, append=options.append)
        return self.writer

    def leave_empty(self) -> None:
        """A record without a window: who looks for it finds what was run, and that nothing of it was seen. One that is
        gone on with stays as it is."""
        if self.header is not None and not (self.options.append and os.path.exists(self.options.output)):
            self._write(self.header).event("end")

    def _tell(self, drainer: Drainer) -> None:
        now = time.monotonic()
        if self.writer is not None and sys.stderr.isatty() and now - self.told_at >= 1 and not self.options.quiet:
            self.told_at = now
            print(f"\r{self.nr_windows + drainer.nr_windows} windows, {self.writer.part_bytes >> 10} KiB ", end="",
                  file=sys.stderr, flush=True)


def _check_output(path: str) -> None:
    """Before a program is started for nothing."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise CommandError(f"there is no folder {folder} for the record: make it, or name another with -o")
    if os.path.isdir(path) or os.path.islink(path):
        raise CommandError(f"{path} is a {'link' if os.path.islink(path) else 'folder'}: name another file with -o")


def _check_pid_options(options: argparse.Namespace) -> None:
    schemes, attrs = monitoring.schemes_from(options, Attrs())
    if schemes is not None or attrs != Attrs():
        raise CommandError("the process is monitored already: change how by 'damon tune' or 'damon schemes'")


def _run(options: argparse.Namespace) -> int:
    words = run.program_words(options)
    if not words:
        raise CommandError("there is no program: damon record PID, or damon record -- PROGRAM ARGUMENTS")
    is_pid = len(words) == 1 and words[0].isdecimal()
    try:
        from .. import records  # noqa: F401  (before a program is started)
        from ..checks import need_numpy

        need_numpy("damon record")
    except ImportError as error:
        raise CommandError("records need NumPy: pip install numpy") from error
    _check_output(options.output)
    if is_pid:
        _check_pid_options(options)
    prepared = None if is_pid else run.prepare(options, words, is_child=True)
    recording = _Recording(options, _Stop(None if options.timeout is None else options.timeout / 1e6))
    try:
        return _recorded(recording, words, prepared)
    except ValueError as error:
        raise CommandError(str(error)) from error
    finally:
        recording.stop.restore()
        if recording.writer is not None:
            recording.writer.close()


def _recorded(recording: _Recording, words: list[str], prepared: Optional[tuple[str, dict[str, str]]]) -> int:
    if prepared is None:
        recording.follow(process_id(words[0]))
        return _summary(recording)
    path, variables = prepared
    recording.child = child = subprocess.Popen(words, executable=path, env=variables, close_fds=False)  # they are its own, if any
    try:
        recording.follow(child.pid)
    except (AgentError, OSError, ValueError) as error:  # the program goes on, without a record
        print(f"damon record: {words_of(error)}; the program goes on unrecorded", file=sys.stderr)
        if recording.writer is None:
            with contextlib.suppress(OSError, ValueError):
                recording.leave_empty()
        return _ended(recording, child)
    if not recording.stop.is_asked:
        _summary(recording)  # before the program's end, where the time is over
    code = _ended(recording, child)
    if recording.stop.is_asked:
        _summary(recording)
    return code


def _ended(recording: _Recording, child: subprocess.Popen[bytes]) -> int:
    """The exit code of the program, as a shell gives it. Ctrl-C at a terminal reaches it by itself, SIGTERM does not."""
    if recording.stop.is_asked and not sys.stdin.isatty():
        child.terminate()
    code = child.wait()
    agent_files.remove_stale()  # its own was left to this process
    return code if code >= 0 else 128 - code


def _summary(recording: _Recording) -> int:
    options = recording.options
    is_empty = recording.writer is None
    if is_empty:
        why = "no window ended in that time" if recording.stop else "the program ended before its first window"
        recording.leave_empty()
        print(f"damon record: nothing was recorded, {why}; {options.output} has no window: --delay 0 --min-rss 0 start the "
              "monitor at once", file=sys.stderr)
    if options.json:
        show_json({"output": options.output, "nr_windows": recording.nr_windows, "nr_lost": recording.nr_lost})
    elif not options.quiet and not is_empty:
        lost = f", {recording.nr_lost} were lost" if recording.nr_lost else ""
        start = "\r" if sys.stderr.isatty() else ""
        print(f"{start}{recording.nr_windows} windows in {options.output}{lost}; damon report heatmap {options.output} shows them",
              file=sys.stderr)
    return 1 if is_empty else 0


COMMANDS = (Command("record", "write what a program's monitor finds to a file", _add_options, _run,
                    epilog="  damon record -o run.rec -- redis-server --port 7777\n  damon record -o run.rec --max-bytes 64M "
                           "--keep 4 1234"),)
