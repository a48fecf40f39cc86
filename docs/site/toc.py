"""Pages that no list of contents names come under "More", so that a new page of docs/ is never lost."""

import re

PLACE = "<!-- more pages -->"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.M | re.S)


def listed_in(text):
    names = set()
    for body in TOCTREE.findall(text):
        for line in body.splitlines():
            if line and not line.startswith(":"):
                named = re.search(r"<(.*)>$", line)
                names.add(named.group(1) if named else line.strip())
    return names


def with_leftovers(texts):
    """index.md, with the pages at PLACE that nobody lists."""
    index = texts["index.md"]
    listed = set().union(*(listed_in(text) for text in texts.values())) | {"index"}
    rest = sorted({name.removesuffix(".md") for name in texts} - listed)
    more = "" if not rest else "```{toctree}\n:hidden:\n:caption: More\n\n" + "\n".join(rest) + "\n```\n"
    if PLACE not in index:
        raise SystemExit(f"docs/index.md: lacks the line {PLACE}")
    return index.replace(PLACE + "\n", more)
