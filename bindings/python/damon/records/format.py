"""The file format of records: docs/records.md describes it. Numbers are little-endian.

    "DAMONREC", u16 major version, u16 minor version, u32 length of the header, u32 CRC-32 of the header, header (JSON)
    frames: u8 kind, u8 encoding, u16 0, u32 length of the payload, u32 CRC-32 of these eight bytes and the payload, payload
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, NamedTuple, Optional

from ..checks import need_numpy
from .model import DTYPE, IDLE_UNKNOWN, Event, Header, Mapping, Mappings, SchemeStats, Window

MAGIC = b"DAMONREC"
VERSION = (1, 0)
HEAD = struct.Struct("<8sHHII")
FRAME = struct.Struct("<BBHII")
WINDOW, MAPPINGS, SCHEMES, EVENT = 1, 2, 3, 4  # kinds of frames; readers skip those that they do not know
RAW, ZLIB = 0, 1  # encodings

# What a reader believes at most, so that a hostile file costs no more memory than this.
MOST_HEADER_BYTES = 1 << 20
MOST_PAYLOAD_BYTES = 64 << 20  # also of what zlib unpacks
MOST_REGIONS = 1 << 20
MOST_FIELDS = 64

WINDOW_FIELDS = ("time_ns", "wall_ns", "seq", "window_us", "sample_us", "aggr_us", "max_nr_accesses", "nr_targets", "flags",
                 "rss_bytes", "cpu_ns", "nr_samples", "nr_unknown_samples", "cost_permil", "nr_regions")
# gap: bytes from the end of the region before; idle_us: one more than it is, 0 where it is not known.
REGION_FIELDS = ("target_idx", "gap", "size", "nr_accesses", "age", "age_us", "idle_us", "flags", "unknown_reason")
_NEEDED_OF_WINDOW = frozenset(WINDOW_FIELDS[:9] + ("nr_regions",))
_NEEDED_OF_REGIONS = frozenset(("gap", "size", "nr_accesses"))
_WIDTHS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
_CONSTANT = 16  # added to a width: one value for all regions


class RecordError(ValueError):
    """The file is no record, or is damaged; what is wrong, and where."""


class Fields(NamedTuple):
    """Which numbers the windows of a file have, in their order."""

    window: tuple[str, ...] = WINDOW_FIELDS
    regions: tuple[str, ...] = REGION_FIELDS


def _reject_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _json_of(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"its JSON cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise RecordError("its JSON is no object")
    return value


def _member(value: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    found: Any = value.get(name, default)
    if type(found) is not kind or (isinstance(found, int) and not 0 <= found < 2**64):
        raise RecordError(f"its {name} is {str(found)[:80]!r}, which is no {_WORDS[kind]}")
    return found


_WORDS = {int: "number from 0 to 2**64 - 1", str: "string", dict: "object", list: "list"}


# --- header ----------------------------------------------------------------------------------------------------------


def pack_header(header: Header) -> bytes:
    """The beginning of a file."""
    values = {name: value for name, value in header.__dict__.items() if value is not None}
    text = json.dumps({**values, "window_fields": WINDOW_FIELDS, "region_fields": REGION_FIELDS}, separators=(",", ":"))
    data = text.encode("utf-8")
    return HEAD.pack(MAGIC, *VERSION, len(data), zlib.crc32(data)) + data


def header_length(start: bytes) -> int:
    """Bytes of the header's JSON, from the first HEAD.size bytes of a file."""
    if len(start) < HEAD.size or not start.startswith(MAGIC):
        raise RecordError("it does not begin as a record does")
    _, major, minor, length, _ = HEAD.unpack(start[: HEAD.size])
    if major != VERSION[0]:
        raise RecordError(f"its format is {major}.{minor}, and this reader knows {VERSION[0]}.x: use a newer libdamon")
    if length > MOST_HEADER_BYTES:
        raise RecordError(f"its header has {length} bytes, more than {MOST_HEADER_BYTES}")
    return int(length)


def unpack_header(start: bytes, data: bytes) -> tuple[Header, Fields]:
    """The header, from the first HEAD.size bytes of a file and what follows."""
    if len(data) != header_length(start):
        raise RecordError("it ends within its header")
    if zlib.crc32(data) != HEAD.unpack(start[: HEAD.size])[4]:
        raise RecordError("the checksum of its header differs")
    value = _json_of(data)
    line = value.get("command_line")
    labels = _member(value, "labels", dict, {})
    if line is not None and (type(line) is not list or not all(type(word) is str for word in line)):
        raise RecordError("its command_line is no list of strings")
    if not all(type(word) is str for word in labels.values()):
        raise RecordError("its labels are no strings")
    numbers = {name: _member(value, name, int) for name in ("part", "monotonic_ns", "wall_ns", "pid")}
    words = {name: _member(value, name, str, "") for name in ("record_id", "library", "host", "boot_id", "program")}
    header = Header(**numbers, **words, command_line=None if line is None else tuple(line), labels=labels,
                    attrs=_member(value, "attrs", dict, {}), access_checks=_member(value, "access_checks", dict, {}))
    return header, Fields(_names(value, "window_fields", _NEEDED_OF_WINDOW), _names(value, "region_fields", _NEEDED_OF_REGIONS))


def _names(value: dict[str, Any], name: str, needed: frozenset[str]) -> tuple[str, ...]:
    found = value.get(name)
    if type(found) is not list or not all(type(word) is str for word in found) or len(set(found)) != len(found):
        raise RecordError(f"its {name} is no list of different names")
    if len(found) > MOST_FIELDS:
        raise RecordError(f"its {name} has {len(found)} names, more than {MOST_FIELDS}")
    missing = needed.difference(found)
    if missing:
        raise RecordError(f"its {name} lacks {', '.join(sorted(missing))}")
    return tuple(found)


# --- frames ----------------------------------------------------------------------------------------------------------


def pack_frame(kind: int, payload: bytes) -> bytes:
    """One frame, packed where that is smaller."""
    encoding = RAW
    if len(payload) > 64:
        packed = zlib.compress(payload, 1)  # half the time of 6, and 2 to 6 % larger
        if len(packed) < len(payload):
            encoding, payload = ZLIB, packed
    head = FRAME.pack(kind, encoding, 0, len(payload), 0)[:8]
    return head + struct.pack("<I", zlib.crc32(payload, zlib.crc32(head))) + payload


def frame_length(head: bytes) -> int:
    """Bytes of the payload."""
    _, encoding, reserved, length, _ = FRAME.unpack(head)
    if encoding not in (RAW, ZLIB) or reserved != 0:
        raise RecordError(f"its encoding is {encoding}, which this reader does not know")
    if length > MOST_PAYLOAD_BYTES:
        raise RecordError(f"it has {length} bytes, more than {MOST_PAYLOAD_BYTES}")
    return int(length)


def is_whole(head: bytes, payload: bytes) -> bool:
    """Whether the checksum is right."""
    return bool(zlib.crc32(payload, zlib.crc32(head[:8])) == FRAME.unpack(head)[4])


def unpack_payload(head: bytes, payload: bytes) -> bytes:
    """What was packed."""
    if FRAME.unpack(head)[1] == RAW:
        return payload
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(payload, MOST_PAYLOAD_BYTES + 1)
    except zlib.error as error:
        raise RecordError(f"it cannot be unpacked: {error}") from error
    if len(data) > MOST_PAYLOAD_BYTES:
        raise RecordError(f"it unpacks to more than {MOST_PAYLOAD_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise RecordError("it cannot be unpacked: it ends early or late")
    return data


# --- windows ---------------------------------------------------------------------------------------------------------


def _pack_column(values: Any) -> bytes:
    """Width (1, 2, 4 or 8), then the values; 16 more than the width, then one value, where all are the same."""
    np = need_numpy("records")
    most = int(values.max())
    width = next(width for width in _WIDTHS if most < 1 << (8 * width))
    is_constant = bool((values == values[0]).all())
    packed = (values[:1] if is_constant else values).astype(_WIDTHS[width])
    data: bytes = np.ascontiguousarray(packed).tobytes()
    return bytes((width + (_CONSTANT if is_constant else 0),)) + data


def pack_window(window: Window) -> bytes:
    """Payload of a WINDOW frame: WINDOW_FIELDS as u64, then a column for each of REGION_FIELDS."""
    np = need_numpy("records")
    regions = window.regions
    if len(regions) > MOST_REGIONS:
        raise ValueError(f"the window has {len(regions)} regions; a record holds {MOST_REGIONS} at most")
    numbers = [len(regions) if name == "nr_regions" else int(getattr(window, name)) for name in WINDOW_FIELDS]
    parts = [struct.pack(f"<{len(numbers)}Q", *numbers)]
    if len(regions):
        start, end = regions["start"].astype("<u8"), regions["end"].astype("<u8")
        before = np.concatenate((np.zeros(1, "<u8"), end[:-1]))
        columns = {
            "gap": start - before,  # modulo 2**64: another target may begin lower
            "size": end - start,
            "idle_us": regions["idle_us"] + np.uint64(1),  # modulo 2**64
            "unknown_reason": regions["unknown_reason"].astype("<u4"),
        }
        parts += [_pack_column(columns[name] if name in columns else regions[name]) for name in REGION_FIELDS]
    return b"".join(parts)


def unpack_window(data: bytes, fields: Fields) -> Window:
    """A window from the payload of a WINDOW frame."""
    np = need_numpy("records")
    at = 8 * len(fields.window)
    if len(data) < at:
        raise RecordError("it ends within its numbers")
    numbers = dict(zip(fields.window, struct.unpack(f"<{len(fields.window)}Q", data[:at])))
    count = numbers["nr_regions"]
    if count > MOST_REGIONS:
        raise RecordError(f"it has {count} regions, more than {MOST_REGIONS}")
    regions = np.zeros(count, np.dtype(list(DTYPE)))
    regions["idle_us"] = IDLE_UNKNOWN
    columns: dict[str, Any] = {}
    if count:
        for name in fields.regions:
            columns[name], at = _unpack_column(data, at, count, name)
    if at != len(data):
        raise RecordError(f"it has {len(data) - at} bytes too many")
    if count:
        _fill(regions, columns)
    known = {name: numbers.get(name, 0) for name in WINDOW_FIELDS if name != "nr_regions"}
    if max(known["max_nr_accesses"], known["flags"], known["nr_targets"]) >= 2**32:
        raise RecordError("its max_nr_accesses, flags or nr_targets is more than 2**32 - 1")
    return Window(regions=regions, **known)


def _unpack_column(data: bytes, at: int, count: int, name: str) -> tuple[Any, int]:
    np = need_numpy("records")
    code = data[at] if at < len(data) else 0
    width = code & ~_CONSTANT
    if width not in _WIDTHS:
        raise RecordError(f"the width of its column {name} is {code}" if at < len(data) else f"it ends before its column {name}")
    length = width * (1 if code & _CONSTANT else count)
    if at + 1 + length > len(data):
        raise RecordError(f"it ends within its column {name}")
    values = np.frombuffer(data, _WIDTHS[width], length // width, at + 1)
    return values.astype("<u8") if len(values) == count else np.full(count, values[0], "<u8"), at + 1 + length


def _fill(regions: Any, columns: dict[str, Any]) -> None:
    np = need_numpy("records")
    ends = np.cumsum(columns["gap"] + columns["size"], dtype="<u8")
    regions["start"], regions["end"] = ends - columns["size"], ends
    if not bool((regions["start"] < regions["end"]).all()):
        raise RecordError("a region's start is not below its end")
    for name, _ in DTYPE[2:-1]:
        if name in columns:
            values = columns[name] - np.uint64(1) if name == "idle_us" else columns[name]
            if regions.dtype[name].itemsize == 4 and int(values.max()) >= 2**31 + 2**31 * (name != "unknown_reason"):
                raise RecordError(f"a region's {name} is {int(values.max())}, which is too much")
            regions[name] = values


# --- what is JSON ----------------------------------------------------------------------------------------------------


def pack_mappings(found: Mappings) -> bytes:
    """Payload of a MAPPINGS frame. Names are listed once."""
    names = list(dict.fromkeys((entry.permissions, entry.name) for entry in found.entries))
    places = {name: place for place, name in enumerate(names)}
    entries = [(entry.start, entry.end, places[entry.permissions, entry.name]) for entry in found.entries]
    return _dump({"time_ns": found.time_ns, "names": names, "mappings": entries})


def pack_schemes(found: SchemeStats) -> bytes:
    """Payload of a SCHEMES frame."""
    return _dump({"time_ns": found.time_ns, "schemes": found.schemes})


def pack_event(found: Event) -> bytes:
    """Payload of an EVENT frame."""
    return _dump({"time_ns": found.time_ns, "name": found.name, "values": found.values})


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _unpack_mappings(data: bytes) -> Mappings:
    value = _json_of(data)
    names, entries = _member(value, "names", list), []
    for entry in _member(value, "mappings", list):
        try:
            start, end, place = entry
            permissions, name = names[place]
            is_sound = all(type(number) is int for number in (start, end, place)) and 0 <= start < end < 2**64 and place >= 0
        except (IndexError, TypeError, ValueError):
            is_sound = False
        if not is_sound or type(name) is not str or type(permissions) is not str:
            raise RecordError(f"{str(entry)[:80]} is no mapping")
        entries.append(Mapping(start, end, permissions, name))
    return Mappings(_member(value, "time_ns", int), tuple(entries))


def _unpack_schemes(data: bytes) -> SchemeStats:
    value = _json_of(data)
    schemes = _member(value, "schemes", list)
    for scheme in schemes:
        if type(scheme) is not dict or not all(type(number) in (int, str) for number in scheme.values()):
            raise RecordError(f"{str(scheme)[:80]} are no statistics of a scheme")
    return SchemeStats(_member(value, "time_ns", int), tuple(schemes))


def unpack_frame(head: bytes, payload: bytes, fields: Fields) -> Optional[Any]:
    """A Window, Mappings, SchemeStats or Event; None: of a kind that this reader does not know."""
    kind = FRAME.unpack(head)[0]
    if kind not in (WINDOW, MAPPINGS, SCHEMES, EVENT):
        return None
    data = unpack_payload(head, payload)
    if kind == WINDOW:
        return unpack_window(data, fields)
    if kind == MAPPINGS:
        return _unpack_mappings(data)
    if kind == SCHEMES:
        return _unpack_schemes(data)
    value = _json_of(data)
    return Event(_member(value, "time_ns", int), _member(value, "name", str), _member(value, "values", dict, {}))
