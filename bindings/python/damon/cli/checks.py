"""damon checks: how accesses are seen on this machine."""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
from typing import Any

from .. import _core
from ..enums import AccessCheck
from .command import Command, show_json

# What each kind of memory gets, the best first: see docs/access-checks.md.
_KINDS = (
    ("private memory (malloc, stacks of data, anonymous mappings)", (AccessCheck.UFFD_RWP, AccessCheck.UFFD_WP)),
    ("shared memory (memfd, /dev/shm, shared anonymous mappings)", (AccessCheck.UFFD_RWP, AccessCheck.UFFD_WP)),
    ("shared memory that the program declares (damon_shared_declare)",
     (AccessCheck.UFFD_RWP, AccessCheck.ZAP, AccessCheck.UFFD_WP)),
    ("memory whose accesses the program reports itself (damon_report_access)", (AccessCheck.REPORT,)),
)


def _sees_text(sees: int) -> str:
    return {0: "nothing", 1: "reads", 2: "writes", 3: "reads and writes"}[sees & 3]


def _probe(check: AccessCheck) -> dict[str, Any]:
    found = _core.access_check_probe(check)
    return {"name": check.name.lower(), "available": bool(found["available"]), "sees": _sees_text(found["sees"]),
            "reason": found["reason"], "error": found["error"]}


def findings() -> dict[str, Any]:
    """What works, and what each kind of memory gets."""
    probes = {check: _probe(check) for check in AccessCheck}
    kinds = []
    for name, checks in _KINDS:
        best = next((check for check in checks if probes[check]["available"]), None)
        kinds.append({"memory": name, "access_check": best.name.lower() if best else None,
                      "sees": probes[best]["sees"] if best else "nothing"})
    return {"kernel": platform.release(), "machine": platform.machine(), "user": os.geteuid(),
            "kinds": kinds, "access_checks": list(probes.values()), "advice": _advice(probes)}


def _advice(probes: dict[AccessCheck, dict[str, Any]]) -> list[str]:
    """What to do where something is not seen."""
    if probes[AccessCheck.UFFD_RWP]["available"]:
        return []
    if probes[AccessCheck.UFFD_WP]["available"]:
        return ["reads of private memory are not seen: \"idle\" means \"not written\". Linux 7.3 sees both; memory that the "
                "program declares shared is seen on every kernel"]
    lines = ["accesses to private memory are not seen here at all: samples of it are unknown, which does not mean idle"]
    if _userfaultfd_error() in (1, 38):  # EPERM, ENOSYS
        lines.append("userfaultfd is refused, as containers' default filters do: allow that system call (Docker: "
                     "--security-opt seccomp=PROFILE with userfaultfd in it)")
    return lines


def _userfaultfd_error() -> int:
    """The errno of userfaultfd(UFFD_USER_MODE_ONLY); 0: it works."""
    number = {"x86_64": 323}.get(platform.machine(), 282)
    libc = ctypes.CDLL(None, use_errno=True)
    file = libc.syscall(number, os.O_CLOEXEC | 1)
    if file >= 0:
        os.close(file)
        return 0
    return ctypes.get_errno()


def _run(options: argparse.Namespace) -> int:
    found = findings()
    if options.json:
        show_json(found)
        return 0
    print(f"Linux {found['kernel']}, {found['machine']}, user {found['user']}")
    for line in found["advice"]:
        print(f"! {line}")
    print()
    for kind in found["kinds"]:
        print(f"{kind['memory']}:\n    {kind['access_check'] or 'no access check'}, sees {kind['sees']}")
    print()
    for check in found["access_checks"]:
        works = f"works, sees {check['sees']}" if check["available"] else "does not work here"
        print(f"{check['name']:<11} {works}" + (f": {check['reason']}" if check["reason"] else ""))
    return 0


COMMANDS = (Command("checks", "how accesses are seen on this machine, and why not better", lambda parser: None, _run),)
