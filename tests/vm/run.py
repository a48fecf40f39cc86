"""run.py <list of test programs> <results> [kernel...]: boots each kernel with the programs and writes what they
reported.

Results are files that scripts/report.py adds up: one .xml for each kernel and program, and one .txt for each kernel with
what is to be said about the boot. DAMON_VM_KERNEL=/path/vmlinuz replaces the current kernel (its modules are not
loaded), DAMON_VM_ACCEL (tcg) and DAMON_VM_MEMORY (2G) are handed to qemu, GTEST_FILTER to the test programs.

The programs are for the processors of the kernels: those of an arm64 kernel are cross-compiled, and the machine then is one
of that kind. Without names: the kernels for this computer's processors.

Nothing may skip on the current kernel, which has all that is tested, but for what the library cannot do there yet. The pick
of an access check is also tried outside of the machine, by the same binary.
"""

import dataclasses
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import initramfs
import kernel

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "vm"

BROKEN = re.compile(r"^.*(?:kernel BUG|BUG: |Oops|Kernel panic|general protection fault|soft lockup).*$", re.M)


@dataclasses.dataclass(frozen=True)
class Board:
    """What qemu emulates, by the processors' name."""

    words: tuple
    console: str
    port: str  # the second serial port, to which results go; {} is a file


BOARDS = {
    "x86_64": Board(("-cpu", "max"), "ttyS0", "-serial file:{}"),
    "aarch64": Board(("-machine", "virt", "-cpu", "neoverse-n1"), "ttyAMA0",
                     "-chardev file,id=results,path={} -device pci-serial,chardev=results"),
}


@dataclasses.dataclass
class Machine:
    seconds: int = 2400  # from power on to power off
    processors: str = "x86_64"  # of BOARDS
    memory: str = "2G"
    nodes: int = 1  # NUMA nodes, of equal size; the first one has all processors
    processor: tuple = ("-accel", os.environ.get("DAMON_VM_ACCEL", "tcg,thread=multi"), "-smp", "2")
    variables: dict = dataclasses.field(default_factory=dict)  # environment of the machine's first process


def memory_words(machine):
    memory = os.environ.get("DAMON_VM_MEMORY", machine.memory)
    words = ["-m", memory]
    if machine.nodes > 1:
        mib = int(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]] // machine.nodes
        for node in range(machine.nodes):
            words += ["-object", f"memory-backend-ram,id=node{node},size={mib}M"]
            words += ["-numa", f"node,nodeid={node},memdev=node{node}" + (",cpus=0-1" if node == 0 else "")]
    return words


def emulator(processors):
    """qemu's program."""
    return f"qemu-system-{processors}"


def qemu(machine, image, archive, results):
    board = BOARDS[machine.processors]
    variables = [f'"{name}={value}"' for name, value in machine.variables.items()]
    line = " ".join([f"console={board.console} panic=-1 quiet", *variables])
    return (
        [emulator(machine.processors), *machine.processor, *board.words, *memory_words(machine)]
        + ["-nographic", "-no-reboot", "-nodefaults", "-kernel", image, "-initrd", archive]
        + ["-append", line, "-serial", "stdio", *board.port.format(results).split(" ")]
    )


def boot(machine, image, archive, scratch):
    """(what the console showed, what the second port received, seconds, whether it ended by itself)"""
    received = scratch / "received"
    received.write_bytes(b"")
    begin = time.monotonic()
    with open(scratch / "console", "wb") as console:
        command = qemu(machine, image, archive, received)
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            running.wait(machine.seconds)
            ended = True
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            ended = False
    shown = (scratch / "console").read_text(errors="replace")
    return shown, received.read_text(errors="replace"), time.monotonic() - begin, ended


def boot_until_init(machine, image, archive, scratch, tries=3):
    """As boot. Once in a while the emulator breaks a kernel that patches its own code while two processors run; that is
    no news of ours as long as none of our programs has begun."""
    for left in range(tries - 1, -1, -1):
        outcome = boot(machine, image, archive, scratch)
        if "VM-KERNEL" in outcome[1] or not left:
            return outcome
        print("the kernel did not reach its first process; once more")
    return outcome


def boot_lines(shown, received, seconds, ended):
    """The lines of the .txt file: whether the machine came up, ran everything, and the kernel stayed whole."""
    release = re.search(r"^VM-KERNEL (\S+)", received, flags=re.M)
    lines = [f"passed boot Linux {release.group(1)}" if release else f"failed boot no init after {seconds:.0f} s"]
    if release and not re.search(r"^VM-DONE", received, flags=re.M):
        lines.append("failed run " + ("ended early" if ended else f"not done after {seconds:.0f} s"))
    lines += [f"failed {problem.replace(' ', '-')}" for problem in re.findall(r"^VM-PROBLEM (.*?)\r?$", received, flags=re.M)]
    lines += [f"failed kernel {line.strip()}" for line in BROKEN.findall(shown)]
    return lines


# Of tests/skips.txt: what the library cannot do on the current kernel yet.
NOT_YET = ("SKIP passes:",)


def skips(xml):
    """Names of the tests of a result file that were skipped and should not have been."""
    names = []
    for case in ElementTree.fromstring(xml).iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None and not any(reason in skipped.get("message", "") for reason in NOT_YET):
            names.append(f"{case.get('classname')}.{case.get('name')}")
    return names


def program_results(received):
    """[(program, exit status, XML or '')]"""
    pattern = re.compile(r"^VM-RESULT (\S+) (\d+)\r?\n(.*?)^VM-END \1", re.M | re.S)
    return [(name, int(status), xml) for name, status, xml in pattern.findall(received)]


# Of one test program, on a busy computer.
PROGRAM_SECONDS = 1200
# An arm64 machine takes this many times as long.
ARM64_TIMES = 3


def machine_of(processors, variables):
    times = ARM64_TIMES if processors == "aarch64" else 1
    variables = variables | {"DAMON_VM_PROGRAM_SECONDS": str(PROGRAM_SECONDS * times)}
    return Machine(seconds=Machine.seconds * times, processors=processors, nodes=2, variables=variables)


def test_kernel(name, folder, programs, results):
    given = os.environ.get("DAMON_VM_KERNEL") if name == "current" else None
    scratch = CACHE / "run" / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    archive = scratch / "initramfs.gz"
    archive.write_bytes(initramfs.build(folder, programs, () if given else initramfs.MODULES))
    # The chaos twin goes on until it has made some hundred calls.
    handed_on = {"CHAOS_SECONDS": "2"} | {variable: os.environ[variable] for variable in ("GTEST_FILTER", "CHAOS_SECONDS", "CHAOS_SEED") if variable in os.environ}
    machine = machine_of(kernel.KERNELS[name].machine, handed_on)
    image = given or kernel.image(folder)
    shown, received, seconds, ended = boot_until_init(machine, image, archive, scratch)
    lines = boot_lines(shown, received, seconds, ended)
    reports = []
    for program, status, xml in program_results(received):
        if "</testsuites>" in xml:
            reports.append(xml)
            (results / f"vm-{name}-{program}.xml").write_text(xml)
            if name == "current" and not given:
                lines += [f"failed {test} must not skip on this kernel" for test in skips(xml)]
        else:
            lines.append(f"failed {program} died with status {status}")
    (results / f"vm-{name}.txt").write_text("".join(line + "\n" for line in lines))
    print(f"{name}: {seconds:.0f} s; console and results in {scratch.relative_to(ROOT)}")
    run_again(machine, image, archive, scratch, reports, results, name)
    if any(line.startswith("failed") for line in lines):
        print(shown[-4000:])
    return all(line.startswith("passed") for line in lines)


# More failures than these are no matter of a busy machine, and their names are too long for a command line.
MOST_AGAIN = 12


def failed_tests(reports):
    """Filter words for the tests that failed, of [XML]."""
    names = []
    for xml in reports:
        for case in ElementTree.fromstring(xml).iter("testcase"):
            if case.find("failure") is not None:
                names.append(f"{case.get('classname')}.{case.get('name')}")
    return names


def run_again(machine, image, archive, scratch, reports, results, name):
    """What failed, in another boot, alone."""
    names = failed_tests(reports)
    if not 0 < len(names) <= MOST_AGAIN:
        return
    print(f"{name}: once more: {' '.join(names)}")
    machine = dataclasses.replace(machine, variables=machine.variables | {"GTEST_FILTER": ":".join(names)})
    scratch = scratch / "again"
    scratch.mkdir()
    _, received, _, _ = boot_until_init(machine, image, archive, scratch)
    (results / "again").mkdir(exist_ok=True)
    for program, _, xml in program_results(received):
        if "</testsuites>" in xml:
            (results / "again" / f"vm-{name}-{program}.xml").write_text(xml)


def test_pick_here(programs, results):
    """The binary that runs in the machine, on this kernel."""
    for program in programs:
        if program.name.startswith("linux_tests"):
            output = results / f"vm-host-{program.name}.xml"
            words = [program, "--gtest_filter=Pick.*", f"--gtest_output=xml:{output}"]
            status = subprocess.run(words, stdout=subprocess.DEVNULL).returncode
            if not output.exists():
                (results / "vm-host.txt").write_text(f"failed {program.name} died with status {status}\n")


def main():
    programs = [pathlib.Path(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    results = pathlib.Path(sys.argv[2])
    names = sys.argv[3:] or kernel.for_machine(platform.machine())
    unknown = [name for name in names if name not in kernel.KERNELS]
    if unknown:
        sys.exit(f"no kernel '{unknown[0]}'; there are: {', '.join(kernel.KERNELS)}")
    fine = True
    if any(kernel.KERNELS[name].machine == platform.machine() for name in names):
        test_pick_here(programs, results)
    for name in names:
        try:
            program = emulator(kernel.KERNELS[name].machine)
            if not shutil.which(program):
                raise kernel.Unavailable(f"no {program}")
            folder = kernel.fetch(name, CACHE)
        except kernel.Unavailable as why:
            (results / f"vm-{name}.txt").write_text(f"skipped boot SKIP vm-kernel: {why}\n")
            continue
        fine = test_kernel(name, folder, programs, results) and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
