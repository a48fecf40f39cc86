"""The files of a folder of lib/ compile as one unit (DAMON_FOLDER_UNITS, as the bindings' packages build): no two of them
name a constant or a type alike. Those that do compile alone: `own_units` of lib/CMakeLists.txt."""

import collections
import fnmatch
import re

import repo

NAME = re.compile(r"^(?:(?:static |inline )*(?:constexpr|const|constinit) [^=;({]*?\b(\w+)(?:\[\w*\])* ?[={]"
                  r"|(?:struct|class|union|enum(?: class)?) (\w+)[^;]*\{)", re.M)
LISTED = re.compile(r"(?:GLOB own_units|APPEND own_units)([^)]*)\)")


def own_units(cmake):
    """Paths below lib/, and patterns of such."""
    return [word for words in LISTED.findall(cmake) for word in words.split() if word.endswith(".cc")]


def clashes(texts, alone):
    """(file, name, the file that has it too) of {path below lib/: text}."""
    seen = collections.defaultdict(dict)
    found = []
    for path, text in sorted(texts.items()):
        if any(fnmatch.fnmatch(path, pattern) for pattern in alone):
            continue
        names = seen[path.rpartition("/")[0]]
        for name in sorted({first or second for first, second in NAME.findall(repo.code_only(text))}):
            if names.setdefault(name, path) != path:
                found.append((path, name, names[name]))
    return found


def main():
    lib = repo.ROOT / "lib"
    texts = {path.relative_to(lib).as_posix(): path.read_text() for path in repo.files(".cc", under="lib")}
    alone = own_units((lib / "CMakeLists.txt").read_text())
    repo.finish([f"lib/{path}: {name} stands in lib/{other} too; another name, or an own unit (lib/CMakeLists.txt)"
                 for path, name, other in clashes(texts, alone)], len(texts))


if __name__ == "__main__":
    main()
