"""The packages are called libdamon and libdamon-sys; packages that are called damon belong to others, and are named nowhere.

The libraries that programs import stay `damon` (`import damon`, `use damon::`), raw `damon_sys`."""

import re

import repo

RUST = {"libdamon-sys": "damon_sys", "libdamon": "damon"}
TEXT = {".md", ".toml", ".rs", ".py", ".pyi", ".sh", ".txt", ".yml", ".yaml", ".cfg", ".h", ".c", ".cc", ".cmake", ".in", ""}
# A name that ends here, and that is not the end of a longer name or of a path.
OTHERS = r"(?<![\w./-])damon(?:[-_]sys)?(?![\w./-])"
WRONG = [
    ("a package of somebody else's is installed", re.compile(r"\b(?:pip3?|pipx|uv|poetry|conda|cargo)\b[^\n;|]*? (?:install|add|download|run) [^\n;|]*?" + OTHERS)),
    ("a crate of somebody else's is depended on", re.compile(r"^\s*damon(?:-sys)?\s*=\s*(?:\"\^?[~=]?\d|\{)", re.M)),
    ("a crate of somebody else's is named", re.compile(r"(?<![\w-])damon-sys(?![\w-])")),
    ("a distribution of somebody else's is looked up", re.compile(r"\b(?:metadata|version|distribution)\(\s*[\"']damon[\"']")),
]


def section(text, name):
    """The lines of a TOML table, up to the next one."""
    found = re.search(rf"^\[{re.escape(name)}\]\n(.*?)(?=^\[|\Z)", text, flags=re.M | re.S)
    return found.group(1) if found else ""


def value(text, table, key):
    found = re.search(rf"^{key}\s*=\s*\"([^\"]*)\"", section(text, table), flags=re.M)
    return found.group(1) if found else None


def manifest_problems(path, text, package, library):
    """What is wrong with a crate's manifest."""
    found = []
    if value(text, "package", "name") != package:
        found.append(f"{path}: [package] name is {value(text, 'package', 'name')}, not {package}")
    if value(text, "lib", "name") != library:
        found.append(f"{path}: [lib] name is {value(text, 'lib', 'name')}, not {library}")
    if package == "libdamon-sys" and value(text, "package", "links") != "damon":
        found.append(f"{path}: links is {value(text, 'package', 'links')}, not damon")
    return found


def text_problems(path, text):
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match.group().strip()}"
        for what, pattern in WRONG
        for match in pattern.finditer(text)
    ]


def main():
    problems, checked = [], 0
    for package, library in RUST.items():
        path = repo.ROOT / "bindings" / "rust" / package / "Cargo.toml"
        problems += manifest_problems(path.relative_to(repo.ROOT), path.read_text(), package, library)
    python = repo.ROOT / "bindings" / "python" / "pyproject.toml"
    name = value(python.read_text(), "project", "name")
    if name != "libdamon":
        problems.append(f"{python.relative_to(repo.ROOT)}: [project] name is {name}, not libdamon")
    for path in repo.files():
        if path.suffix not in TEXT or path.name in {"package_names.py", "selftest.py"}:
            continue
        problems += text_problems(path.relative_to(repo.ROOT), path.read_text(errors="replace"))
        checked += 1
    repo.finish(problems, checked)


if __name__ == "__main__":
    main()
