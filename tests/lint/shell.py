"""shellcheck has nothing to say about any shell script of the repository."""

import shutil
import subprocess

import repo


def scripts():
    """Those that run by themselves; what they source is checked with them."""
    first_lines = {path: path.read_bytes()[:64].split(b"\n")[0].rstrip() for path in repo.files()}
    return [path for path, line in first_lines.items() if line.startswith(b"#!") and line.endswith((b"bash", b"/sh"))]


def main():
    program = shutil.which("shellcheck")
    if program is None:
        repo.skip("shellcheck", "not in PATH")
    checked = scripts()
    done = subprocess.run([program, "-a", "-x", "-P", repo.ROOT, *checked], capture_output=True, text=True, cwd=repo.ROOT)
    repo.finish([done.stdout + done.stderr] if done.returncode else [], len(checked))


if __name__ == "__main__":
    main()
