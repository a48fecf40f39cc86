"""Fixtures of several files."""

from __future__ import annotations

import pathlib

import pytest
from agent_support import built


@pytest.fixture
def own_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of other tests' agents are elsewhere."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("DAMON_AGENT_DIR", raising=False)


@pytest.fixture(scope="session")
def hot_part(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A program that writes 8 of 64 MiB all the time."""
    return built(tmp_path_factory.mktemp("programs"), "hot_part")
