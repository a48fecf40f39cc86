"""build.py [--library FOLDER] [--strict]: makes the site of docs/ in build/docs/html, and checks its links.

Pages are docs/*.md, docs/site/*.md and a few files from elsewhere (IMPORTED). They are put into one flat folder,
build/docs/source, beside what is made here: pages of the C interface by group, programs with what they print, figures.
Then Sphinx makes the site, with warnings as errors. What cannot be made on this machine (no Python package, no cargo)
is left out and said on the page; with --strict that is an error.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

import check_links
import links
import programs
import python_reference
import reference
import rules
import toc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "docs"
SOURCE = BUILD / "source"
HTML = BUILD / "html"

# Pages that live elsewhere in the repository, where other readers look for them.
IMPORTED = {
    "bindings/python/README.md": "python-guide.md",
    "bindings/rust/README.md": "rust-guide.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
}


def pages():
    """{path in the repository: name of the page}"""
    found = {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    for path in sorted((ROOT / "docs" / "site").glob("*.md")):
        if path.name in found.values():
            raise SystemExit(f"docs/site/{path.name}: docs/ has a page of that name")
        found[f"docs/site/{path.name}"] = path.name
    return {**found, **IMPORTED}


def write_if_changed(path, text):
    """Sphinx reads again what is newer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def assemble(facts):
    """Writes the pages; facts are numbers that pages name as {{ name }}."""
    reference.polished(BUILD / "doxygen" / "xml", BUILD / "xml", (ROOT / "include" / "damon_c.h").read_text())
    made = {**reference.pages_of(BUILD / "doxygen" / "xml"), **python_reference.pages()}
    where = pages()
    rewriter = links.Rewriter(ROOT, where)
    texts = dict(made)
    for origin, name in where.items():
        text = (ROOT / origin).read_text()
        text = rewriter.rewritten(text, origin)
        if origin.startswith("docs/site/"):
            text = links.with_facts(text, facts, origin)
        if origin == "docs/damon-semantics.md":
            text = rules.with_anchors(text)
        texts[name] = text
    texts["rules.md"] = rules.index_page((ROOT / "docs" / "damon-semantics.md").read_text())
    texts["index.md"] = toc.with_leftovers(texts)
    for name, text in texts.items():
        write_if_changed(SOURCE / name, text)
    for old in SOURCE.glob("*.md"):
        if old.name not in texts:
            old.unlink()
    rewriter.copy_pictures(SOURCE / "pictures")
    rewriter.copy_files(SOURCE / "extra" / "files")


def run_sphinx():
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", ROOT / "docs" / "site"]
    return subprocess.run([*command, "-d", BUILD / "doctrees", SOURCE, HTML], cwd=ROOT).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=pathlib.Path, help="folder with libdamon.so, for the programs in C")
    parser.add_argument("--strict", action="store_true", help="what cannot be made is an error")
    options = parser.parse_args()
    (SOURCE / "extra").mkdir(parents=True, exist_ok=True)
    missing = []
    facts = programs.make_figures(ROOT, SOURCE / "figures", missing)
    programs.make_outputs(ROOT, SOURCE / "programs", options.library, missing)
    programs.make_rustdoc(ROOT, SOURCE / "extra" / "rust", missing)
    assemble(facts)
    if HTML.exists() and not (BUILD / "doctrees").exists():
        shutil.rmtree(HTML)
    status = run_sphinx()
    if status == 0:
        status = check_links.report(HTML)
    for what in missing:
        print(f"left out: {what}")
    if missing and options.strict:
        status = status or 1
    sys.exit(status)


if __name__ == "__main__":
    main()
