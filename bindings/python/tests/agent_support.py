"""Programs with an agent inside, for the tests of the agent and of the `damon` command."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Callable, Optional

from damon.agent_page import AgentError, AgentPage, PageSnapshot
from damon.cli import main
from damon.cli.run import environment
from damon.params import Attrs

MIB = 1 << 20
PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
FAST = Attrs(sample_us=1_000, aggr_us=20_000, max_overhead_permil=0)


def built(folder: pathlib.Path, name: str, *options: str) -> str:
    """A C program of programs/, compiled."""
    binary = folder / (name + "".join(options).replace("-", "_"))
    subprocess.run(["cc", "-O1", PROGRAMS / f"{name}.c", "-o", binary, *options], check=True)
    return str(binary)


def until(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """What it returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


@contextlib.contextmanager
def running(*words: str, attrs: Attrs = FAST, variables: Optional[dict[str, str]] = None,
            **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program with the agent inside, started as `damon run` starts it."""
    options = {"delay_ms": 0, "min_rss_bytes": 0, **options}
    env = {**os.environ, **environment(attrs, **options), **(variables or {})}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def page_of(pid: int) -> AgentPage:
    """Of the agent of a process, as soon as it is there."""

    def opened() -> Optional[AgentPage]:
        try:
            return AgentPage.open(pid)
        except AgentError:
            return None

    page: AgentPage = until(opened, f"process {pid} has an agent")
    return page


def window_of(page: AgentPage, after: int = 0) -> PageSnapshot:
    """The first window after that one."""

    def found() -> Optional[PageSnapshot]:
        snapshot = page.snapshot()
        return snapshot if snapshot.regions.seq > after else None

    snapshot: PageSnapshot = until(found, "a window ends")
    return snapshot


def command(*words: str) -> int:
    """`damon` with these words, in this process."""
    return main([*words])


def damon_words() -> list[str]:
    """The beginning of a command line that runs `damon` in a process of its own."""
    return [sys.executable, "-B", "-m", "damon.cli"]
