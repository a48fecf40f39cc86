"""A CycloneDX 1.5 list of what the packages hold and need, as JSON. The
same packages make the same text: no time, and a serial number from the packages' own checksums."""

import email
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import uuid
import zipfile

# What is compiled or linked into packages and has a name of its own.
INSIDE = {
    "whl": (
        {"type": "library", "name": "pybind11", "licenses": [{"license": {"id": "BSD-3-Clause"}}],
         "description": "headers, compiled into the module"},
        {"type": "library", "name": "libstdc++", "description": "linked into the module statically",
         "licenses": [{"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}]},
    ),
}


def checksum(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def package(path: pathlib.Path, version: str) -> dict:
    """A file that is published."""
    return {"type": "file", "bom-ref": path.name, "name": path.name, "version": version,
            "hashes": [{"alg": "SHA-256", "content": checksum(path)}], "licenses": [{"license": {"id": "MIT"}}]}


def python_needs(wheel: pathlib.Path) -> "list[dict]":
    with zipfile.ZipFile(wheel) as packed:
        metadata = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        requires = email.message_from_bytes(packed.read(metadata)).get_all("Requires-Dist") or []
    found = []
    for line in requires:
        need, _, marker = line.partition(";")
        name = re.match(r"[\w.-]+", need).group()
        found.append({"type": "library", "bom-ref": f"python:{line}", "name": name, "purl": f"pkg:pypi/{name.lower()}",
                      "scope": "optional" if "extra" in marker else "required", "description": line})
    return found


def rust_needs(root: pathlib.Path) -> "list[dict]":
    """As Cargo.lock has them, but for what only tests need."""
    if not shutil.which("cargo"):
        return []
    said = subprocess.run(["cargo", "tree", "--locked", "--workspace", "--edges", "normal,build", "--features", "libdamon/serde",
                           "--prefix", "none", "--format", "{p} {l}"], cwd=root / "bindings" / "rust", check=True,
                          capture_output=True, text=True).stdout
    found = {}
    for name, version, licence in re.findall(r"^(\S+) v(\S+) (?:\(proc-macro\) )?([^(\n]+?)(?: \(\*\))?$", said, re.M):
        found[f"cargo:{name}@{version}"] = {
            "type": "library", "bom-ref": f"cargo:{name}@{version}", "name": name, "version": version,
            "purl": f"pkg:cargo/{name}@{version}", "scope": "optional" if name.startswith("serde") else "required",
            "licenses": [{"expression": licence.replace("/", " OR ")}]}
    return [found[key] for key in sorted(found)]


def bom(packages: pathlib.Path, version: str, rust: "list[dict]") -> dict:
    files = sorted(path for path in packages.iterdir() if path.suffix in {".deb", ".gz", ".whl", ".crate"})
    published = [package(path, version) for path in files]
    libc = {"type": "library", "bom-ref": "libc", "name": "C library", "scope": "required",
            "description": "the system's; all that libdamon.so links with"}
    python = [need for path in files if path.suffix == ".whl" for need in python_needs(path)]
    inside = [{**one, "bom-ref": f"inside:{one['name']}"} for one in INSIDE["whl"]]
    depends = {".deb": ["libc"], ".gz": ["libc"], ".whl": ["libc", *(one["bom-ref"] for one in [*inside, *python])],
               ".crate": ["libc", *(one["bom-ref"] for one in rust)]}
    name = "".join(checksum(path) for path in files)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}",
        "metadata": {"component": {"type": "library", "bom-ref": "libdamon", "name": "libdamon", "version": version,
                                   "licenses": [{"license": {"id": "MIT"}}]}},
        "components": [*published, libc, *inside, *python, *rust],
        "dependencies": [{"ref": "libdamon", "dependsOn": [path.name for path in files]},
                         *({"ref": path.name, "dependsOn": depends[path.suffix]} for path in files)],
    }


def text(packages: pathlib.Path, root: pathlib.Path, version: str) -> str:
    return json.dumps(bom(packages, version, rust_needs(root)), indent=1) + "\n"
