"""Files of lib/ stay below 450 lines, functions below 60, folders below 20 rooms; names of files are unique, engine/ has
no floating point. A room is what has one concept: a header with its source file, or one of them alone.

clang-tidy counts the lines of functions too (tidy.py), but takes a minute and is part of `./dev test full` alone: here a long
function is found in every run, and where there is no clang-tidy."""

import collections
import re

import repo

MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60
MAX_ROOMS = 20
SCOPE = re.compile(r"^(?:typedef\s+|inline\s+)*(?:namespace|class|struct|union|enum|extern\s*\"\")(?:\W|$)")
BOUNDARY = re.compile(r"[;{}]|^[ \t]*#(?:[^\n\\]|\\\n|\\.)*\n", re.M)


def without_template(header):
    """Drops leading `template <...>` and `requires` noise that would hide what the header declares."""
    while header.startswith("template"):
        depth = 0
        for position, character in enumerate(header):
            depth += (character == "<") - (character == ">")
            if character == ">" and depth == 0:
                header = header[position + 1 :].lstrip()
                break
        else:
            return header
    return header


def opens_function(header):
    header = without_template(header.strip())
    header = re.sub(r"\[\[.*?\]\]|alignas\s*\([^)]*\)|__attribute__\s*\(\(.*?\)\)", "", header).strip()
    header = re.sub(r"^(?:public|private|protected)\s*:\s*", "", header)
    if SCOPE.match(header) and "(" not in header:
        return False
    return "(" in header and not re.match(r"^(?:namespace|enum)\b", header)


def functions(text):
    """(name, first line, number of lines) of every function body, outermost only: a lambda counts to its function."""
    code = repo.code_only(text)
    found = []
    start, depth, function_depth, function = 0, 0, None, None
    for match in BOUNDARY.finditer(code):
        token = match.group()
        if token == "{":
            header = code[start : match.start()]
            if function_depth is None and opens_function(header):
                lead = len(header) - len(header.lstrip())
                name = re.search(r"([~\w:]+|operator\W+)\s*\(", header)
                function = (name.group(1) if name else "?", code.count("\n", 0, start + lead) + 1)
                function_depth = depth
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == function_depth:
                last = code.count("\n", 0, match.start()) + 1
                found.append((function[0], function[1], last - function[1] + 1))
                function_depth = None
        start = match.end()
    return found


def problems_of(path, text):
    found = []
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        found.append(f"{path}: {lines} lines, at most {MAX_FILE_LINES}")
    for name, line, length in functions(text):
        if length > MAX_FUNCTION_LINES:
            found.append(f"{path}:{line}: {name} has {length} lines, at most {MAX_FUNCTION_LINES}")
    if str(path).startswith("lib/engine/"):
        for match in re.finditer(r"\b(?:float|double)\b", repo.code_only(text)):
            found.append(f"{path}: {match.group()} in the engine (C-2: integers only)")
    return found


def crowded(paths):
    """`paths` of files; a folder's own subfolders do not count."""
    rooms = collections.defaultdict(set)
    for path in paths:
        rooms[str(path.parent)].add(path.stem)
    return [
        f"{folder}/ holds {len(names)} rooms (pairs of .h and .cc), at most {MAX_ROOMS}: make a folder of those that belong together"
        for folder, names in sorted(rooms.items())
        if len(names) > MAX_ROOMS
    ]


def main():
    problems = []
    sources = repo.files(".h", ".cc", under="lib")
    for path in sources:
        problems += problems_of(path.relative_to(repo.ROOT), path.read_text())
    by_name = collections.defaultdict(list)
    for path in sources:
        by_name[path.name].append(str(path.relative_to(repo.ROOT)))
    problems += [f"{name} is there twice: {', '.join(paths)}" for name, paths in by_name.items() if len(paths) > 1]
    problems += crowded([path.relative_to(repo.ROOT) for path in sources])
    repo.finish(problems, len(sources))


if __name__ == "__main__":
    main()
