"""The agent in programs that nobody changed."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from agent_support import FAST, MIB, built, page_of, running, until, window_of
from skipping import declared_skip

import damon
from damon import agent_files
from damon import agent_layout as layout
from damon.agent_page import AgentError, AgentPage, Command, NoAgentError, Phase
from damon.agent_schemes import attrs_fields, request_of
from damon.enums import FilterType, State
from damon.params import AccessPattern, Attrs, Filter, Scheme

SEES_WRITES = damon.probe_access_check().available
pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return built(tmp_path_factory.mktemp("programs"), "forks")


@pytest.fixture
def hot(hot_part: str) -> Iterator[tuple[subprocess.Popen[str], AgentPage, int]]:
    """(a process, its page, where its hot part begins)."""
    with running(hot_part) as process:
        assert process.stdout is not None
        begin = int(process.stdout.readline().split()[1])
        with page_of(process.pid) as page:
            yield process, page, begin


def thread_names(pid: int) -> list[str]:
    return sorted(pathlib.Path(f"/proc/{pid}/task/{task}/comm").read_text().strip() for task in os.listdir(f"/proc/{pid}/task"))


def test_a_program_ends_as_it_does_without_the_agent() -> None:
    for words, code in ((["true"], 0), (["false"], 1), (["sh", "-c", "echo out; exit 7"], 7)):
        with running(*words) as process:
            out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (code, "out\n" if code == 7 else "")


def test_the_hot_part_of_a_program_is_found(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    _, page, begin = hot

    def found() -> bool:
        snapshot = page.snapshot().regions
        if not SEES_WRITES:
            return snapshot.unknown_bytes >= 60 * MIB
        inside = sum(min(r.end, begin + 8 * MIB) - max(r.start, begin) for r in snapshot.regions
                     if r.nr_accesses and r.start < begin + 8 * MIB and r.end > begin)
        return inside > 6 * MIB and snapshot.working_set_bytes() < 16 * MIB

    until(found, "the 8 MiB that are written are told from the 64 MiB")


def test_a_program_whose_first_thread_has_ended_is_monitored(tmp_path: pathlib.Path) -> None:
    with running(built(tmp_path, "first_thread_ends", "-pthread")) as process:
        with page_of(process.pid) as page:
            assert window_of(page).rss_bytes >= 16 * MIB


@pytest.mark.parametrize("words", [["thread"], ["bare", "0"], ["bare", "5"], ["filtered"]])
@pytest.mark.parametrize("options", [{}, {"paused": True}, {"min_rss_bytes": 1 << 40}])
def test_a_process_ends_with_the_last_thread_of_its_own(tmp_path: pathlib.Path, words: list[str], options: dict[str, Any]) -> None:
    if words == ["filtered"] and options.get("paused"):
        declared_skip("paused-filter", "a paused agent does not see that the program forbids itself system calls")
    program = [built(tmp_path, "ends", "-pthread"), *words]
    alone = subprocess.run(program, stdout=subprocess.PIPE, text=True, timeout=30)
    with running(*program, **options) as process:
        page_of(process.pid).close()
        out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == (alone.stdout, alone.returncode)


def test_a_program_that_changes_its_user_at_once_is_monitored_if_asked_to_be_at_once(hot_part: str, tmp_path: pathlib.Path) -> None:
    """Its files of /proc are root's from then on."""
    if os.geteuid() != 0:
        declared_skip("change-user", "only root can")
    with running(built(tmp_path, "drops"), at_once=True) as process, page_of(process.pid) as page:
        snapshot = until(lambda: page.snapshot() if page.snapshot().phase != Phase.WAITING else None, "it has begun")
        assert snapshot.phase == Phase.RUNNING, snapshot.message
        until(lambda: page.snapshot().regions.total_bytes >= 16 * MIB, "its memory is watched")
        assert not SEES_WRITES or until(lambda: page.snapshot().regions.working_set_bytes() >= MIB, "and seen")


@pytest.mark.parametrize("refused", [False, True])
def test_passes_tell_memory_that_is_read_from_idle_memory(tmp_path: pathlib.Path, hot_part: str, refused: bool) -> None:
    """Asked for; and by themselves where a filter of system calls refuses userfaultfd, as in containers."""
    if not refused and damon.probe_access_check(damon.AccessCheck.UFFD_RWP).available:
        declared_skip("passes", "samples see reads here")
    if not refused and not damon.probe_access_check(damon.AccessCheck.UFFD_WP).available:
        declared_skip("uffd-wp", "there are no passes over windows here")
    words = [built(tmp_path, "no_userfaultfd"), hot_part, "apart"] if refused else [hot_part, "reads"]
    attrs = FAST if refused else dataclasses.replace(FAST, referenced_us=300_000)
    coverage = 0 if refused else int(damon.CoverageFlags.STABLE)
    with running(*words, attrs=attrs, coverage=coverage, auto_passes_us=300_000) as process:
        assert process.stdout is not None
        memory, begin = map(int, process.stdout.readline().split())
        with page_of(process.pid) as page:

            def idle_bytes(start: int, end: int) -> int:
                """Known by passes not to be accessed for a second."""
                return sum(min(r.end, end) - max(r.start, start) for r in page.snapshot().regions.regions
                           if r.start < end and r.end > start and r.flags & damon.RegionFlags.REFERENCED
                           and not r.unknown and (r.idle_us or 0) >= 1_000_000)

            until(lambda: idle_bytes(memory, memory + 64 * MIB) >= 48 * MIB, "the idle part is known to be idle", 60)
            assert idle_bytes(begin + 2 * MIB, begin + 6 * MIB) == 0  # inside of what is read; windows are of 2 MiB


def test_the_agent_has_two_threads_and_no_descriptor_in_the_program(
    hot: tuple[subprocess.Popen[str], AgentPage, int], hot_part: str
) -> None:
    process, page, _ = hot
    window_of(page)
    names = thread_names(process.pid)
    assert len(names) == 3 and "damon_agent" in names, names
    with subprocess.Popen([hot_part], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as plain:
        assert plain.stdout is not None and plain.stdout.readline()
        assert set(os.listdir(f"/proc/{process.pid}/fd")) <= set(os.listdir(f"/proc/{plain.pid}/fd"))
        plain.communicate(b"")


def test_a_paused_agent_does_not_wake_up_and_resumes(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    process, page, _ = hot
    window_of(page)
    assert page.command(Command.PAUSE) == "paused"
    assert page.snapshot().state.state == State.PAUSED

    def switches() -> int:
        total = 0
        for task in os.listdir(f"/proc/{process.pid}/task"):
            if int(task) != process.pid:
                status = pathlib.Path(f"/proc/{process.pid}/task/{task}/status").read_text()
                total += sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)
        return total

    time.sleep(0.1)  # what was under way
    before = switches()
    time.sleep(0.4)
    assert switches() == before
    assert page.command(Command.RESUME) == "resumed"
    window_of(page, page.snapshot().regions.seq)


def test_intervals_change_while_it_runs(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    _, page, _ = hot
    page.command(Command.TUNE, bytes(attrs_fields(Attrs(sample_us=2_000, aggr_us=30_000))))
    assert (page.snapshot().attrs.sample_us, page.snapshot().attrs.aggr_us) == (2_000, 30_000)
    with pytest.raises(AgentError, match="min_nr_regions"):
        page.command(Command.TUNE, bytes(attrs_fields(Attrs(min_nr_regions=1))))
    with pytest.raises(AgentError, match="room for 4096"):
        page.command(Command.TUNE, bytes(attrs_fields(Attrs(max_nr_regions=5_000))))


def test_schemes_come_go_and_count(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    _, page, _ = hot
    page.command(Command.SCHEMES, request_of([Scheme(action="stat"), Scheme(pattern=AccessPattern(max_nr_accesses=0))]))
    until(lambda: page.snapshot().schemes[0].stat.sz_tried > 60 * MIB, "the scheme looks at all memory")
    assert len(page.snapshot().schemes) == 2
    page.command(Command.SCHEMES)
    assert page.snapshot().schemes == ()
    with pytest.raises(AgentError, match="of this release"):
        page.command(Command.SCHEMES, b"\1" * 100)


def test_a_program_can_start_with_schemes_and_paused(hot_part: str) -> None:
    schemes = [Scheme(action="stat", pattern=AccessPattern(min_nr_accesses=3)), Scheme(action="cold")]
    with running(hot_part, schemes=schemes, paused=True) as process, page_of(process.pid) as page:
        until(lambda: page.snapshot().phase == Phase.RUNNING, "the monitor is there")
        snapshot = page.snapshot()
        assert snapshot.state.state == State.PAUSED and snapshot.regions.seq == 0
        assert [one.params.action for one in snapshot.schemes] == [damon.Action.STAT, damon.Action.COLD]
        assert snapshot.schemes[0].params.pattern.min_nr_accesses == 3
        page.command(Command.RESUME)
        window_of(page)


def test_a_request_cannot_name_a_function(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    _, page, _ = hot
    request = bytearray(request_of([Scheme(action="stat")]))
    for place in (layout.ParamsFields.action_fn.offset, layout.ParamsFields.action_data.offset):
        bad = bytearray(request)
        bad[place] = 1
        with pytest.raises(AgentError, match="may not call a function"):
            page.command(Command.SCHEMES, bytes(bad))
    request[4] = int(damon.Action.CALLBACK)
    with pytest.raises(AgentError, match="may not call a function"):
        page.command(Command.SCHEMES, bytes(request))


def test_a_request_of_any_bytes_is_refused_or_done_and_breaks_nothing(
    hot: tuple[subprocess.Popen[str], AgentPage, int]
) -> None:
    process, page, _ = hot
    chance = random.Random(7)
    sound = [request_of([Scheme(action="stat", filters=[Filter(FilterType.ANON)])]), bytes(attrs_fields(FAST)), b""]
    refused = 0
    for _ in range(60):
        request = bytearray(chance.choice(sound))
        for _ in range(chance.randrange(3)):
            if request:
                request[chance.randrange(len(request))] = chance.choice((0, 1, 127, 128, 255))
        try:
            page.command(chance.choice((Command.TUNE, Command.SCHEMES)), bytes(request[: chance.choice((None, 7, 200))]))
        except AgentError as error:
            assert "answer" not in str(error)
            refused += 1
    assert refused > 10
    page.command(Command.SCHEMES)
    page.command(Command.TUNE, bytes(attrs_fields(FAST)))
    window_of(page, page.snapshot().regions.seq)
    assert process.poll() is None


def test_windows_are_drained_in_order_and_losses_are_counted(hot_part: str) -> None:
    many = dataclasses.replace(FAST, aggr_us=4_000, min_nr_regions=100)  # the ring holds a dozen windows
    with running(hot_part, attrs=many, ring_bytes=65536) as process, page_of(process.pid) as page:
        window_of(page)
        first, lost = page.drain()
        assert first and lost == 0
        number = first[-1].number
        until(lambda: page.snapshot().regions.seq > number + 25, "the ring is written over")
        records, lost = page.drain()
        assert lost > 0 and records[0].number == number + lost + 1
        assert [r.number for r in records] == list(range(records[0].number, records[0].number + len(records)))
        assert all(r.total_bytes == sum(x.size for x in r.regions) and r.wall_ns > 10**18 for r in records)
        assert all(a.time_ns < b.time_ns for a, b in zip(records, records[1:]))


def test_stop_leaves_the_program_as_it_was(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    process, page, _ = hot
    window_of(page)
    page.command(Command.STOP)
    until(lambda: len(thread_names(process.pid)) == 1, "the agent's threads end")
    assert not os.path.exists(page.path) and not page.is_current
    assert ".damon" not in pathlib.Path(f"/proc/{process.pid}/maps").read_text()
    assert process.communicate("", timeout=30)[0] == "" and process.returncode == 0
    with pytest.raises(NoAgentError):
        AgentPage.open(process.pid)


def test_the_file_is_the_users_alone_and_goes_with_the_program(hot: tuple[subprocess.Popen[str], AgentPage, int]) -> None:
    process, page, _ = hot
    assert os.stat(page.path).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(page.path)).st_mode & 0o777 == 0o700
    process.communicate("", timeout=30)
    assert not os.path.exists(page.path) and page.has_ended


def test_the_file_of_a_killed_program_is_removed_by_the_next_tool_or_agent(hot_part: str) -> None:
    for is_agent in (False, True):
        with running(hot_part) as process, page_of(process.pid) as page:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert os.path.exists(page.path)
            if is_agent:
                with running(hot_part) as other, page_of(other.pid):
                    assert not os.path.exists(page.path)
            else:
                agent_files.remove_stale()
                assert not os.path.exists(page.path)


# Runs a program with an id that no process has outside.
WITH_ANOTHER_ID = """
import os, sys
while True:
    child = os.fork()
    if child == 0:
        if os.path.exists(f"/proc/{os.getpid()}"):
            os._exit(1)
        os.execv(sys.argv[1], sys.argv[1:])
    if os.waitpid(child, 0)[1] == 0:
        break
"""


def test_the_file_of_a_process_in_another_pid_namespace_is_left_alone(hot_part: str, tmp_path: pathlib.Path) -> None:
    apart = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode != 0:
        declared_skip("pid-namespace", "unshare --pid is refused")
    folder = tmp_path / "damon"

    def foreign() -> list[str]:
        """Files of processes that have another id here."""
        return [name for name in os.listdir(folder) if name.endswith(".damon") and agent_files.start_ticks(int(name[:-6])) == 0]

    with running(*apart, sys.executable, "-S", "-c", WITH_ANOTHER_ID, hot_part, exclude=os.path.basename(sys.executable)) as process:
        (name,) = until(foreign, "its agent's file is there")
        agent_files.remove_stale()
        assert foreign() == [name], "a tool has removed it"
        with running(hot_part) as other, page_of(other.pid):
            assert foreign() == [name], "an agent has removed it"
        assert process.poll() is None

    def removed() -> bool:
        agent_files.remove_stale()
        return not foreign()

    until(removed, "what it left is removed when it has ended")


@pytest.mark.parametrize("follow", [False, True])
def test_a_forked_child_is_monitored_only_if_asked(forks: str, follow: bool) -> None:
    with running(forks, follow_fork=follow) as process, page_of(process.pid) as parent:
        assert process.stdout is not None and process.stdin is not None
        window_of(parent)
        process.stdin.write("\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        if follow:
            with page_of(child) as page:
                window_of(page)
        else:
            assert len(thread_names(child)) == 1
            assert ".damon" not in pathlib.Path(f"/proc/{child}/maps").read_text()
            with pytest.raises(NoAgentError):
                AgentPage.open(child)
        process.communicate("", timeout=30)
        assert process.returncode == 0


def test_a_program_begun_by_exec_is_monitored_anew(hot_part: str) -> None:
    with running("sh", "-c", f"sleep 0.3; exec {hot_part}") as process:
        with page_of(process.pid) as before:
            assert before.program == "sh"
            until(lambda: not before.is_current, "the shell becomes the program")
        with page_of(process.pid) as page:
            assert page.program == "hot_part"
            window_of(page)


def test_programs_that_change_users_or_namespaces_are_left_alone(hot_part: str, tmp_path: pathlib.Path) -> None:
    left_alone = tmp_path / "setpriv"
    left_alone.write_bytes(pathlib.Path(hot_part).read_bytes())
    left_alone.chmod(0o755)
    for words, options in (([str(left_alone)], {}), ([hot_part], {"exclude": "other:hot_part"})):
        with running(*words, **options) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.2)
            assert len(thread_names(process.pid)) == 1


def test_a_small_program_waits_until_it_is_large_enough(hot_part: str) -> None:
    with running(hot_part, min_rss_bytes=1 << 40) as process, page_of(process.pid) as page:
        until(lambda: "resident" in page.snapshot().message, "it says what it waits for")
        assert page.snapshot().phase == Phase.WAITING and len(thread_names(process.pid)) == 2
        with pytest.raises(AgentError, match="does not run"):
            page.command(Command.PAUSE)
        page.command(Command.STOP)
        until(lambda: len(thread_names(process.pid)) == 1, "the agent's thread ends")


@pytest.mark.parametrize(("name", "value", "words"), [
    ("DAMON_AGENT", "sample_us=x", "no number in 'sample_us=x'"),
    ("DAMON_AGENT", "sampel_us=5", "no option 'sampel_us'"),
    ("DAMON_AGENT", "ring_bytes=1000", "power of two"),
    ("DAMON_AGENT", "delay_ms=0,min_rss_bytes=0,min_nr_regions=1", "min_nr_regions"),
    ("DAMON_AGENT_SCHEMES", "zz", "hexadecimal"),
])
def test_a_wrong_environment_is_told_and_breaks_nothing(hot_part: str, name: str, value: str, words: str) -> None:
    with running(hot_part, variables={name: value}) as process, page_of(process.pid) as page:
        snapshot = until(lambda: page.snapshot() if page.snapshot().phase == Phase.FAILED else None, "it fails")
        assert words in snapshot.message
        process.communicate("", timeout=30)
        assert process.returncode == 0


def test_the_agent_refuses_folders_that_are_not_the_users_alone(hot_part: str, tmp_path: pathlib.Path) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    linked, open_to_all = tmp_path / "linked", tmp_path / "open"
    linked.symlink_to(real)
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    for bad in (linked, open_to_all):
        with running(hot_part, variables={"DAMON_AGENT_DIR": str(bad)}) as process, page_of(process.pid) as page:
            assert os.path.dirname(page.path) == str(tmp_path / "damon")
        assert not os.listdir(bad)
    if os.geteuid() == 0:  # others cannot give folders away
        theirs = tmp_path / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65534, -1)
        with running(hot_part, variables={"DAMON_AGENT_DIR": str(theirs / "mine")}) as process, page_of(process.pid):
            assert not os.listdir(theirs)


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: pathlib.Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    script = f'mkdir -m 700 -p "{tmp_path}/damon"; ln -s {victim} "{tmp_path}/damon/$$.damon"; exec sleep 30'
    with running("sh", "-c", script, delay_ms=100, attrs=FAST) as process, page_of(process.pid) as page:
        assert page.program == "sleep" and not os.path.islink(page.path)
    assert victim.read_text() == "precious"
