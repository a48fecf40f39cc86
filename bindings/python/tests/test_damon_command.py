"""The `damon` command, as users call it."""

from __future__ import annotations

import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from agent_support import MIB, built, command, damon_words, page_of, running, until, window_of

import damon
from damon import agent_files
from damon.cli import parser
from damon.mappings import Mapping, Names, mappings_of

SEES_WRITES = damon.probe_access_check().available


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def pid(folder: pathlib.Path, hot_part: str) -> Iterator[int]:
    """A process that is monitored while the tests of this file run."""
    before = {name: os.environ.pop(name, None) for name in ("XDG_RUNTIME_DIR", "DAMON_AGENT_DIR")}
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    with running(hot_part) as process:
        with page_of(process.pid) as page:
            window_of(page, 10)
        yield process.pid
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def only_own_agents(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of others that are monitored on this machine are not seen."""
    monkeypatch.setattr(agent_files, "_other_users", set)
    here = [str(folder / "damon")]
    monkeypatch.setattr(agent_files, "directories", lambda uid: here)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON value that a command prints."""
    assert command(*words) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert command(*words) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"damon {words[0]}: ") and err.count("\n") == 1
    return err


def test_every_command_has_help_that_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    text = parser().format_help()
    for name in ("run", "top", "ps", "pause", "resume", "tune", "schemes", "stop", "checks"):
        assert re.search(rf"^    {name}\b", text, re.M), name
        with pytest.raises(SystemExit) as ended:
            command(name, "--help")
        assert ended.value.code == 0 and "usage: damon " + name in capsys.readouterr().out


def test_top_finds_the_hot_part_of_a_program(pid: int, capsys: pytest.CaptureFixture[str]) -> None:
    def found() -> bool:
        top = answer(capsys, "top", "--once", "--json", str(pid))
        assert top["program"] == "hot_part"
        if top["total_bytes"] < 64 * MIB:
            return False  # the mappings were read while the program filled them
        if not SEES_WRITES:
            return bool(top["unknown_bytes"] >= 60 * MIB)
        anonymous = next(one for one in top["mappings"] if one["name"] == "anonymous")
        hottest = max(top["regions"], key=lambda region: (region["nr_accesses"], region["end"] - region["start"]))
        return bool(6 * MIB <= anonymous["accessed_bytes"] <= 12 * MIB and hottest["mapping"] == "anonymous")

    until(found, "8 of 64 MiB are accessed")


def test_top_needs_no_pid_where_one_process_is_monitored(pid: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "top", "--json")["pid"] == pid


def test_top_is_an_overview_where_several_processes_are_monitored(
    pid: int, hot_part: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with running(hot_part) as process:
        page_of(process.pid).close()
        assert {one["pid"] for one in answer(capsys, "top", "--json")} == {pid, process.pid}
        assert command("top") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert all(f"hot_part ({one}) " in "\n".join(lines) for one in (pid, process.pid))


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_top_is_clean_text_at_every_width_when_piped(pid: int, width: int, capsys: pytest.CaptureFixture[str],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert command("top", str(pid)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width and all(line.isprintable() for line in lines)
    text = " ".join(lines)
    assert "hot_part" in text and "MAPPING" in text and "anonymous" in text and "monitor:" in text
    strip = next(line for line in lines if re.fullmatch(r"[.:=+*#%@? -]{20,}", line))
    assert len(strip) == width
    assert "ACCESSED" in text and not re.search("[0-9] K…|[0-9]…", text), "numbers are whole, names are cut"
    assert any(line.startswith("not visible ") or "  not visible " in line for line in lines[:5]) or "not visible" not in text


def test_the_tables_have_rows_in_a_terminal_of_24_lines(pid: int) -> None:
    from damon.agent_page import AgentPage
    from damon.cli.findings import findings_of
    from damon.cli.top_screen import _Screen
    from rich.console import Console

    shown = io.StringIO()
    console = Console(width=80, height=24, force_terminal=True, color_system=None, file=shown)
    with AgentPage.open(pid) as page:
        console.print(_Screen(console, None).view(findings_of(page)))
    lines = shown.getvalue().splitlines()
    assert len(lines) <= 24 and len([line for line in lines if re.match(" *[0-9a-f]{8,} ", line)]) >= 3, lines


def test_top_is_live_in_a_terminal_and_ends_with_the_program(hot_part: str, folder: pathlib.Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    with running(hot_part) as process:
        with page_of(process.pid) as page:
            window_of(page)
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="40")
            words = [*damon_words(), "top", "-d", "100ms", str(process.pid)]
            os.execv(words[0], words)
        text, is_told, deadline = b"", False, time.monotonic() + 30
        try:
            while b"has ended" not in text and time.monotonic() < deadline:
                if not select.select([terminal], [], [], 0.2)[0]:
                    continue
                try:
                    text += os.read(terminal, 65536)
                except OSError:
                    break
                if text.count(b"hot_part") >= 3 and not is_told:
                    is_told = os.write(terminal, b"p") == 1
                if b"paused" in text and process.poll() is None:
                    process.kill()
                    process.wait()
        finally:
            os.close(terminal)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert b"\x1b[48;" in text, "the strip has colours"
    assert b"paused" in text and b"has ended" in text


@pytest.mark.parametrize("words", [("top",), ("top", "-d", "100ms", "PID")])
def test_top_ends_when_its_terminal_is_gone_and_no_signal_tells(pid: int, words: tuple[str, ...]) -> None:
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as below a shell that is no session's leader
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="40")
        words = (*damon_words(), *(str(pid) if word == "PID" else word for word in words))
        os.execv(words[0], words)
    try:
        shown = b""
        while b"hot_part" not in shown:
            shown += os.read(terminal, 65536)
    finally:
        os.close(terminal)
    try:
        until(lambda: os.waitpid(child, os.WNOHANG)[0] == child, "damon top has ended")
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def test_completion_and_manual_know_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("completion", "bash") == 0
    completion = capsys.readouterr().out
    assert "--monitoring_intervals" in completion
    assert command("manual") == 0
    manual = capsys.readouterr().out
    for name in ("run", "top", "tune"):
        assert re.search(rf"COMMAND.*damon {name}\b", manual), manual[:500]


def test_ps_lists_what_is_monitored(pid: int, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = answer(capsys, "ps", "--json")
    assert (one["pid"], one["program"]) == (pid, "hot_part") and one["state"] in ("sampling", "limited")
    assert command("ps") == 0
    assert re.search(rf"^ *{pid} hot_part +(sampling|limited)", capsys.readouterr().out, re.M)


def test_commands_reach_the_agent(pid: int, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    assert answer(capsys, "pause", "--json", str(pid)) == {"pid": pid, "answer": "paused"}
    assert answer(capsys, "ps", "--json")[0]["state"] == "paused"
    assert answer(capsys, "resume", "--json", str(pid))["answer"] == "resumed"
    tuned = answer(capsys, "tune", "--json", str(pid), "-s", "2ms", "--maxr", "500")
    assert (tuned["after"]["sample_us"], tuned["after"]["max_nr_regions"]) == (2_000, 500)
    assert tuned["after"]["aggr_us"] == tuned["before"]["aggr_us"]
    schemes = tmp_path / "schemes.json"
    schemes.write_text('[{"action": "stat", "access_pattern": {"nr_accesses": {"min": "0 %", "max": "0 %"}}}]')
    (one,) = answer(capsys, "schemes", "--json", str(pid), "--schemes", str(schemes))["schemes"]
    assert (one["action"], one["max_nr_accesses"]) == ("stat", 0)
    assert answer(capsys, "schemes", "--json", str(pid), "--clear")["schemes"] == []


def test_checks_say_what_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "checks", "--json")
    by_name = {one["name"]: one for one in found["access_checks"]}
    assert by_name["auto"]["available"] == SEES_WRITES and by_name["zap"]["available"]
    assert found["kinds"][0]["access_check"] == ("uffd_rwp" if by_name["uffd_rwp"]["available"] else
                                                 "uffd_wp" if by_name["uffd_wp"]["available"] else None)
    assert bool(found["advice"]) != by_name["uffd_rwp"]["available"]
    assert command("checks") == 0 and "private memory" in capsys.readouterr().out


def test_checks_of_a_process_say_what_is_seen_of_each_mapping(pid: int, capsys: pytest.CaptureFixture[str]) -> None:
    def largest() -> Any:
        found = answer(capsys, "checks", "--json", str(pid))["mappings"][0]
        return found if sum(found[f"{kind}_bytes"] for kind in ("both", "writes", "unknown")) >= 60 * MIB else None

    anonymous = until(largest, "the mappings are read again")
    assert anonymous["name"] == "anonymous"
    assert (anonymous["unknown_bytes"] == 0) == (anonymous["reasons"] == [])
    assert command("checks", str(pid)) == 0 and re.search(r"^ .*  anonymous\b", capsys.readouterr().out, re.M)


def test_where_userfaultfd_is_refused_checks_says_so_first_and_top_shows_nothing_as_idle(
    folder: pathlib.Path, hot_part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filtered = built(folder, "no_userfaultfd")
    ran = subprocess.run([filtered, *damon_words(), "checks"], capture_output=True, text=True, timeout=60)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0 and "are not seen here by samples" in lines[1] and "userfaultfd is refused" in lines[2]
    with running(filtered, hot_part, auto_passes_us=0) as process:
        until(lambda: pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "hot_part\n", "the filter is set")
        page_of(process.pid).close()

        def top() -> Any:
            return answer(capsys, "top", "--json", str(process.pid))

        until(lambda: top()["unknown_bytes"] >= 64 * MIB, "all of the program's memory is unknown")
        found = top()
    assert found["accessed_bytes"] == 0 and "not_registered" not in found["unknown_by_reason"]


def samples_of(text: str, parse: Any) -> dict[str, list[Any]]:
    """By name, as a scraper's own parser reads them."""
    found: dict[str, list[Any]] = {}
    for family in parse(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_what_is_monitored_is_told_as_openmetrics(pid: int, capsys: pytest.CaptureFixture[str]) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    assert command("top", "--openmetrics", str(pid)) == 0
    text = capsys.readouterr().out
    found = samples_of(text, text_string_to_metric_families)
    own = {"pid": str(pid), "program": "hot_part"}
    assert found["damon_process_info"][0].labels["program"] == "hot_part"
    for name in ("damon_resident_bytes", "damon_watched_bytes", "damon_windows_total", "damon_monitor_cpu_seconds_total"):
        one, = found[name]
        assert one.labels == own and one.value > 0, name
    idle = [one.value for one in found["damon_idle_bytes"]]
    assert idle == sorted(idle, reverse=True) and len(idle) == 5
    assert text.endswith("# EOF\n") and text.count("# TYPE") == text.count("# HELP") == 13


def test_a_textfile_collector_reads_the_file_of_metrics(
    pid: int, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    path = tmp_path / "damon.prom"
    assert command("top", "--openmetrics", "--once", "-o", str(path)) == 0
    found = samples_of(path.read_text(), text_string_to_metric_families)
    assert str(pid) in {one.labels["pid"] for one in found["damon_windows_total"]}
    assert os.listdir(tmp_path) == ["damon.prom"] and path.stat().st_mode & 0o777 == 0o644
    assert "No such file" in refusal(capsys, "top", "--openmetrics", "--once", "-o", str(tmp_path / "no" / "damon.prom"))
    assert "-o is for --openmetrics" in refusal(capsys, "top", "-o", str(path))


def test_names_that_programs_choose_are_escaped(pid: int) -> None:
    import dataclasses

    from damon.agent_page import AgentPage
    from damon.cli.findings import findings_of
    from damon.cli.openmetrics import text_of
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    with AgentPage.open(pid) as page:
        found = dataclasses.replace(findings_of(page), program='a"b\\c\nd')
    one = samples_of(text_of([found]), text_string_to_metric_families)["damon_resident_bytes"][0]
    assert one.labels["program"] == 'a"b\\c\nd'


def test_mistakes_are_told_with_what_to_do(pid: int, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    assert "damon run -- PROGRAM" in refusal(capsys, "run")
    assert "no program 'there-is-none'" in refusal(capsys, "run", "--", "there-is-none")
    assert "cannot be executed" in refusal(capsys, "run", "--", __file__)
    assert "--sample is 1 s and --aggr 100 ms" in refusal(capsys, "run", "-s", "1s", "--", "true")
    assert "--minr is 2" in refusal(capsys, "tune", str(pid), "-n", "2")
    assert "--damos_action" in refusal(capsys, "schemes", str(pid), "--damos_age", "1s", "max")
    assert "there is no process" in refusal(capsys, "pause", str(2**31 - 1))
    assert "has no agent" in refusal(capsys, "top", str(os.getpid()))
    schemes = tmp_path / "schemes.json"
    schemes.write_text('[{"action": "pageout", "acess_pattern": {}}]')
    assert "'acess_pattern', which is not known" in refusal(capsys, "run", "--schemes", str(schemes), "--", "true")
    assert "--max_overhead is 300%; it must be from 0 to 100%" in refusal(capsys, "tune", str(pid), "--max_overhead", "300%")
    with pytest.raises(SystemExit):
        command("tune", str(pid), "-s", "5 parsec")
    assert "5 parsec" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command("tune", str(pid), "--bogus")
    told = capsys.readouterr().err
    assert told.startswith("usage: damon tune") and "damon tune: error: unrecognized arguments: --bogus" in told


def test_the_process_of_another_user_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, uid: int, *, writable: bool) -> int:
        raise agent_files.AgentError(f"{path} is refused: Permission denied")

    monkeypatch.setattr(agent_files, "open_file", refuse)
    monkeypatch.setattr(agent_files, "process_uid", lambda pid: 0)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(agent_files.AgentError, match=r"process 1 is of another user \(root\), who alone can see its monitor"):
        next(agent_files.opened(1, writable=False))


def test_a_full_disk_is_told_in_one_line(pid: int) -> None:
    with open("/dev/full", "w", encoding="ascii") as full:
        for words in (["ps"], ["ps", "--json"], ["top", "--json", str(pid)]):
            done = subprocess.run([*damon_words(), *words], stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 1 and done.stderr == f"damon {words[0]}: No space left on device\n"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_standard_streams_may_be_closed(pid: int, folder: pathlib.Path, closed: tuple[int, ...]) -> None:
    """The program finds them closed as well; a result that cannot be written is an error."""
    def called(*words: str) -> subprocess.CompletedProcess[str]:
        redirections = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
        return subprocess.run(["sh", "-c", f'exec "$@" {redirections}', "sh", *damon_words(), *words], capture_output=True, text=True,
                              timeout=60)

    done = called("ps")
    assert done.returncode == (1 if 1 in closed else 0)
    assert done.stderr == ("damon ps: Bad file descriptor\n" if closed == (1,) else ""), done.stderr
    assert ("hot_part" in done.stdout) == (1 not in closed)
    seen = folder / "seen"
    look = f"for n in 0 1 2; do test -e /proc/$$/fd/$n || echo $n >>{seen}; done"
    for words in (["run"], ["record", "-o", str(folder / "closed.rec"), "--delay", "0", "--min-rss", "0"]):
        seen.write_text("")
        assert called(*words, "--", "sh", "-c", look + "; exit 5").returncode == 5, words
        assert {int(line) for line in seen.read_text().split()} == set(closed), words


def test_programs_that_cannot_have_an_agent_are_refused_at_once(folder: pathlib.Path, capsys: pytest.CaptureFixture[str],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    static = built(folder, "nothing", "-static")
    text = refusal(capsys, "run", "--", static)
    assert "statically linked" in text and "link libdamon" in text and "kernel's own DAMON" in text
    set_uid = pathlib.Path(built(folder, "nothing"))
    script = folder / "script"
    script.write_text(f"#!{static}\n")
    script.chmod(0o755)
    assert "statically linked" in refusal(capsys, "run", "--", str(script))
    set_uid.chmod(0o4755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "set-uid" in refusal(capsys, "run", "--", str(set_uid))
    damaged = folder / "damaged"
    damaged.write_bytes(b"\x7fELF\x02\x01" + bytes(58))
    damaged.chmod(0o755)
    assert "another kind of machine" in refusal(capsys, "run", "--", str(damaged))


def test_run_becomes_the_program(tmp_path: pathlib.Path) -> None:
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    words = [*damon_words(), "run", "-s", "1ms", "--", "sh", "-c", "echo $$ $DAMON_AGENT; exit 9"]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 9 and err == ""
    assert out.split()[0] == str(process.pid) and "sample_us=1000" in out


def test_a_program_is_given_what_this_command_was(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Its signals, environment and descriptors, of which Python changes some for itself."""
    given = tmp_path / "given"
    given.write_text("given")
    script = 'grep SigIgn /proc/self/status; env | grep -c ^LC_; cat <&7'
    for words in (["run", "--"], ["record", "-q", "-o", str(folder / "given.rec"), "--delay", "0", "--min-rss", "0", "--"], None):
        command_line = ["sh", "-c", script] if words is None else [*damon_words(), *words, "sh", "-c", script]
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
        done = subprocess.run(["sh", "-c", f'exec "$@" 7<{given}', "sh", *command_line], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        ignored = int(done.stdout.split()[1], 16)
        assert not ignored >> (signal.SIGPIPE - 1) & 1 and not ignored >> (signal.SIGXFSZ - 1) & 1, words
        assert done.stdout.splitlines()[1:] == ["0", "given"], words


def test_regions_are_named_by_what_most_of_them_is() -> None:
    lines = ["1000-3000 rw-p 00000000 00:00 0\n", "3000-9000 r--p 00001000 08:01 77  /usr/lib/a b.so (deleted)\n",
             "9000-a000 rw-p 00000000 00:00 0          [heap]\n", "broken\n", "b000-c000 rw-p 0 0:0 0 [anon:cache]\n"]
    mappings = mappings_of(lines)
    assert mappings[0] == Mapping(0x1000, 0x3000, "rw-p", "") and len(mappings) == 4
    names = Names(mappings)
    assert names.of(0x1000, 0x3000) == "anonymous" and names.of(0x2000, 0x6000) == "a b.so"
    assert names.of(0x9000, 0xA000) == "heap" and names.of(0xB000, 0xC000) == "cache"
    assert names.of(0xD000, 0xE000) == "" and names.of(0, 0x500) == ""
