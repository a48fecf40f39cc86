"""The files of damon.records: what is written is read, also while it is written, rotated, cut short or hostile."""

from __future__ import annotations

import json
import os
import pathlib
import random
import stat
import struct
import threading
import time
import tracemalloc
import zlib
from typing import Any

import numpy
import pytest
from simulated import BASE, MAPPINGS, MIB, WALL_NS, simulated
from support import AGGR_US, KIB, ToyMemory, toy_context

import damon
from damon import records
from damon.records import format as layout


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A record of ten seconds, as bytes."""
    return simulated(tmp_path_factory.mktemp("whole") / "sim.rec").read_bytes()


def written(folder: pathlib.Path, data: bytes) -> pathlib.Path:
    path = folder / "file.rec"
    path.write_bytes(data)
    return path


def frames_of(data: bytes) -> list[tuple[int, int]]:
    """(begin, end) of each frame."""
    at, found = layout.HEAD.size + struct.unpack("<I", data[12:16])[0], []
    while at < len(data):
        end = at + layout.FRAME.size + struct.unpack("<I", data[at + 4:at + 8])[0]
        found.append((at, end))
        at = end
    return found


def test_what_a_context_found_is_read_again(tmp_path: pathlib.Path) -> None:
    seen = []
    ctx = toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),)))
    path = tmp_path / "toy.rec"
    with ctx, records.record(ctx, path, wall_ns=0):
        for _ in range(20):
            ctx.advance(AGGR_US)
            seen.append(ctx.snapshot())
    read = list(records.open(path))
    assert [window.seq for window in read] == [snapshot.seq for snapshot in seen] == list(range(1, 21))
    for window, snapshot in zip(read, seen):
        assert numpy.array_equal(window.regions, snapshot.regions)
        assert (window.time_ns, window.max_nr_accesses) == (snapshot.time_ns, snapshot.max_nr_accesses)
        assert window.working_set_bytes(10) == snapshot.working_set_bytes(10)


def test_a_worker_thread_is_recorded_with_mappings_and_costs(tmp_path: pathlib.Path) -> None:
    path, memory = tmp_path / "worker.rec", bytearray(8 * MIB)
    with damon.monitor_self(memory, sample_us=1_000, aggr_us=10_000) as ctx:
        with records.record(ctx, path):
            ctx.wait_snapshot(3, timeout=60)
            ctx.pause()
            time.sleep(0.1)
            ctx.resume()
            ctx.wait_snapshot(6, timeout=60)
    record = records.open(path)
    windows = list(record)
    assert len(windows) >= 3 and windows[-1].rss_bytes > MIB and windows[-1].cpu_ns > 0
    assert abs(windows[-1].wall_ns - time.time_ns()) < 60e9
    assert record.mappings is not None and any(one.name == "[stack]" for one in record.mappings.entries)
    assert [event.name for event in record.events if event.name != "lost"] == ["pause", "resume", "end"]
    assert record.header.pid == os.getpid() and record.header.command_line
    assert record.header.attrs["aggr_us"] == 10_000 and "name" in record.header.access_checks["auto"]


def test_mappings_schemes_and_labels_are_kept(tmp_path: pathlib.Path) -> None:
    record = records.open(simulated(tmp_path / "sim.rec"))
    windows = list(record)
    assert len(windows) == 100 and windows[0].wall_ns == WALL_NS + 100_000_000
    assert record.mappings is not None and record.mappings.entries == MAPPINGS
    assert record.schemes is not None and record.schemes.schemes[0]["action"] == "pageout"
    assert record.schemes.schemes[0]["sz_applied"] >= 32 * MIB
    assert record.header.labels == {"service": "toy"} and record.events[-1].name == "end"


def test_records_are_for_their_owner_alone_and_no_links_are_followed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "mode.rec"
    path.touch(0o666)
    os.chmod(path, 0o666)
    records.Writer(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "link.rec").symlink_to(path)
    with pytest.raises(OSError):
        records.Writer(tmp_path / "link.rec")


def test_the_command_line_is_left_out_where_that_is_asked(tmp_path: pathlib.Path) -> None:
    path = simulated(tmp_path / "secret.rec", seconds=1, command_line=False)
    assert records.open(path).header.command_line is None
    assert b"pytest" not in path.read_bytes()


def test_a_record_is_read_while_it_is_written_and_rotated(tmp_path: pathlib.Path, whole: bytes) -> None:
    windows = list(records.open(written(tmp_path, whole)))
    path, read, failure = tmp_path / "live.rec", [], []
    writer = records.Writer(path, max_bytes=6_000)

    def follow() -> None:
        try:
            read.extend(window.seq for window in records.open(path, follow=True, timeout=30))
        except Exception as error:
            failure.append(error)

    reader = threading.Thread(target=follow)
    reader.start()
    for window in windows:
        writer.window(window)
        time.sleep(0.002)
    writer.event("end")
    writer.close()
    reader.join(60)
    assert not failure and read == [window.seq for window in windows]
    assert len(list(tmp_path.glob("live.rec.*"))) > 2
    assert [window.seq for window in records.open(path)] == read


def test_closed_parts_beyond_what_is_kept_are_removed_and_each_part_tells_the_mappings(
    tmp_path: pathlib.Path, whole: bytes
) -> None:
    path = tmp_path / "kept.rec"
    windows = list(records.open(written(tmp_path, whole)))
    with records.Writer(path, max_bytes=6_000, keep=2) as writer:
        writer.mappings(MAPPINGS, 0)
        for window in windows:
            writer.window(window)
    parts = sorted(tmp_path.glob("kept.rec.*"))
    assert len(parts) == 2 and max(part.stat().st_size for part in parts) <= 6_000
    one = records.open(parts[0])
    assert 0 < len(list(one)) < 50
    assert one.mappings is not None and one.mappings.entries == MAPPINGS
    assert [window.seq for window in records.open(path)][-1] == 100


def test_parts_are_begun_anew_after_some_time(tmp_path: pathlib.Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    window, now = next(iter(records.open(written(tmp_path, whole)))), [0.0]
    monkeypatch.setattr("damon.records.writer.time.monotonic", lambda: now[0])
    with records.Writer(tmp_path / "time.rec", max_seconds=60) as writer:
        for now[0] in (0.0, 59.0, 61.0, 100.0, 130.0):
            writer.window(window)
    assert [len(list(records.open(part))) for part in sorted(tmp_path.glob("time.rec.*"))] == [2, 2]
    assert len(list(records.open(tmp_path / "time.rec"))) == 5


def test_a_record_is_gone_on_with(tmp_path: pathlib.Path, whole: bytes) -> None:
    path = written(tmp_path, whole[:-5])
    windows = list(records.open(path))
    with records.Writer(path, append=True) as writer:
        writer.window(windows[0])
    record = records.open(path)
    assert [window.seq for window in record] == [*range(1, len(windows) + 1), 1] and record.torn_bytes > 0


def test_a_tail_that_was_cut_short_is_left_out_wherever_it_was_cut(tmp_path: pathlib.Path, whole: bytes) -> None:
    (first, _), *_, (begin, end) = frames_of(whole)[:4]
    for cut in range(begin, end + 1):
        record = records.open(written(tmp_path, whole[:cut]))
        assert first < begin and len(list(record.frames())) == (3 if cut < end else 4)
        assert record.torn_bytes == (cut - begin if cut < end else 0)


def test_a_last_frame_whose_checksum_is_wrong_is_left_out(tmp_path: pathlib.Path, whole: bytes) -> None:
    begin, end = frames_of(whole)[-1]
    record = records.open(written(tmp_path, whole[:end - 1] + bytes([whole[end - 1] ^ 1])))
    assert len(list(record.frames())) == len(frames_of(whole)) - 1 and record.torn_bytes == end - begin


def test_zeroes_at_the_end_are_left_out(tmp_path: pathlib.Path, whole: bytes) -> None:
    record = records.open(written(tmp_path, whole + bytes(5_000)))
    assert len(list(record)) == 100 and record.torn_bytes == 5_000


def test_damage_in_the_middle_is_told(tmp_path: pathlib.Path, whole: bytes) -> None:
    begin, end = frames_of(whole)[5]
    damaged = whole[:end - 3] + bytes([whole[end - 3] ^ 1]) + whole[end - 2:]
    with pytest.raises(records.RecordError, match=f"file.rec is damaged: the frame at byte {begin}: its checksum differs"):
        list(records.open(written(tmp_path, damaged)))


def test_frames_of_a_later_version_are_skipped(tmp_path: pathlib.Path, whole: bytes) -> None:
    (begin, _), *_ = frames_of(whole)
    later = whole[:begin] + layout.pack_frame(99, b"what is to come") + whole[begin:]
    assert len(list(records.open(written(tmp_path, later)))) == 100


def test_fields_that_are_not_known_are_skipped(tmp_path: pathlib.Path) -> None:
    fields = layout.Fields(("colour", *layout.WINDOW_FIELDS), (*layout.REGION_FIELDS[:5], "smell"))
    numbers = struct.pack("<16Q", 7, *range(1, 15), 1)
    columns = b"\x01\x00" + b"\x02\x00\x10" + b"\x02\x00\x20" + b"\x01\x05" + b"\x01\x06" + b"\x01\x07"
    window = layout.unpack_window(numbers + columns, fields)
    assert window.time_ns == 1 and window.cost_permil == 14
    assert window.regions[["start", "end", "nr_accesses", "age"]].tolist() == [(0x1000, 0x3000, 5, 6)]
    assert window.regions["idle_us"][0] == 2**64 - 1


def headed(whole: bytes, **values: Any) -> bytes:
    """The record with another header."""
    (begin, _), *_ = frames_of(whole)
    head = json.loads(whole[layout.HEAD.size:begin])
    data = json.dumps({**head, **values}).encode()
    return layout.HEAD.pack(layout.MAGIC, 1, 0, len(data), zlib.crc32(data)) + data + whole[begin:]


@pytest.mark.parametrize(
    ("values", "words"),
    [({"pid": -1}, "its pid is '-1'"), ({"part": 2**70}, "its part"), ({"labels": {"a": 1}}, "labels"),
     ({"command_line": "rm"}, "command_line"), ({"window_fields": ["seq"]}, "lacks aggr_us"),
     ({"region_fields": ["gap", "gap"]}, "different names"), ({"region_fields": [str(n) for n in range(99)]}, "99 names")],
)
def test_headers_that_say_what_cannot_be_are_refused(
    tmp_path: pathlib.Path, whole: bytes, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(records.RecordError, match=words):
        records.open(written(tmp_path, headed(whole, **values)))


def test_other_files_and_other_versions_are_refused(tmp_path: pathlib.Path, whole: bytes) -> None:
    for data, words in ((b"", "does not begin"), (b"\x7fELF" * 20, "does not begin"), (whole[:40], "ends within its header"),
                        (whole[:8] + b"\x02\x00" + whole[10:], "its format is 2.0"),
                        (whole[:12] + b"\xff\xff\xff\x7f" + whole[16:], "its header has 2147483647 bytes"),
                        (whole[:30] + b"!" + whole[31:], "checksum of its header")):
        with pytest.raises(records.RecordError, match=words):
            records.open(written(tmp_path, data))


def test_what_unpacks_to_too_much_is_refused_without_unpacking_it(
    tmp_path: pathlib.Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MOST_PAYLOAD_BYTES", MIB)
    (begin, _), *_ = frames_of(whole)
    bomb = zlib.compress(bytes(20 * MIB), 1)
    head = layout.FRAME.pack(layout.WINDOW, layout.ZLIB, 0, len(bomb), 0)[:8]
    frame = head + struct.pack("<I", zlib.crc32(bomb, zlib.crc32(head))) + bomb
    tracemalloc.start()
    with pytest.raises(records.RecordError, match="unpacks to more than"):
        list(records.open(written(tmp_path, whole[:begin] + frame)))
    assert tracemalloc.get_traced_memory()[1] < 5 * MIB
    tracemalloc.stop()


def sealed(frame: bytes) -> bytes:
    """The frame with a right checksum, so that what is behind it is reached."""
    return frame[:8] + struct.pack("<I", zlib.crc32(frame[12:], zlib.crc32(frame[:8]))) + frame[12:]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, cut out, doubled, or set to what bounds fear."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(found))
        kind = rng.randrange(5)
        if kind == 0:
            found[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            found[at:at + rng.randint(1, 8)] = rng.choice((b"\xff" * 8, b"\x7f", b"\x00" * 4, b"\xff\xff\xff\x7f"))
        elif kind == 2:
            del found[at:at + rng.randint(1, 20)]
        elif kind == 3:
            found[at:at] = found[at:at + rng.randint(1, 40)]
        else:
            found[at] = rng.randrange(256)
        found = found or bytearray(1)
    return bytes(found)


def raw_frames(whole: bytes) -> list[bytes]:
    """Every kind of frame, not packed: a change reaches what is inside."""
    found = []
    for begin, end in frames_of(whole)[:6] + frames_of(whole)[-2:]:
        head, payload = whole[begin:begin + 12], whole[begin + 12:end]
        data = layout.unpack_payload(head, payload)
        found.append(sealed(layout.FRAME.pack(head[0], layout.RAW, 0, len(data), 0) + data))
    return found


def test_no_file_makes_the_reader_do_anything_but_refuse_it(tmp_path: pathlib.Path, whole: bytes) -> None:
    rng = random.Random(20240607)
    header, frames = whole[:frames_of(whole)[0][0]], raw_frames(whole)
    fields = layout.unpack_header(header[:layout.HEAD.size], header[layout.HEAD.size:])[1]
    assert {frame[0] for frame in frames} == {1, 2, 3, 4}
    refused = taken = 0
    for number in range(4_000):
        frame = rng.choice(frames)
        try:
            if number % 10 == 0:  # the file as a whole
                path = written(tmp_path, mutated(rng, header) + frame if number % 20 else header + mutated(rng, frame) + frame)
                list(records.open(path).frames())
            else:  # what a checksum does not catch
                payload = mutated(rng, frame[12:])
                head = sealed(frame[:4] + struct.pack("<I", len(payload)) + bytes(4) + payload)[:12]
                layout.unpack_frame(head, payload, fields)
            taken += 1
        except records.RecordError:
            refused += 1
    assert refused > 1_000 and taken > 300


def test_a_full_disk_leaves_whole_windows(tmp_path: pathlib.Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    window = next(iter(records.open(written(tmp_path, whole))))
    path, real = tmp_path / "full.rec", os.write
    with records.Writer(path) as writer:
        writer.window(window)

        def half(file: int, data: Any) -> int:
            monkeypatch.setattr(os, "write", no_room)
            return real(file, data[:20])

        def no_room(file: int, data: Any) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space left"):
            writer.window(window)
        monkeypatch.setattr(os, "write", real)
        writer.window(window)
    record = records.open(path)
    assert len(list(record)) == 2 and record.torn_bytes == 0


def test_regions_of_several_targets_may_be_in_any_order(tmp_path: pathlib.Path, whole: bytes) -> None:
    window = next(iter(records.open(written(tmp_path, whole))))
    regions = numpy.concatenate((window.regions[::-1], window.regions))
    regions["idle_us"][0] = 2**64 - 2
    again = layout.unpack_window(layout.pack_window(records.Window(**{**window.__dict__, "regions": regions})), layout.Fields())
    assert numpy.array_equal(again.regions, regions) and again.regions["start"][-1] >= BASE


def test_windows_that_are_none_are_not_written(tmp_path: pathlib.Path) -> None:
    snapshot = damon.RecordedSnapshot(1, 1, 1, 1, 1, 1, 0, (damon.RecordedRegion(9, 5, 0, 1, 0, 0),))
    with records.Writer(tmp_path / "none.rec") as writer, pytest.raises(ValueError, match="its start must be below its end"):
        writer.window(snapshot)
    with pytest.raises(ValueError, match="max_bytes is 10; it must be 0 or at least 4096"):
        records.Writer(tmp_path / "none.rec", max_bytes=10)
