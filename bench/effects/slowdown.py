"""What the monitor costs programs that nobody changed, at the defaults: pairs of runs in turn, with and without the agent.

    slowdown.py [--pairs 7] [--control] [PROGRAM...]      PROGRAM: redis, sqlite, numpy, gcc

Compared is CPU time, user and system, of the program with all of its threads: what it takes more with the agent than without.
The monitor counts its own part (the worker and the agent's thread); what is left is what the program itself pays for being
watched. Redis' time is that of the server for the requests of one benchmark, from which the load of its data is taken off.
--control runs pairs in which nothing is loaded: what they show is noise.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from workloads import times_of

from damon.agent_page import AgentError, AgentPage
from damon.cli.run import environment
from damon.params import Attrs

SQL = """
create table t(id integer primary key, a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into t select i, (i * 7919) % {rows}, printf('%064d', i) from n;
create index by_a on t(a);
select count(*), sum(length(b)) from t where a between 1000 and {rows} * 4 / 5;
select count(*) from t x join t y on x.a = y.id where x.id % 3 = 0;
update t set a = a + 1 where id % 2 = 0;
"""
NUMPY = """
import numpy
draw = numpy.random.default_rng(1)
table = draw.random((6_000_000, 4))
for step in range({steps}):
    places = draw.integers(0, len(table), 2_000_000)
    table[places, step % 4] += 1
    numpy.sort(table[: 2_000_000, 0])
    table.sum(axis=0)
"""


class Watched:
    """The monitor's own CPU time in a process and its children, read while they run."""

    def __init__(self, folder):
        self.folder, self.cpu_ns, self.windows = pathlib.Path(folder), {}, {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _follow(self):
        while not self._ended.wait(0.05):
            for path in self.folder.glob("*.damon"):
                with contextlib.suppress(AgentError, OSError, ValueError):
                    with AgentPage.open(int(path.stem)) as page:
                        found = page.snapshot()
                    self.cpu_ns[path.stem] = found.stats.cpu_ns + found.agent_cpu_ns
                    self.windows[path.stem] = found.regions.seq

    @property
    def seconds(self):
        return sum(self.cpu_ns.values()) / 1e9


def cpu_of(words, variables, **options):
    """CPU seconds of a program and its children, from start to end."""
    process = subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{words[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def sqlite(folder, variables, scale):
    script = folder / "work.sql"
    script.write_text(SQL.format(rows=round(600_000 * scale)))
    with open(script, encoding="ascii") as file:
        return cpu_of([shutil.which("sqlite3"), ":memory:"], variables, stdin=file)


def numpy(folder, variables, scale):
    return cpu_of([sys.executable, "-c", NUMPY.format(steps=max(round(14 * scale), 1))], {**variables, "OPENBLAS_NUM_THREADS": "1"})


def gcc(folder, variables, scale):
    source = folder / "large.c"
    if not source.exists():
        functions = "".join(f"int f{i}(int x) {{ int a[64]; for (int i = 0; i < 64; i++) a[i] = x * i + {i}; int s = 0; for (int i = 0; "
                            f"i < 64; i++) for (int j = 0; j < i; j++) s += a[i] ^ (a[j] << {i % 7}); return s; }}\n" for i in range(round(450 * scale)))
        source.write_text(functions)
    return cpu_of([shutil.which("gcc"), "-O3", "-c", str(source), "-o", str(folder / "large.o")], variables)


def redis(folder, variables, scale):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    server = subprocess.Popen([shutil.which("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                               "--dir", str(folder)], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = ["redis-cli", "-p", port]
    while subprocess.run([*client, "ping"], capture_output=True, check=False).returncode != 0:
        time.sleep(0.05)
    load = ["redis-benchmark", "-p", port, "-q", "-t", "set", "-n", "400000", "-r", "300000", "-d", "200", "-P", "16"]
    subprocess.run(load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    before = times_of(server.pid)
    for kind in ("get", "set"):
        words = ["redis-benchmark", "-p", port, "-q", "-t", kind, "-n", str(round(900_000 * scale)), "-r", "20000", "-d", "200", "-P", "16"]
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    spent = times_of(server.pid) - before
    subprocess.run([*client, "shutdown", "nosave"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    server.wait()
    return spent


PROGRAMS = {"redis": (redis, "redis-server"), "sqlite": (sqlite, "sqlite3"), "numpy": (numpy, None), "gcc": (gcc, "gcc")}


def run_once(run, folder, is_watched, scale):
    """(CPU seconds, of which the monitor's)"""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DAMON_", "LD_PRELOAD"))}
    if not is_watched:
        return run(folder, plain, scale), 0.0, 0
    with tempfile.TemporaryDirectory() as own:
        os.chmod(own, 0o700)
        os.environ["DAMON_AGENT_DIR"] = own
        with Watched(own) as watched:
            spent = run(folder, {**plain, **environment(Attrs()), "DAMON_AGENT_DIR": own}, scale)
        return spent, watched.seconds, sum(watched.windows.values())


def pairs_of(name, nr_pairs, second, scale):
    """Ratios of CPU time: of all, and without the monitor's own part; the monitor's share."""
    run, whole, own, shares = PROGRAMS[name][0], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run_once(run, folder, False, scale)  # files and caches as they will be
        for pair in range(nr_pairs):
            order = (False, second) if pair % 2 == 0 else (second, False)
            times = [run_once(run, folder, is_watched, scale) for is_watched in order]
            (plain, _, _), (watched, monitor, windows) = times if pair % 2 == 0 else times[::-1]
            if second and windows == 0:
                raise SystemExit(f"{name}: no window has ended: nothing was monitored")
            whole.append(watched / plain)
            own.append((watched - monitor) / plain)
            shares.append(monitor / watched)
    return whole, own, shares


def told(values):
    low, _, high = statistics.quantiles(values, n=4)
    return f"{100 * (statistics.median(values) - 1):+5.1f} % ({100 * (low - 1):+.1f} to {100 * (high - 1):+.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1, help="of the work of a run (default: 1, some 5 s)")
    parser.add_argument("--control", action="store_true", help="pairs without the agent as well")
    parser.add_argument("programs", nargs="*", default=list(PROGRAMS), metavar="PROGRAM")
    options = parser.parse_args()
    print("| program | pairs | CPU time, all of it | without the monitor's own | monitor's own | control |\n| --- | --- | --- | --- | --- | --- |")
    for name in options.programs:
        needed = PROGRAMS[name][1]
        if needed and not shutil.which(needed):
            print(f"| {name} | 0 | {needed} is not installed | | | |", flush=True)
            continue
        whole, own, shares = pairs_of(name, options.pairs, True, options.scale)
        control = told(pairs_of(name, options.pairs, False, options.scale)[0]) if options.control else ""
        print(f"| {name} | {options.pairs} | {told(whole)} | {told(own)} | {100 * statistics.median(shares):.1f} % | {control} |", flush=True)


if __name__ == "__main__":
    main()
