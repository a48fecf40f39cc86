#!/usr/bin/env python3
"""Compares what the crate libdamon offers with what it offered in a revision, by rustdoc's JSON: what went or reads otherwise
breaks programs. Usage: bindings/rust/api.py <revision>, or two JSON files of rustdoc. `cargo semver-checks` knows more
rules; this needs nothing but cargo."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What a compiler numbers anew, or what is no part of the interface.
LEFT_OUT = {"id", "trait_id", "impls", "span", "docs", "links", "items", "implementations", "is_stripped", "has_stripped_fields"}


def shape(value):
    """A part of the JSON without numbers that mean nothing in another build."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return value


class Crate:
    """What can be named or called from outside: a description of each by its path."""

    def __init__(self, text):
        self.index = json.loads(text)["index"]
        self.root = str(json.loads(text)["root"])
        self.found = {}
        self.exhaustive = set()  # enums that programs may match without a last arm
        self.bare = set()  # methods of traits without a body: implementors write them
        self.add_members(self.root, "damon", set())

    def item(self, number):
        return self.index.get(str(number))

    def add_members(self, number, path, within):
        for member in self.item(number)["inner"]["module"]["items"]:
            item = self.item(member)
            if item is not None and item["visibility"] == "public":
                self.add(item, path, within)

    def add(self, item, path, within):
        kind, inner = next(iter(item["inner"].items()))
        if kind == "use":
            target = self.item(inner["id"]) if inner["id"] is not None else None
            if target is None:
                self.found[f"{path}::{inner['name']}"] = kind
            elif inner["is_glob"] and inner["id"] not in within:
                self.add_members(inner["id"], path, within | {inner["id"]})
            elif not inner["is_glob"]:
                self.add({**target, "name": inner["name"]}, path, within)
            return
        here = f"{path}::{item['name']}"
        if kind == "module":
            self.found[here] = kind
            if item["id"] not in within:
                self.add_members(item["id"], here, within | {item["id"]})
            return
        self.found[here] = self.described(kind, inner)
        self.add_parts(here, kind, inner, item)

    def described(self, kind, inner):
        # Fields, variants and methods stand for themselves.
        parts = {"struct": ("kind",), "enum": ("variants",), "trait": ()}.get(kind, ())
        kept = {key: part for key, part in inner.items() if key not in parts} if isinstance(inner, dict) else inner
        return json.dumps([kind, shape(kept)], sort_keys=True)

    def add_parts(self, here, kind, inner, item):
        members = []
        if kind == "struct" and isinstance(inner["kind"], dict) and "plain" in inner["kind"]:
            members = inner["kind"]["plain"]["fields"]
        elif kind == "enum":
            members = inner["variants"]
            if not any("non_exhaustive" in str(attr) for attr in item["attrs"]):
                self.exhaustive.add(here)
        elif kind == "trait":
            members = inner["items"]
        for member in filter(None, map(self.item, members)):
            self.add_part(here, member)
        for one in filter(None, map(self.item, inner.get("impls", []) if isinstance(inner, dict) else [])):
            self.add_implementation(here, one["inner"]["impl"])

    def add_part(self, here, member):
        kind, inner = next(iter(member["inner"].items()))
        name = f"{here}::{member['name']}"
        self.found[name] = json.dumps([kind, shape(inner)], sort_keys=True)
        if kind == "function" and not inner["has_body"]:
            self.bare.add(name)

    def add_implementation(self, here, one):
        if one["trait"] is not None:
            if one["blanket_impl"] is None and not one["is_negative"]:
                args = one["trait"]["args"]
                self.found[f"{here}: {one['trait']['path']}" + (json.dumps(shape(args)) if args else "")] = "impl"
            return
        for member in filter(None, map(self.item, one["items"])):
            if member["visibility"] == "public":
                self.add_part(here, member)


def breaks(old, new):
    """What programs written for `old` may stumble over, a line each."""
    lines = [f"gone: {name}" for name in old.found if name not in new.found]
    lines += [f"reads otherwise: {name}\n    {old.found[name]}\n    {new.found[name]}" for name in old.found
              if name in new.found and old.found[name] != new.found[name]]
    for name in new.found:
        owner = name.rpartition("::")[0]
        if name not in old.found and owner in old.found:
            if owner in old.exhaustive and '"variant"' in new.found[name]:
                lines.append(f"new in an enum that programs match without a last arm: {name}")
            elif name in new.bare:
                lines.append(f"new in a trait, without a body: {name}")
    return sorted(lines)


def described_in(folder, target):
    """rustdoc's JSON of the crate below a folder. A stable compiler writes it when asked so; no library is built."""
    env = {**os.environ, "DOCS_RS": "1", "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(target)}
    subprocess.run(["cargo", "rustdoc", "--quiet", "--locked", "-p", "libdamon", "--features", "serde", "--lib", "--",
                    "-Zunstable-options", "--output-format", "json"], cwd=folder, env=env, check=True)
    return (target / "doc" / "damon.json").read_text()


def of_revision(revision, target):
    with tempfile.TemporaryDirectory() as folder:
        archive = pathlib.Path(folder) / "source.tar"
        subprocess.run(["git", "archive", "-o", archive, revision], cwd=ROOT, check=True)
        subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
        return described_in(pathlib.Path(folder) / "bindings" / "rust", target)


def main(words):
    if len(words) == 2:
        old, new = (pathlib.Path(word).read_text() for word in words)
    elif len(words) == 1:
        target = ROOT / "build" / "rust-api"
        old, new = of_revision(words[0], target), described_in(HERE, target)
    else:
        sys.exit(__doc__)
    old, new = Crate(old), Crate(new)
    lines = breaks(old, new)
    print("\n".join(lines + [f"{len(old.found)} names, {len(set(new.found) - set(old.found))} new, {len(lines)} break programs"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
