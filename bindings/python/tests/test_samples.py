"""Each program of README.md, of docs/records.md and of examples/ runs, with warnings as errors, but for that of what cannot be seen here."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest
from skipping import module

BINDING = pathlib.Path(__file__).resolve().parents[1]
MANUALS = (BINDING / "README.md", BINDING.parents[1] / "docs" / "records.md")
BLOCKS = [block for path in MANUALS for block in re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.M | re.S)]

# What its output has to have, for each example.
EXAMPLES = {
    "find_cold.py": r"cold for 3 windows or more: (1[5-9]\d|2\d\d) MiB",
    "pause_critical.py": r"samples while paused: 0\n",
    "pageout_quota.py": r" 60 s: [1-4]\.\d\d GiB resident",
    "fleet.py": r"cache +1 +12\.25 GiB +7\.\d\d GiB +6\d\.\d %\n",
    "latency_quota.py": r"dropped so far [1-9]\d* MiB",
}


def run(folder: pathlib.Path, *command: str) -> str:
    options = ("-W", "error", "-W", "ignore::UserWarning")  # damon.VisibilityWarning is one
    ran = subprocess.run(
        [sys.executable, *options, *command], cwd=folder, capture_output=True, text=True, timeout=180
    )
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return ran.stdout


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_programs_of_the_manual_run(number: int, tmp_path: pathlib.Path) -> None:
    assert run(tmp_path, "-c", BLOCKS[number]) != ""


def test_the_manual_has_programs() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("name", sorted(path.name for path in (BINDING / "examples").glob("*.py")))
def test_the_examples_do_what_they_are_there_for(name: str, tmp_path: pathlib.Path) -> None:
    if name == "fleet.py":
        module("duckdb", "parquet"), module("pyarrow", "parquet")
    said = run(tmp_path, str(BINDING / "examples" / name))
    assert re.search(EXAMPLES[name], said), said
