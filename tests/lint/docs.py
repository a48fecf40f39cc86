"""Links between the files of the documentation lead somewhere, and every function of damon_c.h is in a group of it."""

import re
import sys

import repo

SITE = repo.ROOT / "docs" / "site"
sys.path.append(str(SITE))
import build  # noqa: E402
import links  # noqa: E402
import programs  # noqa: E402

DRAWN = re.compile(r"^```\{drawn\} (\w+)$", re.M)
GROUP = re.compile(r"@\{|@\}|^DAMON_API [^(;]*?\b(damo[ns]\w*)\(", re.M)


def functions_without_group(header):
    found, depth = [], 0
    for match in GROUP.finditer(header):
        if match.group(1):
            found += [match.group(1)] if depth == 0 else []
        else:
            depth += 1 if match.group() == "@{" else -1
    return found


def problems_of(origin, text, pages):
    """Of one page."""
    problems = [f"{origin}: there is no figure {name}" for name in DRAWN.findall(text) if name not in programs.FIGURES]
    try:
        links.Rewriter(repo.ROOT, pages).rewritten(text, origin)
    except SystemExit as error:
        problems.append(str(error))
    return problems


def main():
    pages = build.pages()
    problems = []
    for origin in pages:
        problems += problems_of(origin, (repo.ROOT / origin).read_text(), pages)
    header = (repo.ROOT / "include" / "damon_c.h").read_text()
    problems += [f"damon_c.h: {name}() is in no group: @addtogroup" for name in functions_without_group(header)]
    repo.finish(problems, len(pages))


if __name__ == "__main__":
    main()
