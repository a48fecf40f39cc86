"""Programs that nobody changed, which work in units of equal work until they are told to end."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"


class Lines:
    """A program that prints "ready", and then a line for each unit of work, until it is killed."""

    def __init__(self, *words):
        self.words = [str(word) for word in words]

    @contextlib.contextmanager
    def started(self, variables, options=(), before_exec=None):
        """(process ID, a function that waits for about so many seconds and returns how many units were done in them).
        options: of the program, e.g. of Java's."""
        words = [self.words[0], *options, *self.words[1:]]
        with subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, text=True, preexec_fn=before_exec) as process:
            try:
                if process.stdout.readline() != "ready\n":
                    raise SystemExit(f"{words[0]} did not come up")
                yield process.pid, lambda seconds: self._work(process.stdout, seconds)
            finally:
                process.kill()

    @staticmethod
    def _work(lines, seconds):
        units, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            if not lines.readline():
                raise SystemExit("the program ended")
            units += 1
        return units


class Redis:
    """Keys with values of so many bytes, set in order, of which every second one may be deleted; then GET and SET of the first
    tenth by redis-benchmark."""

    FILL = "for i = {}, {} do redis.call('set', string.format('key:%012d', i), string.rep('x', {})) end"
    HALVE = "for i = {}, {}, 2 do redis.call('del', string.format('key:%012d', i)) end"
    AT_ONCE = 20_000

    def __init__(self, keys, value_bytes, halved=False, requests=100_000, pause_s=0.0):
        self.keys, self.value_bytes, self.halved, self.requests, self.pause_s = keys, value_bytes, halved, requests, pause_s
        self.port = ""

    @contextlib.contextmanager
    def started(self, variables, options=(), before_exec=None):
        """As Lines.started."""
        with tempfile.TemporaryDirectory() as folder, socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = str(one.getsockname()[1])
            one.close()
            words = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder,
                     "--disable-thp", "no", *options]
            server = subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=before_exec)
            try:
                while subprocess.run(["redis-cli", "-p", self.port, "ping"], capture_output=True, check=False).returncode != 0:
                    time.sleep(0.05)
                self._fill()
                yield server.pid, self._work
            finally:
                server.kill()
                server.wait()

    def _fill(self):
        for first in range(0, self.keys, self.AT_ONCE):
            last = min(first + self.AT_ONCE, self.keys) - 1
            self._evaluate(self.FILL.format(first, last, self.value_bytes))
            if self.halved:
                self._evaluate(self.HALVE.format(first, last))

    def _evaluate(self, script):
        said = subprocess.run(["redis-cli", "-p", self.port, "eval", script, "0"], capture_output=True, text=True, check=True).stdout
        if said.strip():
            raise SystemExit(f"redis: {said}")

    def _work(self, seconds):
        units, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for kind in ("get", "set"):
                words = ["redis-benchmark", "-p", self.port, "-q", "-t", kind, "-n", str(self.requests), "-r", str(self.keys // 10), "-d",
                         str(self.value_bytes), "-P", "16"]
                subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            units += 1
            time.sleep(self.pause_s)
        return units


def times_of(pid):
    """CPU seconds of a process with all of its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def memory_of(pid):
    """(resident MiB, MiB of huge pages)"""
    fields = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            name, value, _ = line.split()
            fields[name] = int(value) / 1024
    return fields["Rss:"], fields["AnonHugePages:"]
