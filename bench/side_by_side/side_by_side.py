#!/usr/bin/env python3
"""side_by_side.py PROGRAM OUT.jsonl [--docs] [--repeats=N] [PATTERN...]: boots the current kernel in the virtual machine of
tests/vm with the program side_by_side and gathers what it prints; report.py makes the tables of that."""

import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "vm"))

import initramfs  # noqa: E402
import kernel  # noqa: E402
import report  # noqa: E402
import run as vm  # noqa: E402

# Time is counted, not measured: each instruction takes 2 ns of the machine's time, whatever else this computer does.
COUNTED = ("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off", "-smp", "1")


def options(words):
    repeats = [word.split("=")[1] for word in words if word.startswith("--repeats=")]
    return repeats[0] if repeats else "3", "--docs" in words, [word for word in words if not word.startswith("--")]


def main():
    program, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    repeats, docs, patterns = options(sys.argv[3:])
    try:
        if not shutil.which("qemu-system-x86_64"):
            raise kernel.Unavailable("no qemu-system-x86_64")
        folder = kernel.fetch("current", vm.CACHE)
    except kernel.Unavailable as why:
        sys.exit(f"the virtual machine cannot be had here: {why}")
    scratch = vm.CACHE / "run" / "side-by-side"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    archive = scratch / "initramfs.gz"
    archive.write_bytes(initramfs.build(folder, [program], where="bench"))
    variables = {"SIDE_BY_SIDE_REPEATS": repeats, "DAMON_VM_WORDS": " ".join(patterns)}
    machine = vm.Machine(seconds=3600, memory="3G", processor=COUNTED, variables=variables)
    shown, received, seconds, _ = vm.boot(machine, kernel.image(folder), archive, scratch)
    lines = [line for line in received.splitlines() if line.startswith(("{", "VM-"))]
    out.write_text("".join(line + "\n" for line in lines))
    print(f"{seconds:.0f} s in the virtual machine; {out}")
    if "VM-RESULT side_by_side 0" not in lines:
        print(shown[-4000:])
        sys.exit("it did not run to its end")
    report.report(out, docs)


if __name__ == "__main__":
    main()
