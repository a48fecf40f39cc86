"""Includes go down only: capi -> kdamond -> {engine, ops} -> model -> base. Bindings, tools and examples see damon_c.h."""

import re

import repo

BELOW = {
    "base": {"base"},
    "model": {"model", "base"},
    "engine": {"engine", "model", "base"},
    "ops": {"ops", "model", "base"},
    "kdamond": {"kdamond", "engine", "ops", "model", "base"},
    "capi": {"capi", "kdamond", "engine", "ops", "model", "base"},
}
# The library allocates from its own heap and has no C++ runtime to lean on.
NEVER = set(
    """any condition_variable deque exception filesystem forward_list fstream functional future iostream istream list
    locale map memory memory_resource mutex ostream queue regex semaphore set shared_mutex sstream stack stdexcept
    stop_token string syncstream thread typeinfo unordered_map unordered_set valarray vector""".split()
)
THREADS = {"pthread.h", "threads.h", "semaphore.h"}
# Process-wide resources below kdamond that need a lock of their own: one named file each.
MAY_LOCK = set()
OUTSIDE = ("bindings", "tools", "examples")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]", re.M)


def problems_of_library_file(path, text):
    """`path` is relative to lib/."""
    layer = path.split("/")[0]
    found = []
    for quote, name in INCLUDE.findall(text):
        if quote == "<":
            if name in NEVER:
                found.append(f"lib/{path}: <{name}> allocates or needs the C++ runtime")
            if name in THREADS and layer != "kdamond" and path not in MAY_LOCK:
                found.append(f"lib/{path}: <{name}> belongs to kdamond/ alone")
            continue
        if name == "damon_c.h":
            if layer != "capi":
                found.append(f"lib/{path}: only capi/ knows the C header")
            continue
        if name.split("/")[0] not in BELOW.get(layer, set()):
            found.append(f"lib/{path}: {layer}/ may not include {name}")
    return found


def problems_of_outside_file(path, text):
    found = []
    for _, name in INCLUDE.findall(text):
        if name.split("/")[0] in BELOW or "lib/" in name:
            found.append(f"{path}: {name} is internal; include damon_c.h")
    return found


def main():
    problems = []
    library = repo.files(".h", ".cc", under="lib")
    for path in library:
        problems += problems_of_library_file(str(path.relative_to(repo.ROOT / "lib")), path.read_text())
    outside = [path for folder in OUTSIDE for path in repo.files(".h", ".c", ".cc", ".cpp", under=folder)]
    for path in outside:
        problems += problems_of_outside_file(path.relative_to(repo.ROOT), path.read_text())
    repo.finish(problems, len(library) + len(outside))


if __name__ == "__main__":
    main()
