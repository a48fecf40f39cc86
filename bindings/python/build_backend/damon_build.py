"""The build backend: scikit-build-core, with the library's sources copied into source archives."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

from scikit_build_core import build as _base
from scikit_build_core.build import *  # noqa: F403  (the hooks that need nothing more)

HERE = pathlib.Path(__file__).resolve().parents[1]
LIBRARY = HERE.parents[1]
COPY = HERE / "libdamon"
PARTS = ("CMakeLists.txt", "LICENSE", "cmake", "include", "lib", "tools")


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """An archive that builds anywhere. Made from an unpacked archive, its libdamon/ is used again."""
    copies = (LIBRARY / "include" / "damon_c.h").exists()
    if copies:
        shutil.rmtree(COPY, ignore_errors=True)
        for part in PARTS:
            source = LIBRARY / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            COPY.mkdir(exist_ok=True)
            copy(source, COPY / part)
    try:
        return _base.build_sdist(sdist_directory, config_settings)
    finally:
        if copies:
            shutil.rmtree(COPY, ignore_errors=True)
