"""What is made by running things: figures, programs with what they print, the Rust crates' documentation."""

import hashlib
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NOT_RUN = "(not run where this page was made)\n"
FIGURES = ("regions", "pause", "size", "intervals", "goal")


def have(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def digest_of(root):
    """Changes when a figure's script or the installed package does."""
    import damon._core

    digest = hashlib.sha256(pathlib.Path(damon._core.__file__).read_bytes())
    for path in sorted((root / "docs" / "figures").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_figures(root, folder, missing):
    """Draws what changed; gives the numbers that the pages name."""
    folder.mkdir(parents=True, exist_ok=True)
    if not have("damon", "matplotlib"):
        missing.append("figures: damon and matplotlib are not both installed here")
        return {}
    stamp, digest = folder / "facts.json", digest_of(root)
    if stamp.exists():
        kept = json.loads(stamp.read_text())
        if kept["digest"] == digest:
            return kept["facts"]
    facts = {}
    sys.path.insert(0, str(root / "docs" / "figures"))
    for name in FIGURES:
        print(f"drawing {name}", flush=True)
        facts |= importlib.import_module(name).make(folder)
    stamp.write_text(json.dumps({"digest": digest, "facts": facts}))
    return facts


def block(path, language):
    """The first program in that language on a page."""
    return re.search(rf"^```{language}\n(.*?)^```$", path.read_text(), flags=re.M | re.S).group(1)


def printed(command, **more):
    """What a program prints. One that fails is an error: the page would show a program that does not work."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    if ran.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def make_outputs(root, folder, library, missing):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "first.c").write_text(block(root / "README.md", "c"))
    (folder / "first.py").write_text(block(root / "bindings" / "python" / "README.md", "python"))
    for path in [*root.glob("examples/*.c"), *root.glob("bindings/*/examples/*.py"), *root.glob("bindings/rust/libdamon/examples/*.rs")]:
        shutil.copyfile(path, folder / path.name)
    for name in ("first.c", "policy.c", "wss.c", "stale_pages.c", "allocator_purge.c"):
        run_c(root, folder / name, library, missing)
    run_python(folder, missing)
    run_rust(root, folder / "cold_part.rs", library, missing)


def run_c(root, source, library, missing):
    output = source.with_suffix(source.suffix + ".out")
    if library is None:
        missing.append(f"output of {source.name}: no --library")
        output.write_text(NOT_RUN)
        return
    with tempfile.TemporaryDirectory() as scratch:
        binary = pathlib.Path(scratch, source.stem)
        library = library.resolve()
        command = ["cc", "-O2", f"-I{root}/include", source, "-o", binary, f"-L{library}", "-ldamon", "-pthread"]
        subprocess.run([*command, f"-Wl,-rpath,{library}"], check=True)
        output.write_text(printed([binary], cwd=scratch))


def run_python(folder, missing):
    if not have("damon", "numpy"):
        missing.append("output of Python programs: damon and numpy are not both installed here")
        for name in ("first.py", "pause_critical.py", "heatmap"):
            (folder / f"{name}.out").write_text(NOT_RUN)
        return
    environment = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}
    for name in ("first.py", "pause_critical.py"):
        (folder / f"{name}.out").write_text(printed([sys.executable, "-B", folder / name], env=environment))
    with tempfile.TemporaryDirectory() as scratch:
        program = (
            "import damon, time\n"
            "memory = damon.shared_array(32 << 20, dtype='u1')\n"
            "with damon.profile('run.damon', memory, sample_us=2_000, aggr_us=40_000):\n"
            "    for part in range(4):\n"
            "        end = time.monotonic() + 0.5\n"
            "        while time.monotonic() < end: memory[part << 23 : (part << 23) + (4 << 20)] += 1\n"
        )
        printed([sys.executable, "-B", "-c", program], cwd=scratch)
        text = printed([sys.executable, "-B", "-m", "damon", "heatmap", "run.damon", "--height", "16", "--width", "60"], cwd=scratch)
        (folder / "heatmap.out").write_text(text)


def run_rust(root, source, library, missing):
    """With the C library that was built already, as pkg-config would tell of an installed one."""
    output = source.with_suffix(source.suffix + ".out")
    if library is None or not shutil.which("cargo"):
        missing.append(f"output of {source.name}: no cargo, or no --library")
        output.write_text(NOT_RUN)
        return
    package = root / "build" / "docs" / "pkgconfig" / "damon.pc"
    package.parent.mkdir(parents=True, exist_ok=True)
    package.write_text(
        f"Name: damon\nDescription: as built\nVersion: 0.1.0\nLibs: -L{library.resolve()} -ldamon\nCflags: -I{root}/include\n"
    )
    environment = {**os.environ, "PKG_CONFIG_PATH": str(package.parent), "LD_LIBRARY_PATH": str(library.resolve())}
    command = ["cargo", "run", "--quiet", "--release", "--locked", "--example", source.stem, "--target-dir", root / "build" / "docs" / "cargo"]
    output.write_text(printed(command, cwd=root / "bindings" / "rust", env=environment))


def make_rustdoc(root, folder, missing):
    if not shutil.which("cargo"):
        missing.append("documentation of the Rust crates: no cargo")
        (folder / "damon").mkdir(parents=True, exist_ok=True)
        (folder / "damon" / "index.html").write_text("<!doctype html><title>damon</title><p>Not made here: no cargo.")
        return
    target = root / "build" / "docs" / "cargo"
    environment = {**os.environ, "DOCS_RS": "1", "RUSTDOCFLAGS": "-D warnings"}
    command = ["cargo", "doc", "--quiet", "--locked", "--workspace", "--no-deps", "--features", "libdamon/serde", "--target-dir", target]
    subprocess.run(command, check=True, cwd=root / "bindings" / "rust", env=environment)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(target / "doc", folder)
