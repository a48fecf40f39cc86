"""tidy.py <build tree> <results.txt> [path...]: .clang-tidy has nothing to say about lib/: no likely bugs, no function of
more than 60 lines or three levels. Not part of the other checks, for its time: `./dev test tidy`."""

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
    """Sources of lib/ that the build tree compiles, each once."""
    commands = json.loads((tree / "compile_commands.json").read_text())
    return sorted({command["file"] for command in commands} & {str(path) for path in repo.files(".cc", under="lib")})


def findings(tree, source):
    words = [f"clang-tidy-{MAJOR}", "-p", tree, "--quiet", source]
    done = subprocess.run(words, capture_output=True, text=True)
    found = {f"{place.removeprefix(str(repo.ROOT) + '/')}: {text}" for place, text in FINDING.findall(done.stdout)}
    return found or ({f"{source}: clang-tidy failed: {done.stderr[-300:]}"} if done.returncode else set())


def main():
    tree, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not shutil.which(f"clang-tidy-{MAJOR}"):
        results.write_text(f"skipped tidy SKIP clang-tidy-{MAJOR}: no clang-tidy-{MAJOR} in PATH\n")
        return
    sources = sys.argv[3:] or compiled(tree)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("DAMON_JOBS") or os.cpu_count())) as pool:
        problems = sorted(set().union(*pool.map(lambda source: findings(tree, source), sources)))
    results.write_text(f"failed tidy {len(problems)} findings, see above\n" if problems else "passed tidy\n")
    repo.finish(problems, len(sources))


if __name__ == "__main__":
    main()
