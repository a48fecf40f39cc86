"""shellcheck has nothing to say about any shell script of the repository, and none has what it does not know: with
pipefail `producer | grep -q` fails at times where it matches (the producer dies of SIGPIPE), and a line that begins with
`!` never ends a script under `set -e`."""

import re
import shutil
import subprocess

import repo


QUIET_READER = re.compile(r"\|\s*(?:e|f)?grep\s+(?:-\w*q|-m)")
NEGATED_LINE = re.compile(r"^\s*!\s")


def traps(path, text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if QUIET_READER.search(line):
            found.append(f"{path}:{number}: a reader that stops early kills what writes to it: grep ... >/dev/null")
        if NEGATED_LINE.search(line):
            found.append(f"{path}:{number}: fails nothing: if ...; then return 1; fi")
    return found


def scripts():
    """Those that run by themselves; what they source is checked with them."""
    first_lines = {path: path.read_bytes()[:64].split(b"\n")[0].rstrip() for path in repo.files()}
    return [path for path, line in first_lines.items() if line.startswith(b"#!") and line.endswith((b"bash", b"/sh"))]


def main():
    program = shutil.which("shellcheck")
    if program is None:
        repo.skip("shellcheck", "not in PATH")
    checked = scripts()
    problems = []
    for path in [*checked, *repo.files(".sh")]:
        problems += traps(path.relative_to(repo.ROOT), path.read_text())
    done = subprocess.run([program, "-a", "-x", "-P", repo.ROOT, *checked], capture_output=True, text=True, cwd=repo.ROOT)
    repo.finish(problems + ([done.stdout + done.stderr] if done.returncode else []), len(checked))


if __name__ == "__main__":
    main()
