"""Reads the symbols of objects and libraries with nm."""

import re
import subprocess

import repo


def _nm(*arguments):
    return subprocess.run(["nm", *arguments], capture_output=True, text=True, check=True).stdout


def undefined(path, dynamic=False):
    lines = _nm(*(["-D"] if dynamic else []), "--undefined-only", "--format=posix", path).splitlines()
    return {_bare(line.split()[0]) for line in lines if len(line.split()) >= 2 and line.split()[1] in "Uwv"}


def defined(path, dynamic=False):
    lines = _nm(*(["-D"] if dynamic else []), "--defined-only", "--format=posix", path).splitlines()
    # "A" is the name of a version, not a symbol of ours.
    return {_bare(line.split()[0]) for line in lines if len(line.split()) >= 2 and line.split()[1] not in "Aa"}


def _bare(name):
    return name.split("@")[0]


def readable(name):
    done = subprocess.run(["c++filt", name], capture_output=True, text=True)
    return done.stdout.strip() or name


def declared_functions(header_text):
    """Names of the functions that the C header declares."""
    code = repo.code_only(header_text)
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*\n", "", code, flags=re.M)
    return set(re.findall(r"\b((?:damon|damos)_[a-z0-9_]+)\s*\(", code))


def version_script(text):
    """{node: names} of a linker version script."""
    text = re.sub(r"/\*.*?\*/|#[^\n]*", "", text, flags=re.S)
    nodes = {}
    for node, body in re.findall(r"(\w[\w.]*)\s*\{(.*?)\}", text, flags=re.S):
        exported = body.split("local:")[0].replace("global:", "")
        nodes[node] = {name.strip() for name in exported.split(";") if name.strip()}
    return nodes
