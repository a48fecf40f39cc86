"""make.py <source tree> <folder>: packages of an unpacked source tree: the library's .tar.gz and .deb, the Python package's
source archive and wheel, the Rust crates. SOURCE_DATE_EPOCH is set by the caller."""

import gzip
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

JOBS = os.environ.get("DAMON_JOBS") or str(os.cpu_count())


def run(*command: object, **more: object) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, **more)


def sort_archive(path: pathlib.Path) -> None:
    """cpack packs files in the order in which the file system lists them."""
    with tarfile.open(path) as packed:
        members = sorted(packed.getmembers(), key=lambda member: member.name)
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as again:
            for member in members:
                again.addfile(member, packed.extractfile(member) if member.isfile() else None)
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))


def make_library(tree: pathlib.Path, out: pathlib.Path) -> None:
    build = tree / "build"
    triplet = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", "-DDAMON_BUILD_BENCH=OFF", "-DDAMON_BUILD_EXAMPLES=OFF"]
    options += ["-DCMAKE_INSTALL_PREFIX=/usr", f"-DCMAKE_INSTALL_LIBDIR=lib/{triplet}" if triplet else "-DCMAKE_INSTALL_LIBDIR=lib"]
    if contact := os.environ.get("DAMON_CONTACT"):
        options.append(f"-DDAMON_CONTACT={contact}")
    run("cmake", "-S", tree, "-B", build, "-G", "Ninja", *options, stdout=subprocess.DEVNULL)
    run("cmake", "--build", build, "--parallel", JOBS)
    for generator in ("TGZ", "DEB") if shutil.which("dpkg-deb") else ("TGZ",):
        run("cpack", "-G", generator, "-B", out / "cpack", cwd=build, stdout=subprocess.DEVNULL)
    for made in (out / "cpack").iterdir():
        if made.is_file():
            made.rename(out / made.name)
            if made.name.endswith(".tar.gz"):
                sort_archive(out / made.name)
    shutil.rmtree(out / "cpack")


def make_python(tree: pathlib.Path, out: pathlib.Path) -> None:
    """The wheel from the source archive."""
    environment = {**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": JOBS}
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree / "bindings" / "python", env=environment)


def make_rust(tree: pathlib.Path, out: pathlib.Path) -> None:
    if not shutil.which("cargo"):
        print("no cargo: no crates are made")
        return
    target = tree / "build" / "cargo"
    run("cargo", "package", "--quiet", "--locked", "--no-verify", "--workspace", "--target-dir", target,
        cwd=tree / "bindings" / "rust")
    for crate in (target / "package").glob("*.crate"):
        shutil.copy(crate, out)


def main() -> None:
    tree, out = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    make_library(tree, out)
    make_rust(tree, out)
    make_python(tree, out)
    odd = [path.name for path in out.iterdir() if not re.fullmatch(r"libdamon.*\.(deb|tar\.gz|whl|crate)", path.name)]
    if odd:
        sys.exit(f"not expected in {out}: {', '.join(odd)}")


if __name__ == "__main__":
    main()
