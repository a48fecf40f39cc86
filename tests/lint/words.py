"""No file names a package registry or a path of somebody's machine: both come from the machine's own configuration."""

import re

import repo

# Written in two halves, so that this file passes its own check.
HOSTS = [
    first + second
    for first, second in (
        ("deb.debian", ".org"),
        ("ftp.debian", ".org"),
        ("security.debian", ".org"),
        ("snapshot.debian", ".org"),
        ("archive.ubuntu", ".com"),
        ("security.ubuntu", ".com"),
        ("ports.ubuntu", ".com"),
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("crates", ".io"),
        ("rustup", ".rs"),
        ("rust-lang", ".org/dist"),
        ("registry.npm", "js.org"),
        ("proxy.golang", ".org"),
        ("ghcr", ".io"),
        ("docker", ".io"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:root|work|Users/\w+|home/\w+)(?:/[\w.-]+|\b)")
BINARY = {".png", ".gz", ".xz", ".zst", ".ico", ".pdf", ".bin"}


def problems_of(path, text):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        found += [f"{path}:{number}: names {host}" for host in HOSTS if host in line]
        found += [f"{path}:{number}: names {match.group()}" for match in MACHINE_PATH.finditer(line)]
    return found


def main():
    problems = []
    sources = [path for path in repo.files() if path.suffix not in BINARY and path.name != "Cargo.lock"]
    for path in sources:
        problems += problems_of(path.relative_to(repo.ROOT), path.read_text(errors="replace"))
    repo.finish(problems, len(sources))


if __name__ == "__main__":
    main()
