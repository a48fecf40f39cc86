"""damon run: a program with the agent inside."""

from __future__ import annotations

import argparse
import os
import pathlib
import shlex
import signal
import sys
from typing import Optional

from .. import agent_files
from ..agent_schemes import request_of
from ..enums import CoverageFlags
from ..params import Attrs, Scheme
from . import monitoring, programs
from .command import Command, CommandError


def agent_library() -> str:
    """The agent's path: $DAMON_AGENT_LIBRARY, or that of the package."""
    path = os.environ.get("DAMON_AGENT_LIBRARY") or str(pathlib.Path(__file__).resolve().parents[1] / "libdamon_agent.so")
    if not os.path.isfile(path):
        raise CommandError(f"there is no agent at {path}: install the package again, or set DAMON_AGENT_LIBRARY")
    if any(letter in path for letter in " :"):
        raise CommandError(f"the agent's path is '{path}'; the loader takes none with a blank or a colon: install it elsewhere")
    return path


def environment(attrs: Attrs, schemes: Optional[list[Scheme]] = None, *, delay_ms: int = 200, min_rss_bytes: int = 4 << 20,
                ring_bytes: int = 2 << 20, follow_fork: bool = False, coverage: int = 0, paused: bool = False,
                exclude: str = "", at_once: bool = False, auto_passes_us: int = 10_000_000, warm: str = "", warm_every_ms: int = 30_000, is_child: bool = False) -> dict[str, str]:
    """What a program needs in its environment to have an agent inside. is_child: of this process, and not in its
    place; its agent's file is left to this process then."""
    goal = attrs.intervals_goal
    if at_once:
        delay_ms = min_rss_bytes = 0
    words: dict[str, object] = {
        "delay_ms": delay_ms, "min_rss_bytes": min_rss_bytes, "ring_bytes": ring_bytes, "follow_fork": int(follow_fork),
        "coverage": coverage, "auto_passes_us": auto_passes_us, "paused": int(paused), "at_once": int(at_once), "warm_every_ms": warm_every_ms, "sample_us": attrs.sample_us, "aggr_us": attrs.aggr_us,
        "ops_update_us": attrs.ops_update_us, "referenced_us": attrs.referenced_us, "min_nr_regions": attrs.min_nr_regions,
        "max_nr_regions": attrs.max_nr_regions, "max_overhead_permil": attrs.max_overhead_permil,
        "goal_access_bp": goal.access_bp, "goal_aggrs": goal.aggrs, "goal_min_sample_us": goal.min_sample_us,
        "goal_max_sample_us": goal.max_sample_us,
    }
    if is_child:
        words["reader"] = os.getpid()
    if exclude:
        words["exclude"] = exclude
    before, sanitizer = os.environ.get("LD_PRELOAD", ""), os.environ.get("ASAN_OPTIONS", "")
    found = {
        # The address sanitizer's runtime refuses to come behind another library: programs built with it would not begin.
        "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0".lstrip(":"),
        "LD_PRELOAD": agent_library() + (f":{before}" if before else ""),
        "DAMON_AGENT": ",".join(f"{name}={value}" for name, value in words.items()),
        "DAMON_AGENT_DIR": agent_files.make_directory(os.geteuid()),
    }
    if warm:
        found["DAMON_AGENT_WARM"] = f"{-os.getpid() if is_child else os.getpid()}:{_warm_path(warm)}"
    request = request_of(schemes or [])
    if request:
        found["DAMON_AGENT_SCHEMES"] = request.hex()
    return found


def _warm_path(path: str) -> str:
    found = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(found)):
        raise CommandError(f"--warm: there is no folder {os.path.dirname(found)}")
    if len(os.fsencode(found)) > 500:
        raise CommandError(f"--warm: {found} is too long; the agent has room for 500 bytes")
    return found


def _add_options(parser: argparse.ArgumentParser) -> None:
    monitoring.add_attribute_options(parser)
    monitoring.add_scheme_options(parser)
    group = parser.add_argument_group("agent")
    group.add_argument("--delay", type=monitoring.time_us, default=200_000, metavar="TIME",
                       help="start the monitor so long after the program (default: 200ms)")
    group.add_argument("--at-once", action="store_true",
                       help="have the monitor ready before the program begins: for one that changes its user or root folder then; "
                       "memory that it gets later is seen after some two seconds")
    group.add_argument("--min-rss", type=monitoring.byte_size, default=4 << 20, metavar="SIZE",
                       help="wait until so much is resident (default: 4M)")
    group.add_argument("--follow-fork", action="store_true",
                       help="monitor forked children as well (servers that go to the background, PostgreSQL); programs that "
                       "are started by exec always are")
    group.add_argument("--files", action="store_true", help="watch mappings of files too")
    group.add_argument("--passes", type=monitoring.time_us, default=None, metavar="TIME",
                       help="read accessed bits so often, such as 10s: memory whose reads samples cannot see (below Linux 7.3) "
                       "is known to be idle or not; mremap() of it then fails with EFAULT, which malloc answers by copying. "
                       "Default: 10s where samples of private memory see nothing (userfaultfd is refused, as in containers; "
                       "nothing fails there), else 0: never")
    group.add_argument("--paused", action="store_true", help="start paused; 'damon resume' begins")
    group.add_argument("--exclude", default="", metavar="NAMES", help="programs to leave alone, such as make:gcc")
    group.add_argument("--ring", type=monitoring.byte_size, default=2 << 20, metavar="SIZE",
                       help="memory for windows that no recorder has read yet (default: 2M)")
    group.add_argument("--warm", default="", metavar="FILE",
                       help="go on from what FILE has of the program's last run, and keep in it what is learned: every "
                       "--warm-every, at the program's end, and for 'damon save'")
    group.add_argument("--warm-every", type=monitoring.time_us, default=30_000_000, metavar="TIME",
                       help="how often FILE is written (default: 30s; 0: at the end alone)")
    group.add_argument("-q", "--quiet", action="store_true", help="do not say where to look")
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM ...", help="the program and its arguments")


def _coverage(options: argparse.Namespace) -> CoverageFlags:
    files = CoverageFlags.FILES if options.files else CoverageFlags(0)
    return files | (CoverageFlags.STABLE if options.passes else CoverageFlags(0))


def prepare(options: argparse.Namespace, words: list[str], *, is_child: bool = False) -> tuple[str, dict[str, str]]:
    """(the program's path, its environment). CommandError, AgentError: it cannot be run so."""
    if not words:
        raise CommandError("there is no program: damon run -- PROGRAM ARGUMENTS")
    path = programs.located(words[0])
    programs.check(path)
    schemes, attrs = monitoring.schemes_from(options, Attrs(referenced_us=options.passes or 0))
    ring = 1 << max(options.ring - 1, 65535).bit_length()
    if ring > 1 << 28:
        raise CommandError("--ring is more than 256M")
    added = environment(attrs, schemes, delay_ms=options.delay // 1000, min_rss_bytes=options.min_rss, ring_bytes=ring,
                        follow_fork=options.follow_fork, coverage=int(_coverage(options)),
                        paused=options.paused, exclude=options.exclude, at_once=options.at_once, warm=options.warm,
                        warm_every_ms=options.warm_every // 1000, is_child=is_child,
                        auto_passes_us=10_000_000 if options.passes is None else 0)
    return path, {**own_environment(), **added}


def own_environment() -> dict[str, str]:
    """As this command got it: where no locale is named Python puts LC_CTYPE=C.UTF-8 into its own."""
    found = dict(os.environ)
    try:
        with open("/proc/self/environ", "rb") as file:
            is_given = any(word.startswith(b"LC_CTYPE=") for word in file.read().split(b"\0"))
    except OSError:
        return found
    if not is_given and found.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8"):
        del found["LC_CTYPE"]
    return found


def restore_signals() -> None:
    """Python ignores these, and a program goes on with what is ignored."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def program_words(options: argparse.Namespace) -> list[str]:
    """The program and its arguments."""
    words: list[str] = options.program
    return words[1:] if words[:1] == ["--"] else words


def _run(options: argparse.Namespace) -> int:
    words = program_words(options)
    path, variables = prepare(options, words)
    if not options.quiet and sys.stderr.isatty():
        print(f"damon: {shlex.join(words)} is process {os.getpid()}; in another terminal: damon top {os.getpid()}",
              file=sys.stderr)
    sys.stdout.flush()
    restore_signals()
    os.execve(path, words, variables)


COMMANDS = (Command("run", "run a program with the monitor inside", _add_options, _run, has_json=False,
                    epilog="The program is neither changed nor slowed by more than --max_overhead. Its exit code is that of "
                           "this command.\n\n  damon run -- redis-server --port 7777\n  damon run --damos_action stat "
                           "--damos_access_rate 0% 0% --damos_age 30s max -- python3 server.py"),)
