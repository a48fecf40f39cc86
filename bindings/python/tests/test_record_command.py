"""damon record: programs that nobody changed, on disk."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from agent_support import FAST, MIB, damon_words, page_of, running, until, window_of

import damon
from damon import records
from damon.agent_page import AgentPage, Command, NoAgentError
from damon.cli import main
from damon.records.draining import Drainer, last_window_ns
from damon.records.loading import load

SEES_WRITES = damon.probe_access_check().available
FAST_OPTIONS = ("--delay", "0", "--min-rss", "0", "-s", "1ms", "-a", "20ms", "--max_overhead", "0")
pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def hot(hot_part: str) -> Iterator[tuple[subprocess.Popen[str], AgentPage, int]]:
    """(a process, its page, where its hot part begins)."""
    with running(hot_part, ring_bytes=1 << 16) as process:
        assert process.stdout is not None
        begin = int(process.stdout.readline().split()[1])
        with page_of(process.pid) as page:
            window_of(page)
            yield process, page, begin


def hot_bytes_in(path: pathlib.Path, begin: int) -> float:
    """Share of the 8 MiB that the last windows found accessed."""
    last = load(path).windows[-1]
    found = 0
    for region in last.regions[last.regions["nr_accesses"] > 0]:
        found += max(min(int(region["end"]), begin + 8 * MIB) - max(int(region["start"]), begin), 0)
    return found / (8 * MIB)


def test_a_process_is_recorded_with_its_mappings(
    hot: tuple[subprocess.Popen[str], AgentPage, int], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, page, begin = hot
    window_of(page, after=page.snapshot().regions.seq + 20)
    path = tmp_path / "run.rec"
    assert main(["record", "-o", str(path), "--timeout", "1s", "--label", "service=toy", str(process.pid)]) == 0
    assert "windows in" in capsys.readouterr().err and stat.S_IMODE(path.stat().st_mode) == 0o600
    found = load(path)
    header = found.header
    assert (header.pid, header.program, header.labels) == (process.pid, "hot_part", {"service": "toy"})
    assert header.command_line is not None and header.command_line[0].endswith("hot_part")
    assert header.attrs["aggr_us"] == FAST.aggr_us and found.windows[-1].rss_bytes > 60 * MIB
    assert any(mapping.start <= begin < mapping.end for mapping in found.mappings[-1].entries)
    assert found.events[-1].name == "end" and abs(found.windows[-1].wall_ns - time.time_ns()) < 60e9
    assert not SEES_WRITES or hot_bytes_in(path, begin) > 0.7


def test_a_pause_and_what_schemes_do_are_recorded(
    hot: tuple[subprocess.Popen[str], AgentPage, int], tmp_path: pathlib.Path
) -> None:
    from damon.agent_schemes import request_of

    _, page, _ = hot
    with records.Writer(tmp_path / "pause.rec", records.header_of(page.pid)) as writer:
        drainer = Drainer(page, writer)
        page.command(Command.SCHEMES, request_of([damon.Scheme(action="stat")]))
        seq = page.snapshot().regions.seq
        window_of(page, after=seq + 5)
        drainer.take()
        page.command(Command.PAUSE)
        drainer.take()
        drainer._note_snapshot(is_last=True)
        page.command(Command.RESUME)
        window_of(page, after=page.snapshot().regions.seq + 2)
        drainer.finish()
    found = load(tmp_path / "pause.rec")
    assert [event.name for event in found.events if event.name != "lost"] == ["pause", "resume", "end"]
    assert found.schemes[-1].schemes[0]["action"] == "stat" and found.schemes[-1].schemes[0]["sz_tried"] > 0


def test_windows_that_the_ring_lost_are_counted(
    hot: tuple[subprocess.Popen[str], AgentPage, int], tmp_path: pathlib.Path
) -> None:
    _, page, _ = hot
    with records.Writer(tmp_path / "lost.rec") as writer:
        drainer = Drainer(page, writer)
        drainer.take()
        until(lambda: page._read_fields(type(page.header), 0).ring_tail > page._position, "the ring is full")
        drainer.finish()
    found = load(tmp_path / "lost.rec")
    assert drainer.nr_lost > 0 and found.nr_lost == drainer.nr_lost
    assert len(found.windows) == drainer.nr_windows


def test_windows_that_a_record_has_are_not_written_again(
    hot: tuple[subprocess.Popen[str], AgentPage, int], tmp_path: pathlib.Path
) -> None:
    process, page, _ = hot
    path = tmp_path / "again.rec"
    window_of(page, after=page.snapshot().regions.seq + 3)
    for _ in range(2):
        header = records.header_of(process.pid)
        after_ns = last_window_ns(str(path), header)
        with records.Writer(path, header, append=True) as writer, AgentPage.open(process.pid) as other:
            assert Drainer(other, writer, after_ns).take() >= (1 if after_ns == 0 else 0)
    seqs = [window.seq for window in load(path).windows]
    assert len(seqs) > 2 and seqs == sorted(set(seqs))


def test_a_program_is_run_and_recorded_and_its_exit_code_is_kept(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "run.rec"
    program = "import mmap, time\nm = mmap.mmap(-1, 8 << 20)\nend = time.time() + 1.5\n" \
              "while time.time() < end:\n    m[:4 << 20] = b'x' * (4 << 20); time.sleep(0.001)\nraise SystemExit(7)"
    ran = subprocess.run([*damon_words(), "record", "-o", str(path), "--json", "--no-command-line", *FAST_OPTIONS, "--",
                          sys.executable, "-S", "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 7, ran.stderr
    found = load(path)
    assert json.loads(ran.stdout)["nr_windows"] == len(found.windows) > 0  # on a busy machine they are few
    assert found.header.command_line is None and b"SystemExit" not in path.read_bytes()


def test_a_recorder_that_is_killed_leaves_whole_windows_and_ctrl_c_ends_it(
    hot: tuple[subprocess.Popen[str], AgentPage, int], tmp_path: pathlib.Path
) -> None:
    process, page, _ = hot
    path = tmp_path / "kill.rec"
    words = [*damon_words(), "record", "-q", "-o", str(path), "--append", str(process.pid)]
    for number, code, nr_files in ((signal.SIGKILL, -signal.SIGKILL, 1), (signal.SIGINT, 0, 2)):
        with subprocess.Popen(words) as recorder:
            until(lambda: len(list(tmp_path.glob("kill.rec*"))) == nr_files and path.exists() and path.stat().st_size > 5_000,
                  "something is written")
            recorder.send_signal(number)
            assert recorder.wait(30) == code
        seqs = [window.seq for window in load(path).windows]
        assert len(seqs) > 2 and seqs == sorted(set(seqs))
    assert load(path).events[-1].name == "end" and not page.has_ended


def test_what_cannot_be_recorded_is_said_before_anything_is_started(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], hot: tuple[subprocess.Popen[str], AgentPage, int]
) -> None:
    made = tmp_path / "made"
    for words, said in (
        (["-o", str(tmp_path / "no" / "x.rec"), "--", "touch", str(made)], f"there is no folder {tmp_path / 'no'}"),
        (["-o", str(tmp_path), "--", "touch", str(made)], "is a folder"),
        (["-o", str(tmp_path / "x.rec")], "there is no program"),
        (["-o", str(tmp_path / "x.rec"), str(os.getpid())], "has no agent"),
        (["-o", str(tmp_path / "x.rec"), "-a", "1s", str(hot[0].pid)], "is monitored already"),
        (["-o", str(tmp_path / "x.rec"), "--max-bytes", "10", str(hot[0].pid)], "max_bytes is 10; it must be 0 or at least 4096"),
    ):
        assert main(["record", *words]) == 1
        assert said in capsys.readouterr().err
    assert not made.exists() and not (tmp_path / "x.rec").exists()


def test_a_full_disk_does_not_end_the_program(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sh", "-c", f"sleep 1.5; touch {tmp_path / 'ended'}; exit 5"]
    assert main(["record", "-o", "/dev/full", *FAST_OPTIONS, "--", *words]) == 5
    error = capsys.readouterr().err
    assert "/dev/full: No space left on device; the program goes on unrecorded" in error and error.count("\n") == 1
    assert (tmp_path / "ended").exists()


def test_a_program_that_ends_before_its_first_window_is_told(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.rec"
    assert main(["record", "-o", str(path), "--label", "service=toy", "--", "true"]) == 0
    assert f"ended before its first window; {path} has no window" in capsys.readouterr().err
    with records.Record(path) as record:
        assert record.header.command_line == ("true",) and record.header.labels == {"service": "toy"}
        assert [frame.name for frame in record.frames() if isinstance(frame, records.Event)] == ["end"]
    with pytest.raises(records.RecordError, match="has no window"):
        load(path)


_USES_MEMORY = """
import mmap, os, sys, time
m = mmap.mmap(-1, 8 << 20)
end = time.time() + 1.5
while time.time() < end:
    m[:4 << 20] = b"x" * (4 << 20)
    time.sleep(0.001)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), 9)
sys.exit(3)
"""


@pytest.mark.parametrize(("way", "code"), [("ends", 3), ("killed", 137)])
def test_what_a_program_has_left_is_recorded_after_its_end(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, way: str, code: int
) -> None:
    """A recorder that is slow, or a program that is quick."""
    opened, path = AgentPage.open, tmp_path / "late.rec"

    def open_late(pid: int) -> AgentPage:
        until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), "the program ends")
        return opened(pid)

    monkeypatch.setattr(AgentPage, "open", open_late)
    words = [sys.executable, "-S", "-c", _USES_MEMORY, way]
    assert main(["record", "-o", str(path), *FAST_OPTIONS, "--", *words]) == code
    found = load(path)
    assert found.header.command_line is not None and found.header.command_line[-1] == way
    assert len(found.windows) > 0 and found.nr_lost == 0
    assert not list((tmp_path / "damon").iterdir())


def test_a_file_that_the_agent_still_makes_is_none_yet(tmp_path: pathlib.Path, hot_part: str) -> None:
    """The agent is stopped at many moments of its start: what there is of its file is whole."""
    for _ in range(8):
        with running(hot_part) as process:
            until(lambda: list((tmp_path / "damon").glob(f"{process.pid}.damon*")), "a file is there")
            process.send_signal(signal.SIGSTOP)
            try:
                AgentPage.open(process.pid).close()
            except NoAgentError:
                pass
