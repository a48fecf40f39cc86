"""Numbers with units as users of DAMON write them: 5ms, 100 us, 4K, 1.5 GiB, 50%, 1,000, max."""

from __future__ import annotations

import re
from typing import Any, Union

MAX_U64 = 2**64 - 1
MAX_U32 = 2**32 - 1

_NUMBER = re.compile(r"^\s*([0-9][0-9,_]*(?:\.[0-9]+)?)\s*([A-Za-z%]*)\s*$")
_US = {"ns": 0.001, "us": 1, "ms": 1_000, "s": 1_000_000, "sec": 1_000_000, "m": 60_000_000, "min": 60_000_000,
       "h": 3_600_000_000, "d": 86_400_000_000}
_BYTES = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50, "e": 1 << 60}

Text = Union[str, int, float]


def _parts(text: Any, what: str, example: str) -> tuple[float, int, str]:
    """(as float, as exact int where it is one, unit in lower case)."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"{what} is {text!r}; it must be such as {example}")
    found = _NUMBER.match(str(text))
    if found is None:
        raise ValueError(f"{what} is '{text}'; it must be such as {example}")
    digits = found[1].replace(",", "").replace("_", "")
    return float(digits), int(digits) if "." not in digits else -1, found[2].lower()


def _scaled(text: Any, what: str, example: str, units: dict[str, Any]) -> int:
    value, exact, unit = _parts(text, what, example)
    if unit not in units:
        raise ValueError(f"{what} is '{text}', whose unit is not known; it must be such as {example}")
    factor = units[unit]
    return min(exact * factor if exact >= 0 and isinstance(factor, int) else round(value * factor), MAX_U64)


def _is_max(text: Any) -> bool:
    return isinstance(text, str) and text.strip().lower() == "max"


def microseconds(text: Text, what: str = "the time") -> int:
    """A time; without a unit it is in microseconds."""
    return MAX_U64 if _is_max(text) else _scaled(text, what, "5ms or 1s", {"": 1, **_US})


def milliseconds(text: Text, what: str = "the time") -> int:
    """A time; without a unit it is in milliseconds."""
    if _is_max(text):
        return MAX_U64
    value, _, unit = _parts(text, what, "5ms or 1s")
    return round(value) if unit == "" else microseconds(text, what) // 1000


def size(text: Text, what: str = "the size") -> int:
    """Bytes: 4K, 4 KiB, 128M."""
    if _is_max(text):
        return MAX_U64
    names = {"": 1, **_BYTES, **{f"{unit}ib": factor for unit, factor in _BYTES.items() if unit != "b"},
             **{f"{unit}b": factor for unit, factor in _BYTES.items() if unit != "b"}}
    return _scaled(text, what, "4K or 128M", names)


def number(text: Text, what: str = "the number", most: int = MAX_U64) -> int:
    """A plain number."""
    if _is_max(text):
        return most
    _, exact, unit = _parts(text, what, "10 or 1,000")
    if unit or exact < 0:
        raise ValueError(f"{what} is '{text}'; it must be a whole number such as 10 or 1,000")
    return min(exact, most)


def share(text: Text, what: str = "the share", *, whole: int) -> int:
    """A part of `whole`: 50% of 10,000 (basis points) is 5,000; without % it counts by itself."""
    if _is_max(text):
        return whole
    value, _, unit = _parts(text, what, "50%")
    if unit not in ("", "%"):
        raise ValueError(f"{what} is '{text}'; it must be such as 50%")
    return round(value * whole / 100) if unit == "%" else round(value)


def time_text(us: int) -> str:
    """Such as "5 ms"; the reverse of microseconds()."""
    if us >= MAX_U64:
        return "max"
    for factor, unit in ((3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms")):
        if us >= factor:
            return f"{us / factor:.3g} {unit}" if us < 1000 * factor else f"{us // factor:,} {unit}"
    return f"{us} us"
