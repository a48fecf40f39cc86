"""coverage.py <build tree> <least percent> [folder...]: of the tests that ran in a tree built with --coverage, which lines of these
folders of lib/ (default: engine model capi) ran. Prints a line a folder and each line that did not run, but for those whose
text says why ("not reached: ..."); exit 1: a folder has less than so many percent."""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIB = ROOT / "lib"
EXPLAINED = "not reached:"


def counts_of(tree, gcov="gcov"):
    """{path: {line: how often it ran}}, added up over all that include a file."""
    found = collections.defaultdict(collections.Counter)
    data = sorted(tree.glob("lib/CMakeFiles/*.dir/**/*.gcda"))
    for begin in range(0, len(data), 20):
        said = subprocess.run([gcov, "--json-format", "--stdout", *map(str, data[begin : begin + 20])], cwd=tree,
                              capture_output=True, text=True, check=True).stdout
        for text in said.splitlines():
            report = json.loads(text)
            for file in report["files"]:
                path = pathlib.Path(report["current_working_directory"], file["file"]).resolve()
                if LIB in path.parents:
                    for line in file["lines"]:
                        found[path][line["line_number"]] += line["count"]
    return found


def explained_lines(path):
    """Lines that say why they do not run, or that follow such a comment."""
    lines = path.read_text().splitlines()
    return {number + more for number, line in enumerate(lines, 1) if EXPLAINED in line for more in (0, 1)}


def main():
    tree, least = pathlib.Path(sys.argv[1]).resolve(), float(sys.argv[2])
    found, status = counts_of(tree), 0
    for folder in sys.argv[3:] or ["engine", "model", "capi"]:
        files = {path: lines for path, lines in sorted(found.items()) if LIB / folder in path.parents}
        missed = [(path, number) for path, lines in files.items() for number in sorted(set(lines) - explained_lines(path))
                  if lines[number] == 0]
        total = sum(map(len, files.values()))
        percent = 100 * (total - len(missed)) / max(total, 1)
        for path, number in missed:
            print(f"{path.relative_to(ROOT)}:{number}: {path.read_text().splitlines()[number - 1].strip()}")
        print(f"{folder}: {percent:.1f} % of {total} lines in {len(files)} files")
        status = status or percent < least or total == 0
    sys.exit(1 if status else 0)


if __name__ == "__main__":
    main()
