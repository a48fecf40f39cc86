"""damon checks: how accesses are seen on this machine."""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
from typing import Any

from .. import _core
from ..agent_page import AgentPage
from ..enums import AccessCheck
from ..views import REASON_WORDS, size_text
from .command import Command, process_id, show_json
from .findings import Findings, findings_of

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
                "program declares shared is seen on every kernel; 'damon run --passes 10s' reads accessed bits as well, which "
                "know reads"]
    has_passes = probes[AccessCheck.REFERENCED]["available"]
    lines = ["accesses to private memory are not seen here by samples" +
             (": 'damon run' reads accessed bits instead, every 10 s (--passes), which tell a mapping that is in use from an "
              "idle one; of parts of it nothing is known, and what is unknown is not idle" if has_passes else
              " at all: it is unknown, which does not mean idle")]
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


def seen_of(found: Findings) -> list[dict[str, Any]]:
    """Of each mapping of a process that is monitored: bytes whose reads and writes, writes, or no accesses are seen."""
    groups: dict[str, dict[str, Any]] = {}
    for region, name in zip(found.regions, found.names):
        group = groups.setdefault(name, {"name": name, "both_bytes": 0, "writes_bytes": 0, "unknown_bytes": 0, "reasons": []})
        kind = "unknown" if region.unknown else "writes" if region.writes_only else "both"
        group[f"{kind}_bytes"] += region.size
        reason = REASON_WORDS.get(region.unknown_reason) if region.unknown else None  # type: ignore[call-overload]
        if reason and reason not in group["reasons"]:
            group["reasons"].append(reason)
    return sorted(groups.values(), key=lambda one: -(one["both_bytes"] + one["writes_bytes"] + one["unknown_bytes"]))


def _of_process(options: argparse.Namespace) -> int:
    with AgentPage.open(options.pid) as page:
        found = findings_of(page)
    seen = seen_of(found)
    if options.json:
        show_json({"pid": found.pid, "program": found.program, "mappings": seen})
        return 0
    print(f"{'READS+WRITES':>12} {'WRITES ONLY':>12} {'NOTHING':>12}  MAPPING")
    for one in seen:
        sizes = (size_text(one[name]) if one[name] else "-" for name in ("both_bytes", "writes_bytes", "unknown_bytes"))
        print(" ".join(f"{size:>12}" for size in sizes) + f"  {one['name']}" +
              (f" ({', '.join(one['reasons'])})" if one["reasons"] else ""))
    return 0


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pid", type=process_id, nargs="?", metavar="PID", help="what is seen of the mappings of this process")


def _run(options: argparse.Namespace) -> int:
    if options.pid is not None:
        return _of_process(options)
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


COMMANDS = (Command("checks", "how accesses are seen on this machine, and why not better", _add_options, _run),)
