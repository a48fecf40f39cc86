"""The reader of the agent's file refuses what is not the agent's, and what is damaged."""

from __future__ import annotations

import ctypes
import mmap
import os
import pathlib
from collections.abc import Iterator
from typing import Callable

import pytest

from damon import agent_files
from damon import agent_layout as layout
from damon.agent_page import AgentError, AgentPage, Command, NoAgentError

MAILBOX, SNAPSHOT, RING, RING_BYTES, REGION_CAP = 4096, 16384, 65536, 65536, 64
RECORD, REGION = ctypes.sizeof(layout.RecordHead), ctypes.sizeof(layout.RegionInfo)


class Forged:
    """A file as an agent of this process would make it."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        path.write_bytes(bytes(RING + RING_BYTES))
        path.chmod(0o600)
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 0)
        self.header = layout.Header.from_buffer(self.bytes)
        self.snapshot = layout.SnapshotHead.from_buffer(self.bytes, SNAPSHOT)
        head = self.header
        head.magic, head.version, head.header_bytes = layout.MAGIC, layout.VERSION, ctypes.sizeof(layout.Header)
        head.file_bytes, head.pid, head.uid = RING + RING_BYTES, os.getpid(), os.geteuid()
        head.start_ticks = agent_files.start_ticks(os.getpid())
        head.mailbox_offset, head.snapshot_offset, head.region_cap = MAILBOX, SNAPSHOT, REGION_CAP
        head.ring_offset, head.ring_bytes = RING, RING_BYTES
        head.sizes[:] = [ctypes.sizeof(kind) for kind in layout.SIZED]
        head.program = b"forged"

    def append(self, number: int, nr_regions: int = 1) -> None:
        """A record of one window at the ring's head."""
        size = RECORD + nr_regions * REGION
        at = RING + self.header.ring_head % RING_BYTES
        head = layout.RecordHead(bytes=size, kind=layout.WINDOW, number=number, nr_regions=nr_regions)
        regions = (layout.RegionInfo * nr_regions)(*[layout.RegionInfo(start=4096 * i, end=4096 * (i + 1)) for i in range(nr_regions)])
        self.bytes[at : at + size] = bytes(head) + bytes(regions)
        self.header.ring_head += size


@pytest.fixture
def forged(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forged]:
    folder = tmp_path / "agents"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("DAMON_AGENT_DIR", str(folder))
    yield Forged(folder / f"{os.getpid()}.damon")


def opened() -> AgentPage:
    return AgentPage.open(os.getpid())


def test_a_sound_file_is_read(forged: Forged) -> None:
    forged.append(1)
    forged.append(2, nr_regions=3)
    with opened() as page:
        assert page.program == "forged" and page.snapshot().regions.seq == 0
        records, lost = page.drain()
        assert ([r.number for r in records], [len(r.regions) for r in records], lost) == ([1, 2], [1, 3], 0)
        forged.append(6)
        assert page.drain().lost == 3
        assert page.drain() == ([], 0)


def _set(name: str, value: object) -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        setattr(forged.header, name, value)

    return change


@pytest.mark.parametrize(("change", "words"), [
    (_set("magic", b"DAMONAGX"), "no file of an agent"),
    (_set("version", 2), "another version"),
    (_set("header_bytes", 8), "another version"),
    (lambda forged: forged.header.sizes.__setitem__(0, 57), "another version"),
    (_set("pid", 1), "of process 1"),
    (_set("start_ticks", 1), "earlier process"),
    (_set("mailbox_offset", 0), "do not fit"),
    (_set("mailbox_offset", 4100), "do not fit"),
    (_set("snapshot_offset", 8192), "do not fit"),
    (_set("region_cap", 2**61), "do not fit"),
    (_set("ring_offset", 2**63), "do not fit"),
    (_set("ring_bytes", 2**40), "do not fit"),
    (_set("ring_bytes", 60000), "do not fit"),
    (_set("file_bytes", 2**62), "do not fit"),
    (lambda forged: os.truncate(forged.path, 100), "has 100 bytes"),
    (lambda forged: os.truncate(forged.path, RING + 8), "do not fit"),
])
def test_a_file_that_is_damaged_is_refused(forged: Forged, change: Callable[[Forged], None], words: str) -> None:
    change(forged)
    with pytest.raises(AgentError, match=words):
        opened()


def test_a_file_that_is_cut_short_while_it_is_read_is_an_error_and_no_signal(forged: Forged) -> None:
    with opened() as page:
        os.truncate(forged.path, 4096)
        for call in (page.snapshot, lambda: page.command(Command.PAUSE, timeout=0.1)):
            with pytest.raises(AgentError, match="cut short"):
                call()


@pytest.mark.parametrize(("field", "value"), [
    ("bytes", 0), ("bytes", 4), ("bytes", 12), ("bytes", 2**31), ("bytes", RECORD - 8), ("nr_regions", 2**20),
])
def test_a_record_that_cannot_be_is_refused(forged: Forged, field: str, value: int) -> None:
    forged.append(1)
    at = RING + getattr(layout.RecordHead, field).offset
    forged.bytes[at : at + 4] = value.to_bytes(4, "little")
    with opened() as page, pytest.raises(AgentError, match="damaged"):
        page.drain()


def test_a_region_that_ends_before_it_begins_is_refused(forged: Forged) -> None:
    forged.append(1)
    forged.bytes[RING + RECORD + 8 : RING + RECORD + 16] = bytes(8)
    with opened() as page, pytest.raises(AgentError, match="damaged"):
        page.drain().records[0].regions


def test_more_regions_than_there_is_room_for_are_not_read(forged: Forged) -> None:
    forged.snapshot.nr_regions = 2**32 - 1
    with opened() as page, pytest.raises(AgentError, match="damaged"):
        page.snapshot()  # REGION_CAP of them, which are empty


def test_what_another_process_wrote_is_fit_for_a_terminal(forged: Forged) -> None:
    forged.snapshot.message = b"red \x1b[31m \xff text"
    with opened() as page:
        assert page.snapshot().message == "red ?[31m \ufffd text"


def test_a_writer_that_is_stopped_while_it_writes_is_told(forged: Forged) -> None:
    forged.snapshot.lock = 1
    with opened() as page, pytest.raises(AgentError, match="kill -CONT"):
        page.snapshot()


def test_an_agent_that_does_not_answer_is_told(forged: Forged) -> None:
    with opened() as page, pytest.raises(AgentError, match="does not answer"):
        page.command(Command.PAUSE, timeout=0.05)
    with opened() as page, pytest.raises(AgentError, match="fewer schemes"):
        page.command(Command.SCHEMES, bytes(layout.REQUEST_BYTES + 1))


def test_files_that_others_could_have_made_are_refused(forged: Forged, tmp_path: pathlib.Path) -> None:
    path = forged.path
    other = tmp_path / "other"
    path.chmod(0o640)
    with pytest.raises(AgentError, match="0640 and must be 0600"):
        opened()
    path.chmod(0o600)
    os.link(path, other)
    with pytest.raises(AgentError, match="second name"):
        opened()
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(AgentError, match="no link"):
        opened()
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(AgentError, match="no regular file"):
        opened()


def test_folders_that_others_could_have_made_are_refused(forged: Forged, tmp_path: pathlib.Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    forged.path.parent.chmod(0o770)
    with pytest.raises(AgentError, match="0770; they must be"):
        opened()
    forged.path.parent.chmod(0o700)
    if os.geteuid() == 0:  # others cannot give folders away
        os.chown(tmp_path, 65534, -1)
        with pytest.raises(AgentError, match="folder above is of user 65534"):
            opened()
        os.chown(tmp_path, 0, -1)
    link = tmp_path / "link"
    link.symlink_to(forged.path.parent)
    monkeypatch.setenv("DAMON_AGENT_DIR", str(link))
    with pytest.raises(AgentError, match="no link"):
        opened()


def test_a_process_that_began_another_program_has_no_agent_any_more(tmp_path: pathlib.Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAMON_AGENT_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    forged = Forged(tmp_path / f"{os.getpid()}.damon")
    monkeypatch.setattr(agent_files, "is_mapped", lambda pid: False)
    with pytest.raises(NoAgentError, match="program that it was before"):
        opened()
    assert forged.header.pid == os.getpid()
