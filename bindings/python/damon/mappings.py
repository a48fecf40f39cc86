"""The mappings of a process by name, and which of them a region lies in."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterable
from typing import NamedTuple


class Mapping(NamedTuple):
    """A line of /proc/PID/maps."""

    start: int
    end: int
    permissions: str
    name: str  # as the kernel has it: a path, "[heap]", "[anon:...]", or empty


def read_mappings(pid: int) -> list[Mapping]:
    """In address order. Empty: the process is gone, or another user's."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            return mappings_of(file)
    except OSError:
        return []


def mappings_of(lines: Iterable[str]) -> list[Mapping]:
    """Of the lines of such a file; what is no such line is left out."""
    found = []
    for line in lines:
        fields = line.rstrip("\n").split(None, 5)
        if len(fields) < 5:
            continue
        try:
            start, end = (int(word, 16) for word in fields[0].split("-"))
        except ValueError:
            continue
        found.append(Mapping(start, end, fields[1], fields[5] if len(fields) > 5 else ""))
    return found


class Names:
    """Looks the names of regions up."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self._mappings = mappings
        self._starts = [mapping.start for mapping in mappings]

    def of(self, start: int, end: int) -> str:
        """What most of these addresses belong to: a file's name, "heap", "stack", "anonymous"; empty: not mapped."""
        most, name = 0, ""
        for mapping in self._mappings[max(bisect.bisect_right(self._starts, start) - 1, 0):]:
            if mapping.start >= end:
                break
            size = min(end, mapping.end) - max(start, mapping.start)
            if size > most:
                most, name = size, short_name(mapping)
        return name


def short_name(mapping: Mapping) -> str:
    """For people."""
    name = mapping.name
    if name in ("[heap]", "[stack]"):
        return name[1:-1]
    if not name:
        return "anonymous"
    if name.startswith(("[anon:", "[anon_shmem:")):
        return name.partition(":")[2].rstrip("]")
    if name.startswith("/"):
        return printable(os.path.basename(name.removesuffix(" (deleted)")))
    return printable(name)


def printable(text: str) -> str:
    """Names are any bytes; a terminal gets letters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
