"""What findings.py makes of a sanitizer's words."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

FINDINGS = pathlib.Path(__file__).resolve().parents[1] / "findings.py"
LEAKS = """
=================================================================
==859==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 64 byte(s) in 1 object(s) allocated from:
    #0 0x7f in operator new(unsigned long) ../asan_new_delete.cpp:95
    #1 0x7f in {}

Direct leak of 56 byte(s) in 1 object(s) allocated from:
    #0 0x7f in __interceptor_malloc ../asan_malloc_linux.cpp:69
    #1 0x5a5086  (/usr/bin/python3.11+0x5a5086)

SUMMARY: AddressSanitizer: 120 byte(s) leaked in 2 allocation(s).
"""


@pytest.mark.parametrize(
    ("text", "nr"),
    [
        (LEAKS.format("damon_python::Ctx::call src/calling.cc:5"), 1),
        (LEAKS.format("numpy_alloc (/usr/lib/_multiarray_umath.so+0x1)"), 0),
        ("=====\n==1==ERROR: AddressSanitizer: heap-use-after-free on address\n    #0 x\n", 1),
        ("lib/a.cc:5:3: runtime error: shift exponent 64 is too large\n", 1),
        ("", 0),
    ],
)
def test_what_counts(text: str, nr: int, tmp_path: pathlib.Path) -> None:
    (tmp_path / "log.1").write_text(text)
    ran = subprocess.run([sys.executable, "-B", str(FINDINGS), str(tmp_path)], capture_output=True, text=True)
    assert ran.returncode == min(nr, 1) and ran.stdout.endswith(f"{nr} findings in 1 files\n"), ran.stdout + ran.stderr
