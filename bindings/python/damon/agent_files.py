"""Where agents keep their files, and which of them are to be trusted: see tools/agent/agent_page.h."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import struct
from collections.abc import Iterator
from typing import Optional

SUFFIX = ".damon"
_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux


class AgentError(Exception):
    """What is wrong, and what to do about it, in one line."""


class NoAgentError(AgentError):
    """The process has no agent."""


def process_uid(pid: int) -> Optional[int]:
    """The effective user of a process; None: there is no such process."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            for line in status:
                if line.startswith("Uid:"):
                    return int(line.split()[2])
    except (OSError, IndexError, ValueError):
        pass
    return None


def _name_of(uid: Optional[int]) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)


def start_ticks(pid: int) -> int:
    """When the process began, as /proc says; 0: there is no such process, or it is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if len(fields) < 20 or fields[0] in "ZX" else int(fields[19])


def directories(uid: int) -> list[str]:
    """Where an agent of that user may keep its file, the most likely first."""
    found = [os.environ.get("DAMON_AGENT_DIR", "")]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and uid == os.geteuid():
        found.append(os.path.join(runtime, "damon"))
    found += [f"/run/user/{uid}/damon", f"/dev/shm/damon-{uid}", f"/tmp/damon-{uid}"]
    return list(dict.fromkeys(path for path in found if path.startswith("/")))


def open_directory(path: str, uid: int) -> int:
    """A descriptor of the folder. FileNotFoundError, or AgentError where it is not to be trusted."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AgentError(f"{path} is refused: {error.strerror}; it must be a folder, no link, of mode 0700") from error
    above = os.stat(os.path.dirname(path)).st_uid
    if above not in (uid, 0):  # it could put a link there
        os.close(folder)
        raise AgentError(f"{path} is refused: the folder above is of user {above}; it must be of {uid} or of root")
    found = os.fstat(folder)
    if found.st_uid != uid or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(folder)
        raise AgentError(f"{path} is refused: its owner is {found.st_uid} and its mode {stat.S_IMODE(found.st_mode):04o}; "
                         f"they must be {uid} and 0700")
    return folder


def make_directory(uid: int) -> str:
    """The folder of this user for agents to come, made if need be."""
    refused: Optional[AgentError] = None
    for path in directories(uid):
        try:
            if not os.path.isdir(os.path.dirname(path)):
                continue
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                pass
            os.close(open_directory(path, uid))
            return path
        except AgentError as error:
            refused = refused or error
        except OSError:
            continue
    raise refused or AgentError("there is no folder for the agent's file: set XDG_RUNTIME_DIR to a folder of yours")


def open_file(path: str, uid: int, *, writable: bool) -> int:
    """A descriptor of an agent's file. FileNotFoundError, or AgentError where it is not to be trusted."""
    directory, name = os.path.split(path)
    folder = open_directory(directory, uid)
    try:
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        file = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AgentError(f"{path} is refused: {error.strerror}; it must be a file of the agent's, and no link") from error
    finally:
        os.close(folder)
    found = os.fstat(file)
    why = ""
    if not stat.S_ISREG(found.st_mode):
        why = "it is no regular file"
    elif found.st_uid != uid:
        why = f"its owner is {found.st_uid} and must be {uid}"
    elif found.st_nlink > 1:
        why = "it has a second name"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        why = f"its mode is {stat.S_IMODE(found.st_mode):04o} and must be 0600"
    if why:
        os.close(file)
        raise AgentError(f"{path} is refused: {why}")
    return file


def candidates(pid: int) -> Iterator[tuple[str, int]]:
    """(path, owner) of where the file of a process may be."""
    uid = process_uid(pid)
    for owner in dict.fromkeys(found for found in (uid, os.geteuid()) if found is not None):
        for directory in directories(owner):
            yield os.path.join(directory, f"{pid}{SUFFIX}"), owner


def is_mapped(pid: int) -> bool:
    """Whether a process has its agent's file mapped: not after it has begun another program, or where another process has
    its id. True where that cannot be known."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            return any(line.rstrip("\n").endswith(SUFFIX) and "/" in line for line in maps)
    except OSError:
        return True


def opened(pid: int, *, writable: bool) -> Iterator[tuple[str, int]]:
    """(path, descriptor) of each file that may be the agent's of a process, the most likely first: processes of other PID
    namespaces may have the same id. NoAgentError: there is none; AgentError: what there is is refused."""
    refused: Optional[AgentError] = None
    is_any = False
    for path, owner in candidates(pid):
        try:
            file = open_file(path, owner, writable=writable)
        except FileNotFoundError:
            continue
        except AgentError as error:
            refused = refused or error
            continue
        is_any = True
        yield path, file
    if is_any:
        return
    uid = process_uid(pid)
    if refused is not None and uid not in (None, os.geteuid()) and os.geteuid() != 0:
        raise AgentError(f"process {pid} is of another user ({_name_of(uid)}), who alone can see its monitor, but for root")
    if refused is not None:
        raise refused
    if start_ticks(pid) == 0:
        raise NoAgentError(f"there is no process {pid}: 'damon ps' lists those that are monitored")
    raise NoAgentError(f"process {pid} has no agent (yet): start it by 'damon run -- PROGRAM', or see 'damon ps'")


def pids() -> list[int]:
    """Processes that have a file, of all users whose folders can be read."""
    users = {os.geteuid()}
    if os.geteuid() == 0:
        users |= _other_users()
    found = set()
    for uid in users:
        for directory in directories(uid):
            try:
                folder = open_directory(directory, uid)
            except (AgentError, OSError):
                continue
            try:
                names = os.listdir(folder)
            finally:
                os.close(folder)
            found |= {int(name[: -len(SUFFIX)]) for name in names if name.endswith(SUFFIX) and name[: -len(SUFFIX)].isdecimal()}
    return sorted(found)


def _other_users() -> set[int]:
    """Whose folders there are, for root."""
    found = set()
    for parent, prefix in (("/dev/shm", "damon-"), ("/tmp", "damon-"), ("/run/user", "")):
        try:
            names = os.listdir(parent)
        except OSError:
            continue
        found |= {int(name[len(prefix):]) for name in names if name.startswith(prefix) and name[len(prefix):].isdecimal()}
    return found


def is_held(folder: int, name: str) -> bool:
    """Whether a living process has this file, which its agent keeps locked: one of another PID namespace has another id here."""
    try:
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        return bool(struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK)
    except OSError:
        return False
    finally:
        os.close(file)


def remove_stale() -> None:
    """Removes files of this user whose process is gone, as a killed one leaves its own."""
    uid = os.geteuid()
    for directory in directories(uid):
        try:
            folder = open_directory(directory, uid)
        except (AgentError, OSError):
            continue
        try:
            for name in os.listdir(folder):
                number = name[: -len(SUFFIX)]
                if name.endswith(SUFFIX) and number.isdecimal() and start_ticks(int(number)) == 0 and not is_held(folder, name):
                    try:
                        os.unlink(name, dir_fd=folder)
                    except OSError:
                        pass
        finally:
            os.close(folder)
