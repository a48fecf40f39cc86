"""The files of a rotated record: PATH.000001, PATH.000002, ... are closed, PATH is the last."""

from __future__ import annotations

import os
import re
from typing import Optional

from . import format as layout
from .format import RecordError
from .model import Header

_DIGITS = 6


def closed_parts(path: str) -> list[str]:
    """Paths of closed parts, the oldest first."""
    folder, name = os.path.split(path)
    pattern = re.compile(re.escape(name) + r"\.(\d{%d,})" % _DIGITS)
    found = [(int(match.group(1)), other) for other in os.listdir(folder or ".") if (match := pattern.fullmatch(other))]
    return [os.path.join(folder, other) for _, other in sorted(found)]


def next_part_path(path: str) -> str:
    """Where the last part goes when it is closed."""
    there = closed_parts(path)
    number = int(there[-1].rpartition(".")[2]) + 1 if there else 1
    return f"{path}.{number:0{_DIGITS}}"


def remove_oldest(path: str, keep: int) -> None:
    """Removes closed parts but the last so many."""
    for part in closed_parts(path)[:-keep]:
        os.unlink(part)


def header_at(path: str) -> Header:
    """The header of one file. RecordError, OSError."""
    with open(path, "rb") as file:
        start = file.read(layout.HEAD.size)
        try:
            return layout.unpack_header(start, file.read(layout.header_length(start)))[0]
        except RecordError as error:
            raise RecordError(f"{path} is no record: {error}") from error


def newest_header(path: str) -> Optional[Header]:
    """The header of the record that is there; None: there is none."""
    try:
        return header_at(path)
    except FileNotFoundError:
        return None
