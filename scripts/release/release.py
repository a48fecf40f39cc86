"""release.py <repository> <commit> [--once]: makes the packages of a commit in two folders and compares them, then installs and
runs each. What is to be published is in build/release-packages then, with checksums and an SBOM.

--once: without the second build."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import facts
import sbom

HERE = pathlib.Path(__file__).resolve().parent
# Where a commit is built: of different lengths, and one with an odd name.
FOLDERS = ("one", "another place/of/the-same")


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def git(root: pathlib.Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout.strip()


def unpack(root: pathlib.Path, commit: str, folder: pathlib.Path) -> pathlib.Path:
    """The sources as the archive of a release has them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / "source.tar"
    git(root, "archive", "--prefix=libdamon/", "-o", str(archive), commit)
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    return folder / "libdamon"


def make(tree: pathlib.Path, environment: "dict[str, str]") -> pathlib.Path:
    out = tree.parent / "packages"
    subprocess.run([sys.executable, "-B", HERE / "make.py", tree, out], check=True, env={**os.environ, **environment})
    return out


def differences(one: pathlib.Path, other: pathlib.Path) -> "list[str]":
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    return [name for name in sorted(names)
            if not ((one / name).exists() and (other / name).exists() and (one / name).read_bytes() == (other / name).read_bytes())]


def write_checksums(packages: pathlib.Path) -> None:
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in sorted(packages.iterdir())]
    (packages / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def main() -> None:
    root, commit = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    work = root / "build" / "release-work"
    # The commit's own version and pages: those of the working tree may be others.
    tree = unpack(root, commit, work / FOLDERS[0])
    version, problems = facts.check(tree)
    if problems:
        sys.exit("\n".join(problems))
    say(f"libdamon {version}{', not called released by CHANGELOG.md yet' if facts.is_rehearsal(tree, version) else ''}")
    environment = {"SOURCE_DATE_EPOCH": git(root, "log", "-1", "--format=%ct", commit)}
    made = make(tree, environment)
    status = 0
    if "--once" not in sys.argv:
        # What a compiler cache has would be the first build's.
        again = make(unpack(root, commit, work / FOLDERS[1]), {**environment, "CCACHE_DISABLE": "1"})
        differing = differences(made, again)
        say(f"two builds in two folders: {'DIFFER in ' + ', '.join(differing) if differing else 'equal, byte by byte'}")
        status = 1 if differing else 0
    say("each package, installed and used")
    checked = subprocess.run([sys.executable, "-B", HERE / "check.py", made, work / "check", tree])
    status = status or checked.returncode
    packages = root / "build" / "release-packages"
    shutil.rmtree(packages, ignore_errors=True)
    shutil.copytree(made, packages)
    (packages / f"libdamon-{version}.cdx.json").write_text(sbom.text(packages, tree, version))
    write_checksums(packages)
    say(f"{packages}: {'to be published by hand, see CONTRIBUTING.md' if status == 0 else 'NOT to be published'}")
    sys.exit(status)


if __name__ == "__main__":
    main()
