"""Includes go down only: capi -> kdamond -> {engine, ops -> os} -> model -> base, and so do the folders of a layer.

Bindings, tools and examples see damon_c.h alone.
"""

import re

import repo

BELOW = {
    "base": {"base"},
    "model": {"model", "base"},
    "os": {"os", "model", "base"},
    "engine": {"engine", "model", "base"},
    "ops": {"ops", "os", "model", "base"},
    "kdamond": {"kdamond", "engine", "ops", "os", "model", "base"},
    "capi": {"capi", "kdamond", "engine", "ops", "os", "model", "base"},
}
# Folders inside a layer and what they may include of that layer. A folder's own parent is above it.
INSIDE = {
    "capi": set(),
    "capi/results": {"capi"},
    "capi/sim": {"capi"},
    "engine": {"engine/monitor", "engine/schemes", "engine/survey"},
    "engine/monitor": set(),
    "engine/schemes": {"engine/monitor"},
    "engine/survey": {"engine/monitor"},
    "kdamond": {"kdamond/worker", "kdamond/exchange", "kdamond/timing"},
    "kdamond/worker": {"kdamond/exchange", "kdamond/timing"},
    "kdamond/exchange": set(),
    "kdamond/timing": set(),
    "os": set(),
    "os/metrics": {"os"},
    "ops": set(),
    "ops/linux": {
        "ops",
        "ops/linux/access",
        "ops/linux/access/checks",
        "ops/linux/actions",
        "ops/linux/passes",
        "ops/linux/registration",
    },
    "ops/linux/access": {"ops", "ops/linux/access/checks", "ops/linux/registration"},
    "ops/linux/access/checks": {"ops", "ops/linux/registration"},
    "ops/linux/actions": {"ops", "ops/linux/access", "ops/linux/registration"},
    "ops/linux/passes": {"ops", "ops/linux/registration"},
    "ops/linux/registration": {"ops"},
    "ops/offload": {"ops"},
    "ops/sim": {"ops"},
}
# The library allocates from its own heap and has no C++ runtime to lean on.
NEVER = set(
    """any condition_variable deque exception filesystem forward_list fstream functional future iostream istream list
    locale map memory memory_resource mutex ostream queue regex semaphore set shared_mutex sstream stack stdexcept
    stop_token string syncstream thread typeinfo unordered_map unordered_set valarray vector""".split()
)
# These walk the table of access checks: one that they named would have to be added to them too.
WALKS_THE_TABLE = re.compile(
    r"ops/(?:access_check|linux/(?:access/(?:access_checker|sample_arming|sample_answers|checks/check_tools|watch)|vaddr))\.(?:h|cc)"
)
CHECK_BY_NAME = re.compile(r"AccessCheck::k(?!Auto\b|Report\b)\w+|access/checks/(?:uffd_rwp|uffd_wp|zap)\.h")
THREADS = {"pthread.h", "threads.h", "semaphore.h"}
OUTSIDE = ("bindings", "tools", "examples")
# Fuzz targets have no GoogleTest: they end by abort(). What only tests use of the folders that they share:
TEST_MACRO = re.compile(r"\b(?:EXPECT|ASSERT)_[A-Z]+\(|\b(?:ADD_FAILURE|FAIL)\(")
TESTS_ALONE = ("tests/support/declared_skip.cc", "tests/support/sim_run.cc")
FUZZED = ("tests/support", "tests/fuzz")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)[>\"]", re.M)


def folder_of(path):
    return path.rpartition("/")[0]


def may_include_within(own, other):
    """Inside of one layer; a folder that INSIDE does not name belongs to no rule and may not be included."""
    if own == other or own.split("/")[0] != other.split("/")[0]:
        return True
    return other in INSIDE.get(own, set())


def problems_of_library_file(path, text):
    """`path` is relative to lib/."""
    layer = path.split("/")[0]
    found = []
    if WALKS_THE_TABLE.fullmatch(path):
        found += [f"lib/{path}: names the access check {name}" for name in CHECK_BY_NAME.findall(text)]
    for quote, name in INCLUDE.findall(text):
        if quote == "<":
            if name in NEVER:
                found.append(f"lib/{path}: <{name}> allocates or needs the C++ runtime")
            if name in THREADS and layer not in ("kdamond", "os"):
                found.append(f"lib/{path}: <{name}> belongs to kdamond/ and os/ alone")
            continue
        if name == "damon_c.h":
            if layer != "capi":
                found.append(f"lib/{path}: only capi/ knows the C header")
            continue
        if name.split("/")[0] not in BELOW.get(layer, set()):
            found.append(f"lib/{path}: {layer}/ may not include {name}")
        elif not may_include_within(folder_of(path), folder_of(name)):
            found.append(f"lib/{path}: {folder_of(path)}/ may not include {name}")
    return found


def problems_of_outside_file(path, text):
    found = []
    for _, name in INCLUDE.findall(text):
        if name.split("/")[0] in BELOW or "lib/" in name:
            found.append(f"{path}: {name} is internal; include damon_c.h")
    return found


def problems_of_fuzzed_file(path, text):
    macro = TEST_MACRO.search(text)
    if not macro or str(path) in TESTS_ALONE:
        return []
    return [f"{path}: {macro.group()[:-1]} in what fuzz targets use, which have no GoogleTest"]


def main():
    problems = []
    library = repo.files(".h", ".cc", under="lib")
    for path in library:
        problems += problems_of_library_file(str(path.relative_to(repo.ROOT / "lib")), path.read_text())
    outside = [path for folder in OUTSIDE for path in repo.files(".h", ".c", ".cc", ".cpp", under=folder)]
    for path in outside:
        problems += problems_of_outside_file(path.relative_to(repo.ROOT), path.read_text())
    fuzzed = [path for folder in FUZZED for path in repo.files(".h", ".cc", under=folder)]
    for path in fuzzed:
        problems += problems_of_fuzzed_file(path.relative_to(repo.ROOT), path.read_text())
    repo.finish(problems, len(library) + len(outside) + len(fuzzed))


if __name__ == "__main__":
    main()
