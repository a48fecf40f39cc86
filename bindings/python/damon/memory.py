"""Where the memory of arrays, tables and tensors is: without copies, as what is watched has to be the memory itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .checks import is_buffer, need_numpy

# Of the arrays behind a pandas Series: NumPy's, Arrow's, values with a mask, positions of categories.
_BEHIND_SERIES = (("_ndarray",), ("_pa_array",), ("_data", "_mask"), ("_codes",))


def has_memory(given: Any) -> bool:
    """Whether it is an array of some kind: NumPy's of no dimensions count as integers as well."""
    return is_buffer(given) or hasattr(given, "__array_interface__") or hasattr(given, "__dlpack__")


def parts_of(given: Any) -> Iterator[Any]:
    """The buffers that the object's memory consists of."""
    if isinstance(given, type):
        raise TypeError(f"a buffer is needed, not the class {given.__name__}")
    if type(given).__name__ == "LazyFrame":
        raise TypeError("a LazyFrame has no memory yet: pass what its collect() returns")
    if is_buffer(given):
        yield given
    elif hasattr(given, "__array_interface__"):
        yield need_numpy("an object with __array_interface__").asarray(given)
    elif _is_arrow(given):
        yield from _arrow_parts(given)
    elif _module_of(given) == "polars":
        columns = given.get_columns() if hasattr(given, "get_columns") else [given]
        for column in columns:
            yield from _arrow_parts(column.to_arrow())  # shares the memory
    elif _module_of(given) == "pandas":
        columns = [given[name] for name in given.columns] if hasattr(given, "columns") else [given]
        for column in columns:
            yield from _series_parts(column.array)
    elif hasattr(given, "__dlpack__"):
        yield need_numpy("an object with __dlpack__").from_dlpack(given)
    else:
        raise TypeError("a buffer is needed (a NumPy array, bytearray, mmap, DataFrame, Arrow array, tensor, ...), not "
                        f"{type(given).__name__}")


def _module_of(given: Any) -> str:
    return type(given).__module__.partition(".")[0]


def _is_arrow(given: Any) -> bool:
    return _module_of(given) == "pyarrow" and any(hasattr(given, name) for name in ("buffers", "chunks", "columns"))


def _arrow_parts(given: Any) -> Iterator[Any]:
    for name in ("columns", "chunks"):  # of a table; of an array in pieces
        if hasattr(given, name):
            for part in getattr(given, name):
                yield from _arrow_parts(part)
            return
    for buffer in given.buffers():
        if buffer is not None and buffer.size > 0:
            yield buffer


def _series_parts(array: Any) -> Iterator[Any]:
    for names in _BEHIND_SERIES:
        if all(hasattr(array, name) for name in names):
            for name in names:
                part = getattr(array, name)
                if getattr(getattr(part, "dtype", None), "hasobject", False):
                    raise TypeError("a column of Python objects has no memory of its own: watch damon.Target() instead")
                yield from parts_of(part)
            return
    raise TypeError(f"the memory of a column of {type(array).__name__} cannot be found: pass its NumPy or Arrow array")
