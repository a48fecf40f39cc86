#!/usr/bin/env python3
"""Watches real programs without ranges and compares what is found with what they are known to write.

    run.py BUILD_FOLDER [--install] [--seconds N] [PROGRAM...]

Each program holds 240 MiB and writes 40 MiB of them all the time. Prints a table in Markdown: with the library's
coverage, and with the kernel's rule (three areas). A program that is not there is left out, and the table says so;
--install asks apt-get for it.
"""

import argparse
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

HERE = pathlib.Path(__file__).resolve().parent
HOT_MIB = 40
# What a program writes in all: items of memcached lie in chunks of 1,184 bytes.
WRITTEN_MIB = {"memcached": HOT_MIB * 1184 / 1024}
PACKAGES = {
    "redis": ("redis-server", "redis-server"),
    "memcached": ("memcached", "memcached"),
    "node": ("node", "nodejs"),
    "java-g1": ("javac", "default-jdk-headless"),
    "java-z": ("javac", "default-jdk-headless"),
}


def build_preload(build, folder):
    preload = folder / "watch.so"
    library = next(pathlib.Path(build).rglob("libdamon.a"))
    source = HERE.parent.parent
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", preload, HERE / "watch.c", f"-I{source}/include", library, "-lpthread"],
        check=True,
    )
    return preload


def redis(folder, environment):
    path = folder / "redis.sock"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    client = ["redis-cli", "-s", str(path)]
    while subprocess.run([*client, "PING"], capture_output=True, check=False).returncode != 0:
        time.sleep(0.1)
    fill = "for i=1,200 do redis.call('SET','c'..i,string.rep('x',1048576)) end"
    subprocess.run([*client, "EVAL", fill, "0"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*client, "SETRANGE", "hot", str((HOT_MIB << 20) - 1), "x"], stdout=subprocess.DEVNULL, check=True)
    write = f"for i=0,{HOT_MIB * 256 - 1} do redis.call('SETRANGE','hot',i*4096,'y') end"
    writer = subprocess.Popen([*client, "-r", "-1", "-i", "0.01", "EVAL", write, "0"], stdout=subprocess.DEVNULL)
    return [writer, server]


def memcached(folder, environment):
    path = str(folder / "memcached.sock")
    server = subprocess.Popen(["memcached", "-u", "root", "-m", "1024", "-s", path], env=environment)
    while not os.path.exists(path):
        time.sleep(0.1)

    def items(first, count):
        value = b"x" * 960
        return b"".join(b"set k%07d 0 0 960 noreply\r\n%s\r\n" % (i, value) for i in range(first, first + count))

    hot = items(0, HOT_MIB << 10)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(hot + items(1_000_000, 200 << 10))

    def write():
        try:
            while True:
                connection.sendall(hot)
        except OSError:
            pass  # the server has been told to end

    threading.Thread(target=write, daemon=True).start()
    return [server]


def node(_folder, environment):
    return [subprocess.Popen(["node", HERE / "hot.js"], env=environment)]


def java(folder, environment, collector):
    subprocess.run(["javac", "-d", folder, HERE / "Hot.java"], check=True)
    return [subprocess.Popen(["java", "-Xmx4g", collector, "-cp", folder, "Hot"], env=environment)]


PROGRAMS = {
    "redis": redis,
    "memcached": memcached,
    "node": node,
    "java-g1": lambda folder, environment: java(folder, environment, "-XX:+UseG1GC"),
    "java-z": lambda folder, environment: java(folder, environment, "-XX:+UseZGC"),
}


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def watch(name, preload, coverage, seconds):
    """The last half of the windows of one run, as dictionaries, and the resident size."""
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        out = folder / "windows"
        environment = dict(os.environ, LD_PRELOAD=str(preload), DAMON_WATCH_OUT=str(out),
                           DAMON_WATCH_COVERAGE=str(coverage))
        processes = PROGRAMS[name](folder, environment)
        time.sleep(seconds)
        resident = resident_mib(processes[-1].pid)
        lines = out.read_text().splitlines()
        for process in processes:
            process.kill()
            process.wait()
    windows = []
    for line in lines:
        words = line.split()
        if len(words) < 3 or words[0] == "start:":
            print(f"{name}: {line}", file=sys.stderr)
            continue
        window = {words[i]: float(words[i + 1]) for i in range(1, len(words) - 1, 2)}
        window["at"] = float(words[0])
        windows.append(window)
    return windows[len(windows) // 2:], resident


def row(name, rule, windows, resident):
    middle = {key: statistics.median(window[key] for window in windows) for key in windows[0]}
    mapped = 100 * middle["mapped_mib"] / middle["total_mib"]
    span = windows[-1]["at"] - windows[0]["at"]
    cpu = (windows[-1]["cpu_ms"] - windows[0]["cpu_ms"]) / 10 / span if span > 0 else 0
    return (f"| {name} | {WRITTEN_MIB.get(name, HOT_MIB):.0f} | {rule} | {resident:,.0f} | {middle['regions']:.0f} | {middle['total_mib']:,.0f} | {mapped:.1f} % "
            f"| {middle['hot_mib']:.1f} | {middle['unknown_mib']:,.0f} | {cpu:.2f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("program", nargs="*")
    options = parser.parse_args()
    print("| program | writes MiB | coverage | resident MiB | regions | covered MiB | of it mapped "
          "| hot MiB | unknown MiB | worker's CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as text:
        preload = build_preload(options.build, pathlib.Path(text))
        for name in options.program or PROGRAMS:
            command, package = PACKAGES[name]
            if shutil.which(command) is None and options.install:
                subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", package], check=False,
                               stdout=sys.stderr)
            if shutil.which(command) is None:
                print(f"| {name} | left out: there is no {command} | | | | | | | | |")
                continue
            for rule, coverage in (("memory", 0), ("three areas", 2)):
                windows, resident = watch(name, preload, coverage, options.seconds)
                if windows:
                    print(row(name, rule, windows, resident), flush=True)


if __name__ == "__main__":
    main()
