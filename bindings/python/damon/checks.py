"""What programs hand over, checked: mistakes end in an exception that says what to do."""

from __future__ import annotations

import datetime
import difflib
import enum
import errno
import importlib
import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, Union

from .errors import error_for

MAX_U64 = 2**64 - 1
_MOST_SECONDS = 1e12
Constant = TypeVar("Constant", bound=enum.Enum)


def expect(value: Any, wanted: type, what: str) -> None:
    """TypeError, with what to do, unless the value is of that class."""
    if not isinstance(value, wanted):
        raise TypeError(f"{what} must be a damon.{wanted.__name__}, not {type(value).__name__}")


def expect_many(values: Any, wanted: type, what: str, one: str) -> None:
    """The same for each entry of a list or tuple."""
    if not isinstance(values, Sequence):
        raise TypeError(f"{what} must be a list, not {type(values).__name__}: put one in brackets")
    for value in values:
        expect(value, wanted, one)


def as_tuples(instance: Any, *names: str) -> None:
    """Lists in a frozen dataclass become tuples, so that it can be compared and hashed; for __post_init__()."""
    for name in names:
        value = getattr(instance, name)
        if isinstance(value, list):
            object.__setattr__(instance, name, tuple(value))


def microseconds(duration: Union[float, datetime.timedelta], what: str = "the duration") -> int:
    """Seconds or a timedelta as microseconds, for parameters that end in _us: `Attrs(aggr_us=damon.microseconds(0.1))`."""
    if getattr(getattr(duration, "dtype", None), "kind", "") == "m":  # numpy.timedelta64, whose float() is in its own unit
        found = int(duration.astype("timedelta64[us]").astype("int64"))  # type: ignore[union-attr]
    elif isinstance(duration, datetime.timedelta):
        found = duration // datetime.timedelta(microseconds=1)
    elif isinstance(duration, bool) or not hasattr(duration, "__float__"):
        raise TypeError(f"{what} must be a number of seconds or a timedelta, not {type(duration).__name__}")
    elif not -_MOST_SECONDS < float(duration) < _MOST_SECONDS:
        raise error_for(errno.EINVAL, f"{what} is {duration}; it must be from 0 to {_MOST_SECONDS:g} seconds")
    else:
        found = round(float(duration) * 1_000_000)
    if found < 0:
        raise error_for(errno.EINVAL, f"{what} is {duration}; it must not be negative")
    return found


def named(given: Iterable[str], known: Iterable[str], who: str) -> None:
    """TypeError for an option that there is not, with the one that was meant, or all that there are."""
    names = list(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(names)}"
            raise TypeError(f"{who} has no option '{name}'; {hint}")


def member_of(value: Any, kind: type[Constant], what: str) -> Any:
    """A string as the member of that name, in any case; what is no string comes back as it is."""
    if not isinstance(value, str):
        return value
    found = kind.__members__.get(value.upper())
    if found is None:
        names = ", ".join(name.lower() for name in kind.__members__)
        raise error_for(errno.EINVAL, f"{what} is '{value}'; it must be one of {names}")
    return found


def number(value: Any, what: str, *, least: int = 0) -> int:
    """The value as an int, also where it is NumPy's. TypeError or InvalidParameterError, with what to do."""
    try:
        found = operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}") from None
    if not least <= found <= MAX_U64:
        raise error_for(errno.EINVAL, f"{what} is {found}; it must be from {least} to {MAX_U64}")
    return found


def function_from(value: Any, what: str = "a function") -> Any:
    """TypeError unless the value can be called."""
    if not callable(value):
        raise TypeError(f"{what} is needed, not {type(value).__name__}")
    return value


def many(values: Any, what: str) -> list[Any]:
    """The entries of a list or another iterable; TypeError for a single one, which a buffer is as well."""
    if not isinstance(values, Iterable) or is_buffer(values):
        raise TypeError(f"{what} must be a list, not {type(values).__name__}: put one in brackets")
    return list(values)


def is_buffer(value: Any) -> bool:
    """Whether it is a NumPy array, bytearray, mmap or the like."""
    try:
        memoryview(value)
    except TypeError:
        return False
    except (BufferError, ValueError):
        pass
    return True


def need(module: str, what: str) -> Any:
    """The module; ImportError with what to do where it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{what} needs {module}: pip install {module}", name=module) from error


def need_numpy(what: str) -> Any:
    """NumPy; ImportError with what to do where it is not there."""
    try:
        import numpy
    except ImportError as error:
        raise ImportError(f"{what} needs NumPy: pip install numpy", name="numpy") from error
    return numpy
