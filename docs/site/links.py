"""Links between files of the repository become links between pages of the site."""

import os
import pathlib
import posixpath
import re
import shutil

LINK = re.compile(r"(?<!\\)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^(```|:::|~~~)")
FACT = re.compile(r"\{\{ (\w+) \}\}")
# A file with a page of its own that is made, not copied.
MADE = {"include/damon_c.h": "reference.md", "README.md": "index.md", "examples": "examples.md", "bindings/python/examples": "examples.md"}


def with_facts(text, facts, page):
    """Puts numbers of the figures' runs where a page names them. Without the figures the numbers are not known."""

    def known(match):
        if facts and match.group(1) not in facts:
            raise SystemExit(f"{page}: no figure tells {match.group(1)}; there are {', '.join(sorted(facts))}")
        return str(facts.get(match.group(1), "?"))

    return FACT.sub(known, text)


class Rewriter:
    """Rewrites the links of pages that end up in one flat folder, and remembers the files that they name."""

    def __init__(self, root, pages):
        self.root = root
        self.pages = {**MADE, **pages}
        self.files = set()
        self.pictures = set()  # shown on the page, not linked to
        self.source_url = os.environ.get("DAMON_DOCS_SOURCE_URL", "")

    def rewritten(self, text, origin):
        lines, in_code = [], False
        for line in text.splitlines(keepends=True):
            if FENCE.match(line.lstrip()) and line.lstrip()[:3] != ":::":
                in_code = not in_code
            lines.append(line if in_code else LINK.sub(lambda m: f"]({self._target(m.group(1), origin)})", line))
        return "".join(lines)

    def _target(self, target, origin):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            return target
        path, _, anchor = target.partition("#")
        there = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
        anchor = f"#{anchor}" if anchor else ""
        if there in self.pages:
            return self.pages[there] + anchor
        if path in self.pages.values() and "/" not in path:  # a page that is made
            return path + anchor
        if not (self.root / there).exists():
            if origin.startswith("docs/site/") and path.endswith((".md", ".html")):
                return target  # Sphinx, or the check of links, knows whether it is made
            raise SystemExit(f"{origin}: links to {target}, which does not exist")
        if there.endswith((".png", ".svg")):
            self.pictures.add(there)
            return f"pictures/{posixpath.basename(there)}"
        if self.source_url:
            return f"{self.source_url}/{there}"
        if (self.root / there).is_dir():
            there = self._listing_of(there)
        self.files.add(there)
        return f"site:files/{there}.txt"

    def _listing_of(self, folder):
        for name in ("README.md", "CMakeLists.txt"):
            if (self.root / folder / name).exists():
                return f"{folder}/{name}"
        raise SystemExit(f"a page links to the folder {folder}, which has no README.md")

    def copy_pictures(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for picture in sorted(self.pictures):
            shutil.copyfile(self.root / picture, folder / posixpath.basename(picture))

    def copy_files(self, folder):
        for file in sorted(self.files):
            copy = pathlib.Path(folder, file + ".txt")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.root / file, copy)
