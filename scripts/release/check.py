"""check.py <folder of packages> <scratch folder> <repository>: each package, installed where nothing of this project is, runs
the smallest example of its README. Prints one line a check; exit 1: one failed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

# Nothing that leads to this project's builds; what a machine needs to reach its package indexes stays.
KEPT = re.compile(r"PATH|HOME|LANG|TMPDIR|CARGO_HOME|RUSTUP_HOME|PIP_\w+|CARGO_(HTTP|NET|REGISTR)\w+|SSL_CERT_\w+|\w+_CA_BUNDLE"
                  r"|\w+_PROXY|\w+_proxy")
ALONE = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}


def run(*command: object, **more: object) -> str:
    more.setdefault("env", ALONE)
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1800, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def first_program(page: pathlib.Path, language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", page.read_text(), re.S).group(1)


def c_program(prefix: pathlib.Path, scratch: pathlib.Path, root: pathlib.Path) -> None:
    """Shared and static, through pkg-config."""
    source = scratch / "first.c"
    source.write_text(first_program(root / "README.md", "c"))
    found = next(prefix.rglob("damon.pc")).parent
    environment = {**ALONE, "PKG_CONFIG_PATH": str(found)}

    def flags(*options: str) -> "list[str]":
        return run("pkg-config", *options, "damon", env=environment).split()

    run("gcc", source, "-o", scratch / "shared", *flags("--cflags", "--libs"))
    run("gcc", "-static", source, "-o", scratch / "static", *flags("--cflags", "--libs", "--static"))
    run(scratch / "shared", env={**ALONE, "LD_LIBRARY_PATH": str(found.parent)})
    run(scratch / "static")
    agent = next(prefix.rglob("libdamon_agent.so"))
    assert run("sh", "-c", "echo alive", env={**ALONE, "LD_PRELOAD": str(agent)}) == "alive\n"


def check_archive(packages: pathlib.Path, scratch: pathlib.Path, root: pathlib.Path) -> None:
    run("tar", "-xzf", next(packages.glob("libdamon-*-Linux.tar.gz")), "-C", scratch)
    c_program(scratch, scratch, root)


def check_debian(packages: pathlib.Path, scratch: pathlib.Path, root: pathlib.Path) -> None:
    debs = sorted(packages.glob("*.deb"))
    for deb in debs:
        run("dpkg-deb", "-x", deb, scratch / "prefix")
    c_program(scratch / "prefix", scratch, root)
    run("apt-get", "-s", "install", *debs)  # what they need is there
    run("lintian", "--fail-on", "error,warning", *debs)


def check_wheel(packages: pathlib.Path, scratch: pathlib.Path, root: pathlib.Path) -> None:
    run(sys.executable, "-m", "venv", scratch / "venv")
    python = scratch / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", f"{next(packages.glob('*.whl'))}[numpy]")
    program = first_program(root / "bindings" / "python" / "README.md", "python")
    said = run(python, "-W", "default", "-c", program, cwd=scratch, env={**ALONE, "NUMPY_MADVISE_HUGEPAGE": "0"})
    assert "64.0 MiB in" in said, said
    run(python, "-m", "damon", "--help", cwd=scratch)
    run(scratch / "venv" / "bin" / "damon", "run", "--", "true", cwd=scratch)


def check_metadata(packages: pathlib.Path, _scratch: pathlib.Path, _root: pathlib.Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *packages.glob("*.whl"), next(packages.glob("libdamon-*[0-9].tar.gz")))


def check_crates(packages: pathlib.Path, scratch: pathlib.Path, root: pathlib.Path) -> None:
    """The crate with the sources that it brings."""
    for crate in packages.glob("*.crate"):
        run("tar", "-xzf", crate, "-C", scratch)
    whole = next(scratch.glob("libdamon-[0-9]*"))
    raw = next(scratch.glob("libdamon-sys-*"))
    program = scratch / "program"
    (program / "src").mkdir(parents=True)
    (program / "src" / "main.rs").write_text(first_program(root / "bindings" / "rust" / "README.md", "rust"))
    (program / "Cargo.toml").write_text(
        '[package]\nname = "program"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\n'
        f'libdamon = {{ path = "{whole}", features = ["vendored"] }}\n\n'
        f'[patch.crates-io]\nlibdamon-sys = {{ path = "{raw}" }}\n')
    said = run("cargo", "run", "--quiet", cwd=program)
    assert "made cold" in said, said


CHECKS = {"tar.gz": check_archive, "deb": check_debian, "wheel": check_wheel, "metadata": check_metadata, "crates": check_crates}
NEEDS = {"deb": ("dpkg-deb", "lintian"), "crates": ("cargo",)}


def main() -> None:
    packages, scratch, root = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    status = 0
    for name, check in CHECKS.items():
        missing = [tool for tool in NEEDS.get(name, ()) if not shutil.which(tool)]
        if missing:
            print(f"skipped {name}: there is no {', '.join(missing)}", flush=True)
            continue
        shutil.rmtree(scratch / name, ignore_errors=True)
        (scratch / name).mkdir(parents=True)
        try:
            check(packages, scratch / name, root)
            print(f"passed  {name}", flush=True)
        except (AssertionError, StopIteration, subprocess.TimeoutExpired) as why:
            print(f"FAILED  {name}: {why or repr(why)}", flush=True)
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
