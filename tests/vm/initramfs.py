"""Writes the file system that the virtual machine boots into: busybox, kernel modules, test programs, and init."""

import gzip
import lzma
import pathlib
import re
import stat
import subprocess
import tempfile

import kernel

INIT = pathlib.Path(__file__).with_name("init.sh")
# The compressor is found by its name, so no module says that it depends on it.
MODULES = ("lzo_rle", "zram", "ext4")
PARAMETERS = {"zram": "num_devices=2"}
FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "disk", "modules", "tests", "bench")
DISK_BYTES = 128 << 20  # one block group: all that mke2fs writes is at the front


class Archive:
    """A cpio archive in the "newc" format, all of it owned by root."""

    def __init__(self):
        self.content = bytearray()
        self.inode = 0

    def add(self, name, mode, data=b""):
        self.inode += 1
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        self.content += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        self._align()
        self.content += data
        self._align()

    def folder(self, name):
        self.add(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o755):
        self.add(name, stat.S_IFREG | mode, data)

    def _align(self):
        self.content += b"\0" * (-len(self.content) % 4)

    def finished(self):
        self.add("TRAILER!!!", 0)
        return gzip.compress(bytes(self.content), compresslevel=1)


def decompressed(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
    return data


def modules_in_order(folder, wanted):
    """[(name, content)]: each module after those that it depends on. A module that is not there is built in."""
    ordered = {}

    def visit(module):
        path = kernel.module_file(folder, module)
        if module in ordered or path is None:
            return
        data = decompressed(path)
        found = re.search(rb"\0depends=([^\0]*)\0", data)
        for needed in filter(None, found.group(1).decode().replace("-", "_").split(",") if found else []):
            visit(needed)
        ordered[module] = data

    for module in wanted:
        visit(module)
    return list(ordered.items())


def empty_disk():
    """A compressed ext2 file system without the zeros at its end: a place for files that is not memory alone."""
    with tempfile.NamedTemporaryFile() as image:
        image.truncate(DISK_BYTES)
        subprocess.run(["/sbin/mke2fs", "-q", "-F", "-b", "4096", image.name], stdin=subprocess.DEVNULL, check=True)
        written = image.read().rstrip(b"\0")
        return gzip.compress(written + b"\0" * (-len(written) % 4096))


def build(folder, programs, wanted_modules=MODULES, where="tests", files=()):
    """The compressed archive for an unpacked kernel and paths of statically linked programs: tests, or in "bench".
    files: [(where it is to be, without the first slash, and where it is now)], for programs that need more."""
    archive = Archive()
    for name in FOLDERS:
        archive.folder(name)
    archive.file("init", INIT.read_bytes())
    archive.file("bin/busybox", next(folder.rglob("bin/busybox")).read_bytes())
    modules = modules_in_order(folder, wanted_modules)
    for name, data in modules:
        archive.file(f"modules/{name}.ko", data, 0o644)
    order = "".join(f"{name} {PARAMETERS.get(name, '')}\n" for name, _ in modules)
    archive.file("modules/order", order.encode(), 0o644)
    archive.file("modules/disk.gz", empty_disk(), 0o644)
    for program in programs:
        archive.file(f"{where}/{program.name}", program.read_bytes())
    made = set(FOLDERS)
    for name, path in files:
        for parent in list(pathlib.PurePath(name).parents)[-2::-1]:
            if str(parent) not in made:
                made.add(str(parent))
                archive.folder(str(parent))
        archive.file(name, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    return archive.finished()
