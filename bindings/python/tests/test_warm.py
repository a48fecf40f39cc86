"""Warm starts: a program that is started again goes on from what was learned of it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from agent_support import FAST, MIB, command, page_of, running, until, window_of
from skipping import declared_skip

import damon
from damon.agent_page import AgentError, AgentPage, Command, PageSnapshot
from damon.params import Attrs
from damon.record import RecordedSnapshot

HOT_BYTES = 8 * MIB
SLOW = Attrs(sample_us=5_000, aggr_us=100_000, max_overhead_permil=0)
pytestmark = pytest.mark.usefixtures("own_folder")


@contextlib.contextmanager
def started(program: str, warm: pathlib.Path, attrs: Attrs = SLOW) -> Iterator[tuple[subprocess.Popen[str], AgentPage, int]]:
    """(the program with a warm start, its page, where its hot part begins)"""
    with running(program, attrs=attrs, warm=str(warm), warm_every_ms=0, is_child=True) as process:
        assert process.stdout is not None
        begin = int(process.stdout.readline().split()[1])
        with page_of(process.pid) as page:
            yield process, page, begin


def skip_where_nothing_is_seen() -> None:
    """A declared skip where nothing is seen of private memory."""
    found = damon.probe_access_check()
    if not found.available:
        declared_skip("uffd-wp", found.reason)


def f1_of(snapshot: RecordedSnapshot, begin: int) -> float:
    """How well what was found accessed agrees with what is written."""
    hot = [r for r in snapshot.regions if r.nr_accesses > snapshot.max_nr_accesses // 4 and not r.unknown]
    found = sum(r.size for r in hot)
    both = sum(max(min(r.end, begin + HOT_BYTES) - max(r.start, begin), 0) for r in hot)
    return 2 * both / (found + HOT_BYTES)


def oldest_idle(snapshot: RecordedSnapshot, begin: int) -> int:
    """For how many windows what lies behind the hot part is known to be idle."""
    behind = [r for r in snapshot.regions if r.start >= begin + HOT_BYTES and r.end <= begin + 32 * MIB]
    return max((r.age for r in behind if r.nr_accesses == 0 and not r.unknown), default=0)


def learn(program: str, warm: pathlib.Path, windows: int = 0) -> None:
    """Until the hot part is known and what lies behind it was idle for so long, and kept."""
    with started(program, warm) as (process, page, begin):
        until(lambda: f1_of((found := page.snapshot().regions), begin) > 0.95 and oldest_idle(found, begin) >= windows,
              "the hot part is found", 60)
        assert page.command(Command.SAVE).startswith("saved ")
        process.communicate("", timeout=30)


def windows_after(page: AgentPage, taken: PageSnapshot) -> Iterator[RecordedSnapshot]:
    """The first window after the takeover, and some more: a machine that is busy with others may keep the program from
    writing all of its hot part in one. What nobody kept takes far longer to find."""
    seq = taken.regions.seq
    for _ in range(5):
        snapshot = window_of(page, seq).regions
        yield snapshot
        seq = snapshot.seq


def best_of_starts(f1_after_a_start: Callable[[], float]) -> float:
    """The same for the program's start."""
    best = 0.0
    for _ in range(3):
        best = max(best, f1_after_a_start())
        if best >= 0.9:
            break
    return best


def test_after_one_window_the_hot_part_is_known_again(hot_part: str, tmp_path: pathlib.Path) -> None:
    skip_where_nothing_is_seen()
    warm = tmp_path / "hot.warm"
    learn(hot_part, warm, windows=50)
    assert warm.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["damon", "hot.warm"]

    def f1_after_a_start() -> float:
        with started(hot_part, warm) as (_, page, begin):
            taken = until(lambda: "took over" in (found := page.snapshot()).message and found, "it is taken over", 60)
            windows = list(windows_after(page, taken))
            # Usually longer than the program has run: only the warm start can know that.
            assert oldest_idle(windows[0], begin) >= 50
            return max(f1_of(window, begin) for window in windows)

    assert best_of_starts(f1_after_a_start) >= 0.9


@contextlib.contextmanager
def redis(folder: pathlib.Path, warm: pathlib.Path) -> Iterator[tuple[AgentPage, subprocess.Popen[str]]]:
    """A redis with a warm start that has loaded 96 MiB, and writes one value of 16 MiB of them all the time."""
    path = folder / "redis.sock"
    words = ("redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--dir", str(folder))
    load = "for i=1,40 do redis.call('SET',KEYS[1]..i,string.rep('x',1048576)) end"
    write = "for i=0,4095 do redis.call('SETRANGE','hot',i*4096,'y') end"
    client = ["redis-cli", "-s", str(path)]
    with running(*words, attrs=SLOW, warm=str(warm), warm_every_ms=0, is_child=True) as process:
        until(lambda: subprocess.run([*client, "PING"], capture_output=True, check=False).returncode == 0, "redis answers")
        subprocess.run([*client, "SETRANGE", "hot", "16777215", "x"], check=True, capture_output=True)
        with subprocess.Popen([*client, "-r", "-1", "EVAL", write, "0"], stdout=subprocess.DEVNULL) as writer:
            try:
                for name in ("one", "two"):
                    subprocess.run([*client, "EVAL", load, "1", name], check=True, capture_output=True)
                with page_of(process.pid) as page:
                    yield page, process
            finally:
                writer.kill()


def hot_of(snapshot: RecordedSnapshot) -> list[tuple[int, int]]:
    least = snapshot.max_nr_accesses // 10  # one round of writes may take several sampling intervals
    return [(r.start, r.end) for r in snapshot.regions if r.nr_accesses > least and not r.unknown and r.size >= MIB]


def common_bytes(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> int:
    return sum(max(min(end, high) - max(start, low), 0) for start, end in one for low, high in other)


def test_a_redis_with_its_data_loaded_again_is_known_after_one_window(tmp_path: pathlib.Path) -> None:
    skip_where_nothing_is_seen()
    if shutil.which("redis-server") is None:
        declared_skip("redis", "redis-server is not installed")
    warm = tmp_path / "redis.warm"

    def settled(page: AgentPage) -> list[tuple[int, int]]:
        """The value of 16 MiB, and hardly more."""
        def found() -> list[tuple[int, int]]:
            hot = hot_of(page.snapshot().regions)
            return hot if 15 * MIB <= common_bytes(hot, hot) <= 18 * MIB else []
        ranges: list[tuple[int, int]] = until(found, "the value that is written is found", 60)
        return ranges

    with redis(tmp_path, warm) as (page, _):
        settled(page)
        page.command(Command.SAVE)

    def f1_after_a_start() -> float:
        with redis(tmp_path, warm) as (page, _):
            taken = until(lambda: "took over" in (found := page.snapshot()).message and found, "it is taken over", 60)
            found = [hot_of(window) for window in windows_after(page, taken)]
            truth = settled(page)
            truth_bytes = common_bytes(truth, truth)
            return max(2 * common_bytes(hot, truth) / (common_bytes(hot, hot) + truth_bytes) for hot in found)

    assert best_of_starts(f1_after_a_start) >= 0.9


def test_it_is_kept_when_the_program_ends(hot_part: str, tmp_path: pathlib.Path) -> None:
    warm = tmp_path / "hot.warm"
    with started(hot_part, warm, FAST) as (process, page, _):
        window_of(page)
        process.communicate("", timeout=30)  # its input ends, and so it does
    assert process.returncode == 0 and warm.read_bytes().startswith(b"DAMONWRM")


def test_it_is_kept_now_and_then_for_a_program_that_is_killed(hot_part: str, tmp_path: pathlib.Path) -> None:
    warm = tmp_path / "hot.warm"
    with running(hot_part, warm=str(warm), warm_every_ms=50, is_child=True) as process:
        until(warm.exists, "it is saved")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert warm.read_bytes().startswith(b"DAMONWRM")


def test_a_program_that_has_less_memory_waits_and_keeps_the_file(hot_part: str, tmp_path: pathlib.Path) -> None:
    warm = tmp_path / "hot.warm"
    learn_bytes = warm_of(hot_part, warm)
    code = "import time\nprint(1, 2, flush=True)\ntime.sleep(60)"
    with running("/usr/bin/python3", "-c", code, warm=str(warm), is_child=True) as process, page_of(process.pid) as page:
        window_of(page)
        message = page.snapshot().message
        assert re.match(r"warm start: waits until the \d+ MiB that were resident are again", message), message
        with pytest.raises(AgentError, match="before .* is taken over"):
            page.command(Command.SAVE)
    assert warm.read_bytes() == learn_bytes


def warm_of(program: str, warm: pathlib.Path) -> bytes:
    with started(program, warm, FAST) as (_, page, _):
        window_of(page)
        page.command(Command.SAVE)
    return warm.read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda data: b"", "is cut short"), (lambda data: b"x" + data[1:], "is none of this release's warm starts"),
     (lambda data: data[:-1], "or is damaged"), (lambda data: data[:-9] + bytes(9), "damaged: their checksum")],
)
def test_damaged_files_are_refused_with_a_reason(hot_part: str, tmp_path: pathlib.Path, change: object, words: str) -> None:
    warm = tmp_path / "hot.warm"
    data = warm_of(hot_part, warm)
    warm.write_bytes(change(data))  # type: ignore[operator]
    with started(hot_part, warm, FAST) as (_, page, _):
        message = until(lambda: (text := page.snapshot().message).startswith("no warm start") and text, "it is refused")
        assert words in message
        assert page.command(Command.SAVE).startswith("saved ")  # in the place of what is of no use


def test_links_are_not_followed(hot_part: str, tmp_path: pathlib.Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link.warm"
    target.write_bytes(b"precious")
    link.symlink_to(target)
    with started(hot_part, link, FAST) as (process, page, _):
        window_of(page)
        assert page.snapshot().message.startswith("no warm start")
        process.communicate("", timeout=30)
    assert target.read_bytes() == b"precious" and not link.is_symlink()


def test_children_leave_the_file_alone(hot_part: str, tmp_path: pathlib.Path) -> None:
    warm = tmp_path / "child.warm"
    with running("sh", "-c", f"sleep 1 | {hot_part}; true", warm=str(warm), warm_every_ms=50, is_child=True,
                 min_rss_bytes=16 << 20) as process:
        process.communicate("", timeout=30)
    assert not warm.exists()  # the shell is too small to be monitored


def test_without_a_file_there_is_nothing_to_save_to(
    hot_part: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(hot_part) as process, page_of(process.pid) as page:
        window_of(page)
        assert command("save", str(process.pid)) == 1
    assert "was started without --warm" in capsys.readouterr().err
    assert command("run", "--warm", str(tmp_path / "no" / "x.warm"), "--", "true") == 1
    assert "there is no folder" in capsys.readouterr().err
