"""What a record says about the program and its machine, and the program's mappings by name."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterable
from typing import Any, Optional

from .. import _core
from .model import Header, Mapping


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def boot_id() -> str:
    """Tells one boot of a machine from the next, when CLOCK_MONOTONIC begins anew."""
    return _text_of("/proc/sys/kernel/random/boot_id")


def command_line_of(pid: int) -> Optional[tuple[str, ...]]:
    """Program and arguments; None where they cannot be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(1 << 16).rstrip(b"\0").split(b"\0")
    except OSError:
        return None
    return tuple(word.decode("utf-8", "replace") for word in words)


def header_of(
    pid: Optional[int] = None,
    *,
    command_line: bool = True,
    attrs: Optional[dict[str, Any]] = None,
    access_checks: Optional[dict[str, Any]] = None,
    labels: Optional[dict[str, str]] = None,
    **values: Any,
) -> Header:
    """A header for a record of a process (default: this one) that begins now. values: fields that are known better."""
    pid = os.getpid() if pid is None else pid
    found: dict[str, Any] = {
        "record_id": uuid.uuid4().hex,
        "part": 0,
        "monotonic_ns": time.monotonic_ns(),
        "wall_ns": time.time_ns(),
        "library": _core.version_string(),
        "host": socket.gethostname(),
        "boot_id": boot_id(),
        "pid": pid,
        "program": _text_of(f"/proc/{pid}/comm"),
        "command_line": command_line_of(pid) if command_line else None,
        "attrs": dict(attrs or {}),
        "access_checks": dict(access_checks or {}),
        "labels": dict(labels or {}),
    }
    return Header(**{**found, **values})


def mappings_of(pid: int) -> tuple[Mapping, ...]:
    """The mappings of a process; empty where they cannot be read."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            return mappings_from(file)
    except OSError:
        return ()


def mappings_from(lines: Iterable[str]) -> tuple[Mapping, ...]:
    """Mappings from lines of /proc/PID/maps. Neighbours of one name and the same permissions become one."""
    found: list[Mapping] = []
    for line in lines:
        words = line.rstrip("\n").split(None, 5)
        if len(words) < 5:
            continue
        start, _, end = words[0].partition("-")
        one = Mapping(int(start, 16), int(end, 16), words[1], words[5] if len(words) > 5 else "[anon]")
        if found and found[-1].end == one.start and found[-1][2:] == one[2:]:
            found[-1] = found[-1]._replace(end=one.end)
        else:
            found.append(one)
    return tuple(found)
