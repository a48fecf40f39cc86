"""Whether a program can be run with the agent inside: it must be a dynamically linked one of this machine's kind."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import struct

from .command import CommandError

_MACHINES = {"x86_64": 62, "aarch64": 183, "riscv64": 243, "ppc64le": 21, "s390x": 22, "loongarch64": 258}
_PT_INTERP = 3
INSTEAD = ("what works instead: link libdamon into the program and start a context there (damon_c.h), or as root let the "
           "kernel's own DAMON watch its process (docs/offload.md)")


def located(program: str) -> str:
    """The program's path. CommandError: there is none."""
    found = shutil.which(program)
    if found is not None:
        return found
    if os.path.exists(program):
        raise CommandError(f"{program} is no program: it cannot be executed")
    raise CommandError(f"there is no program '{program}': give a path, or a name that is found in PATH")


def check(path: str, depth: int = 0) -> None:
    """CommandError, with what works instead, unless the agent can be loaded into the program."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
            if head[:2] == b"#!":
                _check_script(path, head, depth)
                return
            _check_privileges(path)
            if head[:4] != b"\x7fELF":
                raise CommandError(f"{path} is neither a script nor an ELF program")
            interpreter = _interpreter_of(path, file.fileno(), head)
    except PermissionError:
        _check_privileges(path)
        return  # it can be executed, and not be read
    if not interpreter:
        raise CommandError(f"{path} is statically linked: no agent can be loaded into it; {INSTEAD}")
    if "ld-musl" in interpreter:
        raise CommandError(f"{path} is linked with musl ({interpreter}), for which this agent is not built; {INSTEAD}")


def _check_script(path: str, head: bytes, depth: int) -> None:
    words = head[2:].split(b"\n")[0].decode("utf-8", "replace").split()
    if not words or depth > 3:
        raise CommandError(f"{path} names no interpreter in its first line")
    if os.path.basename(words[0]) == "env" and len(words) > 1 and not words[1].startswith("-"):
        check(located(words[1]), depth + 1)
    else:
        check(words[0], depth + 1)


def _check_privileges(path: str) -> None:
    """Where the kernel gives a program rights of its own, the loader ignores LD_PRELOAD."""
    mode = os.stat(path).st_mode
    name = os.path.basename(path)
    what = "set-uid" if mode & stat.S_ISUID else "set-gid" if mode & stat.S_ISGID and mode & stat.S_IXGRP else ""
    try:
        if not what and os.getxattr(path, "security.capability"):
            what = "given file capabilities"
    except OSError:
        pass
    if what and os.geteuid() != 0:
        raise CommandError(f"{path} is {what}: nothing is preloaded into such a program; put it first "
                           f"('{name} ... damon run -- PROGRAM'), or {INSTEAD.partition(': ')[2]}")


def _interpreter_of(path: str, file: int, head: bytes) -> str:
    """PT_INTERP; empty: there is none."""
    if head[4] != 2:
        raise CommandError(f"{path} is a 32-bit program; the agent is a 64-bit one; {INSTEAD}")
    order = "<" if head[5] == 1 else ">"
    machine, = struct.unpack_from(order + "H", head, 18)
    if machine != _MACHINES.get(platform.machine(), machine):
        raise CommandError(f"{path} is for another kind of machine (ELF machine {machine})")
    offset, = struct.unpack_from(order + "Q", head, 32)
    size, number = struct.unpack_from(order + "HH", head, 54)
    if size < 56:
        raise CommandError(f"{path} is damaged: its program headers have {size} bytes")
    table = os.pread(file, size * number, offset)
    for at in range(0, len(table) - 55, size):
        kind, = struct.unpack_from(order + "I", table, at)
        where, = struct.unpack_from(order + "Q", table, at + 8)
        length, = struct.unpack_from(order + "Q", table, at + 32)
        if kind == _PT_INTERP:
            return os.pread(file, min(length, 4096), where).rstrip(b"\0").decode("utf-8", "replace")
    return ""
