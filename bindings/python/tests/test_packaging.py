"""What is installed: its name, its license, and a module that shows and needs no more than it has to."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys

import pybind11

import damon
from damon import _core

BINDING = pathlib.Path(__file__).resolve().parents[1]
PROJECT = (BINDING / "pyproject.toml").read_text()


# A build that lies in a folder, as that for sanitizers, is not installed, and not linked as what is.
IS_INSTALLED = "site-packages" in (_core.__file__ or "")


def test_the_distribution_is_libdamon_and_the_module_damon() -> None:
    assert re.search(r'^name = "libdamon"$', PROJECT, re.M)
    if IS_INSTALLED:
        found = importlib.metadata.distribution("libdamon")
        assert found.version == damon.__version__
        assert any(str(path) == "damon/__init__.py" for path in found.files or ())


def test_the_license_is_the_projects_and_is_installed() -> None:
    assert (BINDING / "LICENSE").read_text() == (BINDING.parents[1] / "LICENSE").read_text()
    if IS_INSTALLED:
        assert any(path.name == "LICENSE" for path in importlib.metadata.distribution("libdamon").files or ())


def test_every_hint_names_the_projects_own_distribution() -> None:
    for path in (*BINDING.glob("damon/*.py"), BINDING / "README.md"):
        for extras in re.findall(r"install '?([\w./-]*)\[", path.read_text()):
            assert extras in ("libdamon", "./bindings/python", "."), f"{path.name}: {extras}"


def symbols(*options: str) -> list[str]:
    assert _core.__file__ is not None
    ran = subprocess.run(["nm", "-D", *options, _core.__file__], capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in ran.stdout.splitlines()]


def test_the_module_shows_its_entry_point_and_nothing_of_the_library() -> None:
    defined = symbols("--defined-only")
    assert "PyInit__core" in defined
    assert not [name for name in defined if re.match(r"damo[ns]", name)], defined


def test_free_threaded_pythons_are_refused_in_one_sentence_before_anything_is_compiled(tmp_path: pathlib.Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"""#!/bin/sh
case "$2" in *"get_config_var('Py_GIL_DISABLED')"*) echo 1 ;; *) exec {sys.executable} "$@" ;; esac
""")
    python.chmod(0o755)
    options = [f"-DPython_EXECUTABLE={python}", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # a sanitizer's
    ran = subprocess.run(["cmake", "-S", BINDING, "-B", tmp_path / "build", *options], capture_output=True, text=True,
                         env=environment)
    assert ran.returncode != 0
    assert "free-threaded Python (3.13t, 3.14t) is not supported" in " ".join(ran.stderr.split()), ran.stderr


def test_the_module_is_linked_so_that_its_tables_are_read_only_when_it_runs() -> None:
    assert _core.__file__ is not None
    said = subprocess.run(["readelf", "-lWd", _core.__file__], capture_output=True, text=True, check=True).stdout
    assert "GNU_RELRO" in said and re.search(r"BIND_NOW|\bNOW\b", said), said
    assert re.search(r"GNU_STACK .* RW ", said), said


def test_the_module_needs_no_cxx_library() -> None:
    assert _core.__file__ is not None
    ran = subprocess.run(["readelf", "-d", _core.__file__], capture_output=True, text=True, check=True)
    needed = re.findall(r"NEEDED.*\[(.*)\]", ran.stdout)
    assert needed and (not IS_INSTALLED or not [name for name in needed if "stdc++" in name]), needed
