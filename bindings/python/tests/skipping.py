"""Skips that tests/skips.txt declares."""

from __future__ import annotations

import importlib
from typing import Any, NoReturn

import pytest


def declared_skip(identifier: str, seen: str) -> NoReturn:
    """Ends the test as skipped; `identifier` stands in tests/skips.txt, `seen` says what was missing here."""
    pytest.skip(f"SKIP {identifier}: {seen}")


def module(name: str, identifier: str) -> Any:
    """The module, or a declared skip where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        declared_skip(identifier, f"{name} is not installed")
