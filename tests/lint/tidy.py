"""tidy.py <build tree> <results.txt>: .clang-tidy has nothing to say about lib/: no likely bugs, no function of more than 60
lines or three levels. The tree is configured with DAMON_FOLDER_UNITS: clang-tidy reads the headers once for each folder, which
takes a fifth of the time. `./dev test tidy`; sizes.py, in every run, counts lines without clang-tidy."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import repo

MAJOR = "14"  # other versions find other things
FINDING = re.compile(r"^(\S+?:\d+):\d+: (?:error|warning): (.*)$", re.M)


def compiled(tree):
    """Sources of lib/, and the files that CMake made of several, each once."""
    commands = json.loads((tree / "compile_commands.json").read_text())
    own = {str(path) for path in repo.files(".cc", under="lib")}
    return sorted({name for name in (command["file"] for command in commands) if name in own or "/Unity/" in name})


def findings(tree, source):
    words = [f"clang-tidy-{MAJOR}", "-p", tree, "--quiet", f"--config-file={repo.ROOT}/.clang-tidy"]
    words.append("--checks=-bugprone-suspicious-include")  # of source files, which is what CMake's files do
    done = subprocess.run([*words, source], capture_output=True, text=True)
    found = {f"{place.removeprefix(str(repo.ROOT) + '/')}: {text}" for place, text in FINDING.findall(done.stdout)}
    return found or ({f"{source}: clang-tidy failed: {done.stderr[-300:]}"} if done.returncode else set())


def main():
    tree, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not shutil.which(f"clang-tidy-{MAJOR}"):
        results.write_text(f"skipped tidy SKIP clang-tidy-{MAJOR}: no clang-tidy-{MAJOR} in PATH\n")
        return
    sources = compiled(tree)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("DAMON_JOBS") or os.cpu_count())) as pool:
        problems = sorted(set().union(*pool.map(lambda source: findings(tree, source), sources)))
    results.write_text(f"failed tidy {len(problems)} findings, see above\n" if problems else "passed tidy\n")
    repo.finish(problems, len(sources))


if __name__ == "__main__":
    main()
