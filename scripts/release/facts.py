"""What a release is called, in every place that says so."""

import pathlib
import re

PLACES = (
    ("CMakeLists.txt", r"^project\(damon VERSION ([\d.]+)"),
    ("bindings/python/pyproject.toml", r'^version = "([^"]+)"'),
    ("bindings/rust/libdamon/Cargo.toml", r'^version = "([^"]+)"'),
    ("bindings/rust/libdamon-sys/Cargo.toml", r'^version = "([^"]+)"'),
    ("bindings/rust/libdamon/Cargo.toml", r'^libdamon-sys = \{ version = "([^"]+)"'),
)
HEADER = "include/damon_c.h"


def version_of_header(text: str) -> str:
    return ".".join(
        re.search(rf"^#define DAMON_VERSION_{part} (\d+)", text, re.M).group(1) for part in ("MAJOR", "MINOR", "PATCH")
    )


def versions(tree: pathlib.Path) -> "dict[str, str]":
    """Place -> version."""
    found = {HEADER: version_of_header((tree / HEADER).read_text())}
    for name, pattern in PLACES:
        match = re.search(pattern, (tree / name).read_text(), re.M)
        found[f"{name} ({pattern.split(' ')[0].lstrip('^')})"] = match.group(1) if match else "none"
    return found


def changelog_problems(text: str, version: str) -> "list[str]":
    """A section of this version, not empty, that the first release's has no corrections of what was never released."""
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    names = [re.match(r"\[([^\]]+)\]", section).group(1) if section.startswith("[") else "" for section in sections]
    problems = [f"CHANGELOG.md: '## {section.splitlines()[0]}' is no [version] or [Unreleased]"
                for section, name in zip(sections, names) if not name]
    if version not in names and "Unreleased" not in names:
        return [*problems, f"CHANGELOG.md has neither [{version}] nor [Unreleased]"]
    section = sections[names.index(version if version in names else "Unreleased")]
    if not re.search(r"^- ", section, re.M):
        problems.append(f"CHANGELOG.md: [{section.split(']')[0].lstrip('[')}] is empty")
    if version in names and not re.match(r"\[[^\]]+\] - \d{4}-\d\d-\d\d$", section.splitlines()[0]):
        problems.append(f"CHANGELOG.md: [{version}] has no date: '## [{version}] - YEAR-MONTH-DAY'")
    if len([name for name in names if name and name != "Unreleased"]) <= 1 and re.search(r"^### (Fixed|Changed)", section, re.M):
        problems.append("CHANGELOG.md: before the first release nothing was there to be fixed or changed")
    return problems


def check(tree: pathlib.Path) -> "tuple[str, list[str]]":
    """The version, and what is wrong."""
    found = versions(tree)
    version = found[HEADER]
    problems = [f"{place} says {other}; {HEADER} says {version}" for place, other in found.items() if other != version]
    return version, problems + changelog_problems((tree / "CHANGELOG.md").read_text(), version)


def is_rehearsal(tree: pathlib.Path, version: str) -> bool:
    """Whether the changelog still calls it unreleased."""
    return f"## [{version}]" not in (tree / "CHANGELOG.md").read_text()
