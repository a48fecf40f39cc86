"""Proactive reclaim of programs with a cold part, in the virtual machine of tests/vm, which has swap and sees reads: alone,
with the kernel's DAMON_RECLAIM, and with the agent.

    proactive_reclaim.py BUILD_FOLDER OUT.jsonl [redis,sqlite,numpy,java]

The programs are those of this machine, with the libraries that they load. Time is counted (bench/counted_vm.py).
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import counted_vm  # noqa: E402

HOME = "usr/lib/damon-effects"
ALL = ("redis", "sqlite", "numpy", "java")
COMMANDS = {"redis": ("redis-server", "redis-benchmark", "redis-cli"), "java": ("java",)}
NAMES = {"nobody": "alone", "kernel": "`DAMON_RECLAIM`", "library": "the agent", "library10": "the agent, 10 s", "library30": "the agent, 30 s"}


class Files(dict):
    """{where in the machine: where here}"""

    def add(self, path, name=None):
        """A file, and the libraries that it loads."""
        self[str(name or path).lstrip("/")] = pathlib.Path(path).resolve()
        for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout):
            self.setdefault(library.lstrip("/"), pathlib.Path(library).resolve())

    def add_folder(self, folder, name, leave_out=()):
        for path in sorted(pathlib.Path(folder).rglob("*")):
            within = path.relative_to(folder)
            if path.is_file() and not {"__pycache__", "test", "tests", *leave_out}.intersection(within.parts):
                (self.add if ".so" in path.suffixes else self.__setitem__)(*((path, f"{name}/{within}") if ".so" in path.suffixes else (f"{name}/{within}", path)))


def machine_files(build, programs, scratch):
    files = Files()
    python = pathlib.Path(sys.executable).resolve()
    files.add(python, "usr/bin/python3")
    library = sysconfig.get_path("stdlib")
    files.add_folder(library, library.lstrip("/"), ("site-packages", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "turtledemo"))
    for package in ("damon", *(("numpy", "numpy.libs") if "numpy" in programs else ())):
        files.add_folder(pathlib.Path(sysconfig.get_path("platlib")) / package, f"{HOME}/packages/{package}")
    for name in ("workloads.py", "programs/lookups.py", "programs/sparse.py"):
        files[f"{HOME}/{name}"] = HERE / name
    files.add(build / "tools" / "agent" / "libdamon_agent.so", f"{HOME}/libdamon_agent.so")
    for command in (command for program in programs for command in COMMANDS.get(program, ()) if program != "java"):
        files.add(shutil.which(command), f"usr/bin/{command}")
    if "java" in programs:
        add_java(files, scratch)
    return files


def add_java(files, scratch):
    java = pathlib.Path(shutil.which("java")).resolve()
    home = java.parents[1]
    for path in (java, *home.glob("lib/**/*.so"), home / "lib" / "modules", home / "lib" / "jvm.cfg", *home.glob("lib/server/*.jsa"),
                 *home.glob("conf/**/*")):
        if path.is_file():
            files.add(path, path)
    subprocess.run(["javac", "-d", scratch, HERE / "programs" / "Updates.java"], check=True)
    files[f"{HOME}/programs/Updates.class"] = pathlib.Path(scratch) / "Updates.class"


def table(path):
    found = collections.defaultdict(dict)
    for entry in (json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")):
        found[entry["program"]][entry["who"]] = entry
    print("| | resident before, MiB | after a minute | CPU time a unit of work, us | more than alone | major faults/s | monitor, % of a CPU | "
          "\n| --- | --- | --- | --- | --- | --- | --- |")
    for program, runs in found.items():
        alone = runs.get("nobody", {}).get("cpu_us_a_unit")
        for who, run in runs.items():
            if "error" in run:
                print(f"| {program}, {NAMES[who]} | {run['error']} | | | | | |")
                continue
            more = "" if who == "nobody" or not alone else f"{100 * (run['cpu_us_a_unit'] / alone - 1):+.1f} %"
            print(f"| {program}, {NAMES[who]} | {run['before_mib']:.1f} | {run['resident_mib']:.1f} | {run['cpu_us_a_unit']:,.0f} | {more} | "
                  f"{run['major_faults'] / run['seconds']:.1f} | {100 * run['monitor_cpu_s'] / run['seconds']:.1f} |")


def main():
    build, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    wanted = sys.argv[3].split(",") if len(sys.argv) > 3 else ALL
    if unknown := set(wanted).difference(ALL):
        sys.exit(f"there is no program '{unknown.pop()}'; there are {', '.join(ALL)}")
    there = [program for program in wanted if all(map(shutil.which, COMMANDS.get(program, ())))]
    for program in set(wanted).difference(there):
        print(f"{program} is not installed, and left out")
    with tempfile.TemporaryDirectory() as scratch:
        files = machine_files(build, there, scratch)
        print(f"{len(files)} files, {sum(path.stat().st_size for path in files.values()) >> 20} MiB", flush=True)
        variables = {"EFFECTS_PROGRAMS": ",".join(there), "EFFECTS_JAVA": str(pathlib.Path(shutil.which("java") or "").resolve())} | {name: value for name, value in os.environ.items() if name in ("EFFECTS_WHO", "EFFECTS_WARM_S")}
        counted_vm.run(HERE / "reclaim_guest.py", out, "3G", variables, sorted(files.items()))
    table(out)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    main()
