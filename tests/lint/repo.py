"""What every check of this folder shares: the files of the tree, C++ text without comments, and how a check ends."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".cache", "build", "target", "dist", "__pycache__"}
SKIPPED = 77  # the exit code that ctest counts as a skip
_TOKENS = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)"'
    r"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.S,
)


def files(*suffixes, under=""):
    """Files of the repository (tracked, or new and not ignored) below a folder, as sorted paths."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True
    )
    if listed.returncode == 0:
        found = [ROOT / line for line in listed.stdout.splitlines()]
    else:  # an unpacked source archive
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    base = ROOT / under
    return sorted(
        path
        for path in found
        if path.is_file() and (not suffixes or path.suffix in suffixes) and (path == base or base in path.parents)
    )


def code_only(text):
    """The text with comments blanked and string and character literals emptied; line breaks stay where they were."""

    def blank(match):
        token = match.group()
        newlines = "\n" * token.count("\n")
        if token.startswith("/"):
            return " " + newlines
        return '""' + newlines if token[0] in '"R' else "' '"

    return _TOKENS.sub(blank, text)


def finish(problems, checked):
    """Prints the problems and ends the check; a check that looked at nothing has failed."""
    for problem in problems:
        print(problem)
    print(f"{checked} checked, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)


def skip(identifier, seen):
    """Ends the check as skipped; `identifier` stands in tests/skips.txt."""
    print(f"SKIP {identifier}: {seen}")
    sys.exit(SKIPPED)
