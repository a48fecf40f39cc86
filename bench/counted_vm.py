"""Runs a program of bench/ in the virtual machine of tests/vm, on the current kernel, with the time counted."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "vm"))

import initramfs  # noqa: E402
import kernel  # noqa: E402
import run as vm  # noqa: E402

# Time is counted, not measured: each instruction takes 2 ns of the machine's time, whatever else this computer does.
COUNTED = ("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off", "-smp", "1")


def options(words):
    """(--repeats=N or None, whether --docs is there, the other words)"""
    repeats = [word.split("=")[1] for word in words if word.startswith("--repeats=")]
    return repeats[0] if repeats else None, "--docs" in words, [word for word in words if not word.startswith("--")]


def run(program, out, memory, variables, files=()):
    """Leaves what `program` prints in `out`; ends this program where that did not run to its end. files: as
    initramfs.build has them."""
    try:
        if not shutil.which("qemu-system-x86_64"):
            raise kernel.Unavailable("no qemu-system-x86_64")
        folder = kernel.fetch("current", vm.CACHE)
    except kernel.Unavailable as why:
        sys.exit(f"the virtual machine cannot be had here: {why}")
    scratch = vm.CACHE / "run" / program.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    archive = scratch / "initramfs.gz"
    archive.write_bytes(initramfs.build(folder, [program], where="bench", files=files))
    machine = vm.Machine(seconds=3600, memory=memory, processor=COUNTED, variables=variables)
    shown, received, seconds, _ = vm.boot(machine, kernel.image(folder), archive, scratch)
    lines = [line for line in received.splitlines() if line.startswith(("{", "VM-"))]
    out.write_text("".join(line + "\n" for line in lines))
    print(f"{seconds:.0f} s in the virtual machine; {out}")
    if f"VM-RESULT {program.name} 0" not in lines:
        print(shown[-4000:])
        sys.exit("it did not run to its end")
